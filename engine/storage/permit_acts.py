"""What people were asked, answered and granted, as links of the audit."""

import hashlib

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.records import ApprovalEndRecord, ApprovalRecord, MandateRecord
from engine.storage import audit

PermitRecord = ApprovalRecord | ApprovalEndRecord | MandateRecord


async def link(connection: AsyncConnection, record: PermitRecord, engine_id: str) -> None:
    """Put a record at the end of the chain, once; its digest stands for its content."""
    digest = hashlib.sha256(msgspec.json.encode(record)).hexdigest()
    name, at_ns, by, action = _said(record)
    await audit.note_once(
        connection,
        "permit",
        record_id=f"{name}-{digest[:24]}",
        at_ns=at_ns,
        content={"engine_id": engine_id, "by": by, "action": action, "digest": digest},
    )


def _said(record: PermitRecord) -> tuple[str, int, str, str]:
    """Return name, time, who, and what in words."""
    if isinstance(record, ApprovalRecord):
        asked = record.approval
        by = ", ".join(asked.approved_by) or "the engine"
        what = "approved by one, asked on" if asked.approved_by else "asked"
        return asked.approval_id, asked.asked_at_ns, by, f"{asked.approval_id} {what}"
    if isinstance(record, ApprovalEndRecord):
        end = record.end
        what = f"{end.approval_id} {end.state.value.lower()}"
        return end.approval_id, record.at_ns, end.by or "the engine", what
    use = record.use
    name = use.mandate.mandate_id
    if use.ended:
        return name, use.ended_at_ns, use.ended_by or "the engine", f"{name} ended: {use.ended}"
    if use.plans:
        spent = f"{name} used: {use.plans} plans, {use.spent_usd:f} USD"
        return name, use.mandate.granted_at_ns, use.mandate.by, spent
    return name, use.mandate.granted_at_ns, use.mandate.by, f"{name} granted"
