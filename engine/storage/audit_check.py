"""Whether the audit is whole: the chain from its first link to its last, and the acts behind it."""

import json
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.lease import held_lease
from engine.bus.reports import AuditLine, AuditReport
from engine.domain.errors import TransientError
from engine.storage import schema
from engine.storage.audit import Head, Walk, has
from engine.storage.audit_head import HeadFile
from engine.storage.ledger_settings import DATABASE_NAME, LEASE_NAME, LedgerSettings
from engine.storage.opening import open_writer
from engine.storage.tables.acts import audit
from engine.storage.writer import Writer

LINES_MAX = 100


async def check(
    writer: Writer, kept: Head | None, *, limit: int, looked_for: str | None = None
) -> AuditReport:
    """Walk the whole chain, page by page between other requests, and load its newest acts.

    Args:
        writer: of the database.
        kept: the newest link, as it was kept beside the database.
        limit: of the acts.
        looked_for: the beginning of a hash that was noted once, and must be in the chain.
    """
    walk = Walk(looked_for=looked_for)
    while await writer.transact(walk.take_page):
        pass
    if walk.broken is None:
        walk.broken = await _missed(writer, walk, kept)
    await writer.transact(walk.take_acts)
    return AuditReport(
        lines=await writer.transact(partial(_load_newest, limit=limit)),
        links=walk.head.position,
        newest=walk.head.hash,
        broken=walk.broken or "",
        gaps=walk.gaps,
    )


async def check_closed(settings: LedgerSettings, *, looked_for: str | None) -> AuditReport:
    """Check the audit of a ledger that does not run; nothing of the database is changed.

    Raises:
        FatalError: a ledger runs, or the database cannot be relied on.
        TransientError: there is none yet, or it is of a version without an audit.
    """
    if not settings.url and not (settings.data_dir / DATABASE_NAME).exists():
        raise TransientError(f"there is no ledger in {settings.data_dir} yet: nothing to check")
    with held_lease(settings.data_dir / LEASE_NAME, what="ledger"):
        async with open_writer(settings) as writer:
            shown = writer.database.shown
            is_old = await writer.transact_long(
                lambda connection: connection.run_sync(
                    lambda sync: schema.needs_upgrade(sync, shown=shown)
                )
            )
            if is_old:
                raise TransientError("the database is of an older version: make migrate first")
            kept = HeadFile(settings.data_dir).read()
            return await check(writer, kept, limit=0, looked_for=looked_for)


async def _missed(writer: Writer, walk: Walk, kept: Head | None) -> str | None:
    """Return what was there once and is missed."""
    if not walk.is_found:
        return "no link has that hash: links were cut off and written anew since it was noted"
    if kept is None:
        is_young = walk.head.position <= 1
        return None if is_young else "the file of the newest link, audit-head, is missing"
    if await writer.transact(partial(has, head=kept)):
        return None
    return f"link {kept.position} was there and is not any more: the end was cut off or changed"


async def _load_newest(connection: AsyncConnection, *, limit: int) -> list[AuditLine]:
    found = await connection.execute(
        select(audit).order_by(audit.c.position.desc()).limit(max(0, min(limit, LINES_MAX)))
    )
    return [_line(row) for row in found]


def _line(row: Any) -> AuditLine:
    content = json.loads(row.content)
    return AuditLine(
        position=row.position,
        at_ns=row.at_ns,
        engine_id=content.get("engine_id", ""),
        by=content.get("by", "the ledger"),
        action=content.get("action", "the audit begins here"),
        hash=row.hash,
    )
