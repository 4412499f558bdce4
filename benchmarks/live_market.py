"""A large live graph: 500 assets, 10,000 pairs of reserves, some books, one deep V3 pool."""

import random
from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle

import msgspec

from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.moved_pair import KnownPool
from engine.detect.graph.pool_sides import PreparedPool, prepare_pool
from engine.detect.graph.screen_terms import Screen
from engine.detect.moving.pool_moves import move_pool
from engine.detect.screening.detector import Detector
from engine.domain.assets import AssetCode
from engine.domain.instruments import Instrument, Kind, Pair, VenueId
from engine.domain.pools import Pool, Protocol
from engine.market.board import Board
from engine.market.gas_book import GasBook
from engine.pools.concentrated import ConcentratedState, swap_exact_in
from engine.pools.constant_product import ConstantProductState
from engine.pools.moves import Move, PairMove, PriceMove
from engine.pools.snapshot_rows import ConcentratedRow, PairRow
from engine.pools.snapshots import PoolSnapshot
from engine.portfolio.costs import Costs
from engine.ports import Applied, LevelForm
from engine.sandbox.chain import with_grosses
from engine.sandbox.pools import POOLS_PATH, line_up

ASSETS = 500
POOLS = 10_000
HUBS = tuple(AssetCode(code) for code in ("ETH", "USDC", "USDT", "BTC", "DAI", "LINK", "UNI"))
HUB_WEIGHTS = (45, 20, 12, 8, 5, 4, 3)
HUB_SHARE = 0.8
"""Of the pools, one of whose assets is a hub."""

ETH_USD = 2_000.0
DEPTH_USD = 1e6
DECIMALS = 18
NOISE = 2e-4
"""Of prices: below the fees, so that nothing is gained."""

FIRST_BLOCK = 1
"""Of which all pools are."""

MOVES = 64
MOVE_RATIO = 1e-4
AT_NS = 1_700_000_000_000_000_000
AGE_NS_MAX = 10_000_000_000

HUB_BOOK, PLAIN_BOOK, TRIANGLE_BOOK = 0, 4, 6
"""A book of hubs; one of two of an asset that nothing else trades; one of three of such assets."""

INSTRUMENTS = (
    ("a", "ETH-USDC"),
    ("b", "ETH-USDC"),
    ("c", "ETH-USDT"),
    ("d", "ETH-USDT"),
    ("a", "ALONE-USDC"),
    ("b", "ALONE-USDC"),
    ("a", "LEFT-USDC"),
    ("a", "RIGHT-LEFT"),
    ("a", "RIGHT-USDC"),
)
MIDDLE = {"ETH-USDC": ETH_USD, "ETH-USDT": ETH_USD, "ALONE-USDC": 100.0, "LEFT-USDC": 100.0}
MIDDLE |= {"RIGHT-LEFT": 2.0, "RIGHT-USDC": 200.0}


