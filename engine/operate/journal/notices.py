"""What the operator is told of a run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.bus.notices import (
    BalanceBack,
    BalanceLow,
    FeeChanged,
    LateFill,
    LeftoverClosed,
    LimitHit,
    Notice,
    OpportunitySeen,
    PaperTraded,
    PlanVoided,
    SendingTrouble,
    VenueTrouble,
)
from engine.bus.records import NoticeRecord, Record
from engine.domain.approvals import Approval
from engine.domain.assets import Amount
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.low_balances import BalanceTurn
from engine.domain.modes import Basis, Money, basis_of
from engine.domain.opportunities import Reason, Refusal
from engine.domain.orders import Execution, traded_base
from engine.domain.orders_told import VenueMatter
from engine.domain.plans import Closes, LeggedPlan, Plan, basis_of_plan, closes_of
from engine.domain.told import Matter, WalletSeen
from engine.operate.journal.recent import Entry
from engine.portfolio.wallets import Found

OPPORTUNITIES_NS: Final = 60_000_000_000
"""Opportunities that come sooner after one that was told are told together, once it is over."""

LIMIT_NOTICE_NS: Final = 60_000_000_000
BALANCE_NOTICE_NS: Final = 3_600_000_000_000
"""A balance that ran out stays so until it is set back."""

BY_VENUE: Final = "the venue's word on our tier"
"""Who changed a fee, where no person did."""

LIMIT_REASONS: Final = frozenset(
    {
        Reason.POSITION_LIMIT,
        Reason.VENUE_EXPOSURE,
        Reason.VENUE_FAILURES,
        Reason.BALANCE_TOO_LOW,
        Reason.DAILY_LOSS_LIMIT,
        Reason.DRAWDOWN_LIMIT,
        Reason.GAS_DAY_LIMIT,
        Reason.KELLY_SIZE,
        Reason.ORDER_RATE_LIMIT,
        Reason.LEDGER_BEHIND,
    }
)


@dataclass(slots=True, kw_only=True)
class Notices:
    """Numbers the notices of a run and hands them to `put`."""

    run_id: str
    basis: Basis
    opportunity_usd_min: Decimal
    put: Callable[[Record], None]
    count: int = 0
    limit_at_ns: dict[Reason, int] = field(default_factory=dict)
    _best: Entry | None = None
    _others: int = 0
    _told_at_ns: int | None = None

    def tell(self, notice: Notice) -> None:
        """Queue a notice; it is told once it is stored."""
        self.count += 1
        self.put(NoticeRecord(record_id=f"{self.run_id}-n{self.count}", notice=notice))

    def opportunity(self, entry: Entry) -> None:
        """Tell of an opportunity, if it is worth it and can be traded: at once, or with others."""
        profit_usd = entry.profit_usd
        is_worth_it = profit_usd is not None and profit_usd >= self.opportunity_usd_min
        if entry.watched or not is_worth_it:
            return
        if self._best is None:
            self._best = entry
        else:
            self._others += 1
            if _usd(entry) > _usd(self._best):
                self._best = entry
        self.time_passed(entry.opportunity.seen_at_ns)

    def time_passed(self, at_ns: int) -> None:
        """Tell of opportunities that waited, the best of them by name, if it is their turn."""
        if self._best is None or (
            self._told_at_ns is not None and 0 <= at_ns - self._told_at_ns < OPPORTUNITIES_NS
        ):
            return
        entry, others = self._best, self._others
        self._best, self._others, self._told_at_ns = None, 0, at_ns
        opportunity = entry.opportunity
        self.tell(
            OpportunitySeen(
                at_ns=opportunity.seen_at_ns,
                basis=self.basis,
                opportunity_id=opportunity.opportunity_id,
                pair=opportunity.pair,
                buy_venue=opportunity.buy_venue,
                sell_venue=opportunity.sell_venue,
                assets=tuple(hop.target for hop in opportunity.hops),
                net_edge_bps=opportunity.net_edge_bps,
                profit_usd=_usd(entry),
                outcome=entry.outcome,
                others=others,
            )
        )

    def refusal(self, refusal: Refusal) -> None:
        """Tell of a limit that is reached, now and then while it stays so."""
        reason, at_ns = refusal.reason, refusal.decided_at_ns
        if reason not in LIMIT_REASONS:
            return
        last_at_ns = self.limit_at_ns.get(reason)
        every_ns = BALANCE_NOTICE_NS if reason is Reason.BALANCE_TOO_LOW else LIMIT_NOTICE_NS
        if last_at_ns is not None and 0 <= at_ns - last_at_ns < every_ns:
            return
        self.limit_at_ns[reason] = at_ns
        self.tell(LimitHit(at_ns=at_ns, basis=self.basis, reason=reason, detail=refusal.detail))

    def found(self, found: Found, seen: WalletSeen, at_ns: int) -> None:
        """Tell that a chain shows live money otherwise than the books."""
        self.tell(
            SendingTrouble(
                at_ns=at_ns,
                basis=basis_of(self.basis, Money.LIVE),
                chain=seen.chain,
                what=found.why,
                matter=Matter.ANEW if found.is_anew else Matter.BALANCE,
            )
        )

    def found_at_venue(self, found: Found, at_ns: int) -> None:
        """Tell that a venue shows live money otherwise than the books."""
        self.tell(
            VenueTrouble(
                at_ns=at_ns,
                basis=basis_of(self.basis, Money.LIVE),
                venue=found.deposit.venue,
                what=found.why,
                matter=VenueMatter.BALANCE,
            )
        )

    def fee_told(self, venue: VenueId, before: Decimal, after: Decimal, at_ns: int) -> None:
        """Tell that a dearer taker fee is reckoned with than before."""
        self.tell(
            FeeChanged(
                at_ns=at_ns,
                basis=self.basis,
                venue=venue,
                before=before,
                after=after,
                by=BY_VENUE,
            )
        )

    def balance(self, turn: BalanceTurn, at_ns: int) -> None:
        """Tell that a place of live money ran low, or is enough again."""
        basis = basis_of(self.basis, Money.LIVE)
        free = Amount(turn.free, turn.asset)
        if not turn.is_low:
            self.tell(BalanceBack(at_ns=at_ns, basis=basis, venue=turn.venue, free=free))
            return
        self.tell(
            BalanceLow(
                at_ns=at_ns,
                basis=basis,
                venue=turn.venue,
                free=free,
                needed=turn.needed,
                stops=turn.stops,
                is_below_floor=turn.is_below_floor,
            )
        )

    def execution(
        self, plan: Plan, execution: Execution, *, approval: Approval | None = None
    ) -> None:
        """Tell what a plan came to, if anything was filled or paid, or a person approved it."""
        if execution.void:
            self.tell(
                PlanVoided(
                    at_ns=execution.closed_at_ns,
                    basis=basis_of_plan(plan, self.basis),
                    opportunity_id=execution.opportunity_id,
                    pair=plan.opportunity.pair,
                    why=execution.void,
                )
            )
        elif execution.corrects:
            self.tell(
                LateFill(
                    at_ns=execution.closed_at_ns,
                    basis=basis_of_plan(plan, self.basis),
                    execution_id=execution.corrects,
                    opportunity_id=execution.opportunity_id,
                    pair=plan.opportunity.pair,
                    fills=sum(len(order.fills) for order in execution.orders),
                    profit_usd=execution.profit_usd,
                    left_over=tuple(one.held for one in execution.residuals),
                )
            )
        elif closes := closes_of(plan):
            self.tell(_closed(plan, closes, execution, self.basis))
        elif execution.is_traded or execution.why_reverted or approval is not None:
            self.tell(
                PaperTraded(
                    at_ns=execution.closed_at_ns,
                    basis=basis_of_plan(plan, self.basis),
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
                    story=execution.story,
                    why_reverted=execution.why_reverted,
                    approval=approval,
                )
            )


def _closed(plan: Plan, closes: Closes, execution: Execution, basis: Basis) -> LeftoverClosed:
    assert isinstance(plan, LeggedPlan)
    (leg,) = plan.legs
    changed = exact_sum(order.base_change for order in execution.orders)
    return LeftoverClosed(
        at_ns=execution.closed_at_ns,
        basis=basis_of_plan(plan, basis),
        execution_id=execution.execution_id,
        opportunity_id=execution.opportunity_id,
        venue=leg.venue,
        held=Amount(closes.held, leg.instrument.pair.base),
        closed=-changed,
        realised_usd=execution.profit_usd,
        expected_usd=execution.expected_usd,
    )


def _usd(entry: Entry) -> float:
    return entry.profit_usd or 0.0
