"""Why: one opportunity or execution with the decision on it and what came of it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.reports import LegLine, OpportunityLine, Unknown, WhyReport, step_lines
from engine.domain.exact import exact_product, exact_sum
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Money, basis_of
from engine.domain.opportunities import Hop, Leg, Opportunity
from engine.domain.orders import Purpose
from engine.domain.plans import AtomicPlan, LeggedPlan, MixedPlan, Plan, closes_of, decode_plan
from engine.domain.stories import ending
from engine.domain.units import NS_PER_MS
from engine.storage.tables.trades import executions, fills, opportunities, orders
from engine.storage.totals import decode_story
from engine.storage.transactions import load_transaction
from engine.storage.truth_store import load_of_plan

PLANNED = "planned"


async def load_why(
    connection: AsyncConnection, *, ref: str, now_ns: int, market_note: str
) -> WhyReport | Unknown:
    """Load the report on an opportunity id or an execution id."""
    execution = await _load_execution(connection, ref)
    opportunity_id = ref if execution is None else execution.opportunity_id
    found = await connection.execute(
        select(opportunities).where(opportunities.c.opportunity_id == opportunity_id)
    )
    opportunity = found.one_or_none()
    if opportunity is None and execution is None:
        return Unknown(what=f"no stored opportunity or execution has the id {ref!r}")
    try:
        plan = None if execution is None else decode_plan(execution.plan)
    except msgspec.DecodeError as error:
        return Unknown(
            what=f"the plan of {ref!r} was stored by another version, which can tell ({error})"
        )
    if opportunity is not None:
        line = await _render_line(connection, opportunity, now_ns=now_ns)
        frame_seqs = (opportunity.trigger_seq, opportunity.buy_seq, opportunity.sell_seq)
        refusals = msgspec.json.decode(opportunity.refusals or "[]", type=list[tuple[str, str]])
        ended = opportunity.ended or ""
        gross_edge_bps = opportunity.gross_edge_bps
    else:
        # The opportunity was deleted by age; the plan, which is kept for ever, holds a copy.
        assert plan is not None
        line = _line_of_plan(plan)
        frame_seqs = _frames_of_plan(plan)
        refusals = []
        ended = ""
        gross_edge_bps = plan.opportunity.gross_edge_bps
    if execution is not None:
        line = await _ended(connection, line, execution)
    stored: Row[Any] = opportunity if execution is None else execution  # type: ignore[assignment]
    return WhyReport(
        basis=basis_of(
            Basis(stored.basis), Money.PAPER if execution is None else Money(execution.money)
        ),
        market_note=market_note,
        run_id=stored.run_id,
        line=line,
        frame_seqs=frame_seqs,
        gross_edge_bps=gross_edge_bps,
        later_refusals=refusals,
        ended=ended,
        legs=[]
        if plan is None or execution is None
        else await _load_legs(connection, execution.execution_id, plan),
        execution_id=None if execution is None else execution.execution_id,
        profit_usd=None if execution is None else execution.profit_usd,
        expected_usd=None if execution is None else execution.expected_usd,
        story=None if execution is None else decode_story(execution.story),
        advice=[] if plan is None or plan.advice is msgspec.UNSET else list(plan.advice),
        truth=None if plan is None else await load_of_plan(connection, plan.plan_id),
        is_closing=plan is not None and closes_of(plan) is not None,
    )


async def _ended(
    connection: AsyncConnection, line: OpportunityLine, execution: "Row[Any]"
) -> OpportunityLine:
    """Say how the plan of an opportunity ended: what is stored of it is from its decision."""
    filled = await connection.execute(
        select(fills.c.fill_id)
        .join(orders)
        .where(orders.c.execution_id == execution.execution_id)
        .limit(1)
    )
    transaction = await load_transaction(connection, execution.execution_id)
    receipt = None if transaction is None else transaction.receipt
    outcome, detail = ending(
        is_traded=filled.one_or_none() is not None or bool(receipt and receipt.swaps),
        profit_usd=execution.profit_usd,
        why_reverted="" if receipt is None else receipt.why,
        void=execution.void or "",
    )
    late = await connection.execute(
        select(executions.c.profit_usd).where(executions.c.corrects == execution.execution_id)
    )
    if rows := late.all():
        late_usd = exact_sum(row.profit_usd for row in rows)
        detail += f"; {late_usd:.4f} USD by what was told after its end"
    return msgspec.structs.replace(line, outcome=outcome, detail=detail)


async def _load_execution(connection: AsyncConnection, ref: str) -> "Row[Any] | None":
    for column in (executions.c.execution_id, executions.c.opportunity_id):
        found = await connection.execute(
            select(executions)
            .where(column == ref, executions.c.corrects.is_(None))
            .order_by(executions.c.closed_at_ns)
            .limit(1)
        )
        row = found.one_or_none()
        if row is not None:
            return row
    return None


async def _render_line(
    connection: AsyncConnection, row: "Row[Any]", *, now_ns: int
) -> OpportunityLine:
    newest_run = await connection.execute(
        select(opportunities.c.run_id).order_by(opportunities.c.opportunity_id.desc()).limit(1)
    )
    # By ids, which go on rising when the clock is set back. A run that ended without closing its
    # opportunities has left none open.
    is_open = row.closed_at_ns is None and row.run_id == newest_run.scalar_one()
    ended_at_ns = row.closed_at_ns or (now_ns if is_open else row.seen_at_ns)
    return OpportunityLine(
        opportunity_id=row.opportunity_id,
        seen_at_ns=row.seen_at_ns,
        is_open=is_open,
        lasted_ms=max(0, ended_at_ns - row.seen_at_ns) // NS_PER_MS,
        pair=row.pair,
        buy_venue=row.buy_venue,
        sell_venue=row.sell_venue,
        size_base=row.size_base,
        net_edge_bps=row.net_edge_bps,
        profit_quote=row.profit_quote,
        profit_usd=row.profit_usd,
        quote=row.quote,
        outcome=row.outcome,
        detail=row.detail,
        hops=msgspec.json.decode(row.hops or "[]", type=tuple[Hop, ...]),
    )


def _line_of_plan(plan: Plan) -> OpportunityLine:
    seen: Opportunity = plan.opportunity
    return OpportunityLine(
        opportunity_id=seen.opportunity_id,
        seen_at_ns=seen.seen_at_ns,
        is_open=False,
        lasted_ms=0,
        pair=seen.pair,
        buy_venue=seen.buy_venue,
        sell_venue=seen.sell_venue,
        size_base=seen.size_base,
        net_edge_bps=seen.net_edge_bps,
        profit_quote=seen.profit_quote,
        profit_usd=seen.profit_quote * float(plan.usd_per_quote),
        quote=seen.quote,
        outcome=PLANNED,
        detail="",
        hops=seen.hops,
    )


def _frames_of_plan(plan: Plan) -> tuple[int, int, int]:
    if isinstance(plan, MixedPlan):
        hops = plan.opportunity.hops
        return plan.opportunity.frame_seq, hops[0].frame_seq, hops[-1].frame_seq
    parts = plan.legs if isinstance(plan, LeggedPlan) else plan.steps
    return plan.opportunity.frame_seq, parts[0].frame_seq, parts[-1].frame_seq


async def _load_legs(connection: AsyncConnection, execution_id: str, plan: Plan) -> list[LegLine]:
    """Load the legs as planned with what they filled, then the unwinding orders."""
    if isinstance(plan, AtomicPlan):
        return step_lines(plan, await load_transaction(connection, execution_id))
    stored = await connection.execute(
        select(orders).where(orders.c.execution_id == execution_id).order_by(orders.c.position)
    )
    sent = list(stored)
    lines: list[LegLine] = []
    for leg in plan.legs:
        order = next((row for row in sent if _is_order_of(row, leg)), None)
        if order is None:
            lines.append(_unsent(leg))
        else:
            sent.remove(order)
            lines.append(await _sent(connection, order, frame_seq=leg.frame_seq))
    if isinstance(plan, MixedPlan):
        swaps = step_lines(plan, await load_transaction(connection, execution_id))
        lines[plan.before : plan.before] = swaps
    for order in sent:
        lines.append(await _sent(connection, order, frame_seq=0))  # noqa: PERF401 - awaits
    return lines


def _is_order_of(row: "Row[Any]", leg: Leg) -> bool:
    place = (row.purpose, row.venue, row.pair, row.side)
    return place == (Purpose.LEG.value, leg.venue, str(leg.instrument.pair), leg.side.value)


def _unsent(leg: Leg) -> LegLine:
    return LegLine(
        venue=leg.venue,
        pair=str(leg.instrument.pair),
        side=leg.side.value,
        purpose=Purpose.LEG.value,
        size_base=leg.size_base,
        price_limit=leg.price_limit,
        filled_base=Decimal(0),
        price_average=None,
        fee_quote=Decimal(0),
        frame_seq=leg.frame_seq,
    )


async def _sent(connection: AsyncConnection, order: "Row[Any]", *, frame_seq: int) -> LegLine:
    """Render an order; one that no leg asked for shows the frame it was filled against."""
    stored = await connection.execute(
        select(fills)
        .where(fills.c.client_order_id == order.client_order_id)
        .order_by(fills.c.position)
    )
    parts = list(stored)
    filled_base = exact_sum(part.size_base for part in parts)
    notional = exact_sum(exact_product(part.size_base, part.price) for part in parts)
    return LegLine(
        venue=VenueId(order.venue),
        pair=order.pair,
        side=order.side,
        purpose=order.purpose,
        size_base=order.size_base,
        price_limit=order.price_limit,
        filled_base=filled_base,
        price_average=notional / filled_base if filled_base else None,
        fee_quote=exact_sum(part.fee_quote for part in parts),
        fee_base=exact_sum(part.fee_base or Decimal(0) for part in parts),
        other_fees=_other_fees(parts),
        frame_seq=frame_seq or (parts[0].frame_seq if parts else 0),
    )


def _other_fees(parts: "Sequence[Row[Any]]") -> tuple[tuple[str, Decimal], ...]:
    paid: dict[str, list[Decimal]] = {}
    for part in parts:
        if part.other_fee_asset is not None:
            paid.setdefault(part.other_fee_asset, []).append(part.other_fee)
    return tuple((asset, exact_sum(amounts)) for asset, amounts in sorted(paid.items()))
