"""The decider: turns an opportunity into an approved plan, or says why not.

This is the only place where a `Plan` is made. The kill latch is asked before anything else and
once more when the plan is ready.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final, Protocol

import msgspec

from engine.bus.reports import LimitLine
from engine.decide.account import Account
from engine.decide.bounds.edge import EDGE_BPS
from engine.decide.bounds.proof import longest_unproven
from engine.decide.circumstances import Circumstances
from engine.decide.limit_list import LIMITS, SLIPPAGE_BPS, LimitMaker
from engine.decide.limit_set import Term
from engine.decide.limits import Draft, Figures, Finding, Limit, ShrinkTo, Verdict
from engine.decide.mixing import Mixing, mixed_figures
from engine.decide.permits import Permits
from engine.decide.terms import worst_quote
from engine.decide.under_way import Need, exposure_quote, needs
from engine.domain.advice import BlockTimeAdvice, GasAdvice, InclusionAdvice, TipAdvice
from engine.domain.approvals import Approval
from engine.domain.chains import DEADLINE_BLOCKS
from engine.domain.mixed_routes import pool_run
from engine.domain.modes import Money
from engine.domain.opportunities import Opportunity, Reason, Refusal
from engine.domain.orders import Execution
from engine.domain.plans import (
    AtomicPlan,
    LeggedPlan,
    Plan,
    Sizing,
    money_of,
    sends_of,
    wallet_of,
)
from engine.domain.units import NS_PER_MS
from engine.market.advice_book import BID, SCHEDULE
from engine.quote.atomic import AtomicConfirmer, ConfirmedAtomic
from engine.quote.gap import Confirmed, Unconfirmed
from engine.quote.legs import LegsConfirmer
from engine.quote.mixed import ConfirmedMixed, MixedConfirmer

SHRINKS_MAX = 4
"""Most times that a draft is shrunk and confirmed again; then the limit refuses it."""

PLAN_TTL_MS: Final = 1_000
"""So long after its decision a plan may begin."""

CHANCE_DIGITS = 6


AnyConfirmed = Confirmed | ConfirmedMixed


@dataclass(slots=True, kw_only=True)
class _Sized:
    confirmed: AnyConfirmed
    usd_per_quote: Decimal
    sizing: Sizing


@dataclass(slots=True, kw_only=True)
class _Bundled:
    confirmed: ConfirmedAtomic
    usd_per_quote: Decimal
    has_flash_loan: bool


@dataclass(slots=True, kw_only=True)
class _SizedPlan:
    plan: Plan
    size_base: Decimal


class Decider:
    """Decides on opportunities, one at a time.

    Attributes:
        limits: the values in force.
        off: what is switched off.
        advice: what background work advises.
        planned: number of plans made.
        refused: number of refusals by reason.
    """

    def __init__(
        self,
        *,
        confirmer: LegsConfirmer,
        atomic: AtomicConfirmer,
        mixed: MixedConfirmer,
        circumstances: Circumstances,
        permits: Permits,
        limits: Sequence[LimitMaker] = LIMITS,
        plan_ttl_ms: int = PLAN_TTL_MS,
    ) -> None:
        self.permits = permits
        self._confirmer = confirmer
        self._atomic = atomic
        self._mixed = mixed
        self._circumstances = circumstances
        self.limits = circumstances.limits
        self.off = circumstances.off
        self.advice = circumstances.advice
        self.limits.follow(
            lambda values: confirmer.rules.set(
                slippage_bps=values[SLIPPAGE_BPS], edge_bps_floor=values[EDGE_BPS]
            )
        )
        self._accounts = {money: circumstances.account(money) for money in Money}
        self._limits: dict[Money, list[Limit]] = {
            money: [limit.make(circumstances.of(money)) for limit in limits] for money in Money
        }
        self._early_checks = _checks(self._limits, is_early=True)
        self._late_checks = _checks(self._limits, is_early=False)
        self._plan_ttl_ns = plan_ttl_ms * NS_PER_MS
        self._mixing = Mixing(circumstances=circumstances, plan_ttl_ns=self._plan_ttl_ns)
        self.planned = 0
        self.refused: Counter[Reason] = Counter()

    def decide(self, opportunity: Opportunity, at_ns: int) -> Plan | Refusal:
        """Decide on an opportunity as of `at_ns`; a plan counts as under way from here on."""
        sized = self._sized_plan(opportunity, Decimal(opportunity.size_base), at_ns)
        if isinstance(sized, Finding):
            return self._decided(opportunity, sized, at_ns)
        plan = self.permits.permit(sized.plan, size_base=sized.size_base, at_ns=at_ns)
        return self._decided(opportunity, plan, at_ns)

    def carry_out(self, approval: Approval, at_ns: int) -> Plan | Refusal:
        """Decide anew on what a person approved: as the market is now, within those terms."""
        opportunity = approval.plan.opportunity
        sized = self._sized_plan(opportunity, approval.size_base, at_ns)
        if isinstance(sized, Finding):
            return self._decided(opportunity, sized, at_ns)
        plan = msgspec.structs.replace(sized.plan, plan_id=f"{approval.approval_id}-p")
        return self._decided(opportunity, self.permits.by_approval(plan, approval), at_ns)

    def ask_again(
        self, opportunity: Opportunity, size_base: Decimal, *, why: str, at_ns: int
    ) -> str:
        """Ask a person, at a person's word, for a route as it is now; return what came of it."""
        plan = self._sized_plan(opportunity, size_base, at_ns)
        if isinstance(plan, Finding):
            return plan.detail
        return self.permits.approvals.ask(
            plan.plan,
            size_base=plan.size_base,
            worst=worst_quote(plan.plan),
            why=why,
            at_ns=at_ns,
            is_requested=True,
        ).detail

    def _sized_plan(
        self, opportunity: Opportunity, size_base: Decimal, at_ns: int
    ) -> "_SizedPlan | Finding":
        """Return the plan that the limits allow, which nobody has permitted yet."""
        sized = self._check_early(opportunity, at_ns) or self._size(opportunity, size_base, at_ns)
        if isinstance(sized, Finding):
            return sized
        plan = self._make_plan(opportunity, sized, at_ns)
        if self.advice.all and (bearing := self.advice.bears_on(opportunity.hops, at_ns)):
            plan = self._with_chance(msgspec.structs.replace(plan, advice=bearing))
            self._note_changes(plan)
        return _SizedPlan(plan=plan, size_base=sized.confirmed.size_base)

    def _with_chance(self, plan: Plan) -> Plan:
        """Note the chance that is advised of a transaction: what came of it judges the advice."""
        if not isinstance(plan, AtomicPlan):
            return plan
        advised = self.advice.about(InclusionAdvice, plan.chain)
        if advised is None:
            return plan
        blocks = 1 if plan.schedule is msgspec.UNSET else plan.schedule.blocks
        chance = advised.ratio(float(plan.profit_quote * plan.usd_per_quote), blocks)
        return msgspec.structs.replace(plan, chance=round(chance, CHANCE_DIGITS))

    def _note_changes(self, plan: Plan) -> None:
        """Note what of a plan is otherwise than without advice."""
        if isinstance(plan, LeggedPlan):
            return
        if plan.schedule is not msgspec.UNSET:
            self.advice.changes(BlockTimeAdvice, plan.chain, SCHEDULE)
        has_tip, has_ratio = self._circumstances.gas.advised(plan.chain)
        if has_tip:
            self.advice.changes(TipAdvice, plan.chain, BID)
        if has_ratio:
            self.advice.changes(GasAdvice, plan.chain, BID)

    def _decided(
        self, opportunity: Opportunity, plan: Plan | Finding, at_ns: int
    ) -> Plan | Refusal:
        """Count a decision; the kill latch has the last word."""
        if not isinstance(plan, Finding):
            if not self._circumstances.is_killed():
                self.account_of(plan).under_way.add(plan)
                self._circumstances.order_rate.add(sends_of(plan), at_ns)
                self.planned += 1
                return plan
            plan = Finding(reason=Reason.KILLED, detail="the kill latch was set meanwhile")
        self.refused[plan.reason] += 1
        return Refusal(
            opportunity_id=opportunity.opportunity_id,
            decided_at_ns=at_ns,
            reason=plan.reason,
            detail=plan.detail,
        )

    def is_killed(self) -> bool:
        """Look at the kill latch; the look is recorded."""
        return self._circumstances.is_killed()

    def resume(self, plan: Plan) -> None:
        """Count a plan of an earlier run as under way again."""
        self.account_of(plan).under_way.add(plan)

    @property
    def accounts(self) -> Collection[Account]:
        """The books of each kind of money."""
        return self._accounts.values()

    def account_of(self, plan: Plan) -> Account:
        """Return the books of the money that a plan moves."""
        return self._accounts[money_of(plan)]

    def finished(self, plan: Plan) -> None:
        """Stop counting a plan as under way; its execution is booked in the positions."""
        self.account_of(plan).under_way.remove(plan.plan_id)

    def learn(self, execution: Execution) -> None:
        """Learn what came of what was sent."""
        self._circumstances.come_through.add(execution)

    def step_clock(self, step_ns: int) -> None:
        """Keep the rate of orders over a step of the clock."""
        self._circumstances.order_rate.step_clock(step_ns)
        self.permits.step_clock(step_ns)

    def take_limits(self, by_operator: Mapping[str, Decimal]) -> None:
        """Take what the operator has set of limits in all; the next decision goes by it.

        Raises:
            BadValueError: a value makes no sense; then all stays as it was.
        """
        self.limits.take(by_operator)

    def limit_lines(self, at_ns: int) -> list[LimitLine]:
        """Return all limits for a report."""
        return [
            LimitLine(
                name=limit.name,
                unit=limit.unit,
                limit=limit.limit,
                used=limit.used(at_ns),
                refusals=sum(self.refused[reason] for reason in limit.reasons),
                term="" if limit.term is None else limit.term.name,
                by_settings=self._by_settings(limit.term),
            )
            for limit in self._limits[self._money]
        ] + self._other_lines()

    def _other_lines(self) -> list[LimitLine]:
        """Return what no limit of plans goes by, where it is not as the settings say."""
        shown = {limit.term for limit in self._limits[self._money]}
        return [
            LimitLine(
                name=term.name,
                unit="",
                limit=f"{self.limits[term]:f}",
                used=f"{self.limits[term]:f} {term.unit}",
                refusals=0,
                term=term.name,
                by_settings=self._by_settings(term),
            )
            for term in self.limits.terms
            if term not in shown and self._by_settings(term)
        ]

    def _by_settings(self, term: Term | None) -> str:
        """Return what the settings say where another value is in force."""
        values = self.limits
        if term is None or values[term] == values.by_settings(term):
            return ""
        return f"{values.by_settings(term):f}"

    def _check_early(self, opportunity: Opportunity, at_ns: int) -> Finding | None:
        draft = Draft(opportunity=opportunity)
        for check in self._early_checks[self._money_of(opportunity)]:
            verdict = check(draft, at_ns)
            if isinstance(verdict, Finding):
                return verdict
        return None

    def _size(
        self, opportunity: Opportunity, size_base: Decimal, at_ns: int
    ) -> _Sized | _Bundled | Finding:
        usd_per_quote = self._circumstances.valuation.usd_per(opportunity.quote, at_ns)
        if usd_per_quote is None:
            return Finding(
                reason=Reason.NO_USD_PRICE,
                detail=f"no live book values {opportunity.quote}",
            )
        if opportunity.is_on_one_chain:
            return self._bundle(opportunity, usd_per_quote, at_ns)
        return self._size_orders(opportunity, size_base, usd_per_quote, at_ns)

    def _bundle(
        self, opportunity: Opportunity, usd_per_quote: Decimal, at_ns: int
    ) -> _Bundled | Finding:
        """Check a route as one transaction; what is not held of its input is borrowed."""
        confirmed = self._atomic.confirm(opportunity, at_ns, is_live=self._is_live)
        if isinstance(confirmed, Unconfirmed):
            return Finding(reason=confirmed.reason, detail=confirmed.detail)
        wallet = wallet_of(confirmed.chain)
        drawn: list[Need] = [((wallet, confirmed.gas.asset), confirmed.gas.amount)]
        own: Need = ((wallet, opportunity.quote), confirmed.paid_quote)
        account = self._accounts[self._money]
        free = account.inventory.held(own[0]) - account.under_way.reserved(own[0])
        if opportunity.quote == confirmed.gas.asset:
            free -= confirmed.gas.amount
        # What is sent is sent by a contract that holds nothing.
        has_flash_loan = self._is_live or free < confirmed.paid_quote
        figures = Figures(
            size_base=confirmed.size_base,
            profit_quote=confirmed.profit_quote(has_flash_loan=has_flash_loan),
            net_edge_bps=confirmed.edge_bps(has_flash_loan=has_flash_loan),
            touches_taken=False,
            exposure_usd=Decimal(0),
            gas_usd=confirmed.gas.quote * usd_per_quote,
            needs=drawn if has_flash_loan else [*drawn, own],
            left_over=(),
            orders=1,
            is_scalable=False,
        )
        verdict = self._check_late(Draft(opportunity=opportunity, figures=figures), at_ns)
        if verdict is not None:
            return Finding(reason=verdict.reason, detail=verdict.detail)
        if why := confirmed.why_too_dear(has_flash_loan=has_flash_loan):
            return Finding(reason=Reason.GAS_TOO_DEAR, detail=why)
        return _Bundled(
            confirmed=confirmed, usd_per_quote=usd_per_quote, has_flash_loan=has_flash_loan
        )

    def _size_orders(
        self, opportunity: Opportunity, size: Decimal, usd_per_quote: Decimal, at_ns: int
    ) -> _Sized | Finding:
        """Size a route of books, with a transaction among them or none, as the limits allow."""
        confirm = self._confirm_of(opportunity, at_ns)
        whole: AnyConfirmed | None = None
        shrunk: ShrinkTo | None = None
        for _ in range(SHRINKS_MAX + 1):
            confirmed = confirm(size, ignores_taken=False)
            if isinstance(confirmed, Unconfirmed):
                cause = shrunk or confirmed
                return Finding(reason=cause.reason, detail=cause.detail)
            whole = whole or confirmed
            figures = _figures(confirmed, usd_per_quote)
            verdict = self._check_late(Draft(opportunity=opportunity, figures=figures), at_ns)
            if verdict is None:
                return _Sized(
                    confirmed=confirmed,
                    usd_per_quote=usd_per_quote,
                    sizing=Sizing(
                        untaken_quote=_untaken_quote(confirm, whole),
                        whole_quote=whole.profit_quote,
                        limit=shrunk.detail if shrunk else "",
                    ),
                )
            if isinstance(verdict, Finding):
                return verdict
            size, shrunk = verdict.size_base, verdict
        assert shrunk is not None
        return Finding(reason=shrunk.reason, detail=shrunk.detail)

    def _confirm_of(self, opportunity: Opportunity, at_ns: int) -> "_Confirm":
        if pool_run(opportunity.hops) is None:
            return partial(self._confirmer.confirm, opportunity)

        def confirm(size_base: Decimal, *, ignores_taken: bool) -> ConfirmedMixed | Unconfirmed:
            return self._mixed.confirm(opportunity, size_base, at_ns, ignores_taken=ignores_taken)

        return confirm

    def _check_late(self, draft: Draft, at_ns: int) -> Finding | ShrinkTo | None:
        for check in self._late_checks[self._money_of(draft.opportunity)]:
            verdict = check(draft, at_ns)
            if verdict is not None:
                return verdict
        return None

    def _make_plan(self, opportunity: Opportunity, sized: _Sized | _Bundled, at_ns: int) -> Plan:
        if isinstance(sized, _Bundled):
            return self._make_atomic(opportunity, sized, at_ns)
        confirmed = sized.confirmed
        if isinstance(confirmed, ConfirmedMixed):
            return self._mixing.plan(
                opportunity,
                confirmed,
                usd_per_quote=sized.usd_per_quote,
                sizing=sized.sizing,
                at_ns=at_ns,
            )
        unproven = longest_unproven(self._circumstances.board, opportunity, at_ns)
        return LeggedPlan(
            plan_id=f"{opportunity.opportunity_id}-p",
            opportunity=opportunity,
            decided_at_ns=at_ns,
            deadline_ns=at_ns + self._plan_ttl_ns,
            legs=confirmed.legs,
            profit_quote=confirmed.profit_quote,
            transfer_quote=confirmed.transfer_quote,
            net_edge_bps=confirmed.net_edge_bps,
            notional_usd=confirmed.legs[0].given * sized.usd_per_quote,
            usd_per_quote=sized.usd_per_quote,
            unproven_ms=0 if unproven is None else unproven[0] // NS_PER_MS,
            sizing=sized.sizing,
        )

    def _make_atomic(self, opportunity: Opportunity, sized: _Bundled, at_ns: int) -> AtomicPlan:
        confirmed, has_flash_loan = sized.confirmed, sized.has_flash_loan
        schedule = self._circumstances.schedules.of(confirmed.chain, at_ns)
        deadline_ns = at_ns + self._plan_ttl_ns
        return AtomicPlan(
            plan_id=f"{opportunity.opportunity_id}-p",
            opportunity=opportunity,
            decided_at_ns=at_ns,
            deadline_ns=deadline_ns if schedule is None else min(deadline_ns, schedule.send_by_ns),
            schedule=msgspec.UNSET if schedule is None else schedule,
            deadline_block=None if confirmed.block is None else confirmed.block + DEADLINE_BLOCKS,
            chain=confirmed.chain,
            steps=confirmed.steps,
            has_flash_loan=has_flash_loan,
            flash_fee=confirmed.flash_fee if has_flash_loan else Decimal(0),
            gas=confirmed.gas,
            profit_min_quote=Decimal(0),
            profit_quote=confirmed.profit_quote(has_flash_loan=has_flash_loan),
            net_edge_bps=confirmed.edge_bps(has_flash_loan=has_flash_loan),
            notional_usd=confirmed.paid_quote * sized.usd_per_quote,
            usd_per_quote=sized.usd_per_quote,
            is_live=True if self._is_live else msgspec.UNSET,
        )

    @property
    def _is_live(self) -> bool:
        return self._circumstances.switches.sends

    @property
    def _money(self) -> Money:
        """With what is decided on now what may be sent at all."""
        return Money.LIVE if self._is_live else Money.PAPER

    def _money_of(self, opportunity: Opportunity) -> Money:
        """With what a route is decided on: what is no one transaction stays on paper."""
        return self._money if opportunity.is_on_one_chain else Money.PAPER


