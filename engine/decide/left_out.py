"""Routes that a person was not asked for, since as many waited as can be read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.domain.approvals import LeftOut
from engine.domain.opportunities import route_of
from engine.domain.plans import Plan
from engine.domain.units import NS_PER_S

KEPT_NS: Final = 3_600 * NS_PER_S
ROUTES_MAX: Final = 1_000


@dataclass(slots=True)
class LeftOutRoutes:
    """Each route once, with the most that it was worth; what is asked for at last is out of it."""

    _by_route: dict[str, LeftOut] = field(default_factory=dict)

    def add(self, plan: Plan, worth_usd: Decimal, at_ns: int) -> None:
        """Note a plan that was left out."""
        route = route_of(plan.opportunity)
        before = self._by_route.get(route)
        if before is None and len(self._by_route) >= ROUTES_MAX:
            self._by_route.pop(min(self._by_route, key=lambda one: self._by_route[one].at_ns))
        if before is not None and at_ns - before.at_ns < KEPT_NS:
            worth_usd = max(worth_usd, before.worth_usd)
        self._by_route[route] = LeftOut(
            pair=plan.opportunity.pair, worth_usd=worth_usd, at_ns=at_ns
        )

    def asked(self, route: str) -> None:
        """Learn that a person is asked for a route."""
        self._by_route.pop(route, None)

    def since(self, at_ns: int) -> Sequence[LeftOut]:
        """Return what was left out within the last hour, the dearest first."""
        kept = [one for one in self._by_route.values() if at_ns - one.at_ns < KEPT_NS]
        return sorted(kept, key=lambda one: one.worth_usd, reverse=True)

    def step_clock(self, step_ns: int) -> None:
        """Keep how long ago it was over a step of the clock."""
        self._by_route = {
            route: LeftOut(pair=one.pair, worth_usd=one.worth_usd, at_ns=one.at_ns + step_ns)
            for route, one in self._by_route.items()
        }
