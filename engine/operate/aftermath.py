"""What a kill leaves: plans under way until they have ended, and what is left over then.

It is told once nothing is open any more, or after a while what still is, and again when that ends:
by the engine's own books, and by those who place orders and send transactions, where any are there.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final

from engine.bus.kill_reports import AftermathReport
from engine.bus.notices import KillLeft
from engine.bus.open_outside import OpenOutside
from engine.domain.assets import Amount
from engine.domain.exact import exact_sum
from engine.domain.opportunities import Reason
from engine.domain.units import NS_PER_S
from engine.operate.clock import Clock
from engine.operate.core_parts import Core
from engine.operate.kill_latch import EngineLatches
from engine.portfolio.leftovers import DUST_USD

SETTLE_NS: Final = 5 * NS_PER_S
"""Plans under way are given so long to end before it is told that they are."""


class Aftermath:
    """Looks at what is open from a kill on."""

    def __init__(
        self,
        core: Core,
        latches: EngineLatches,
        clock: Clock,
        look_outside: Callable[[], Awaitable[OpenOutside]],
    ) -> None:
        self._core = core
        self._look_outside = look_outside
        self._latches = latches
        self._clock = clock
        self._since_ns = 0
        self._refused = 0
        self._usd = Decimal(0)
        self._told: tuple[int, tuple[Amount, ...]] | None = None

    async def watch(self) -> None:
        """Look once; tells what there is to tell."""
        if not self._latches.is_killed():
            self._since_ns = 0
            return
        at_ns = self._clock()
        if not self._since_ns:
            self._since_ns, self._told = at_ns, None
            self._refused, self._usd = self._refusals(), self._exposure(at_ns)
        found = (self._core.plans, self._left_over())
        has_settled = not found[0] or at_ns - self._since_ns >= SETTLE_NS
        if found != self._told and has_settled:
            is_news = self._told is None or not found[0]
            self._told = found
            if is_news:
                outside = await self._look_outside()
                self._core.journal.notices.tell(self._left(self._clock(), outside))

    async def report(self) -> AftermathReport:
        """Return what is so now, and what changed since the kill."""
        outside = await self._look_outside()
        at_ns, core = self._clock(), self._core
        is_killed = self._latches.is_killed()
        return AftermathReport(
            basis=core.basis,
            is_killed=is_killed,
            why=self._latches.why(),
            since_ns=self._since_ns,
            plans=core.plans,
            left_over=self._left_over(),
            usd=self._exposure(at_ns),
            usd_before=self._usd,
            refused=self._refusals() - self._refused if is_killed else 0,
            mode=core.control.mode,
            is_paused=core.control.is_paused,
            outside=outside,
        )

    def _left(self, at_ns: int, outside: OpenOutside) -> KillLeft:
        usd, plans = self._exposure(at_ns), self._core.plans
        return KillLeft(
            at_ns=at_ns,
            basis=self._core.basis,
            is_flat=not plans and usd < DUST_USD and outside.is_nothing,
            plans=plans,
            left_over=self._left_over(),
            usd=usd,
            outside=outside,
        )

    def _left_over(self) -> tuple[Amount, ...]:
        # What is still there, whichever money it is of: amounts of assets, and no profit.
        core = self._core
        residuals = (*core.positions.residuals, *core.live.positions.residuals)
        assets = sorted({one.held.asset for one in residuals})
        return tuple(
            Amount(
                asset=asset,
                value=exact_sum(one.held.value for one in residuals if one.held.asset == asset),
            )
            for asset in assets
        )

    def _exposure(self, at_ns: int) -> Decimal:
        core = self._core
        return core.positions.exposure(
            lambda asset: core.valuation.usd_per(asset, at_ns), at_ns
        ).usd

    def _refusals(self) -> int:
        return self._core.journal.counts.refused[Reason.KILLED]
