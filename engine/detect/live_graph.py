"""The live market as one graph: books of the board and pools, screened as they change."""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np
from numba.core import config as numba_config
from numpy.typing import NDArray

from engine.detect.cycle_scan import CycleScan
from engine.detect.first_potentials import log_values
from engine.detect.gas_prices import GasPrices
from engine.detect.market_graph import MarketGraph
from engine.detect.parallel_places import ParallelPlaces
from engine.detect.places import BRIDGE_PLACE, POOL_PLACE, Place
from engine.detect.pool_sides import PoolSide, PreparedPool, share_kept
from engine.detect.screen_terms import Screen
from engine.detect.side_arena import SideArena
from engine.detect.token_values import TokenValues
from engine.domain.assets import AssetCode
from engine.domain.bridges import Bridge
from engine.domain.errors import BadValueError
from engine.domain.instruments import Kind, VenueId
from engine.domain.opportunities import Hop, HopKind
from engine.domain.pools import Pool
from engine.domain.units import BPS_PER_UNIT
from engine.kernels.context import make_context
from engine.kernels.graph_layout import DEAD, NONE, TALLY
from engine.kernels.layout import ASK, BID, FRAME_SEQ
from engine.kernels.screen import screen_book, screen_book_in, screen_pools
from engine.kernels.screen_layout import (
    ASSET,
    BOOK,
    BOOK_COLUMNS,
    COST,
    COST_ENTRIES,
    LEG,
    LEG_COLUMNS,
    PIECES_PER_BOOK_SIDE,
    ROUTE_COLUMNS,
    ROUTE_LEGS_MAX,
    SCREENED,
    SCREENED_COLUMNS,
    SIZED_MAX,
)
from engine.kernels.sizing_layout import SIZED_COLUMNS, TERM_COLUMNS
from engine.kernels.sweep import screen_starts
from engine.market.board import Board
from engine.portfolio.costs import Costs

OPEN_MAX: Final = 128
"""Most routes that are open at once."""

