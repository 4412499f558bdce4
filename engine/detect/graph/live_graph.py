"""The live market as one graph: books of the board and pools, screened as they change."""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from engine.detect.graph.edge_table import EdgeTable
from engine.detect.graph.first_potentials import log_values
from engine.detect.graph.gas_prices import GasPrices
from engine.detect.graph.market_graph import MarketGraph
from engine.detect.graph.moved_pair import KnownPool, MovedPair, PairChanges
from engine.detect.graph.native_pools import NativePools
from engine.detect.graph.pair_table import PairTable, reserves_of
from engine.detect.graph.parallel_places import ParallelPlaces
from engine.detect.graph.places import BRIDGE_PLACE, POOL_PLACE, Place
from engine.detect.graph.pool_sides import PoolSide, PreparedPool, share_kept
from engine.detect.graph.screen_terms import Screen
from engine.detect.graph.side_arena import ROOM_MIN, Floats, SideArena
from engine.detect.graph.start_sweep import StartSweep
from engine.detect.graph.token_values import TokenValues
from engine.detect.sizing.pieces import Pieces
from engine.domain.assets import AssetCode
from engine.domain.bridges import Bridge
from engine.domain.errors import BadValueError
from engine.domain.gas import GasPrice
from engine.domain.instruments import Kind, VenueId
from engine.domain.opportunities import HopKind
from engine.domain.pools import Pool
from engine.domain.units import BPS_PER_UNIT
from engine.kernels.graph_layout import DEAD, NONE
from engine.kernels.layout import ASK, BID, FRAME_SEQ
from engine.kernels.screen_layout import (
    ASSET,
    BOOK,
    BOOK_COLUMNS,
    COST,
    LEG,
    PIECES_PER_BOOK_SIDE,
)
from engine.market.board import Board
from engine.portfolio.costs import Costs

POOL_EDGES_MAX: Final = 32_768
POOL_PIECES_MAX: Final = 262_144
BRIDGES_MAX: Final = 64
BRIDGE: Final = VenueId("bridge")

TOKENS_MAX: Final = 1_024
COUNTED_IN: Final = tuple(map(AssetCode, ("USD", "USDC", "USDT", "EUR", "GBP", "BTC", "ETH")))
"""Where a route starts if it can: its profit is counted in that asset."""


