"""What people were asked and what they granted: stored by the engine, ended at its next start."""

from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.notices import ApprovalEnded, MandateEnded, Notice
from engine.bus.permit_reports import WaitingLine, WaitingReport
from engine.bus.records import ApprovalEndRecord, ApprovalRecord, MandateRecord
from engine.domain.approvals import Approval, ApprovalEnd, ApprovalState
from engine.domain.exact import exact_product, exact_sum
from engine.domain.mandates import Mandate, MandateUse
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_MS
from engine.storage import permit_acts
from engine.storage.insertion import insert_new
from engine.storage.tables.acts import approvals, mandates
from engine.storage.tables.trades import executions

PermitRecord = ApprovalRecord | ApprovalEndRecord | MandateRecord

approved_plan = approvals.c.approval_id + "-p"
"""What was carried out by an approval."""

RESTARTED = "the engine was started again"


async def keep(connection: AsyncConnection, record: PermitRecord, engine_id: str) -> None:
    """Store what was asked, what became of it, or how a mandate stands."""
    if isinstance(record, ApprovalRecord):
        await _keep_asked(connection, record, engine_id)
    elif isinstance(record, ApprovalEndRecord):
        await _keep_end(connection, record.end)
    else:
        await _keep_mandate(connection, record, engine_id)


async def end_all(connection: AsyncConnection, *, engine_id: str, at_ns: int) -> list[Notice]:
    """End what an engine that is gone had asked or been granted; return what is to be told.

    Each end is an act and has its link in the audit.
    """
    told: list[Notice] = []
    waiting = await connection.execute(
        select(approvals.c.approval, approvals.c.basis)
        .where(
            approvals.c.engine_id == engine_id,
            approvals.c.state == ApprovalState.PENDING.value,
        )
        .order_by(approvals.c.asked_at_ns)
    )
    for row in waiting.all():
        approval = msgspec.json.decode(row.approval, type=Approval)
        end = ApprovalEnd(
            approval_id=approval.approval_id,
            state=ApprovalState.VOID_RESTART,
            at_ns=at_ns,
            by="",
            why=RESTARTED,
        )
        await _keep_end(connection, end)
        await permit_acts.link(connection, ApprovalEndRecord(at_ns=at_ns, end=end), engine_id)
        told.append(
            ApprovalEnded(
                at_ns=at_ns,
                basis=Basis(row.basis),
                engine_id=engine_id,
                approval=approval,
                nonce="",
                end=end,
            )
        )
    granted = await connection.execute(
        select(mandates)
        .where(mandates.c.engine_id == engine_id, mandates.c.ended == "")
        .order_by(mandates.c.granted_at_ns)
    )
    for row in granted.all():
        use = msgspec.structs.replace(_use_of(row), ended=RESTARTED, ended_at_ns=at_ns)
        await connection.execute(
            update(mandates)
            .where(mandates.c.mandate_id == row.mandate_id)
            .values(ended=use.ended, ended_at_ns=at_ns)
        )
        over = MandateRecord(run_id=row.run_id, basis=Basis(row.basis), use=use)
        await permit_acts.link(connection, over, engine_id)
        told.append(MandateEnded(at_ns=at_ns, basis=Basis(row.basis), engine_id=engine_id, use=use))
    return told


def _use_of(row: Any) -> MandateUse:
    return MandateUse(
        mandate=msgspec.json.decode(row.mandate, type=Mandate),
        spent_usd=row.spent_usd,
        plans=row.plans,
        realised_usd=row.realised_usd,
        ended=row.ended,
        ended_at_ns=row.ended_at_ns or 0,
        ended_by=row.ended_by,
    )


async def _keep_asked(connection: AsyncConnection, record: ApprovalRecord, engine_id: str) -> None:
    approval = record.approval
    plan = approval.plan
    text = msgspec.json.encode(approval).decode()
    row = {
        "approval_id": approval.approval_id,
        "engine_id": engine_id,
        "run_id": record.run_id,
        "basis": record.basis.value,
        "asked_at_ns": approval.asked_at_ns,
        "approval": text,
        "digest": approval.digest,
        "profit_usd": exact_product(plan.profit_quote, plan.usd_per_quote),
        "state": ApprovalState.PENDING.value,
        "ended_by": "",
        "why": "",
    }
    if not await insert_new(connection, approvals, row):
        # Somebody approved it, and one more has to.
        await connection.execute(
            update(approvals)
            .where(
                approvals.c.approval_id == approval.approval_id,
                approvals.c.state == ApprovalState.PENDING.value,
            )
            .values(approval=text)
        )


