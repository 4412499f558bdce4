"""Positions: what executions left over, and what they realised, per UTC day.

Residuals are kept per venue and pair with the value they were filled at, so that they can be
marked against the market. When further residuals bring one back to zero, its difference is
realised on the day this happens, and is part of that execution's record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from engine.domain.assets import AssetCode
from engine.domain.drawdown import Drawdown
from engine.domain.exact import exact_product, exact_sum
from engine.domain.instruments import VenueId
from engine.domain.measured_edge import MeasuredEdge
from engine.domain.orders import Execution
from engine.domain.plans import Plan, is_closing
from engine.domain.residuals import (
    LastPrice,
    Place,
    Residual,
    correction,
    fold_residuals,
    prices_of,
)
from engine.domain.units import NS_PER_DAY
from engine.portfolio.leftovers import LastPrices, UsdPer, Valued

DAYS_MAX = 400
"""Days of realised profit kept; older ones are dropped (the ledger has them)."""


class Positions:
    """Residuals and realised profit.

    Attributes:
        edge: what trades came to against what was expected of them.
    """

    def __init__(self) -> None:
        self._residuals: dict[Place, Residual] = {}
        self._realised_usd: dict[int, Decimal] = {}
        self._gas_usd: dict[int, Decimal] = {}
        self._drawdown = Drawdown()
        self.edge = MeasuredEdge()
        self._last = LastPrices()
        self._assets: Sequence[AssetCode] = ()
        self._turn = 0

    def restore(
        self,
        *,
        residuals: Iterable[Residual],
        realised_usd: Decimal,
        at_ns: int,
        last_prices: Iterable[LastPrice] = (),
        drawdown_usd: Decimal = Decimal(0),
        edge: MeasuredEdge = MeasuredEdge(),  # noqa: B008 - it never changes
        gas_usd: Decimal = Decimal(0),
    ) -> None:
        """Take over what earlier runs left, what it was worth, and what they realised.

        `realised_usd` and `gas_usd` are of today, `drawdown_usd` how far all is below its highest
        point.
        """
        self._fold(residuals)
        for price in last_prices:
            self._last.note(price)
        self._realise(realised_usd, at_ns=at_ns)
        self._burn(gas_usd, at_ns=at_ns)
        self._drawdown = Drawdown(drawdown_usd)
        self.edge = edge

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
        if not execution.corrects:
            for price in prices_of(
                added, usd_per_quote=plan.usd_per_quote, at_ns=plan.decided_at_ns
            ):
                self._last.note(price)
        self._realise(execution.realised_usd, at_ns=execution.closed_at_ns)
        if (gas_quote := execution.gas_quote) is not None:
            gas_usd = exact_product(gas_quote, plan.usd_per_quote)
            self._burn(gas_usd, at_ns=execution.closed_at_ns)
        if not is_closing(execution.opportunity_id):
            self.edge = self.edge.learn(
                realised_usd=execution.realised_usd, expected_usd=execution.expected_usd
            )
        return execution

    def spend(self, usd: Decimal, at_ns: int) -> None:
        """Book the gas of a transaction that is of no execution."""
        self._realise(-usd, at_ns=at_ns)
        self._burn(usd, at_ns=at_ns)

    @property
    def residuals(self) -> tuple[Residual, ...]:
        """Everything left over, by venue and pair."""
        return tuple(self._residuals.values())

    def realised_usd(self, at_ns: int) -> Decimal:
        """Return the profit realised on the UTC day of `at_ns`."""
        return self._realised_usd.get(at_ns // NS_PER_DAY, Decimal(0))

    def gas_usd(self, at_ns: int) -> Decimal:
        """Return what was paid for gas on the UTC day of `at_ns`."""
        return self._gas_usd.get(at_ns // NS_PER_DAY, Decimal(0))

    @property
    def drawdown_usd(self) -> Decimal:
        """How far what was ever realised is below its highest point; no day ends it."""
        return self._drawdown.usd

    def step_clock(self, step_ns: int, at_ns: int) -> None:
        """Take over a clock that was set to `at_ns` by a step: no loss or gas of the day gets lost.

        Which day is the right one nobody can know; the worse of the two counts on.
        """
        self._last.step_clock(step_ns)
        before_usd = self.realised_usd(at_ns - step_ns)
        if before_usd < self.realised_usd(at_ns):
            self._realised_usd[at_ns // NS_PER_DAY] = before_usd
        paid_usd = self.gas_usd(at_ns - step_ns)
        if paid_usd > self.gas_usd(at_ns):
            self._gas_usd[at_ns // NS_PER_DAY] = paid_usd

    def note_prices(self, usd_per: UsdPer, at_ns: int, *, most: int) -> None:
        """Note what assets of residuals are worth now, `most` of them at a time in turn.

        To be called with inputs only: what is noted decides.
        """
        for _ in range(min(most, len(self._assets))):
            self._turn = (self._turn + 1) % len(self._assets)
            asset = self._assets[self._turn]
            usd = usd_per(asset)
            if usd is not None:
                self._last.note(LastPrice(asset=asset, usd=usd, at_ns=at_ns))

    def exposure(self, usd_per: UsdPer, at_ns: int) -> Valued:
        """Return the absolute value of all residuals."""
        return self._last.exposure(self._residuals.values(), usd_per, at_ns)

    def exposure_at(self, venue: VenueId, usd_per: UsdPer, at_ns: int) -> Valued:
        """Return the absolute value of all residuals at a venue."""
        there = (one for one in self._residuals.values() if one.venue == venue)
        return self._last.exposure(there, usd_per, at_ns)

    def marked(self, usd_per: UsdPer, at_ns: int) -> Valued:
        """Return the unrealised gain of all residuals."""
        return self._last.marked(self._residuals.values(), usd_per, at_ns)

    def _fold(self, added: Iterable[Residual]) -> None:
        folded = fold_residuals((*self._residuals.values(), *added))
        self._residuals = {one.place: one for one in folded}
        self._assets = sorted(
            {asset for one in folded for asset in (one.held.asset, one.carry.asset)}
        )

    def _burn(self, usd: Decimal, *, at_ns: int) -> None:
        day = at_ns // NS_PER_DAY
        self._gas_usd[day] = exact_sum((self.gas_usd(at_ns), usd))
        if len(self._gas_usd) > DAYS_MAX:
            del self._gas_usd[min(self._gas_usd)]

    def _realise(self, profit_usd: Decimal, *, at_ns: int) -> None:
        day = at_ns // NS_PER_DAY
        self._realised_usd[day] = exact_sum((self.realised_usd(at_ns), profit_usd))
        self._drawdown.add(profit_usd)
        if len(self._realised_usd) > DAYS_MAX:
            del self._realised_usd[min(self._realised_usd)]
