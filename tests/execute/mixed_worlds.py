"""Small markets of books and pools in which a mixed route is open, and the plans made of them."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from engine.decide.limit_set import LimitSet
from engine.decide.mixed_gate import ON_PAPER
from engine.detect.graph.pool_sides import prepare_pool
from engine.domain.assets import AssetCode
from engine.domain.instruments import Instrument
from engine.domain.modes import Mode
from engine.domain.plans import MixedPlan
from engine.domain.pools import Pool, Protocol
from engine.execute.book_finished import MixedFinished
from engine.execute.executor_list import EXECUTORS
from engine.execute.plan_executor import (
    NO_SENDER,
    NO_TRADER,
    Around,
    PlanExecutor,
    Sender,
    Trader,
)
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from engine.portfolio.inventory import Inventory
from tests.reference.world import Setup, World, limit_set, make_holding, make_instrument

BLOCK_MS = 12_000
DECIMALS = {"ETH": 18, "BTC": 8, "USDT": 6, "USDC": 6}
GAS_UNITS = 90_000
WIDE = limit_set(position_usd=Decimal(200_000), net_edge_bps_min=Decimal(1))
BOOKS = ("ETH-USDT", "BTC-USDT", "ETH-USD")
SHOWN = (("1999.99", "2000.01"), ("99999", "100001"), ("1999.99", "2000.01"))


def pool_of(
    first: tuple[str, float], second: tuple[str, float], *, address: str = "0xpool"
) -> PoolSnapshot:
    """A constant product pool of two assets."""
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address=address,
        tokens=tuple((AssetCode(name), DECIMALS[name]) for name, _ in (first, second)),
        fee_ratio=Decimal("0.003"),
        gas_units=GAS_UNITS,
    )
    raw = [str(int(amount * 10 ** DECIMALS[name])) for name, amount in (first, second)]
    return PoolSnapshot(pool=pool, row=PairRow(reserve0_raw=raw[0], reserve1_raw=raw[1]))


DEAR = pool_of(("ETH", 1_000), ("USDT", 2_060_000))
"""Pays 3 % more for ETH than the book asks: an order buys, then the transaction sells."""
CHEAP = pool_of(("ETH", 1_000), ("USDT", 1_940_000))
"""Asks 3 % less for ETH: the transaction buys, then an order sells."""
BETWEEN = pool_of(("ETH", 1_000), ("BTC", 20.6))
"""Pays 3 % more BTC for ETH: between an order that buys ETH and one that sells BTC."""
AROUND = (
    pool_of(("USDC", 2_060_000), ("USDT", 2_000_000)),
    pool_of(("ETH", 1_000), ("USDC", 2_000_000), address="0xother"),
)
"""Pay 3 % more USDC for USDT, and ETH for these: USDC, in which money is counted before it is in
USDT, is between them, and the books on the other side."""


def make_mixed_world(
    pool: PoolSnapshot = DEAR,
    *,
    more: Sequence[PoolSnapshot] = (),
    values: LimitSet = WIDE,
    held: Sequence[tuple[str, str]] = (("ETH", "500"), ("USDT", "1000000"), ("BTC", "100")),
    gwei: str = "1",
    transfer_bps: str = "0",
    mode: Mode = Mode.PAPER,
    waits_for_intents: bool = False,
    late_fill_ratio: float = 0.0,
    base_fee_venues: Sequence[str] = (),
    seed: int = 7,
    is_paused: bool = False,
    prepare: Callable[[World], None] = lambda _world: None,
    executors: Sequence[Callable[[Around], PlanExecutor]] = EXECUTORS,
    trades: Sequence[str] = (),
    sends_approved: bool = False,
    mixed_shut: str = ON_PAPER,
    coins: str = "5",
    trader: Trader = NO_TRADER,
    sender: Sender = NO_SENDER,
) -> World:
    """One venue with its books, pools, and a wallet; ETH at 2,000 USD, BTC at 100,000."""

    def inventory(of: Sequence[Instrument]) -> Inventory:
        books = {(one.venue, asset) for one in of for asset in (one.pair.base, one.pair.quote)}
        return Inventory(
            holdings=[
                *(make_holding(venue, asset, "1000000") for venue, asset in sorted(books)),
                *(make_holding("ethereum", asset, amount) for asset, amount in held),
            ]
        )

    world = World(
        Setup(
            instruments=[make_instrument("a", pair, lot="0.001") for pair in BOOKS],
            pools=[pool, *more],
            gas_price_gwei=gwei,
            transfer_bps=transfer_bps,
            inventory=inventory,
            values=values,
            edge_bps_min="1",
            mode=mode,
            waits_for_intents=waits_for_intents,
            late_fill_ratio=late_fill_ratio,
            base_fee_venues=base_fee_venues,
            seed=seed,
            executors=executors,
            trades=trades,
            sends_approved=sends_approved,
            mixed_shut=mixed_shut,
            coins={"ethereum": coins} if coins else {},
            trader=trader,
            sender=sender,
        )
    )
    world.switches.is_paused = is_paused
    prepare(world)
    for book in (2, 1, 0):
        show(world, book)
    world.wait(1_100)
    world.tick()
    return world


def show(world: World, book: int, *, by_ratio: float = 0.0, size: str = "50") -> None:
    """Show a book as it was, or moved by a share of its price."""
    bid, ask = (f"{float(price) * (1 + by_ratio):.2f}" for price in SHOWN[book])
    world.show(book, [(bid, size)], [(ask, size)])


def move_pool(world: World, pool: PoolSnapshot) -> None:
    world.detector.on_pools({0: prepare_pool(pool)}, world.now_ns)


def open_plan(world: World) -> MixedPlan:
    """Return the plan that was made; nothing else is decided on from here on."""
    plan = world.journal.mixed_plans[0]
    world.switches.is_paused = True
    return plan


def play_out(world: World, *, by_ratio: float = 0.0, rounds: int = 40) -> MixedFinished:
    """Let a block come, and after it time enough for orders and their unwinding."""
    world.wait(BLOCK_MS - 1_000)
    for book in range(len(BOOKS)):
        show(world, book, by_ratio=by_ratio)
    world.wait(1_000)
    for _ in range(rounds):
        world.tick()
        world.wait(25)
    return world.journal.mixed[0]