async def _keep_end(connection: AsyncConnection, end: ApprovalEnd) -> None:
    usd = None
    if end.now_quote is not None:
        found = await connection.execute(
            select(approvals.c.approval).where(approvals.c.approval_id == end.approval_id)
        )
        text = found.scalar_one_or_none()
        if text is not None:
            plan = msgspec.json.decode(text, type=Approval).plan
            usd = exact_product(end.now_quote, plan.usd_per_quote)
    await connection.execute(
        update(approvals)
        .where(
            approvals.c.approval_id == end.approval_id,
            approvals.c.state == ApprovalState.PENDING.value,
        )
        .values(
            state=end.state.value,
            ended_at_ns=end.at_ns,
            ended_by=end.by,
            why=end.why,
            now_usd=usd,
        )
    )


async def _keep_mandate(connection: AsyncConnection, record: MandateRecord, engine_id: str) -> None:
    use, mandate = record.use, record.use.mandate
    so_far = {
        "spent_usd": use.spent_usd,
        "plans": use.plans,
        "realised_usd": use.realised_usd,
        "ended": use.ended,
        "ended_at_ns": use.ended_at_ns or None,
        "ended_by": use.ended_by,
    }
    row = {
        "mandate_id": mandate.mandate_id,
        "engine_id": engine_id,
        "run_id": record.run_id,
        "basis": record.basis.value,
        "granted_at_ns": mandate.granted_at_ns,
        "granted_by": mandate.by,
        "mandate": msgspec.json.encode(mandate).decode(),
        **so_far,
    }
    if not await insert_new(connection, mandates, row):
        await connection.execute(
            update(mandates)
            .where(mandates.c.mandate_id == mandate.mandate_id, mandates.c.ended == "")
            .values(**so_far)
        )


async def load_waiting(
    connection: AsyncConnection, *, since_ns: int, basis: Basis | None
) -> WaitingReport:
    """Sum up what was asked, how it ended, and what it was worth when asked and when answered.

    What waiting cost is what was expected when a person was asked, less what was realised: of what
    was approved by its execution, late fills too, of all else nothing. What was asked anew counts
    as asked once.
    """
    query = (
        select(
            approvals.c.approval_id,
            approvals.c.state,
            approvals.c.profit_usd,
            approvals.c.approval,
            approvals.c.now_usd,
            approvals.c.asked_at_ns,
            approvals.c.ended_at_ns,
            executions.c.profit_usd.label("realised_usd"),
        )
        .join_from(approvals, executions, executions.c.plan_id == approved_plan, isouter=True)
        .where(approvals.c.asked_at_ns >= since_ns)
    )
    if basis is not None:
        query = query.where(approvals.c.basis == basis.value)
    in_order = (approvals.c.asked_at_ns, approvals.c.approval_id)
    lines: dict[str, WaitingLine] = {}
    counted = ""
    for row in await connection.execute(query.order_by(*in_order)):
        before = lines.get(row.state) or WaitingLine(state=ApprovalState(row.state))
        if row.approval_id == counted:
            realised_usd = exact_sum((before.realised_usd, row.realised_usd))
            lines[row.state] = msgspec.structs.replace(before, realised_usd=realised_usd)
            continue
        counted = row.approval_id
        is_again = msgspec.json.decode(row.approval, type=Approval).is_requested
        asked_usd = Decimal(0) if is_again else row.profit_usd
        waited_ms = (
            0 if row.ended_at_ns is None else (row.ended_at_ns - row.asked_at_ns) // NS_PER_MS
        )
        lines[row.state] = WaitingLine(
            state=before.state,
            count=before.count + 1,
            asked_usd=exact_sum((before.asked_usd, asked_usd)),
            answered_usd=exact_sum((before.answered_usd, row.now_usd or Decimal(0))),
            realised_usd=exact_sum((before.realised_usd, row.realised_usd or Decimal(0))),
            waited_ms=before.waited_ms + max(waited_ms, 0),
        )
    return WaitingReport(since_ns=since_ns, lines=[*lines.values()], basis=basis or Basis.SANDBOX)
