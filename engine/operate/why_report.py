"""The decision on a recent opportunity, as the engine still knows it: `/why`."""

import asyncio
from decimal import Decimal

from engine.bus.reports import (
    ExactNow,
    LegLine,
    PlaceShare,
    SplitNow,
    ValuesLine,
    WhyReport,
    step_lines,
)
from engine.decide.limit_list import SLIPPAGE_BPS
from engine.domain.opportunities import Opportunity
from engine.domain.orders import Execution, Purpose
from engine.domain.plans import AtomicPlan, MixedPlan, Plan
from engine.domain.units import BPS_PER_UNIT
from engine.operate.core_parts import Core
from engine.operate.journal.recent import Entry
from engine.quote.gap import Unconfirmed
from engine.quote.route_values import values_of_opportunity
from engine.quote.split import ConfirmedSplit, PlacePart


async def make_why_report(core: Core, ref: str, at_ns: int) -> WhyReport | None:
    """Return the decision on a recent opportunity, None if it is not among them.

    Frames may be taken while shares of an open route are looked for.
    """
    entry = core.journal.recent.find(ref)
    if entry is None:
        return None
    split_now = await _split_now(core, entry, at_ns)
    execution = entry.execution
    return WhyReport(
        basis=core.basis,
        market_note=core.header.market_note,
        run_id=core.header.run_id,
        line=entry.line(at_ns),
        frame_seqs=entry.frame_seqs,
        gross_edge_bps=entry.opportunity.gross_edge_bps,
        later_refusals=[(reason.value, detail) for reason, detail in entry.later_refusals],
        ended=entry.ended,
        legs=_leg_lines(entry),
        execution_id=execution.execution_id if execution else None,
        profit_usd=execution.profit_usd if execution else None,
        expected_usd=execution.expected_usd if execution else None,
        story=execution.story if execution else None,
        values=_values(core, entry.opportunity),
        exact_now=_exact_now(core, entry),
        split_now=split_now,
        advice=list(entry.advice),
    )


def _values(core: Core, seen: Opportunity) -> ValuesLine:
    terms = core.header.terms
    values = values_of_opportunity(
        seen,
        pools=core.pools,
        slippage_bps=core.decider.limits[SLIPPAGE_BPS],
        transfer_bps=terms.transfer_bps,
        flash_fee_bps=terms.flash_fee_bps,
        gas=core.gas,
    )
    gas_price = values.gas_price_break_even_gwei
    return ValuesLine(
        profit_expected=float(values.profit_expected),
        profit_worst=float(values.profit_worst),
        kill_move_bps=float(values.kill_move_ratio * BPS_PER_UNIT),
        gas_price_break_even_gwei=None if gas_price is None else float(gas_price),
        confidence=values.confidence.basis,
        data_fee=float(values.data_fee),
    )


def _exact_now(core: Core, entry: Entry) -> ExactNow | None:
    if entry.closed_at_ns is not None or entry.opportunity.is_gap:
        return None
    found = core.route_confirmer.confirm(entry.opportunity)
    if isinstance(found, Unconfirmed):
        return ExactNow(
            paid=Decimal(0), got=Decimal(0), profit_quote=Decimal(0), refusal=found.detail
        )
    return ExactNow(paid=found.paid, got=found.got, profit_quote=found.profit_quote)


async def _split_now(core: Core, entry: Entry, at_ns: int) -> SplitNow | None:
    if entry.closed_at_ns is not None:
        return None
    steps = core.split_confirmer.confirm_in_steps(entry.opportunity, at_ns)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: ConfirmedSplit | None = end.value
            break
        await asyncio.sleep(0)
    if found is None or entry.closed_at_ns is not None:
        return None
    return SplitNow(
        paid=found.route.paid,
        got=found.route.got,
        profit_quote=found.route.profit_quote,
        more_quote=found.more_quote,
        legs=tuple(tuple(_place_share(part) for part in leg) for leg in found.legs),
    )


def _place_share(part: PlacePart) -> PlaceShare:
    return PlaceShare(
        venue=part.place.venue,
        place=part.place.name,
        amount_in=part.amount_in,
        amount_out=part.amount_out,
        share_ratio=part.share_ratio,
    )


def _leg_lines(entry: Entry) -> list[LegLine]:
    if entry.execution is not None:
        if isinstance(entry.plan, AtomicPlan):
            return step_lines(entry.plan, entry.execution.transaction)
        lines = _executed_legs(entry.execution)
        if isinstance(entry.plan, MixedPlan):
            return [*step_lines(entry.plan, entry.execution.transaction), *lines]
        return lines
    return [] if entry.plan is None else _planned_legs(entry.plan)


def _planned_legs(plan: Plan) -> list[LegLine]:
    if isinstance(plan, AtomicPlan):
        return step_lines(plan, None)
    lines = [
        LegLine(
            venue=leg.venue,
            pair=str(leg.instrument.pair),
            side=leg.side.value,
            purpose=Purpose.LEG.value,
            size_base=leg.size_base,
            price_limit=leg.price_limit,
            filled_base=leg.size_base * 0,
            price_average=None,
            fee_quote=leg.fee_quote,
            fee_base=leg.fee_base,
            frame_seq=leg.frame_seq,
        )
        for leg in plan.legs
    ]
    if isinstance(plan, MixedPlan):
        return [*lines[: plan.before], *step_lines(plan, None), *lines[plan.before :]]
    return lines


def _executed_legs(execution: Execution) -> list[LegLine]:
    lines = []
    for order in execution.orders:
        filled_base = order.filled_base
        paid_quote = sum(fill.price * fill.size_base for fill in order.fills)
        lines.append(
            LegLine(
                venue=order.instrument.venue,
                pair=str(order.instrument.pair),
                side=order.side.value,
                purpose=order.purpose.value,
                size_base=order.size_base,
                price_limit=order.price_limit,
                filled_base=filled_base,
                price_average=paid_quote / filled_base if filled_base and paid_quote else None,
                fee_quote=sum((fill.fee_quote for fill in order.fills), filled_base * 0),
                fee_base=sum((fill.fee_base for fill in order.fills), filled_base * 0),
                other_fees=order.other_fees,
                frame_seq=max((fill.frame_seq for fill in order.fills), default=0),
            )
        )
    return lines
