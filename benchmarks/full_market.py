"""Frame bytes to a sized route within a whole market: real frames among 500 tokens and 4,000 pools.

Beside each recorded book stands another venue's, which does not move and pays a little more, so
that a gap is open most of the time: every change of a recorded book is scanned for routes, and the
open one is sized anew and followed. Pools keep their prices; their fee of one percent is more than
the gap.
"""

import random
from decimal import Decimal

from benchmarks import harness
from benchmarks.full_path import make_core, rows_of, time_frames
from benchmarks.real_frames import Recorded, binance, instruments_of
from engine.domain.assets import AssetCode
from engine.domain.instruments import Instrument, VenueId
from engine.domain.pools import Pool, Protocol
from engine.kernels.layout import ASK
from engine.operate.core_parts import Core
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from engine.ports import Applied, LevelForm

TOKENS = 500
POOLS = 4_000
HUBS = ("USD", "ETH", "BTC")
HUB_SHARE = 0.8
"""Of the pools, one of whose assets is a hub."""

POOLS_PER_BOOK = 8
DEPTH_USD = 1e6
DECIMALS = 18
FEE = Decimal("0.01")
NOISE = 2e-4
GAP_RATIO = 1.008
"""Of the other venue's bid over the recorded ask: fees, transfer and the least edge take 0.3 %."""

OTHER = VenueId("other")
LEVELS = 20


def asks_of(recorded: Recorded) -> list[float | None]:
    """Return the last best ask of each recorded book, None where there is none."""
    core = make_core(recorded)
    time_frames(recorded, core)
    found: list[float | None] = []
    for book, instrument in enumerate(core.board.instruments):
        best = core.board.best(book, ASK)
        found.append(None if best is None else float(instrument.price_of(best[0])))
    return found


def make_pools(usd: dict[str, float], rng: random.Random) -> list[PoolSnapshot]:
    """Make pools at the tokens' values: many of each book's base, the others through hubs."""
    rest = [name for name in usd if name.startswith("T")]
    bases = [name for name in usd if name not in rest and name not in HUBS]
    pairs = [(base, rng.choice(HUBS)) for base in bases for _ in range(POOLS_PER_BOOK)]
    while len(pairs) < POOLS:
        first = rng.choice(HUBS) if rng.random() < HUB_SHARE else rng.choice(rest)
        other = rng.choice(rest)
        if other != first:
            pairs.append((first, other))
    return [_make_pool(number, pair, usd, rng) for number, pair in enumerate(pairs)]


def make_market(recorded: Recorded) -> Core:
    """Build the core of a recording within a market."""
    rng = random.Random(5)
    asks = asks_of(recorded)
    own = instruments_of(recorded)
    usd = {"USD": 1.0, "ETH": 2_000.0, "BTC": 60_000.0}
    usd |= {f"T{k}": 10.0 ** rng.uniform(-2, 2) for k in range(TOKENS - len(usd) - len(own))}
    usd |= {one.pair.base: ask for one, ask in zip(own, asks, strict=True) if ask is not None}
    others = [_copy(one) for one in own]
    core = make_core(recorded, others=others, pools=make_pools(usd, rng))
    at_ns = recorded.frames[0][0]
    for number, ask in enumerate(asks):
        if ask is not None:
            bids, asks_there = (_levels(ask * GAP_RATIO, way) for way in (-1, 1))
            book = len(own) + number
            applied = core.board.replace(book, LevelForm.PAIRS, bids, asks_there, at_ns)
            assert applied is Applied.OK
    return core


def measure() -> list[harness.Row]:
    """Measure the venue of long frames, whose recording is long enough to do little but change."""
    recorded = binance()
    core = make_market(recorded)
    durations_ns = time_frames(recorded, core)
    if not core.detector.open_episodes:
        raise RuntimeError(f"no route is open in the market of {recorded.venue}")
    return rows_of(f"full_path.{recorded.venue}.in_market", durations_ns)


def _copy(one: Instrument) -> Instrument:
    return Instrument(
        venue=OTHER,
        pair=one.pair,
        wire_name=one.wire_name,
        price_decimals=one.price_decimals,
        size_decimals=one.size_decimals,
        tick_quote=one.tick_quote,
        lot_base=one.lot_base,
    )


def _levels(middle: float, way: int) -> bytes:
    levels = (f'["{middle * (1 + way * step / 2_000):.8f}","3"]' for step in range(1, LEVELS + 1))
    return f"[{','.join(levels)}]".encode()


def _make_pool(
    number: int, pair: tuple[str, str], usd: dict[str, float], rng: random.Random
) -> PoolSnapshot:
    reserves = [
        int(DEPTH_USD / usd[name] * 10**DECIMALS * (1.0 + rng.gauss(0, NOISE))) for name in pair
    ]
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address=f"0x{number:040x}",
        tokens=((AssetCode(pair[0]), DECIMALS), (AssetCode(pair[1]), DECIMALS)),
        fee_ratio=FEE,
        gas_units=90_000,
    )
    row = PairRow(reserve0_raw=str(reserves[0]), reserve1_raw=str(reserves[1]))
    return PoolSnapshot(pool=pool, row=row)


if __name__ == "__main__":
    harness.print_table(measure())
