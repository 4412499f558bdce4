"""The decider: turns an opportunity into an approved plan, or says why not.

This is the only place where a `Plan` is made. The kill latch is asked before anything else and
once more when the plan is ready.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final, Protocol

import msgspec

from engine.bus.reports import LimitLine
from engine.decide.account import Account, LiveAccount
from engine.decide.bounds.edge import EDGE_BPS
from engine.decide.circumstances import Circumstances
from engine.decide.closing import Closings
from engine.decide.exchanges import Exchanges
from engine.decide.figuring import figures_of
from engine.decide.limit_lines import limit_lines
from engine.decide.limit_list import LIMITS, SLIPPAGE_BPS, LimitMaker
from engine.decide.limits import Draft, Figures, Finding, Limit, ShrinkTo, Verdict
from engine.decide.mixing import why_no_gas
from engine.decide.permits import Permits
from engine.decide.planning import AnyConfirmed, Bundled, Planning, Sized, SizedPlan
from engine.decide.terms import worst_quote
from engine.decide.under_way import Need
from engine.decide.venue_failures import VenueFailures
from engine.domain.approvals import Approval
from engine.domain.mixed_routes import pool_run
from engine.domain.modes import Money
from engine.domain.opportunities import Opportunity, Reason, Refusal
from engine.domain.orders import Execution
from engine.domain.plans import (
    LeggedPlan,
    Plan,
    Sizing,
    closes_of,
    money_of,
    sends_of,
    wallet_of,
)
from engine.domain.units import NS_PER_MS
from engine.quote.atomic import AtomicConfirmer, ConfirmedAtomic
from engine.quote.gap import Confirmed, Unconfirmed
from engine.quote.legs import LegsConfirmer
from engine.quote.mixed import ConfirmedMixed, MixedConfirmer

SHRINKS_MAX = 4
"""Most times that a draft is shrunk and confirmed again; then the limit refuses it."""

SHY: Final = Decimal("0.999")
"""So much of what would just pass is tried where that did not pass."""

PLAN_TTL_MS: Final = 1_000
"""So long after its decision a plan may begin."""


class Decider:
    """Decides on opportunities, one at a time.

    Attributes:
        limits: the values in force.
        off: what is switched off.
        advice: what background work advises.
        closings: says what may be closed of what is left over.
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
        self._planning = Planning(circumstances, plan_ttl_ns=plan_ttl_ms * NS_PER_MS)
        self.closings = Closings(circumstances, plan_ttl_ns=plan_ttl_ms * NS_PER_MS)
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

    def close(self, terms: LeggedPlan, at_ns: int) -> Plan | Refusal:
        """Decide on what a person wants closed of what is left over, as it is now."""
        return self._decided(terms.opportunity, self.closings.begin(terms, at_ns), at_ns)

    def why_not_permitted(self, plan: Plan, at_ns: int) -> str:
        """Say why a plan may not be carried out by what it says, nothing if it may."""
        if closes_of(plan):
            return self.closings.refusal(plan)
        return self.permits.refusal(plan, at_ns)

    def terms_of(self, plan: Plan) -> Plan | None:
        """Return the terms that a plan is carried out by, where a person said yes to them."""
        if closes_of(plan):
            return self.closings.terms_of(plan)
        return self.permits.terms_of(plan)

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
    ) -> SizedPlan | Finding:
        """Return the plan that the limits allow, which nobody has permitted yet."""
        sized = self._check_early(opportunity, at_ns) or self._size(opportunity, size_base, at_ns)
        if isinstance(sized, Finding):
            return sized
        plan = self._planning.plan(opportunity, sized, at_ns)
        return SizedPlan(plan=plan, size_base=sized.size_asked)

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

    @property
    def exchanges(self) -> Exchanges:
        """At which venues orders are placed for real, and how each stands."""
        return self._circumstances.exchanges

    @property
    def mixed_shut(self) -> str:
        """Why orders together with a transaction stay on paper; empty if they go live."""
        return self._circumstances.mixed_shut

    @property
    def failures(self) -> VenueFailures:
        """How many orders in a row each venue refused."""
        return self._circumstances.failures

    @property
    def live(self) -> LiveAccount:
        """The books of live money."""
        return self._circumstances.live

    def account_of(self, plan: Plan) -> Account:
        """Return the books of the money that a plan moves."""
        return self._accounts[money_of(plan)]

    def finished(self, plan: Plan) -> None:
        """Stop counting a plan as under way; its execution is booked in the positions."""
        self.account_of(plan).under_way.remove(plan.plan_id)

    def learn(self, plan: Plan, execution: Execution) -> None:
        """Learn what came of what was sent, on paper or for real."""
        self.account_of(plan).come_through.add(execution)
        self._circumstances.failures.add(execution)

    def step_clock(self, step_ns: int) -> None:
        """Keep the rate of orders over a step of the clock."""
        self._circumstances.order_rate.step_clock(step_ns)
        self._circumstances.exchanges.step_clock(step_ns)
        self._circumstances.failures.step_clock(step_ns)
        self.permits.step_clock(step_ns)

    def take_limits(
        self,
        by_operator: Mapping[str, Decimal],
        by_settings: Mapping[str, Decimal] | None = None,
    ) -> None:
        """Take what the operator has set of limits in all; the next decision goes by it.

        With `by_settings`, what the settings say where they were read anew.

        Raises:
            BadValueError: a value makes no sense; then all stays as it was.
        """
        self.limits.take(by_operator, by_settings)

    def limit_lines(self, at_ns: int) -> list[LimitLine]:
        """Return all limits for a report."""
        return limit_lines(self._limits[self.shown], self.limits, self.refused, at_ns)

    def _check_early(self, opportunity: Opportunity, at_ns: int) -> Finding | None:
        draft = Draft(opportunity=opportunity)
        for check in self._early_checks[self._money_of(opportunity)]:
            verdict = check(draft, at_ns)
            if isinstance(verdict, Finding):
                return verdict
        return None

    def _size(
        self, opportunity: Opportunity, size_base: Decimal, at_ns: int
    ) -> Sized | Bundled | Finding:
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
    ) -> Bundled | Finding:
        """Check a route as one transaction; what is not held of its input is borrowed."""
        confirmed = self._atomic.confirm(opportunity, at_ns, is_live=self._is_live)
        if isinstance(confirmed, Unconfirmed):
            return Finding(reason=confirmed.reason, detail=confirmed.detail)
        wallet = wallet_of(confirmed.chain)
        if why := self._why_no_gas(confirmed):
            return Finding(reason=Reason.BALANCE_TOO_LOW, detail=why)
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
        return Bundled(
            confirmed=confirmed, usd_per_quote=usd_per_quote, has_flash_loan=has_flash_loan
        )

    def _why_no_gas(self, confirmed: ConfirmedAtomic) -> str:
        """Say why coins do not pay for what is sent; books count what wraps them, too."""
        coins = self.live.wallets.coins.get(confirmed.chain) if self._is_live else None
        if coins is None:
            return ""
        promised = self.live.under_way.gas_at(wallet_of(confirmed.chain))
        return why_no_gas(confirmed, coins, promised=promised)

    def _size_orders(
        self, opportunity: Opportunity, size: Decimal, usd_per_quote: Decimal, at_ns: int
    ) -> Sized | Finding:
        """Size a route of books, with a transaction among them or none, as the limits allow."""
        is_live = self._money_of(opportunity) is Money.LIVE
        confirm = self._confirm_of(opportunity, at_ns, is_live=is_live)
        whole: tuple[Decimal, AnyConfirmed] | None = None
        shrunk: ShrinkTo | None = None
        for tried in range(SHRINKS_MAX + 1):
            confirmed = confirm(size, ignores_taken=False)
            if isinstance(confirmed, Unconfirmed):
                cause = shrunk or confirmed
                return Finding(reason=cause.reason, detail=cause.detail)
            whole = whole or (size, confirmed)
            figures = figures_of(confirmed, usd_per_quote, live=self.live if is_live else None)
            if isinstance(figures, Finding):
                return figures
            verdict = self._check_late(Draft(opportunity=opportunity, figures=figures), at_ns)
            if verdict is None:
                if isinstance(confirmed, ConfirmedMixed) and (why := confirmed.why_too_dear):
                    return Finding(reason=Reason.GAS_TOO_DEAR, detail=why)
                return Sized(
                    confirmed=confirmed,
                    usd_per_quote=usd_per_quote,
                    size_base=size,
                    sizing=Sizing(
                        untaken_quote=_untaken_quote(confirm, *whole),
                        whole_quote=whole[1].profit_quote,
                        limit=shrunk.detail if shrunk else "",
                    ),
                )
            if isinstance(verdict, Finding):
                return verdict
            size, shrunk = _shrunk(size, confirmed, verdict, has_shrunk=tried > 0), verdict
        assert shrunk is not None
        return Finding(reason=shrunk.reason, detail=shrunk.detail)

    def _confirm_of(self, opportunity: Opportunity, at_ns: int, *, is_live: bool) -> "_Confirm":
        if pool_run(opportunity.hops) is None:
            return partial(self._confirmer.confirm, opportunity)

        def confirm(size_base: Decimal, *, ignores_taken: bool) -> ConfirmedMixed | Unconfirmed:
            return self._mixed.confirm(
                opportunity, size_base, at_ns, ignores_taken=ignores_taken, is_live=is_live
            )

        return confirm

    def _check_late(self, draft: Draft, at_ns: int) -> Finding | ShrinkTo | None:
        for check in self._late_checks[self._money_of(draft.opportunity)]:
            verdict = check(draft, at_ns)
            if verdict is not None:
                return verdict
        return None

    @property
    def _is_live(self) -> bool:
        return self._circumstances.switches.sends

    @property
    def _money(self) -> Money:
        """With what is decided on now what may be sent at all."""
        return Money.LIVE if self._is_live else Money.PAPER

    @property
    def shown(self) -> Money:
        """Whose figures a report shows: of live money once any of it may move."""
        run = self._circumstances
        is_live = run.switches.sends or (run.switches.trades and bool(run.exchanges.enabled))
        return Money.LIVE if is_live else Money.PAPER

    def _money_of(self, opportunity: Opportunity) -> Money:
        """With what a route is decided on: what is neither sent nor placed stays on paper."""
        if opportunity.is_on_one_chain:
            return self._money
        return Money.LIVE if self._circumstances.trades(opportunity) else Money.PAPER


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


def _shrunk(
    size: Decimal, confirmed: AnyConfirmed, verdict: ShrinkTo, *, has_shrunk: bool
) -> Decimal:
    """Return the size to try next.

    With a transaction that is a share of the size that was tried. What it comes to is more than in
    proportion, as a pool gives more for a unit of less: from the second time on it goes a little
    below what would just pass, or it never would.
    """
    if isinstance(confirmed, Confirmed):
        return verdict.size_base
    share = verdict.size_base / confirmed.size_base
    return size * share * (SHY if has_shrunk else 1)


def _untaken_quote(confirm: _Confirm, size: Decimal, whole: AnyConfirmed) -> Decimal:
    if not whole.touches_taken:
        return whole.profit_quote
    if isinstance(whole, Confirmed):
        size = whole.size_base
    untaken = confirm(size, ignores_taken=True)
    return whole.profit_quote if isinstance(untaken, Unconfirmed) else untaken.profit_quote
