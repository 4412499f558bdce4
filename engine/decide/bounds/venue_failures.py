"""The most orders in a row that a venue may refuse before it is left alone for a while."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.decide.venue_failures import VenueFailures
from engine.domain.modes import Money
from engine.domain.opportunities import Reason

FAILURES: Final = Term(
    name="venue_failures_max",
    unit="orders",
    default=Decimal(5),
    least=Decimal(1),
    is_whole=True,
)


@dataclass(slots=True)
class VenueFailuresLimit:
    """Orders in a row that a venue refused or never had; it is tried again after a rest."""

    failures: VenueFailures
    limits: LimitSet
    is_live: bool
    name: str = "failures"
    unit: str = FAILURES.unit
    term: ClassVar[Term | None] = FAILURES
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.VENUE_FAILURES,)

    @classmethod
    def make(cls, run: Circumstances) -> "VenueFailuresLimit":
        """Make it for a run."""
        return cls(run.failures, run.limits, run.money is Money.LIVE)

    @property
    def limit(self) -> str:
        """Most failures in a row."""
        return f"{self.limits[FAILURES]:f}"

    def used(self, at_ns: int) -> str:
        """The most in a row now, and where."""
        del at_ns
        worst = self.failures.worst
        return "0" if worst is None else f"{worst[0]} at {worst[1]}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse a route through a venue that rests."""
        if not self.is_live or draft.opportunity.is_on_one_chain:
            return None
        for hop in draft.opportunity.hops:
            count = self.failures.in_a_row(hop.venue)
            if count < self.limits[FAILURES]:
                continue
            if rest_s := self.failures.rests_for_s(hop.venue, at_ns):
                return Finding(
                    reason=Reason.VENUE_FAILURES,
                    detail=f"{count} orders in a row failed at {hop.venue}; "
                    f"it is tried again in {rest_s} s",
                )
        return None