_Check = Callable[[Draft, int], Verdict]


def _checks(
    limits: Mapping[Money, Sequence[Limit]], *, is_early: bool
) -> dict[Money, list[_Check]]:
    return {
        money: [limit.check for limit in those if limit.is_early is is_early]
        for money, those in limits.items()
    }


class _Confirm(Protocol):
    def __call__(
        self, size_base: Decimal, *, ignores_taken: bool
    ) -> Confirmed | ConfirmedMixed | Unconfirmed: ...


def _untaken_quote(confirm: _Confirm, whole: AnyConfirmed) -> Decimal:
    if not whole.touches_taken:
        return whole.profit_quote
    untaken = confirm(whole.size_base, ignores_taken=True)
    return whole.profit_quote if isinstance(untaken, Unconfirmed) else untaken.profit_quote


def _figures(confirmed: AnyConfirmed, usd_per_quote: Decimal) -> Figures:
    if isinstance(confirmed, ConfirmedMixed):
        return mixed_figures(confirmed, usd_per_quote)
    legs = confirmed.legs
    return Figures(
        size_base=confirmed.size_base,
        profit_quote=confirmed.profit_quote,
        net_edge_bps=confirmed.net_edge_bps,
        touches_taken=confirmed.touches_taken,
        exposure_usd=exposure_quote(legs) * usd_per_quote,
        gas_usd=Decimal(0),
        needs=needs(legs),
        left_over=[leg.target for leg in legs[:-1]],
        orders=len(legs),
        is_scalable=True,
    )
