"""A live plan goes to venues that take orders now, by the word of whoever trades there."""

from dataclasses import dataclass
from typing import ClassVar

from engine.decide.circumstances import Circumstances
from engine.decide.exchanges import Exchanges
from engine.decide.limit_set import Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.domain.modes import Money
from engine.domain.opportunities import Reason


@dataclass(slots=True)
class VenuesLimit:
    """Every venue of the route is there, was compared with the books, and is not halted."""

    exchanges: Exchanges
    is_live: bool
    name: str = "venues"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.VENUE_UNREADY,)
    limit: str = "all take orders"

    @classmethod
    def make(cls, run: Circumstances) -> "VenuesLimit":
        """Make it for a run."""
        return cls(run.exchanges, run.money is Money.LIVE)

    def used(self, at_ns: int) -> str:
        """Name a venue that takes none."""
        if not self.is_live or not self.exchanges.enabled:
            return "on paper"
        whys = [self.exchanges.why_not_at(one, at_ns) for one in sorted(self.exchanges.enabled)]
        return next((why for why in whys if why), "all take orders")

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse a route of orders through a venue that takes none now."""
        if not self.is_live or draft.opportunity.is_on_one_chain:
            return None
        why = self.exchanges.why_not(draft.opportunity.hops, at_ns)
        return Finding(reason=Reason.VENUE_UNREADY, detail=why) if why else None
