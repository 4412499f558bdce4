"""Rough prices of assets from a chain's own pools, for saying how much a large trade is worth.

They are marginal prices of the deepest pool against dollars, or against what such a pool prices.
Nothing is reckoned with them.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.domain.units import NS_PER_S
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.marginal_price import marginal_price
from engine.pools.snapshot_rows import PoolState

DOLLARS: Final = frozenset(AssetCode(code) for code in ("USDC", "USDT", "DAI"))
FRESH_NS: Final = 30 * NS_PER_S
ROUNDS: Final = 2
"""Against dollars, and against what is priced in them."""

LivePool = tuple[Pool, PoolState]


class RoughPrices:
    """Prices as of half a minute ago at most.

    Args:
        pools: gives all live pools.
        now_ns: the clock.
    """

    def __init__(self, pools: Callable[[], Iterable[LivePool]], now_ns: Callable[[], int]) -> None:
        self._pools, self._now_ns = pools, now_ns
        self._prices: dict[AssetCode, Decimal] = {}
        self._made_at_ns = -FRESH_NS

    def usd_of(self, asset: AssetCode, amount: Decimal) -> Decimal | None:
        """Value an amount; nothing if no pool prices the asset."""
        now_ns = self._now_ns()
        if now_ns - self._made_at_ns >= FRESH_NS:
            self._prices, self._made_at_ns = rough_prices(list(self._pools())), now_ns
        price = self._prices.get(asset)
        return None if price is None else price * amount


def rough_prices(pools: list[LivePool]) -> dict[AssetCode, Decimal]:
    """Return dollars per whole token, from pairs and concentrated pools."""
    prices = dict.fromkeys(DOLLARS, Decimal(1))
    for _ in range(ROUNDS):
        best: dict[AssetCode, tuple[Decimal, Decimal]] = {}
        for pool, state in pools:
            for priced in (0, 1):
                asset, other = pool.assets[priced], pool.assets[1 - priced]
                if asset in prices or other not in prices:
                    continue
                found = _price(pool, state, priced, prices[other])
                if found is not None and found > best.get(asset, (Decimal(0), Decimal(0))):
                    best[asset] = found
        prices |= {asset: price for asset, (_, price) in best.items()}
    return prices


def _price(
    pool: Pool, state: PoolState, priced: int, usd: Decimal
) -> tuple[Decimal, Decimal] | None:
    """Return the dollars on the other side of a pool, and a token's price there."""
    if not isinstance(state, ConstantProductState | ConcentratedState):
        return None
    try:
        slope = marginal_price(state, token_in=priced, token_out=1 - priced)
    except BadValueError:
        return None
    decimals = [places for _, places in pool.tokens]
    price = Decimal(slope.numerator) / slope.denominator
    price = price.scaleb(decimals[priced] - decimals[1 - priced]) * usd
    if isinstance(state, ConstantProductState):
        held_raw = (state.reserve0_raw, state.reserve1_raw)[1 - priced]
    elif priced == 0:
        held_raw = state.liquidity * state.sqrt_price_x96 >> 96
    else:
        held_raw = (state.liquidity << 96) // state.sqrt_price_x96
    return Decimal(held_raw).scaleb(-decimals[1 - priced]) * usd, price
