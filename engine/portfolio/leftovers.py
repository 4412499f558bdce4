"""What leftovers are worth when their asset has no live price: the last known one, less a haircut.

Last prices are noted with recorded inputs alone, never by a report, so that a replay knows the
same. A price says nothing of what becomes of it once its books are gone: what is worth more than
dust by it counts, but nothing may be added to it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.residuals import LastPrice, Residual
from engine.domain.units import NS_PER_HOUR

UsdPer = Callable[[AssetCode], Decimal | None]
"""Value of one unit of an asset in USD, None if it is not to be had now."""

DUST_USD: Final = Decimal(1)
"""A leftover without a live price that is worth no more holds nothing back."""

HAIRCUT_RATIO: Final = Decimal("0.1")
"""By so much a last known price is taken to be worse for us, and ..."""
HAIRCUT_RATIO_PER_HOUR: Final = Decimal("0.1")
"""... by so much more for each hour of its age, up to ..."""
HAIRCUT_RATIO_MAX: Final = Decimal("0.5")

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """What leftovers come to.

    Attributes:
        usd: of all that have a price, live or last known.
        unpriced: assets without a live price, of which there is more than dust.
        unknown: an asset that never had a price, None if there is none.
    """

    usd: Decimal
    unpriced: frozenset[AssetCode] = frozenset()
    unknown: AssetCode | None = None


class LastPrices:
    """Last known values of assets, and the worth of amounts by live or last known ones."""

    def __init__(self) -> None:
        self._last: dict[AssetCode, LastPrice] = {}

    def note(self, price: LastPrice) -> None:
        """Take a price over that is not older than what is known."""
        known = self._last.get(price.asset)
        if known is None or known.at_ns <= price.at_ns:
            self._last[price.asset] = price

    def step_clock(self, step_ns: int) -> None:
        """Keep all prices as old as they are, whatever the clock was set by."""
        self._last = {
            asset: LastPrice(asset=asset, usd=one.usd, at_ns=one.at_ns + step_ns)
            for asset, one in self._last.items()
        }

    def exposure(self, residuals: Iterable[Residual], usd_per: UsdPer, at_ns: int) -> Valued:
        """Return the absolute value of all that is left over, at prices against us."""
        total = _ZERO
        doubted: dict[AssetCode, Decimal] = {}
        for residual in residuals:
            asset, size = residual.held.asset, abs(residual.held.value)
            usd = usd_per(asset)
            if usd is not None:
                total += size * usd
                continue
            last = self._discounted(asset, at_ns)
            if last is None:
                return Valued(usd=total, unknown=asset)
            usd, haircut_ratio = last
            worth_usd = size * usd * (1 + haircut_ratio)
            total += worth_usd
            doubted[asset] = doubted.get(asset, _ZERO) + worth_usd
        more = frozenset(asset for asset, worth_usd in doubted.items() if worth_usd > DUST_USD)
        return Valued(usd=total, unpriced=more)

    def marked(self, residuals: Iterable[Residual], usd_per: UsdPer, at_ns: int) -> Valued:
        """Return the unrealised gain of all that is left over, at prices against us."""
        total = _ZERO
        for residual in residuals:
            for asset, amount in (
                (residual.held.asset, residual.held.value),
                (residual.carry.asset, -residual.carry.value),
            ):
                usd = usd_per(asset)
                if usd is not None:
                    total += amount * usd
                    continue
                last = self._discounted(asset, at_ns)
                if last is None:
                    return Valued(usd=total, unknown=asset)
                usd, haircut_ratio = last
                total += amount * usd - abs(amount) * usd * haircut_ratio
        return Valued(usd=total)

    def _discounted(self, asset: AssetCode, at_ns: int) -> tuple[Decimal, Decimal] | None:
        """Return the last known price and the haircut for its age."""
        last = self._last.get(asset)
        if last is None:
            return None
        hours = Decimal(max(at_ns - last.at_ns, 0) // NS_PER_HOUR)
        haircut_ratio = HAIRCUT_RATIO + HAIRCUT_RATIO_PER_HOUR * hours
        return last.usd, min(haircut_ratio, HAIRCUT_RATIO_MAX)
