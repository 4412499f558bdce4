"""The newest opportunities with what became of them, for ``/opportunities`` and ``/why``."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from engine.bus.reports import OpportunityLine
from engine.core.journal import Decided
from engine.detect.screening.episodes import Closed
from engine.domain.mixed_routes import why_watched
from engine.domain.opportunities import Opportunity, Reason, Refusal
from engine.domain.orders import Execution
from engine.domain.plans import AtomicPlan, MixedPlan, Plan
from engine.domain.stories import ending
from engine.domain.units import NS_PER_MS
from engine.execute.finished import Found

RECENT_MAX: Final = 200
WATCHED_MAX: Final = 32
"""Of opportunities that no executor carries out, which take the room of no others."""

PLANNED: Final = "planned"


@dataclass(slots=True, kw_only=True)
class Entry:
    """A recent opportunity, with its decision so far.

    Attributes:
        advice: what of background work's bore on the decision, in words.
        watched: why no executor carries it out, empty if one does.
    """

    opportunity: Opportunity
    frame_seqs: tuple[int, int, int]
    outcome: str
    detail: str
    profit_usd: float | None
    closed_at_ns: int | None = None
    ended: str = ""
    later_refusals: list[tuple[Reason, str]] = field(default_factory=list)
    plan: Plan | None = None
    execution: Execution | None = None
    advice: tuple[str, ...] = ()
    watched: str = ""

    @property
    def found(self) -> Found:
        """What it was worth when it was found."""
        return Found(profit_quote=self.opportunity.profit_quote, profit_usd=self.profit_usd)

    def end(self, execution: Execution) -> None:
        """Note what its plan came to."""
        self.execution = execution
        self.outcome, self.detail = ending(
            is_traded=execution.is_traded,
            profit_usd=execution.profit_usd,
            why_reverted=execution.why_reverted,
        )

    def line(self, at_ns: int) -> OpportunityLine:
        """Return the entry for a report."""
        opportunity = self.opportunity
        until_ns = self.closed_at_ns if self.closed_at_ns is not None else at_ns
        return OpportunityLine(
            opportunity_id=opportunity.opportunity_id,
            seen_at_ns=opportunity.seen_at_ns,
            is_open=self.closed_at_ns is None,
            lasted_ms=max(until_ns - opportunity.seen_at_ns, 0) // NS_PER_MS,
            pair=opportunity.pair,
            buy_venue=opportunity.buy_venue,
            sell_venue=opportunity.sell_venue,
            size_base=opportunity.size_base,
            net_edge_bps=opportunity.net_edge_bps,
            profit_quote=opportunity.profit_quote,
            profit_usd=self.profit_usd,
            quote=opportunity.quote,
            outcome=self.outcome,
            detail=self.detail,
            hops=opportunity.hops,
        )


class RecentOpportunities:
    """The newest entries, and those that are open or whose plan is under way.

    Attributes:
        newest: of what can be traded.
        watched: of what cannot.
    """

    NOT_STATE = frozenset({"newest", "watched"})  # for reports alone, and most of what there is

    def __init__(self) -> None:
        self.newest: deque[Entry] = deque(maxlen=RECENT_MAX)
        self.watched: deque[Entry] = deque(maxlen=WATCHED_MAX)
        self._open: dict[str, Entry] = {}
        self._planned: dict[str, Entry] = {}

    def listed(self) -> list[Entry]:
        """Return the newest of what can be traded, and what is open of it beside, newest first."""
        kept = {id(entry) for entry in self.newest}
        others = (one for one in self._open.values() if not one.watched and id(one) not in kept)
        return [*reversed(self.newest), *reversed([*others])]

    def decided(self, decided: Decided) -> tuple[Entry, bool]:
        """Return the entry with the decision noted, and whether there was none like it before."""
        decision, opportunity = decided.decision, decided.opportunity
        outcome, detail = _outcome(decision)
        if decided.is_first:
            entry = Entry(
                opportunity=opportunity,
                frame_seqs=decided.frame_seqs,
                outcome=outcome,
                detail=detail,
                profit_usd=decided.profit_usd,
                watched=why_watched(opportunity.hops),
            )
            (self.watched if entry.watched else self.newest).append(entry)
            self._open[opportunity.opportunity_id] = entry
        else:
            entry = self._open[opportunity.opportunity_id]
        entry.advice = decided.advice
        if isinstance(decision, Plan):
            entry.plan, entry.outcome, entry.detail = decision, outcome, detail
            self._planned[decision.plan_id] = entry
            return entry, True
        if decided.is_first:
            return entry, True
        known = {entry.outcome, *(reason.value for reason, _ in entry.later_refusals)}
        if outcome in known:
            return entry, False
        entry.later_refusals.append((decision.reason, detail))
        return entry, True

    def approved(self, plan: Plan) -> None:
        """Note a plan that a person approved; its opportunity may have ended meanwhile."""
        entry = self.find(plan.opportunity.opportunity_id)
        if entry is not None:
            entry.plan = plan
            entry.outcome, entry.detail = _outcome(plan)
            self._planned[plan.plan_id] = entry

    def closed(self, closed: Closed) -> Entry | None:
        """Note the end of an opportunity."""
        entry = self._open.pop(closed.opportunity_id, None)
        if entry is not None:
            entry.closed_at_ns, entry.ended = closed.closed_at_ns, closed.reason
        return entry

    def finished(self, plan: Plan) -> Entry | None:
        """Return the entry of a plan that ends, None if it did before or is of another run."""
        return self._planned.pop(plan.plan_id, None)

    def find(self, ref: str) -> Entry | None:
        """Find a recent opportunity by its id, or by that of its execution."""
        for entry in (*reversed(self.newest), *reversed(self.watched)):
            execution_id = entry.execution.execution_id if entry.execution else None
            if ref in (entry.opportunity.opportunity_id, execution_id):
                return entry
        return None


def _outcome(decision: Plan | Refusal) -> tuple[str, str]:
    """Return the outcome of an opportunity that was just decided on, and the sentence beside it."""
    if isinstance(decision, Refusal):
        return decision.reason.value, decision.detail
    detail = f"{decision.net_edge_bps} bps confirmed"
    if isinstance(decision, MixedPlan):
        detail += f", {decision.first} first ({decision.first_why})"
    if not isinstance(decision, AtomicPlan) and decision.unproven_ms:
        detail += f", its books proven within {decision.unproven_ms / 1_000:.1f} s before"
    return PLANNED, detail