class LiveGraph:
    """Books and pools in one graph, with what is needed to size routes through them.

    Only spot books take part: the price of a perpetual may differ from spot for as long as funding
    pays for it, so that the difference is no riskless gain.

    Attributes:
        market: rates, by tokens and edges.
        terms: what a route must be to be an opportunity.
        parallel: what stands beside the places of a route.
        native_pools: what coins of chains are worth in their pools.
    """

    def __init__(self, board: Board, costs: Costs, screen: Screen, *, asset_count: int = 0) -> None:
        """Make a graph of the board's books; `asset_count` is how many assets are expected.

        Assets beyond that many, and those of the books, are scanned through their lists of pools.
        """
        books = board.capacity
        edge_max = 2 * (books + BRIDGES_MAX) + POOL_EDGES_MAX
        assets = {
            asset for listed in board.instruments for asset in (listed.pair.base, listed.pair.quote)
        }
        self.terms = screen
        self.market = MarketGraph(
            core_size=min(max(len(assets), asset_count, 1), TOKENS_MAX),
            token_max=TOKENS_MAX,
            edge_max=edge_max,
        )
        pieces = 2 * books * PIECES_PER_BOOK_SIDE
        self._sides = SideArena(
            edge_max=edge_max, piece_max=pieces + 4 * BRIDGES_MAX + POOL_PIECES_MAX
        )
        self._edges = EdgeTable(self.market, self._sides)
        self._pairs = PairTable(POOL_EDGES_MAX, self._sides)
        self._board = board
        self._books = np.full((books, BOOK_COLUMNS), float(NONE))
        self._fees = costs
        self._costs = screen.cost_entries(costs.transfer_bps)
        self._gas = GasPrices(self._costs, screen.gas, self._edges)
        self._values = TokenValues(self.market, self._gas)
        self.parallel = ParallelPlaces(
            board,
            self.market,
            self._edges.places,
            legs=self._edges.legs,
            costs=self._costs,
            tokens=self._values.tokens,
        )
        self._assets: dict[AssetCode, int] = {}
        self._pools: dict[int, KnownPool] = {}
        self.native_pools: Final = NativePools(self._pools)
        self._pool_terms: dict[int, Pool] = {}
        self._pool_edges: dict[int, list[int]] = {}
        self._pool_frame_seqs = np.zeros(POOL_EDGES_MAX, np.int64)
        self._has_room: dict[int, PreparedPool] = {}
        self._cut_pools: set[int] = set()
        for book in range(len(board.instruments)):
            self.add_book(book)

    @property
    def edge_arrays(self) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.int64]]:
        """The arrays `books`, `legs`, `tokens`, `costs` and `filled` of `kernels.one_route`."""
        edges = self._edges
        return self._books, edges.legs, self._values.tokens, self._costs, edges.filled

    @property
    def side_arrays(self) -> tuple[Floats, Floats, Floats]:
        """The arrays `sides`, `pieces` and `curves` of `kernels.sizing_layout`, a side per edge."""
        return self._sides.arrays

    def used_arrays(self) -> list[NDArray[np.int64]]:
        """Return what is said of pools; see `core.checkpoint`."""
        return [self._pool_frame_seqs[: max(self._pool_terms, default=-1) + 1]]

    def add_book(self, book: int) -> None:
        """Add a row of the board, without a rate until its next change; not if it is no spot book.

        Raises:
            BadValueError: there is no room, or the venue has no fee.
        """
        instrument = self._board.instruments[book]
        if instrument.kind is not Kind.SPOT:
            return
        pair = instrument.pair
        self._add_tokens((pair.base, pair.quote))
        for asset in (pair.base, pair.quote):
            self._values.tokens[self._assets[asset], ASSET.IS_AT_BOOKS] = 1.0
        columns = self._books[book]
        columns[BOOK.PRICE_SCALE] = 10.0**-instrument.price_decimals
        columns[BOOK.SIZE_SCALE] = 10.0**-instrument.size_decimals
        fee_ratio, keep_ratios = self._fee_ratios(instrument.venue)
        columns[BOOK.FEE_RATIO] = fee_ratio
        for column, side, ends, keep_ratio in (
            (BOOK.SELL_EDGE, BID, (pair.base, pair.quote), keep_ratios[0]),
            (BOOK.BUY_EDGE, ASK, (pair.quote, pair.base), keep_ratios[1]),
        ):
            place = Place(HopKind.BOOK, instrument.venue, str(pair), book, *ends)
            edge = self._edges.add(place, log_rate=0.0, keep_ratio=keep_ratio)
            self.market.close_edge(edge)
            columns[column] = edge
            leg = self._edges.legs[edge]
            leg[LEG.BOOK], leg[LEG.SIDE] = book, side
            self._sides.reserve(edge, PIECES_PER_BOOK_SIDE)

    def take_fees(self, venues: Sequence[VenueId]) -> None:
        """Learn that venues have another fee: their books' rates are made of it when screened."""
        for book, instrument in enumerate(self._board.instruments):
            edges = self.edges_of(book)
            if instrument.venue in venues and edges:
                self._books[book, BOOK.FEE_RATIO], keep_ratios = self._fee_ratios(instrument.venue)
                for edge, keep_ratio in zip(edges, keep_ratios, strict=True):
                    self._edges.charge(edge, keep_ratio)

    def _fee_ratios(self, venue: VenueId) -> tuple[float, tuple[float, float]]:
        """Return a venue's fee, and what it leaves of a sale and of a purchase."""
        fee_ratio = float(self._fees.fee_bps(venue)) / BPS_PER_UNIT
        return fee_ratio, (1.0 - fee_ratio, 1.0 / (1.0 + fee_ratio))

    def close(self, book: int) -> None:
        """Take a book out of all routes until its next change: it has grown too old."""
        for edge in self.edges_of(book):
            self.market.close_edge(edge)

    def shut_pool(self, number: int) -> None:
        """Take a pool out of all routes until its next change, which is screened as its first."""
        for edge in self.market.edges_at(POOL_PLACE + number):
            self.market.close_edge(edge)

    def set_gas_price(self, chain: str, price: GasPrice, at_ns: int) -> None:
        """Take what a transaction costs on a chain; see `GasPrices.set_price`."""
        self._gas.set_price(chain, price, at_ns)

    def advise_gas(
        self, tips: Mapping[str, Decimal], ratios: Mapping[str, Decimal]
    ) -> Sequence[str]:
        """Reckon with other tips and dearer gas; return the chains it changes."""
        return self._gas.advise(tips, ratios)

    def edges_of(self, book: int) -> tuple[int, ...]:
        """Return the edges of a book, none if it is in no route."""
        sell, buy = self._books[book, [BOOK.SELL_EDGE, BOOK.BUY_EDGE]]
        return () if sell < 0 else (int(sell), int(buy))

    @property
    def assets(self) -> tuple[AssetCode, ...]:
        """All assets of the graph, in the order in which they came."""
        return tuple(self._assets)

    @property
    def terms_of_pools(self) -> Mapping[int, Pool]:
        """Which pool each number is, stale or not."""
        return self._pool_terms

    @property
    def pools(self) -> Mapping[int, KnownPool]:
        """All pools that are not stale as they are now, by their numbers."""
        return self._pools

    def is_pool_fresh(self, number: int, at_ns: int) -> bool:
        """Say whether a pool's state is known, and its chain has had a block lately enough."""
        held = self._pools.get(number)
        return held is not None and at_ns <= self.chain_until_ns(held.pool.chain)

    def chain_until_ns(self, chain: str) -> float:
        """Return until when pools of a chain may be used; for ever unless `set_chain_until`."""
        return float(self._costs[COST.CHAIN_UNTIL_NS + self._gas.number(chain)])

    def set_chain_until(self, chain: str, until_ns: float) -> None:
        """Have no route through pools of a chain sized later than that."""
        self._costs[COST.CHAIN_UNTIL_NS + self._gas.number(chain)] = until_ns

    def pool(self, number: int) -> KnownPool:
        """Return a pool as it is now.

        Raises:
            BadValueError: no pool has the number, or its state is not known.
        """
        held = self._pools.get(number)
        if held is None:
            raise BadValueError(f"{self.pool_terms(number)} is stale")
        return held

    def pool_terms(self, number: int) -> Pool:
        """Return which pool has a number, stale or not.

        Raises:
            BadValueError: none has it.
        """
        terms = self._pool_terms.get(number)
        if terms is None:
            raise BadValueError(f"no pool has number {number}")
        return terms

    def set_values(self, usd_by_asset: Mapping[AssetCode, float]) -> None:
        """Take what a unit of each asset is worth; by it routes are ranked and gas is costed.

        What was never valued is worth nothing here; a value that is gone stays what it was. Routes
        that could not be costed before and may be now wait for a sweep.

        Raises:
            BadValueError: an asset is unknown or its value is none.
        """
        self._values.set(usd_by_asset)

    def settle(self) -> bool:
        """Give some tokens their potentials by what they are worth; see `TokenValues.settle`."""
        return self._values.settle()

    @property
    def is_unsettled(self) -> bool:
        """Whether a token waits for its potential."""
        return self._values.is_unsettled

    @property
    def sweep(self) -> StartSweep:
        """The sweep through what could not be costed before, or found no room."""
        return self._values.sweep

    @property
    def pools_waiting(self) -> int:
        """How many pools are yet to be screened by `screen_starts`."""
        places = self._values.sweep.places()
        waits = np.zeros(POOL_EDGES_MAX, np.bool_)
        waits[places[(places >= POOL_PLACE) & (places < BRIDGE_PLACE)] - POOL_PLACE] = True
        return int(np.count_nonzero(waits))

    @property
    def pools_cut(self) -> int:
        """How many pools have liquidity that was left out, as it does not fit the rest."""
        return len(self._cut_pools)

    def add_pools(self, pools: Sequence[KnownPool]) -> None:
        """Add the pools of a start under their places in the sequence, faster to scan from then on.

        Raises:
            BadValueError: a number is taken or there is no room for all.
        """
        for asset, log_usd in log_values(pools, COUNTED_IN).items():
            self._add_tokens([asset])
            self.market.set_potential(self._assets[asset], log_usd)
        for number, prepared in enumerate(pools):
            self.add_pool(number, prepared)

    def add_pool(self, number: int, prepared: KnownPool) -> None:
        """Add a pool under a number of the caller's; `Screens.reopen` screens it.

        Raises:
            BadValueError: the number is taken, or there is no room; nothing is added then.
        """
        if number in self._pool_terms or not 0 <= number < POOL_EDGES_MAX:
            raise BadValueError(f"pool number {number} is taken, or not below {POOL_EDGES_MAX}")
        pool = prepared.pool
        self._gas.number(pool.chain)
        edges: list[int] = []
        try:
            self._add_tokens(pool.assets)
            for side in prepared.sides:
                edges.append(self._add_side(number, prepared, side))
                if side.pieces is not None:
                    self._sides.reserve(edges[-1], len(side.pieces))
                self._edges.set_side(edges[-1], side)
        except BadValueError:
            self._edges.remove(POOL_PLACE + number, edges)
            self._remove_unused(pool.assets)
            raise
        self._pools[number] = prepared
        self.native_pools.add(number, pool)
        self._mark_cut(number, prepared)
        self._pool_terms[number] = pool
        self._pool_edges[number] = edges
        self._pool_frame_seqs[number] = self._board.frame_seq

    def make_room(self, number: int, prepared: PreparedPool) -> None:
        """Give a pool the room that its new state takes; nothing else changes.

        Raises:
            BadValueError: no such pool has the number, or there is no room.
        """
        held, pool = self._pool_terms.get(number), prepared.pool
        # The same object mostly: to compare all terms takes longer than to write the pieces.
        if held is None or not (held is pool or held == pool):
            raise BadValueError(f"pool number {number} is not {pool}")
        edges = self._pool_edges[number]
        for edge, side in zip(edges, prepared.sides, strict=True):
            if side.pieces is not None and len(side.pieces) > ROOM_MIN:
                self._sides.reserve(edge, len(side.pieces))
        self._has_room[number] = prepared

    def change_pools(
        self, changes: Mapping[int, KnownPool | None]
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Take the new states of pools that change at once.

        Args:
            changes: by number; None for a pool that is stale from now on, its state not known.

        Returns:
            Their edges, and the log rates that these are yet to get.

        Raises:
            BadValueError: no such pool has a number, or there is no room; all is as it was then.
        """
        if type(changes) is PairChanges:
            return self._change_pairs(changes)
        pairs = self._pairs
        moved: list[int] = []
        words: list[bytes] = []
        places: list[int] = []
        others: dict[int, PreparedPool | None] = {}
        count = 0
        for number, known in changes.items():
            if type(known) is MovedPair:
                if not pairs.knows(number, known.base):
                    self.pool_terms(number)
                    pairs.learn(number, known.base, self._pool_edges[number])
                moved.append(number)
                words.append(known.words)
                places.append(count)
                count += 2
            else:
                assert not isinstance(known, MovedPair)
                others[number] = known
                self.pool_terms(number)
                if known is not None and self._has_room.get(number) is not known:
                    self.make_room(number, known)
                count += len(self._pool_edges[number])
        self._has_room.clear()
        edges, log_rates = np.empty(count, np.int32), np.empty(count)
        if others:
            self._write_others(changes, others, edges, log_rates)
        if moved:
            reserves_raw = reserves_of(b"".join(words))
            numbers, at = np.array(moved, np.int64), np.array(places, np.int64)
            pairs.write(numbers, reserves_raw, at, edges, log_rates)
        self._pools.update({n: known for n, known in changes.items() if known is not None})
        self._pool_frame_seqs[list(changes)] = self._board.frame_seq
        return edges, log_rates

    def _change_pairs(self, changes: PairChanges) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Take new reserves of pairs alone, as nearly all that a block changes.

        The terms of a pair that had moved before were learned then.
        """
        for number in changes.fresh:
            moved = changes[number]
            assert isinstance(moved, MovedPair)
            if not self._pairs.knows(number, moved.base):
                self._pairs.learn(number, moved.base, self._pool_edges[number])
        count = 2 * len(changes)
        edges, log_rates = np.empty(count, np.int32), np.empty(count)
        numbers, places = (
            np.frombuffer(array("q", changes.numbers), np.int64),
            np.arange(0, count, 2),
        )
        self._pairs.write(numbers, changes.reserves_raw, places, edges, log_rates)
        self._has_room.clear()
        self._pools.update(cast("Mapping[int, KnownPool]", changes))
        self._pool_frame_seqs[numbers] = self._board.frame_seq
        return edges, log_rates

    def _write_others(
        self,
        changes: Iterable[int],
        others: Mapping[int, PreparedPool | None],
        edges: NDArray[np.int32],
        log_rates: NDArray[np.float64],
    ) -> None:
        """Write the sides of all changed pools but moved pairs, which have two edges each."""
        single: list[int] = []
        pieces: list[Pieces] = []
        at = 0
        for number in changes:
            if number not in others:
                at += 2
                continue
            own, known = self._pool_edges[number], others[number]
            here = slice(at, at + len(own))
            at += len(own)
            edges[here] = own
            if known is None:
                self._pools.pop(number, None)
                self._cut_pools.discard(number)
                log_rates[here] = DEAD
                continue
            for edge, side in zip(own, known.sides, strict=True):
                if side.pieces is not None and len(side.pieces) == 1:
                    single.append(edge)
                    pieces.append(side.pieces)
                else:
                    self._edges.set_side(edge, side)
            log_rates[here] = [side.log_rate for side in known.sides]
            self._mark_cut(number, known)
        self._sides.write_single(single, pieces)

    def remove_pool(self, number: int) -> None:
        """Remove a pool; routes through it must be closed before.

        Raises:
            BadValueError: no pool has the number.
        """
        pool = self.pool_terms(number)
        self._edges.remove(POOL_PLACE + number, self._pool_edges[number])
        self._remove_unused(pool.assets)
        self._cut_pools.discard(number)
        self._pools.pop(number, None)
        self.native_pools.remove(number, pool)
        self._pairs.forget(number)
        del self._pool_terms[number], self._pool_edges[number]

    def add_bridge(self, number: int, bridge: Bridge) -> None:
        """Add a bridge, both ways, under a number of the caller's.

        Raises:
            BadValueError: the number is taken or there is no room.
        """
        if not 0 <= number < BRIDGES_MAX:
            raise BadValueError(f"bridge number {number} is not below {BRIDGES_MAX}")
        rate = 1.0 - float(bridge.cost_bps) / BPS_PER_UNIT
        self._add_tokens(bridge.assets)
        for ends in (bridge.assets, bridge.assets[::-1]):
            place = Place(HopKind.BRIDGE, BRIDGE, str(bridge), number, *ends)
            edge = self._edges.add(place, log_rate=math.log(rate), keep_ratio=rate)
            self.market.set_chain(edge, NONE)
            self._edges.legs[edge, LEG.FIXED_USD] = float(bridge.cost_usd)
            self._sides.set_pieces(edge, np.array([[0.0, 0.0, rate, 0.0]]))

    def place_of(self, edge: int) -> Place:
        """Return the place of an edge."""
        return self._edges.places[edge]

    def cycle_of(
        self, numbers: Sequence[int], tokens: Sequence[AssetCode]
    ) -> tuple[int, ...] | None:
        """Return the edges of a cycle through pools, as a route starts; None if there is none.

        Args:
            numbers: of the pools; each turns the token of its place into the next one.
            tokens: on the way.
        """
        edges = [
            self._edge_of(number, source, target)
            for number, source, target in zip(
                numbers, tokens, (*tokens[1:], tokens[0]), strict=True
            )
        ]
        found = [edge for edge in edges if edge is not None]
        if len(found) != len(edges):
            return None
        ranks = self._values.tokens[:, ASSET.RANK]
        starts = [ranks[self._assets[token]] for token in tokens]
        first = starts.index(min(starts))
        return (*found[first:], *found[:first])

    def _edge_of(self, number: int, source: AssetCode, target: AssetCode) -> int | None:
        for edge in self._pool_edges.get(number, ()):
            place = self._edges.places[edge]
            if (place.source, place.target) == (source, target):
                return edge
        return None

    def frame_seq(self, place: Place) -> int:
        """Return the number of the input that changed a place last."""
        if place.kind is HopKind.BOOK:
            return int(self._board.state[place.row, FRAME_SEQ])
        return int(self._pool_frame_seqs[place.row]) if place.kind is HopKind.POOL else 0

    def _mark_cut(self, number: int, prepared: KnownPool) -> None:
        if prepared.cut:
            self._cut_pools.add(number)
        else:
            self._cut_pools.discard(number)

    def _add_tokens(self, assets: Iterable[AssetCode]) -> None:
        for asset in assets:
            if asset not in self._assets:
                token = self._assets[asset] = self.market.add_token(asset)
                place = len(COUNTED_IN) + token
                self._values.tokens[token, ASSET.RANK] = (
                    COUNTED_IN.index(asset) if asset in COUNTED_IN else place
                )

    def _add_side(self, number: int, prepared: KnownPool, side: PoolSide) -> int:
        pool = prepared.pool
        ends, name = (side.source, side.target), f"{'-'.join(pool.assets)} {pool.fee_text}"
        place = Place(HopKind.POOL, pool.venue, name, number, *ends, chain=pool.chain)
        kept = share_kept(pool, prepared.state, side.token_in)
        edge = self._edges.add(place, log_rate=side.log_rate, keep_ratio=kept)
        leg = self._edges.legs[edge]
        chain = self._gas.number(pool.chain)
        leg[LEG.GAS_UNITS], leg[LEG.CHAIN] = pool.gas_units, chain
        leg[LEG.FIXED_USD] = self._gas.data_usd(chain)
        self.market.set_chain(edge, chain)
        return edge

    def _remove_unused(self, assets: Sequence[AssetCode]) -> None:
        """Give the room of assets back that nothing trades any more."""
        for asset in assets:
            token = self._assets.get(asset)
            if token is not None and not self.market.has_edges(token):
                self.market.remove_token(asset)
                self._values.forget(token)
                del self._assets[asset]
