"""Positions: what executions left over, and what they realised, per UTC day.

Residuals are kept per venue and pair with the value they were filled at, so that they can be
marked against the market. When further residuals bring one back to zero, its difference is
realised on the day this happens.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.assets import Amount, AssetCode
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Plan
from engine.domain.orders import Execution
from engine.portfolio.settle import Settlement

DAY_NS = 86_400 * 1_000_000_000
DAYS_MAX = 400
"""Days of realised profit kept; older ones are dropped (the ledger has them)."""

UsdPer = Callable[[AssetCode], Decimal | None]
"""Value of one unit of an asset in USD, None if it is not to be had now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """Base left over at a venue.

    Attributes:
        held: what is left over, negative if owed.
        quote: asset that it was traded against.
        carry: what it was filled for, in the quote; None if it was restored from before a restart.
    """

    venue: VenueId
    held: Amount
    quote: AssetCode
    carry: Amount | None


class Positions:
    """Residuals and realised profit."""

    def __init__(self) -> None:
        self._residuals: dict[tuple[VenueId, AssetCode, AssetCode], Residual] = {}
        self._realised_usd: dict[int, Decimal] = {}

    def restore(
        self,
        *,
        residuals: Iterable[tuple[VenueId, AssetCode, Decimal]],
        quote: AssetCode,
        realised_usd: Decimal,
        at_ns: int,
    ) -> None:
        """Take over what earlier runs left: residuals of unknown cost and today's realised pnl."""
        for venue, asset, base in residuals:
            if base:
                self._residuals[venue, asset, quote] = Residual(
                    venue=venue, held=Amount(base, asset), quote=quote, carry=None
                )
        self._realise(realised_usd, at_ns=at_ns)

    def add(self, plan: Plan, execution: Execution, settlement: Settlement) -> None:
        """Book a finished execution."""
        self._realise(execution.profit_usd, at_ns=execution.closed_at_ns)
        instrument = settlement.residual_instrument
        if instrument is None:
            return
        pair = instrument.pair
        key = (instrument.venue, pair.base, pair.quote)
        before = self._residuals.get(key)
        held = Amount(settlement.residual_base, pair.base)
        carry: Amount | None = Amount(settlement.carry_quote, pair.quote)
        if before is not None:
            held += before.held
            carry = None if before.carry is None or carry is None else carry + before.carry
        if held.value == 0:
            del self._residuals[key]
            if carry is not None:
                self._realise(-carry.value * plan.usd_per_quote, at_ns=execution.closed_at_ns)
            return
        self._residuals[key] = Residual(
            venue=instrument.venue, held=held, quote=pair.quote, carry=carry
        )

    @property
    def residuals(self) -> tuple[Residual, ...]:
        """Everything left over, by venue and pair."""
        return tuple(self._residuals.values())

    def realised_usd(self, at_ns: int) -> Decimal:
        """Return the profit realised on the UTC day of `at_ns`."""
        return self._realised_usd.get(at_ns // DAY_NS, Decimal(0))

    def exposure_usd(self, usd_per: UsdPer) -> Decimal | None:
        """Return the absolute value of all residuals, None if one has no price now."""
        total = Decimal(0)
        for residual in self._residuals.values():
            usd = usd_per(residual.held.asset)
            if usd is None:
                return None
            total += abs(residual.held.value) * usd
        return total

    def marked_usd(self, usd_per: UsdPer) -> Decimal | None:
        """Return the unrealised gain of all residuals, None if one has no price now.

        A residual restored from before a restart has no known cost and counts as zero.
        """
        total = Decimal(0)
        for residual in self._residuals.values():
            if residual.carry is None:
                continue
            usd = usd_per(residual.held.asset)
            usd_per_quote = usd_per(residual.carry.asset)
            if usd is None or usd_per_quote is None:
                return None
            total += residual.held.value * usd - residual.carry.value * usd_per_quote
        return total

    def _realise(self, profit_usd: Decimal, *, at_ns: int) -> None:
        day = at_ns // DAY_NS
        self._realised_usd[day] = self._realised_usd.get(day, Decimal(0)) + profit_usd
        if len(self._realised_usd) > DAYS_MAX:
            del self._realised_usd[min(self._realised_usd)]
