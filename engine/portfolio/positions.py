"""Positions: what executions left over, and what they realised, per UTC day.

Residuals are kept per venue and pair with the value they were filled at, so that they can be
marked against the market. When further residuals bring one back to zero, its difference is
realised on the day this happens, and is part of that execution's record.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_product, exact_sum
from engine.domain.opportunities import Plan
from engine.domain.orders import Execution
from engine.domain.residuals import Place, Residual, correction, fold_residuals
from engine.domain.units import NS_PER_DAY

DAYS_MAX = 400
"""Days of realised profit kept; older ones are dropped (the ledger has them)."""

UsdPer = Callable[[AssetCode], Decimal | None]
"""Value of one unit of an asset in USD, None if it is not to be had now."""


class Positions:
    """Residuals and realised profit."""

    def __init__(self) -> None:
        self._residuals: dict[Place, Residual] = {}
        self._realised_usd: dict[int, Decimal] = {}

    def restore(self, *, residuals: Iterable[Residual], realised_usd: Decimal, at_ns: int) -> None:
        """Take over what earlier runs left, and what they realised today."""
        self._fold(residuals)
        self._realise(realised_usd, at_ns=at_ns)

    def add(self, plan: Plan, execution: Execution) -> Execution:
        """Book a finished execution; return it with what closing earlier residuals realised."""
        added = execution.residuals
        realised = tuple(correction(self._residuals.get(one.place), one) for one in added)
        if any(realised):
            execution = replace(
                execution,
                corrections_quote=realised,
                correction_usd=exact_product(exact_sum(realised), plan.usd_per_quote),
            )
        if added:
            self._fold(added)
        self._realise(execution.realised_usd, at_ns=execution.closed_at_ns)
        return execution

    @property
    def residuals(self) -> tuple[Residual, ...]:
        """Everything left over, by venue and pair."""
        return tuple(self._residuals.values())

    def realised_usd(self, at_ns: int) -> Decimal:
        """Return the profit realised on the UTC day of `at_ns`."""
        return self._realised_usd.get(at_ns // NS_PER_DAY, Decimal(0))

    def step_clock(self, step_ns: int, at_ns: int) -> None:
        """Take over a clock that was set to `at_ns` by a step: no loss of the day gets lost.

        Which day is the right one nobody can know; the worse of the two counts on.
        """
        before_usd = self.realised_usd(at_ns - step_ns)
        if before_usd < self.realised_usd(at_ns):
            self._realised_usd[at_ns // NS_PER_DAY] = before_usd

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
        """Return the unrealised gain of all residuals, None if one has no price now."""
        total = Decimal(0)
        for residual in self._residuals.values():
            usd = usd_per(residual.held.asset)
            usd_per_quote = usd_per(residual.carry.asset)
            if usd is None or usd_per_quote is None:
                return None
            total += residual.held.value * usd - residual.carry.value * usd_per_quote
        return total

    def _fold(self, added: Iterable[Residual]) -> None:
        folded = fold_residuals((*self._residuals.values(), *added))
        self._residuals = {one.place: one for one in folded}

    def _realise(self, profit_usd: Decimal, *, at_ns: int) -> None:
        day = at_ns // NS_PER_DAY
        self._realised_usd[day] = exact_sum((self.realised_usd(at_ns), profit_usd))
        if len(self._realised_usd) > DAYS_MAX:
            del self._realised_usd[min(self._realised_usd)]
