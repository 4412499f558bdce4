"""Mandates: standing permissions, bounded in time, money and scope, that a person may revoke."""

from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.mixed_routes import pool_run
from engine.domain.opportunities import GAP_LEGS, Opportunity, route_of
from engine.domain.units import NS_PER_S

PLANS_MAX: Final = 100
"""Of one mandate: each costs gas, however little it moves."""


class ScopeKind(StrEnum):
    """By what a mandate tells which plans it covers."""

    ANY = "any"
    VENUE = "venue"
    PAIR = "pair"
    ROUTE = "route"
    STRATEGY = "strategy"


STRATEGIES = ("gap", "cycle", "atomic", "mixed")
"""Two books of one pair; more legs or other pairs; one transaction on a chain; one with orders."""


def strategy_of(opportunity: Opportunity) -> str:
    """Name the strategy of a route."""
    if opportunity.is_on_one_chain:
        return "atomic"
    if pool_run(opportunity.hops) is not None:
        return "mixed"
    return "gap" if opportunity.is_gap and len(opportunity.hops) == GAP_LEGS else "cycle"


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which plans a mandate covers.

    Attributes:
        name: of the venue, pair, route or strategy; empty for any plan.
    """

    kind: ScopeKind
    name: str = ""

    def covers(self, opportunity: Opportunity) -> bool:
        """Say whether a route is within."""
        match self.kind:
            case ScopeKind.ANY:
                return True
            case ScopeKind.VENUE:
                return any(hop.venue == self.name for hop in opportunity.hops)
            case ScopeKind.PAIR:
                return opportunity.pair == self.name
            case ScopeKind.ROUTE:
                return route_of(opportunity) == self.name
            case ScopeKind.STRATEGY:
                return strategy_of(opportunity) == self.name


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """A standing permission: within it, plans need no further word.

    Attributes:
        by: who granted it.
        each_usd_max: most notional of one plan.
        total_usd_max: most notional of all plans together.
        edge_bps_min: least net edge of a plan.
    """

    mandate_id: str
    by: str
    scope: Scope
    each_usd_max: Decimal
    total_usd_max: Decimal
    edge_bps_min: Decimal
    granted_at_ns: int
    expires_at_ns: int

    def check(self) -> None:
        """Raise `BadValueError` if it makes no sense."""
        if not (0 < self.each_usd_max <= self.total_usd_max):
            raise BadValueError(
                f"a mandate of {self.total_usd_max:f} USD in all and {self.each_usd_max:f} USD"
                " each makes no sense: each must be above 0 and at most all"
            )
        if self.edge_bps_min < 0:
            raise BadValueError(
                f"the least edge is {self.edge_bps_min:f} bps; it must be 0 or more"
            )
        if self.expires_at_ns <= self.granted_at_ns:
            raise BadValueError("a mandate must end after it begins")
        if self.scope.kind is ScopeKind.STRATEGY and self.scope.name not in STRATEGIES:
            raise BadValueError(
                f"no strategy is called {self.scope.name!r}; there are {', '.join(STRATEGIES)}"
            )
        if (self.scope.kind is ScopeKind.ANY) != (self.scope.name == ""):
            raise BadValueError(f"a mandate of {self.scope.kind} with the name {self.scope.name!r}")


class Granting(Protocol):
    """What is asked for with a mandate."""

    @property
    def scope(self) -> Scope:
        """Which plans it covers."""
        ...

    @property
    def each_usd_max(self) -> Decimal:
        """Most notional of one plan."""
        ...

    @property
    def total_usd_max(self) -> Decimal:
        """Most notional of all."""
        ...

    @property
    def edge_bps_min(self) -> Decimal:
        """Least net edge of a plan."""
        ...

    @property
    def lasts_s(self) -> int:
        """How long it holds."""
        ...


def mandate_of(asked: Granting, mandate_id: str, *, by: str, at_ns: int) -> Mandate:
    """Return the mandate that is granted by what was asked for."""
    return Mandate(
        mandate_id=mandate_id,
        by=by,
        scope=asked.scope,
        each_usd_max=asked.each_usd_max,
        total_usd_max=asked.total_usd_max,
        edge_bps_min=asked.edge_bps_min,
        granted_at_ns=at_ns,
        expires_at_ns=at_ns + asked.lasts_s * NS_PER_S,
    )


class MandateUse(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate and what was made of it so far.

    Attributes:
        spent_usd: notional of the plans that were started by it; what a plan does not use comes
            not back.
        realised_usd: profit of those that have ended.
        ended: why it covers nothing any more, empty while it does.
    """

    mandate: Mandate
    spent_usd: Decimal = Decimal(0)
    plans: int = 0
    realised_usd: Decimal = Decimal(0)
    ended: str = ""
    ended_at_ns: int = 0
    ended_by: str = ""

    @property
    def left_usd(self) -> Decimal:
        """What may still be spent."""
        return self.mandate.total_usd_max - self.spent_usd
