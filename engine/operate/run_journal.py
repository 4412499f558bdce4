"""The journal of a run: turns what the pipeline tells into records, notices and a decision log.

The decision log is the yardstick of a replay: one line of JSON per event, byte for byte the same
whenever the same inputs are fed to the same code.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

import msgspec

from engine.bus.notices import (
    LateFill,
    LimitHit,
    Notice,
    OpportunitySeen,
    PaperTraded,
    PlanVoided,
)
from engine.bus.records import (
    DepositRecord,
    ExecutionRecord,
    IntentRecord,
    NoticeRecord,
    OpportunityClosed,
    OpportunityRecord,
    Record,
)
from engine.bus.reports import OpportunityLine
from engine.core.pipeline import Decided
from engine.detect.episodes import Closed
from engine.domain.exact import exact_sum
from engine.domain.holdings import Deposit
from engine.domain.modes import Basis, Mode
from engine.domain.opportunities import Opportunity, Reason, Refusal
from engine.domain.orders import Execution, Intent, traded_base
from engine.domain.plans import LeggedPlan, Plan
from engine.domain.stories import ending
from engine.domain.units import NS_PER_MS
from engine.execute.finished import Finished, Found
from engine.market import freshness

RECENT_MAX: Final = 200
LIMIT_NOTICE_NS: Final = 60_000_000_000
BALANCE_NOTICE_NS: Final = 3_600_000_000_000
"""A balance that ran out stays so until it is set back."""

LIMIT_REASONS: Final = frozenset(
    {
        Reason.POSITION_LIMIT,
        Reason.BALANCE_TOO_LOW,
        Reason.DAILY_LOSS_LIMIT,
        Reason.ORDER_RATE_LIMIT,
        Reason.LEDGER_BEHIND,
    }
)

PLANNED: Final = "planned"


@dataclass(slots=True, kw_only=True)
class Entry:
    """A recent opportunity, with its decision so far."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    """What the journal needs to know of its run."""

    run_id: str
    basis: Basis
    opportunity_usd_min: Decimal


class RunJournal:
    """Obeys `execute.pipeline.Journal`.

    Args:
        mode: the engine's mode now.
        put: takes a record for the ledger.
        log: takes a line of the decision log.
    """

    NOT_STATE = frozenset({"recent"})  # for reports alone, and most of what there is

    def __init__(
        self,
        settings: JournalSettings,
        *,
        mode: Callable[[], Mode],
        put: Callable[[Record], None],
        log: Callable[[bytes], None],
    ) -> None:
        self.found = 0
        self.found_by_legs: Counter[int] = Counter()
        self.planned = 0
        self.traded = 0
        self.refused: Counter[Reason] = Counter()
        self.profit_usd = Decimal(0)
        self.recent: deque[Entry] = deque(maxlen=RECENT_MAX)
        self._settings = settings
        self._mode = mode
        self._put = put
        self._log = log
        self._open: dict[str, Entry] = {}
        self._planned: dict[str, Entry] = {}
        self._notice_count = 0
        self._deposit_count = 0
        self._limit_told_at_ns: dict[Reason, int] = {}

    def opportunity_found(self, opportunity: Opportunity) -> None:
        """Log a new opportunity; its record follows with the decision."""
        self.found += 1
        self.found_by_legs[len(opportunity.hops)] += 1
        self._line("found", opportunity)

    def opportunity_decided(self, decided: Decided) -> None:
        """Record the first decision on an opportunity, and note later ones."""
        self._line("decided", decided.decision)
        decision = decided.decision
        opportunity_id = decided.opportunity.opportunity_id
        if isinstance(decision, Refusal):
            outcome, detail = decision.reason.value, decision.detail
        else:
            outcome, detail = PLANNED, f"{decision.net_edge_bps} bps confirmed"
            if isinstance(decision, LeggedPlan) and decision.unproven_ms:
                detail += f", its books proven within {decision.unproven_ms / 1_000:.1f} s before"
        if decided.is_first:
            entry = self._first(decided, outcome, detail)
        else:
            entry = self._open[opportunity_id]
        if isinstance(decision, Plan):
            self.planned += 1
            entry.plan = decision
            entry.outcome, entry.detail = outcome, detail
            self._planned[decision.plan_id] = entry
            return
        is_new_reason = decision.reason not in {reason for reason, _ in entry.later_refusals}
        if decided.is_first:
            self.refused[decision.reason] += 1
        elif is_new_reason and decision.reason.value != entry.outcome:
            self.refused[decision.reason] += 1
            entry.later_refusals.append((decision.reason, decision.detail))
        self._tell_limit(decision)

    def opportunity_closed(self, closed: Closed) -> None:
        """Record the end of an opportunity."""
        self._line("closed", closed)
        entry = self._open.pop(closed.opportunity_id, None)
        if entry is None:
            return
        entry.closed_at_ns, entry.ended = closed.closed_at_ns, closed.reason
        self._put(
            OpportunityClosed(
                opportunity_id=closed.opportunity_id,
                closed_at_ns=closed.closed_at_ns,
                peak_profit_quote=closed.peak_profit_quote,
                refusals=tuple(entry.later_refusals),
                ended=entry.ended,
            )
        )

    def execution_finished(self, finished: Finished) -> None:
        """Record a finished plan and tell of it."""
        plan = finished.plan
        if finished.execution.void:
            self._void(finished)
            return
        if finished.execution.corrects:
            self._correct(finished)
            return
        entry = self._planned.pop(plan.plan_id, None)
        found = None
        if entry is not None:
            found = Found(profit_quote=entry.opportunity.profit_quote, profit_usd=entry.profit_usd)
        story = finished.story(found)
        execution = replace(finished.execution, story=story)
        self._line("executed", execution)
        is_traded = execution.is_traded
        self.traded += is_traded
        self.profit_usd = exact_sum((self.profit_usd, execution.realised_usd))
        if entry is not None:
            entry.execution = execution
            entry.outcome, entry.detail = ending(
                is_traded=is_traded,
                profit_usd=execution.profit_usd,
                why_reverted=execution.why_reverted,
            )
        self._put(
            ExecutionRecord(
                run_id=self._settings.run_id,
                basis=self._settings.basis,
                mode=self._mode(),
                plan=plan,
                execution=execution,
            )
        )
        if is_traded or execution.why_reverted:
            self.tell(
                PaperTraded(
                    at_ns=execution.closed_at_ns,
                    basis=self._settings.basis,
                    execution_id=execution.execution_id,
                    opportunity_id=execution.opportunity_id,
                    pair=plan.opportunity.pair,
                    buy_venue=plan.opportunity.buy_venue,
                    sell_venue=plan.opportunity.sell_venue,
                    size_base=traded_base(plan, execution),
                    profit_usd=execution.profit_usd,
                    expected_usd=execution.expected_usd,
                    assets=tuple(hop.target for hop in plan.opportunity.hops),
                    left_over=tuple(one.held for one in execution.residuals),
                    story=story,
                    why_reverted=execution.why_reverted,
                )
            )

    def intended(self, intent: Intent) -> None:
        """Keep what is about to be sent, so that a restart knows of it."""
        settings = self._settings
        self._put(IntentRecord(run_id=settings.run_id, basis=settings.basis, intent=intent))

    def _void(self, finished: Finished) -> None:
        """Record that a plan of an earlier run came to nothing, and tell of it."""
        plan, execution = finished.plan, finished.execution
        self._line("voided", execution)
        self._put(
            ExecutionRecord(
                run_id=self._settings.run_id,
                basis=self._settings.basis,
                mode=self._mode(),
                plan=plan,
                execution=execution,
            )
        )
        self.tell(
            PlanVoided(
                at_ns=execution.closed_at_ns,
                basis=self._settings.basis,
                opportunity_id=execution.opportunity_id,
                pair=plan.opportunity.pair,
                why=execution.void,
            )
        )

    def _correct(self, late: Finished) -> None:
        """Record what was told of a plan after it had ended, and tell of it."""
        plan, execution = late.plan, replace(late.execution, story=late.story())
        self._line("corrected", execution)
        self.profit_usd = exact_sum((self.profit_usd, execution.realised_usd))
        self._put(
            ExecutionRecord(
                run_id=self._settings.run_id,
                basis=self._settings.basis,
                mode=self._mode(),
                plan=plan,
                execution=execution,
            )
        )
        self.tell(
            LateFill(
                at_ns=execution.closed_at_ns,
                basis=self._settings.basis,
                execution_id=execution.corrects,
                opportunity_id=execution.opportunity_id,
                pair=plan.opportunity.pair,
                fills=sum(len(order.fills) for order in execution.orders),
                profit_usd=execution.profit_usd,
                left_over=tuple(one.held for one in execution.residuals),
            )
        )

    def deposited(self, deposit: Deposit, at_ns: int) -> None:
        """Record what a place of the inventory was set to."""
        self._line("deposited", deposit)
        self._deposit_count += 1
        self._put(
            DepositRecord(
                record_id=f"{self._settings.run_id}-d{self._deposit_count}",
                run_id=self._settings.run_id,
                basis=self._settings.basis,
                at_ns=at_ns,
                deposit=deposit,
            )
        )

    def venue_changed(self, edge: freshness.VenueEdge) -> None:
        """Log that a venue was lost or is back; what lasts is told by `operate.outages`."""
        self._line("venue", edge)

    def tell(self, notice: Notice) -> None:
        """Queue a notice; it is told once it is stored."""
        self._notice_count += 1
        record_id = f"{self._settings.run_id}-n{self._notice_count}"
        self._put(NoticeRecord(record_id=record_id, notice=notice))

    def find(self, ref: str) -> Entry | None:
        """Find a recent opportunity by its id, or by that of its execution."""
        for entry in reversed(self.recent):
            execution_id = entry.execution.execution_id if entry.execution else None
            if ref in (entry.opportunity.opportunity_id, execution_id):
                return entry
        return None

    def _first(self, decided: Decided, outcome: str, detail: str) -> Entry:
        opportunity = decided.opportunity
        entry = Entry(
            opportunity=opportunity,
            frame_seqs=decided.frame_seqs,
            outcome=outcome,
            detail=detail,
            profit_usd=decided.profit_usd,
        )
        self.recent.append(entry)
        self._open[opportunity.opportunity_id] = entry
        settings = self._settings
        self._put(
            OpportunityRecord(
                opportunity_id=opportunity.opportunity_id,
                run_id=settings.run_id,
                basis=settings.basis,
                seen_at_ns=opportunity.seen_at_ns,
                pair=opportunity.pair,
                quote=opportunity.quote,
                buy_venue=opportunity.buy_venue,
                sell_venue=opportunity.sell_venue,
                hops=opportunity.hops,
                size_base=opportunity.size_base,
                gross_edge_bps=opportunity.gross_edge_bps,
                net_edge_bps=opportunity.net_edge_bps,
                profit_quote=opportunity.profit_quote,
                profit_usd=decided.profit_usd,
                outcome=outcome,
                detail=detail,
                frame_seqs=decided.frame_seqs,
            )
        )
        if decided.profit_usd is not None and decided.profit_usd >= settings.opportunity_usd_min:
            self.tell(
                OpportunitySeen(
                    at_ns=opportunity.seen_at_ns,
                    basis=settings.basis,
                    opportunity_id=opportunity.opportunity_id,
                    pair=opportunity.pair,
                    buy_venue=opportunity.buy_venue,
                    sell_venue=opportunity.sell_venue,
                    assets=tuple(hop.target for hop in opportunity.hops),
                    net_edge_bps=opportunity.net_edge_bps,
                    profit_usd=decided.profit_usd,
                    outcome=outcome,
                )
            )
        return entry

    def _tell_limit(self, refusal: Refusal) -> None:
        if refusal.reason not in LIMIT_REASONS:
            return
        told_at_ns = self._limit_told_at_ns.get(refusal.reason)
        is_balance = refusal.reason is Reason.BALANCE_TOO_LOW
        every_ns = BALANCE_NOTICE_NS if is_balance else LIMIT_NOTICE_NS
        if told_at_ns is not None and 0 <= refusal.decided_at_ns - told_at_ns < every_ns:
            return
        self._limit_told_at_ns[refusal.reason] = refusal.decided_at_ns
        self.tell(
            LimitHit(
                at_ns=refusal.decided_at_ns,
                basis=self._settings.basis,
                reason=refusal.reason,
                detail=refusal.detail,
            )
        )

    def _line(self, event: str, value: object) -> None:
        self._log(msgspec.json.encode([event, value], order="deterministic"))
