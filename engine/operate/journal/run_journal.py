"""Hands what the pipeline does to those that keep it, and writes the decision log.

The decision log is the yardstick of a replay: one line of JSON per event, byte for byte the same
whenever the same inputs are fed to the same code.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import msgspec

from engine.bus.records import Record
from engine.core.journal import Decided
from engine.detect.screening.episodes import Closed
from engine.domain.approvals import Approval, ApprovalEnd
from engine.domain.exact import exact_sum
from engine.domain.holdings import Deposit
from engine.domain.instruments import VenueId
from engine.domain.low_balances import BalanceTurn
from engine.domain.mandates import MandateUse
from engine.domain.modes import Mode
from engine.domain.opportunities import Opportunity, Refusal
from engine.domain.plans import LeggedPlan, Plan
from engine.domain.told import Cost, WalletSeen
from engine.execute.finished import Finished
from engine.market.freshness import VenueEdge
from engine.operate.journal.closings import ClosingBook
from engine.operate.journal.counts import Counts
from engine.operate.journal.notices import Notices
from engine.operate.journal.permits import PermitBook
from engine.operate.journal.recent import RecentOpportunities
from engine.operate.journal.records import Records
from engine.operate.run_header import RunHeader
from engine.portfolio.wallets import Found


class RunJournal:
    """Obeys `core.journal.Journal`.

    Args:
        opportunity_usd_min: least profit of an opportunity that is told of.
        mode: the engine's mode now.
        put: takes a record for the ledger.
        log: takes a line of the decision log.
    """

    def __init__(
        self,
        header: RunHeader,
        *,
        opportunity_usd_min: Decimal,
        mode: Callable[[], Mode],
        put: Callable[[Record], None],
        log: Callable[[bytes], None],
    ) -> None:
        self.counts = Counts()
        self.recent = RecentOpportunities()
        self.records = Records(run_id=header.run_id, basis=header.basis, mode=mode, put=put)
        self.notices = Notices(
            run_id=header.run_id,
            basis=header.basis,
            opportunity_usd_min=opportunity_usd_min,
            put=put,
        )
        self.permits = PermitBook(
            run_id=header.run_id, basis=header.basis, put=put, tell=self.notices.tell
        )
        self.closings = ClosingBook()
        self._log = log

    def opportunity_found(self, opportunity: Opportunity) -> None:
        """Log a new opportunity; its record follows with the decision."""
        self._line("found", opportunity)
        self.counts.add_found(opportunity)

    def opportunity_decided(self, decided: Decided) -> None:
        """Record the first decision on an opportunity, and note later ones."""
        decision = decided.decision
        self._line("decided", decision)
        entry, is_new = self.recent.decided(decided)
        if is_new and not entry.watched:
            self.counts.add_decision(decision)
        if decided.is_first:
            self.records.opportunity(entry)
            self.notices.opportunity(entry)
        if isinstance(decision, Refusal):
            self.notices.refusal(decision)

    def time_passed(self, at_ns: int) -> None:
        """Tell what waited to be told."""
        self.notices.time_passed(at_ns)

    def opportunity_closed(self, closed: Closed) -> None:
        """Record the end of an opportunity."""
        self._line("closed", closed)
        entry = self.recent.closed(closed)
        if entry is not None:
            self.records.closed(closed, entry.later_refusals)

    def execution_finished(self, finished: Finished) -> None:
        """Record a finished plan, or what was learnt of one after its end, and tell of it."""
        plan, execution = finished.plan, finished.execution
        if execution.void:
            self._line("voided", execution)
        else:
            entry = self.recent.finished(plan)
            story = finished.story(None if entry is None else entry.found)
            execution = replace(execution, story=story)
            self._line("corrected" if execution.corrects else "executed", execution)
            self.counts.add_execution(plan, execution)
            if entry is not None:
                entry.end(execution)
        self.records.execution(plan, execution)
        self.notices.execution(plan, execution, approval=self.permits.approved(plan))

    def deposited(self, deposit: Deposit, at_ns: int) -> None:
        """Record what a place of the inventory was set to."""
        self._line("deposited", deposit)
        self.records.deposit(deposit, at_ns)

    def found_on_chain(self, found: Found, seen: WalletSeen, at_ns: int) -> None:
        """Record what a chain shows otherwise than the books, and tell of it."""
        self._line("found on chain", found)
        self.records.found(found, at_ns)
        if found.is_told:
            self.notices.found(found, seen, at_ns)

    def found_at_venue(self, found: Found, at_ns: int) -> None:
        """Record what a venue shows otherwise than the books, and tell of it."""
        self._line("found at venue", found)
        self.records.found(found, at_ns)
        if found.is_told:
            self.notices.found_at_venue(found, at_ns)

    def balance_turned(self, turn: BalanceTurn, at_ns: int) -> None:
        """Tell that a place of live money ran low, or is enough again."""
        self._line("balance", turn)
        self.notices.balance(turn, at_ns)

    def fee_told(self, venue: VenueId, before: Decimal, after: Decimal, at_ns: int) -> None:
        """Note that another taker fee is reckoned with; tell of one that is dearer than before."""
        self._line("fee told", (venue, after))
        if after > before:
            self.notices.fee_told(venue, before, after, at_ns)

    def cost_booked(self, cost: Cost, at_ns: int) -> None:
        """Record what a transaction that carries no plan out has cost."""
        self._line("cost", cost)
        self.counts.profit_usd_live = exact_sum(
            (self.counts.profit_usd_live, -(cost.usd or Decimal(0)))
        )
        self.records.cost(cost, at_ns)

    def venue_changed(self, edge: VenueEdge) -> None:
        """Log that a venue was lost or is back; what lasts is told by `operate.outages`."""
        self._line("venue", edge)

    def approval_asked(self, approval: Approval) -> None:
        """Keep and tell what a person is asked."""
        self._line("asked", approval)
        self.permits.asked(approval)

    def approved_started(self, plan: Plan) -> None:
        """Note what is carried out by an approval."""
        self._line("approved", plan)
        self.counts.add_decision(plan)
        self.recent.approved(plan)
        self.permits.started(plan)

    def approval_ended(self, end: ApprovalEnd) -> None:
        """Keep and tell what became of it."""
        self._line("answered", end)
        self.permits.end(end)

    def closing_decided(self, terms: LeggedPlan, decision: Plan | Refusal) -> None:
        """Note whether what a person wanted closed begins."""
        self._line("closing", decision)
        self.counts.add_decision(decision)
        self.closings.decided(terms, decision)

    def mandate_changed(self, use: MandateUse) -> None:
        """Keep how a mandate stands."""
        self._line("mandate", use)
        self.permits.mandate(use)

    def _line(self, event: str, value: object) -> None:
        self._log(msgspec.json.encode([event, value], order="deterministic"))
