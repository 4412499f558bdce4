"""The sandbox's pools: recorded ones, lined up with the start prices of its books.

They were read at other times than the order books and than each other. Each is moved to the start
price and otherwise left as it is: a pair's reserves are scaled; a concentrated pool's ticks shift
by whole spacings, and its price is set within. The worth of the liquidity stays: a pool that holds
a dollar keeps as many of them, any other one the product of its reserves.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from math import isqrt
from pathlib import Path

import msgspec
from msgspec.structs import replace

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.snapshot_rows import ConcentratedRow, PairRow, whole
from engine.pools.snapshots import PoolSnapshot, check_distinct, state_of
from engine.pools.tick_math import Q96, TICK_MAX, tick_at_sqrt_ratio
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.levels import Side
from engine.sandbox.lineup import Listing
from engine.sandbox.stage import Stage

POOLS_PATH = Path(__file__).parent / "pools.json"

DOLLARS = frozenset(AssetCode(code) for code in ("USD", "USDC", "USDT", "DAI"))
"""Assets that cost one dollar unless the start prices say otherwise."""

LIKE = {AssetCode("WBTC"): AssetCode("BTC")}
"""Assets that cost what another one does, likewise."""

_Q64 = 1 << 64


def load_pools(
    start_prices_usd: Mapping[AssetCode, Decimal], path: Path = POOLS_PATH
) -> list[PoolSnapshot]:
    """Load the recorded pools, each moved to the start prices.

    Args:
        start_prices_usd: price of each asset in dollars; see DOLLARS and LIKE for those left out.
        path: the recorded pools.

    Raises:
        SandboxStartError: the file or a pool in it cannot be used, or a price is missing.
    """
    try:
        recorded = msgspec.json.decode(path.read_bytes(), type=list[PoolSnapshot])
        check_distinct(recorded)
        lined_up = [line_up(snapshot, start_prices_usd) for snapshot in recorded]
        for snapshot in lined_up:
            state_of(snapshot)
    except (OSError, msgspec.MsgspecError, BadValueError) as error:
        raise SandboxStartError(f"recorded pools {path} cannot be used: {error}") from error
    return lined_up


def line_up(snapshot: PoolSnapshot, start_prices_usd: Mapping[AssetCode, Decimal]) -> PoolSnapshot:
    """Return a pool at the start prices; one of stable coins stays as it was recorded.

    Raises:
        BadValueError: a price is missing or not positive, or the pool cannot be moved there.
    """
    state_of(snapshot)
    row = snapshot.row
    if isinstance(row, PairRow):
        price = _price_raw(snapshot.pool, start_prices_usd)
        return replace(snapshot, row=_moved_pair(row, price, snapshot.pool))
    if isinstance(row, ConcentratedRow):
        price = _price_raw(snapshot.pool, start_prices_usd)
        return replace(snapshot, row=_moved_ticks(row, price, snapshot.pool))
    if not DOLLARS.issuperset(snapshot.pool.assets):
        raise BadValueError(f"{snapshot.pool} cannot be moved to another price")
    return snapshot


def price_usd(asset: AssetCode, start_prices_usd: Mapping[AssetCode, Decimal]) -> Decimal:
    """Return what an asset costs at the start, in dollars.

    Raises:
        BadValueError: nobody says, or it is not positive.
    """
    found = start_prices_usd.get(asset)
    if found is None and asset in LIKE:
        found = start_prices_usd.get(LIKE[asset])
    if found is None and asset in DOLLARS:
        found = Decimal(1)
    if found is None:
        raise BadValueError(f"no start price for {asset}")
    if not (found.is_finite() and found > 0):
        raise BadValueError(f"start price of {asset} is {found} dollars; it must be positive")
    return found


def book_usd(stage: Stage) -> Callable[[AssetCode], float | None]:
    """Return what says what an asset is worth in dollars, by the books as they stand."""
    listings: dict[AssetCode, Listing] = {}
    for market in stage.markets.values():
        for listing in market.every_listing():
            pair = listing.instrument.pair
            if pair.quote in DOLLARS:
                listings.setdefault(pair.base, listing)

    def usd(asset: AssetCode) -> float | None:
        if asset in DOLLARS:
            return 1.0
        listing = listings.get(LIKE.get(asset, asset))
        if listing is None:
            return None
        book = listing.track.book
        bid, ask = book.best(Side.BID), book.best(Side.ASK)
        if bid is None or ask is None:
            return None
        return float(listing.instrument.price_of(bid) + listing.instrument.price_of(ask)) / 2.0

    return usd


def book_prices(stage: Stage) -> Callable[[Pool], float | None]:
    """Return what says a price of token 0 of a pool in token 1, by the books as they stand."""
    usd = book_usd(stage)

    def price_of(pool: Pool) -> float | None:
        if DOLLARS.issuperset(pool.assets):
            return None  # what the books of dollars say of each other is no better
        price0, price1 = usd(pool.assets[0]), usd(pool.assets[1])
        return None if price0 is None or price1 is None else price0 / price1

    return price_of


def _price_raw(pool: Pool, start_prices_usd: Mapping[AssetCode, Decimal]) -> Fraction:
    """Return the wanted price of token 0 in token 1, both in raw units."""
    (asset0, decimals0), (asset1, decimals1) = pool.tokens
    human = Fraction(price_usd(asset0, start_prices_usd)) / Fraction(
        price_usd(asset1, start_prices_usd)
    )
    return human * Fraction(10) ** (decimals1 - decimals0)


def _moved_pair(row: PairRow, price: Fraction, pool: Pool) -> PairRow:
    reserve0 = whole(row.reserve0_raw, what="reserve0_raw")
    reserve1 = whole(row.reserve1_raw, what="reserve1_raw")
    if pool.assets[0] in DOLLARS:
        reserve1 = int(reserve0 * price)
    elif pool.assets[1] in DOLLARS:
        reserve0 = int(reserve1 / price)
    else:
        product = reserve0 * reserve1
        reserve0, reserve1 = isqrt(int(product / price)), isqrt(int(product * price))
    return PairRow(reserve0_raw=str(reserve0), reserve1_raw=str(reserve1))


def _moved_ticks(row: ConcentratedRow, price: Fraction, pool: Pool) -> ConcentratedRow:
    spacing = row.tick_spacing
    sqrt_x96 = isqrt(int(price * Q96 * Q96))
    tick = tick_at_sqrt_ratio(sqrt_x96)
    shift = round((tick - row.tick) / spacing) * spacing
    sqrt_before_x96 = whole(row.sqrt_price_x96, what="sqrt_price_x96")
    ticks = [at + shift for at, _ in row.ticks]
    held = accumulate(whole(net, what="net liquidity") for _, net in row.ticks)
    factor_x64 = _factor_x64(pool, before_x96=sqrt_before_x96, after_x96=sqrt_x96)
    moved = _within_bounds(ticks, [one * factor_x64 // _Q64 for one in held], spacing)
    return replace(
        row,
        sqrt_price_x96=str(sqrt_x96),
        tick=tick,
        liquidity=str(sum(net for at, net in moved if at <= tick)),
        ticks=tuple((at, str(net)) for at, net in moved),
    )


def _factor_x64(pool: Pool, *, before_x96: int, after_x96: int) -> int:
    """Return what liquidity is multiplied by so that a pool keeps its dollars, times 2**64.

    A range of liquidity L holds L over the root of the price of token 0, and L times it of token 1.
    """
    if pool.assets[1] in DOLLARS:
        return _Q64 * before_x96 // after_x96
    if pool.assets[0] in DOLLARS:
        return _Q64 * after_x96 // before_x96
    return _Q64


def _within_bounds(
    ticks: Sequence[int], held: Sequence[int], spacing: int
) -> list[tuple[int, int]]:
    """Return ticks and nets; what moved beyond the range of all ticks ends at its last one."""
    last = TICK_MAX // spacing * spacing
    held_from: dict[int, int] = {}
    for tick, liquidity in zip(ticks, held, strict=True):
        held_from[min(max(tick, -last), last)] = liquidity
    moved, before = [], 0
    for tick, liquidity in held_from.items():
        if liquidity != before:
            moved.append((tick, liquidity - before))
        before = liquidity
    return moved
