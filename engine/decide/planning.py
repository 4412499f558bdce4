"""How a sized opportunity becomes a plan: its figures, its deadline, and what advice made of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from engine.decide.bounds.proof import longest_unproven
from engine.decide.circumstances import Circumstances
from engine.decide.mixing import Mixing
from engine.domain.advice import BlockTimeAdvice, GasAdvice, InclusionAdvice, TipAdvice
from engine.domain.chains import DEADLINE_BLOCKS
from engine.domain.opportunities import Opportunity
from engine.domain.plans import AtomicPlan, LeggedPlan, Plan, Sizing
from engine.domain.units import NS_PER_MS
from engine.market.advice_book import BID, SCHEDULE
from engine.quote.atomic import ConfirmedAtomic
from engine.quote.gap import Confirmed
from engine.quote.mixed import ConfirmedMixed

CHANCE_DIGITS: Final = 6
"""Of the chance that a plan notes."""

AnyConfirmed = Confirmed | ConfirmedMixed


@dataclass(slots=True, kw_only=True)
class Sized:
    """A route with orders at books, at the size that the limits allow.

    Attributes:
        size_base: for which it was confirmed.
    """

    confirmed: AnyConfirmed
    usd_per_quote: Decimal
    size_base: Decimal
    sizing: Sizing

    @property
    def size_asked(self) -> Decimal:
        """What confirms it again: of a route with a transaction that is what it was tried with."""
        if isinstance(self.confirmed, ConfirmedMixed):
            return self.size_base
        return self.confirmed.size_base


@dataclass(slots=True, kw_only=True)
class Bundled:
    """A route that is one transaction, as the limits allow it."""

    confirmed: ConfirmedAtomic
    usd_per_quote: Decimal
    has_flash_loan: bool

    @property
    def size_asked(self) -> Decimal:
        """What confirms it again."""
        return self.confirmed.size_base


@dataclass(slots=True, kw_only=True)
class SizedPlan:
    """A plan, and the size that a person is asked about."""

    plan: Plan
    size_base: Decimal


class Planning:
    """Makes plans of what the limits allow; nobody has permitted them yet."""

    def __init__(self, circumstances: Circumstances, *, plan_ttl_ns: int) -> None:
        self._circumstances = circumstances
        self._advice = circumstances.advice
        self._plan_ttl_ns = plan_ttl_ns
        self._mixing = Mixing(circumstances=circumstances, plan_ttl_ns=plan_ttl_ns)

    def plan(self, opportunity: Opportunity, sized: Sized | Bundled, at_ns: int) -> Plan:
        """Return the plan, with what of advice bore on it."""
        plan = self._made(opportunity, sized, at_ns)
        if self._advice.all and (bearing := self._advice.bears_on(opportunity.hops, at_ns)):
            plan = self._with_chance(msgspec.structs.replace(plan, advice=bearing))
            self._note_changes(plan)
        return plan

    def _made(self, opportunity: Opportunity, sized: Sized | Bundled, at_ns: int) -> Plan:
        if isinstance(sized, Bundled):
            return self._atomic(opportunity, sized, at_ns)
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
            is_live=True if self._circumstances.trades(opportunity) else msgspec.UNSET,
        )

    def _atomic(self, opportunity: Opportunity, sized: Bundled, at_ns: int) -> AtomicPlan:
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
            is_live=True if self._circumstances.switches.sends else msgspec.UNSET,
        )

    def _with_chance(self, plan: Plan) -> Plan:
        """Note the chance that is advised of a transaction: what came of it judges the advice."""
        if not isinstance(plan, AtomicPlan):
            return plan
        advised = self._advice.about(InclusionAdvice, plan.chain)
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
            self._advice.changes(BlockTimeAdvice, plan.chain, SCHEDULE)
        has_tip, has_ratio = self._circumstances.gas.advised(plan.chain)
        if has_tip:
            self._advice.changes(TipAdvice, plan.chain, BID)
        if has_ratio:
            self._advice.changes(GasAdvice, plan.chain, BID)