class LiveMarket:
    """The graph, its board and its detector; `deep` is the number of the V3 pool.

    With `is_valued_by_books` every asset has a book in dollars, and nothing is valued yet.
    """

    def __init__(self, *, is_valued_by_books: bool = False) -> None:
        self._rng = random.Random(11)
        rest = [AssetCode(f"T{k}") for k in range(ASSETS - len(HUBS))]
        self._assets = [*HUBS, *rest]
        self._usd = {asset: 10.0 ** self._rng.uniform(-2, 2) for asset in self._assets}
        self._usd |= dict.fromkeys((AssetCode("USDC"), AssetCode("USDT"), AssetCode("DAI")), 1.0)
        self._usd[AssetCode("ETH")] = ETH_USD
        self._middle = dict(MIDDLE)
        listed = list(INSTRUMENTS)
        if is_valued_by_books:
            self._middle |= {f"{asset}-USD": usd for asset, usd in self._usd.items()}
            listed += [("a", f"{asset}-USD") for asset in self._assets]
        instruments = [_instrument(venue, pair) for venue, pair in listed]
        self.board = Board(instruments, levels_max=64)
        self.graph = self.make_graph()
        self.detector = Detector(self.board, self.graph, age_ns_max=AGE_NS_MAX, run_id="bench")
        self.deep = POOLS
        pools = [prepare_pool(self.make_pair(number)) for number in range(POOLS)]
        self.graph.add_pools([*pools, prepare_pool(deep_snapshot())])
        if not is_valued_by_books:
            self.graph.set_values({asset: self._usd[asset] for asset in self._assets})
            while self.graph.settle():
                pass
        for book in range(len(instruments)):
            self.show(book)
            self.detector.screens.screen(book, AT_NS, 0)

    def make_graph(self) -> LiveGraph:
        """Make a graph of the board that has no pools yet."""
        venues = {one.venue for one in self.board.instruments}
        costs = Costs(fee_bps_taker=dict.fromkeys(venues, Decimal(20)))
        screen = Screen(
            edge_bps_min=Decimal(10),
            age_ns_max=AGE_NS_MAX,
            gas=GasBook({"ethereum": Decimal(0)}),
        )
        return LiveGraph(self.board, costs, screen, asset_count=ASSETS)

    def show(self, book: int, ratio: float = 1.0) -> None:
        """Let a book stand at so many times its usual price."""
        middle = self._middle[str(self.board.instruments[book].pair)] * ratio
        bids, asks = (
            ",".join(f'["{middle * (1 + way * step / 2_000):.8f}","3"]' for step in range(1, 21))
            for way in (-1, 1)
        )
        applied = self.board.replace(
            book, LevelForm.PAIRS, f"[{bids}]".encode(), f"[{asks}]".encode(), AT_NS
        )
        assert applied is Applied.OK
        self.board.changed.clear()

    def make_pair(self, number: int, *, asset: AssetCode | None = None) -> PoolSnapshot:
        """Make a pair of reserves; `asset` is its second one."""
        rng = self._rng
        first = rng.choice(self._assets)
        if rng.random() < HUB_SHARE:
            first = rng.choices(HUBS, HUB_WEIGHTS)[0]
        other = asset or first
        while other == first:
            other = rng.choice(self._assets)
        reserves = [
            int(DEPTH_USD / self._usd.get(one, 1.0) * 10**DECIMALS * (1.0 + rng.gauss(0, NOISE)))
            for one in (first, other)
        ]
        pool = Pool(
            chain="ethereum",
            protocol=Protocol.UNISWAP_V2,
            address=f"0x{number:040x}",
            tokens=((first, DECIMALS), (other, DECIMALS)),
            fee_ratio=Decimal("0.003"),
            gas_units=90_000,
        )
        row = PairRow(reserve0_raw=str(reserves[0]), reserve1_raw=str(reserves[1]))
        return PoolSnapshot(pool=pool, row=row, block=FIRST_BLOCK)

    def moved(self, number: int) -> list[PreparedPool]:
        """Return a pool after moves, one after the other, of at most `MOVE_RATIO` in all."""
        return [move_pool(self.graph.pool(number), move) for move in self.moves(number)]

    def moves(self, number: int) -> list[Move]:
        """Return moves of a pool about where it is."""
        return list(_moves(self.graph.pool(number), self._rng))

    def busy_pair(self) -> int:
        """Return the number of a pair of the two assets with the most pools."""
        return next(
            number
            for number, held in self.graph.pools.items()
            if set(held.pool.assets) == set(HUBS[:2]) and number != self.deep
        )


def deep_snapshot() -> PoolSnapshot:
    """Return the recorded pool of the most ticks, at the market's price."""
    recorded = msgspec.json.decode(POOLS_PATH.read_bytes(), type=list[PoolSnapshot])
    deep = max(recorded, key=lambda one: len(getattr(one.row, "ticks", ())))
    assert isinstance(deep.row, ConcentratedRow)
    lined_up = with_grosses(line_up(deep, {AssetCode("ETH"): Decimal(ETH_USD)}))
    return msgspec.structs.replace(lined_up, block=FIRST_BLOCK)


def _moves(prepared: KnownPool, rng: random.Random) -> Iterator[Move]:
    state = prepared.state
    for _, way in zip(range(MOVES), cycle((-1, 1)), strict=False):
        ratio = 1.0 + way * rng.uniform(0.1, 1.0) * MOVE_RATIO
        if isinstance(state, ConstantProductState):
            yield PairMove(
                reserve0_raw=int(state.reserve0_raw * ratio),
                reserve1_raw=int(state.reserve1_raw / ratio),
            )
        else:
            assert isinstance(state, ConcentratedState)
            limit = int(state.sqrt_price_x96 * ratio)
            token_in = 0 if way < 0 else 1
            after = swap_exact_in(state, 10**40, token_in=token_in, sqrt_price_limit_x96=limit)
            yield PriceMove(
                sqrt_price_x96=after.sqrt_price_x96, tick=after.tick, liquidity=after.liquidity
            )


def _instrument(venue: str, pair: str) -> Instrument:
    return Instrument(
        venue=VenueId(venue),
        pair=Pair.parse(pair),
        wire_name=pair,
        price_decimals=8,
        size_decimals=8,
        tick_quote=Decimal("0.0001"),
        lot_base=Decimal("0.00001"),
        size_min_base=Decimal(0),
        notional_min_quote=Decimal(0),
        kind=Kind.SPOT,
    )
