"""What a run keeps in the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.bus.records import (
    CostRecord,
    DepositRecord,
    ExecutionRecord,
    IntentRecord,
    OpportunityClosed,
    OpportunityRecord,
    Record,
)
from engine.detect.screening.episodes import Closed
from engine.domain.holdings import Deposit
from engine.domain.modes import Basis, Mode, Money
from engine.domain.opportunities import Reason
from engine.domain.orders import Execution, Intent
from engine.domain.plans import Plan
from engine.domain.told import Cost
from engine.operate.journal.recent import Entry
from engine.portfolio.wallets import Found


@dataclass(slots=True, kw_only=True)
class Records:
    """Makes the records of a run and hands them to `put`; `mode` tells the engine's now."""

    run_id: str
    basis: Basis
    mode: Callable[[], Mode]
    put: Callable[[Record], None]
    deposit_count: int = 0

    def opportunity(self, entry: Entry) -> None:
        """Keep an opportunity with the first decision on it."""
        opportunity = entry.opportunity
        self.put(
            OpportunityRecord(
                opportunity_id=opportunity.opportunity_id,
                run_id=self.run_id,
                basis=self.basis,
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
                profit_usd=entry.profit_usd,
                outcome=entry.outcome,
                detail=entry.detail,
                frame_seqs=entry.frame_seqs,
            )
        )

    def closed(self, closed: Closed, refusals: Sequence[tuple[Reason, str]]) -> None:
        """Keep the end of an opportunity and for what else it was refused."""
        self.put(
            OpportunityClosed(
                opportunity_id=closed.opportunity_id,
                closed_at_ns=closed.closed_at_ns,
                peak_profit_quote=closed.peak_profit_quote,
                refusals=tuple(refusals),
                ended=closed.reason,
            )
        )

    def execution(self, plan: Plan, execution: Execution) -> None:
        """Keep what a plan came to."""
        self.put(
            ExecutionRecord(
                run_id=self.run_id,
                basis=self.basis,
                mode=self.mode(),
                plan=plan,
                execution=execution,
            )
        )

    def intent(self, intent: Intent) -> None:
        """Keep what is about to be sent."""
        self.put(IntentRecord(run_id=self.run_id, basis=self.basis, intent=intent))

    def deposit(self, deposit: Deposit, at_ns: int) -> None:
        """Keep what a place of the inventory was set to."""
        self.deposit_count += 1
        self.put(
            DepositRecord(
                record_id=f"{self.run_id}-d{self.deposit_count}",
                run_id=self.run_id,
                basis=self.basis,
                at_ns=at_ns,
                deposit=deposit,
            )
        )

    def found(self, found: Found, at_ns: int) -> None:
        """Keep what a chain shows otherwise than the books."""
        self.deposit_count += 1
        self.put(
            DepositRecord(
                record_id=f"{self.run_id}-d{self.deposit_count}",
                run_id=self.run_id,
                basis=self.basis,
                at_ns=at_ns,
                deposit=found.deposit,
                money=Money.LIVE,
                why=found.why,
                opened=found.opened,
            )
        )

    def cost(self, cost: Cost, at_ns: int) -> None:
        """Keep what a chore has cost: the same record from whichever run books it."""
        self.put(
            CostRecord(
                record_id=f"{cost.client_order_id}-v{cost.version}",
                run_id=self.run_id,
                basis=self.basis,
                at_ns=at_ns,
                cost=cost,
            )
        )