ROWS_MAX: Final = OPEN_MAX + 4 * SIZED_MAX
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
        parallel: what stands beside the places of a route.
        out: float64 (ROWS_MAX, SCREENED_COLUMNS): the routes of the last change.
        open_routes: int64 (OPEN_MAX, ROUTE_COLUMNS): the routes that are followed.
    """

    def __init__(self, board: Board, costs: Costs, screen: Screen, *, asset_count: int = 0) -> None:
        """Make a graph of the board's books; `asset_count` is how many assets are expected.

        Assets beyond that many, and those of the books, are scanned through their lists of pools.
        """
        books = board.capacity
        edge_max = 2 * (books + BRIDGES_MAX) + POOL_EDGES_MAX
        assets = {asset for of in board.instruments for asset in (of.pair.base, of.pair.quote)}
        self._graph = MarketGraph(
            core_size=min(max(len(assets), asset_count, 1), TOKENS_MAX),
            token_max=TOKENS_MAX,
            edge_max=edge_max,
        )
        self._scan = CycleScan(
            self._graph,
            log_gain_min=math.log1p(screen.edge_ratio_min),
            legs_max=screen.legs_max,
        )
        pieces = 2 * books * PIECES_PER_BOOK_SIDE
        self._sides = SideArena(
            edge_max=edge_max, piece_max=pieces + 4 * BRIDGES_MAX + POOL_PIECES_MAX
        )
        self._board = board
        self._books = np.full((books, BOOK_COLUMNS), float(NONE))
        self._legs = np.zeros((edge_max, LEG_COLUMNS))
        self._fees = costs
        self._costs = _cost_entries(costs, screen)
        self._gas = GasPrices(self._costs, screen.gas_prices_gwei)
        self._values = TokenValues(self._graph, self._gas)
        self._filled = np.full(edge_max, -1, np.int64)
        self.open_routes = np.full((OPEN_MAX, ROUTE_COLUMNS), -1, np.int64)
        self.out = np.zeros((ROWS_MAX, SCREENED_COLUMNS))
        self._places: dict[int, Place] = {}
        self.parallel = ParallelPlaces(
            board,
            self._graph,
            self._places,
            legs=self._legs,
            costs=self._costs,
            tokens=self._values.tokens,
        )
        self._venues: dict[VenueId, int] = {}
        self._assets: dict[AssetCode, int] = {}
        self._pools: dict[int, PreparedPool] = {}
        self._pool_terms: dict[int, Pool] = {}
        self._pool_edges: dict[int, NDArray[np.int32]] = {}
        self._pool_frame_seqs: dict[int, int] = {}
        self._has_room: dict[int, PreparedPool] = {}
        self._cut_pools: set[int] = set()
        # The kernels take the same arrays at every call: made once, as tuples are slow to make.
        self._fixed = (
            (board.state, board.levels),
            self._graph.arrays,
            self._scan.query,
            (
                self._books,
                self._legs,
                self._values.tokens,
                self._costs,
                self._filled,
                self.open_routes,
                np.zeros((1, ROUTE_LEGS_MAX), np.int64),
                np.zeros((1, TERM_COLUMNS)),
                np.zeros((1, SIZED_COLUMNS)),
            ),
            self._sides.arrays,
            self._scan.found,
        )
        self._screen = self._make_screen()
        for book in range(len(board.instruments)):
            self.add_book(book)

    def used_arrays(self) -> list[NDArray[np.float64] | NDArray[np.int64]]:
        """Return the rows of edges; see `core.checkpoint`."""
        edges = self._graph.edges_used
        return [self._legs[:edges], self._filled[:edges]]

    def screen(self, book: int, at_ns: int, open_count: int) -> int:
        """Screen a changed book; returns how many rows of `out` tell of routes through it."""
        count: int = self._screen(book, at_ns, open_count)
        return count

    def add_book(self, book: int) -> None:
        """Add a row of the board, without a rate until its next change; not if it is no spot book.

        Raises:
            BadValueError: there is no room, or the venue has no fee.
        """
        instrument = self._board.instruments[book]
        if instrument.kind is not Kind.SPOT:
            return
        pair = instrument.pair
        base, quote = self._token(pair.base), self._token(pair.quote)
        fee_ratio = float(self._fees.fee_bps(instrument.venue)) / BPS_PER_UNIT
        columns = self._books[book]
        columns[BOOK.PRICE_SCALE] = 10.0**-instrument.price_decimals
        columns[BOOK.SIZE_SCALE] = 10.0**-instrument.size_decimals
        columns[BOOK.FEE_RATIO] = fee_ratio
        for column, side, ends, keep_ratio in (
            (BOOK.SELL_EDGE, BID, (base, quote), 1.0 - fee_ratio),
            (BOOK.BUY_EDGE, ASK, (quote, base), 1.0 / (1.0 + fee_ratio)),
        ):
            edge = self._graph.add_edge(source=ends[0], target=ends[1], place=book, log_rate=0.0)
            self._graph.close_edge(edge)
            columns[column] = edge
            source, target = (AssetCode(self._graph.name_of(end)) for end in ends)
            place = Place(HopKind.BOOK, instrument.venue, str(pair), book, source, target)
            self._set_leg(edge, place, keep_ratio=keep_ratio, gas_units=0)
            self._legs[edge, LEG.BOOK] = book
            self._legs[edge, LEG.SIDE] = side
            self._sides.reserve(edge, PIECES_PER_BOOK_SIDE)

    def close(self, book: int) -> None:
        """Take a book out of all routes until its next change: it has grown too old."""
        for edge in self.edges_of(book):
            self._graph.close_edge(edge)

    def shut_pool(self, number: int) -> None:
        """Take a pool out of all routes until its next change, which is screened as its first."""
        for edge in self._graph.edges_at(POOL_PLACE + number):
            self._graph.close_edge(edge)

    def set_gas_price(self, chain: str, gwei: Decimal) -> None:
        """Take what a unit of gas costs on a chain; see `GasPrices.set_price`."""
        self._gas.set_price(chain, gwei)

    def reopen(self, number: int, at_ns: int, open_count: int) -> int:
        """Screen a pool as if it had just come into being; see `screen`."""
        self.shut_pool(number)
        return self.change_pools({number: self._pools[number]}, at_ns, open_count)

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
    def pools(self) -> Mapping[int, PreparedPool]:
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

    def pool(self, number: int) -> PreparedPool:
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
        that could not be costed before and may be now wait for `screen_starts`.

        Raises:
            BadValueError: an asset is unknown or its value is none.
        """
        self._values.set(usd_by_asset)

    def settle(self) -> bool:
        """Give some tokens their potentials by what they are worth; see `TokenValues.settle`."""
        return self._values.settle()

    def screen_starts(self, at_ns: int, open_count: int) -> int:
        """Screen a bounded part of what could not be costed before; see `screen`.

        Nothing is screened before `settle` is done: it would take much longer.
        """
        if self._values.is_unsettled:
            return 0
        return self._values.sweep.step(self._screen_starts, at_ns, open_count)

    def sweep_again(self) -> None:
        """Have all routes screened by `screen_starts`: some that found no room may have it now."""
        self._values.sweep.add_again()

    @property
    def is_sweeping(self) -> bool:
        """Whether `screen_starts` has anything left to screen."""
        return self._values.sweep.is_left

    @property
    def unsized(self) -> int:
        """How many cycles might have gained net of all costs, and were one too many to be sized."""
        return int(self._scan.found[1][TALLY.UNSIZED])

    @property
    def unweighed(self) -> int:
        """How many cycles, at least, gained at the margin and were one too many to be weighed."""
        return int(self._scan.found[1][TALLY.UNWEIGHED])

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

    def add_pools(self, pools: Sequence[PreparedPool]) -> None:
        """Add the pools of a start under their places in the sequence, faster to scan from then on.

        Raises:
            BadValueError: a number is taken or there is no room for all.
        """
        for asset, log_usd in log_values(pools, COUNTED_IN).items():
            self._graph.set_potential(self._token(asset), log_usd)
        for number, prepared in enumerate(pools):
            self.add_pool(number, prepared)

    def add_pool(self, number: int, prepared: PreparedPool) -> None:
        """Add a pool under a number of the caller's; `reopen` screens it.

        Raises:
            BadValueError: the number is taken, or there is no room; nothing is added then.
        """
        if number in self._pool_terms or not 0 <= number < POOL_EDGES_MAX:
            raise BadValueError(f"pool number {number} is taken, or not below {POOL_EDGES_MAX}")
        pool = prepared.pool
        self._gas.number(pool.chain)
        edges: list[int] = []
        try:
            for side in prepared.sides:
                edges.append(self._add_edge(number, prepared, side))
                if side.pieces is not None:
                    self._sides.reserve(edges[-1], len(side.pieces))
                self._set_side(edges[-1], side)
        except BadValueError:
            self._remove_edges(number, edges)
            self._remove_unused(pool.assets)
            raise
        self._set_pool(number, prepared)
        self._pool_terms[number] = pool
        self._pool_edges[number] = np.array(edges, np.int32)
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
        edges = self._pool_edges[number].tolist()
        for edge, side in zip(edges, prepared.sides, strict=True):
            if side.pieces is not None:
                self._sides.reserve(edge, len(side.pieces))
        self._has_room[number] = prepared

    def change_pools(
        self, changes: Mapping[int, PreparedPool | None], at_ns: int, open_count: int
    ) -> int:
        """Take the new states of pools that change at once and screen them; see `screen`.

        Args:
            changes: by number; None for a pool that is stale from now on, its state not known.
            at_ns: time of the change.
            open_count: how many routes are open.

        Raises:
            BadValueError: no such pool has a number, or there is no room; all is as it was then.
        """
        for number, prepared in changes.items():
            if prepared is None:
                self.pool_terms(number)
            elif self._has_room.get(number) is not prepared:
                self.make_room(number, prepared)
        self._has_room.clear()
        log_rates: list[float] = []
        for number, prepared in changes.items():
            edges = self._pool_edges[number]
            self._pool_frame_seqs[number] = self._board.frame_seq
            if prepared is None:
                self._pools.pop(number, None)
                self._cut_pools.discard(number)
                log_rates += [DEAD] * len(edges)
                continue
            for edge, side in zip(edges.tolist(), prepared.sides, strict=True):
                self._set_side(edge, side)
                log_rates.append(side.log_rate)
            self._set_pool(number, prepared)
        if not log_rates:
            return 0
        event = (NONE, at_ns, open_count)
        edges = np.concatenate([self._pool_edges[number] for number in changes])
        count: int = screen_pools(event, *self._fixed, edges, np.array(log_rates), self.out)
        return count

    def remove_pool(self, number: int) -> None:
        """Remove a pool; routes through it must be closed before.

        Raises:
            BadValueError: no pool has the number.
        """
        pool = self.pool_terms(number)
        self._remove_edges(number, self._pool_edges[number].tolist())
        self._remove_unused(pool.assets)
        self._cut_pools.discard(number)
        self._pools.pop(number, None)
        del self._pool_terms[number], self._pool_edges[number], self._pool_frame_seqs[number]

    def add_bridge(self, number: int, bridge: Bridge) -> None:
        """Add a bridge, both ways, under a number of the caller's.

        Raises:
            BadValueError: the number is taken or there is no room.
        """
        if not 0 <= number < BRIDGES_MAX:
            raise BadValueError(f"bridge number {number} is not below {BRIDGES_MAX}")
        rate = 1.0 - float(bridge.cost_bps) / BPS_PER_UNIT
        for source, target in (bridge.assets, bridge.assets[::-1]):
            edge = self._graph.add_edge(
                source=self._token(source),
                target=self._token(target),
                place=BRIDGE_PLACE + number,
                log_rate=math.log(rate),
            )
            place = Place(HopKind.BRIDGE, BRIDGE, str(bridge), number, source, target)
            self._set_leg(edge, place, keep_ratio=rate, gas_units=0)
            self._legs[edge, LEG.FIXED_USD] = float(bridge.cost_usd)
            self._sides.set_pieces(edge, np.array([[0.0, 0.0, rate, 0.0]]))

    def hops(self, row: Sequence[float]) -> tuple[Hop, ...]:
        """Return the legs of a row of `out`."""
        amount = row[SCREENED.INPUT]
        hops = []
        for leg in range(int(row[SCREENED.LEGS])):
            place = self._places[int(row[SCREENED.EDGE + leg])]
            given, amount = amount, row[SCREENED.AMOUNT + leg]
            hops.append(
                Hop(
                    kind=place.kind,
                    venue=place.venue,
                    place=place.name,
                    row=place.row,
                    source=place.source,
                    target=place.target,
                    chain=place.chain,
                    amount_in=given,
                    amount_out=amount,
                    frame_seq=self._frame_seq(place),
                )
            )
        return tuple(hops)

    def _set_pool(self, number: int, prepared: PreparedPool) -> None:
        self._pools[number] = prepared
        if prepared.cut:
            self._cut_pools.add(number)
        else:
            self._cut_pools.discard(number)

    def _make_screen(self) -> Callable[[int, int, int], int]:
        """Return the screen of a book; compiled, it takes all arrays as one context."""
        board, graph, query, routes, sides, found = self._fixed
        if getattr(numba_config, "DISABLE_JIT", 0):
            return lambda book, at_ns, open_count: int(
                screen_book((book, at_ns, open_count), *self._fixed, self.out)
            )
        context = make_context([*board, *graph, *routes, *sides, *found, self.out])
        return lambda book, at_ns, open_count: int(
            screen_book_in(book, at_ns, open_count, query, context)
        )

    def _screen_starts(self, sweep: NDArray[np.int64], at_ns: int, open_count: int) -> int:
        event = (NONE, at_ns, open_count)
        count: int = screen_starts(event, *self._fixed, sweep, self.out)
        return count

    def _frame_seq(self, place: Place) -> int:
        if place.kind is HopKind.BOOK:
            return int(self._board.state[place.row, FRAME_SEQ])
        return self._pool_frame_seqs[place.row] if place.kind is HopKind.POOL else 0

    def _token(self, asset: AssetCode) -> int:
        try:
            return self._graph.token(asset)
        except BadValueError:
            token = self._graph.add_token(asset)
        self._assets[asset] = token
        place = COUNTED_IN.index(asset) if asset in COUNTED_IN else len(COUNTED_IN) + token
        self._values.tokens[token, ASSET.RANK] = place
        return token

    def _add_edge(self, number: int, prepared: PreparedPool, side: PoolSide) -> int:
        pool = prepared.pool
        edge = self._graph.add_edge(
            source=self._token(side.source),
            target=self._token(side.target),
            place=POOL_PLACE + number,
            log_rate=side.log_rate,
        )
        ends, name = (side.source, side.target), _name_of(pool)
        place = Place(HopKind.POOL, pool.venue, name, number, *ends, chain=pool.chain)
        kept = share_kept(pool, prepared.state, side.token_in)
        self._set_leg(edge, place, keep_ratio=kept, gas_units=pool.gas_units)
        return edge

    def _remove_edges(self, number: int, edges: Sequence[int]) -> None:
        for edge in edges:
            self._sides.free(edge)
            del self._places[edge]
        if edges:
            self._graph.remove_place(POOL_PLACE + number)

    def _remove_unused(self, assets: Sequence[AssetCode]) -> None:
        """Give the room of assets back that nothing trades any more."""
        for asset in assets:
            token = self._assets.get(asset)
            if token is not None and not self._graph.has_edges(token):
                self._graph.remove_token(asset)
                self._values.forget(token)
                del self._assets[asset]

    def _set_leg(self, edge: int, place: Place, *, keep_ratio: float, gas_units: int) -> None:
        self._places[edge] = place
        self._legs[edge] = 0.0
        self._legs[edge, LEG.BOOK] = NONE
        self._legs[edge, LEG.SIDE] = NONE
        self._legs[edge, LEG.VENUE] = self._venues.setdefault(place.venue, len(self._venues))
        self._legs[edge, LEG.KEEP] = keep_ratio
        self._legs[edge, LEG.GAS_UNITS] = gas_units
        if place.kind is HopKind.POOL:
            self._legs[edge, LEG.CHAIN] = self._gas.number(place.chain)
        self._filled[edge] = -1

    def _set_side(self, edge: int, side: PoolSide) -> None:
        """Write a side of a prepared pool, whose pieces are checked, where there is room."""
        if side.pieces is not None:
            self._sides.write(edge, side.pieces)
        else:
            self._sides.set_curve(
                edge, side.form, side.row, token_in=side.token_in, token_out=side.token_out
            )


def _cost_entries(costs: Costs, screen: Screen) -> NDArray[np.float64]:
    entries = np.zeros(COST_ENTRIES)
    entries[COST.AGE_NS_MAX] = screen.age_ns_max
    entries[COST.EDGE_RATIO_MIN] = screen.edge_ratio_min
    entries[COST.TRANSFER_RATIO] = float(costs.transfer_bps) / BPS_PER_UNIT
    entries[COST.FLASH_RATIO] = float(screen.flash_fee_bps) / BPS_PER_UNIT
    entries[COST.CHAIN_UNTIL_NS :] = math.inf
    return entries


def _name_of(pool: Pool) -> str:
    return f"{'-'.join(pool.assets)} {pool.fee_text}"
