"""Whether the clock can be trusted with what is deleted by its age.

A clock that is far ahead makes all news old at once. What was stored tells: after a jump, by
whatever clock, there is a gap between the records from before and the first ones since. Neither it
nor a step that was seen is believed until the clock has run on for a day.
"""

from typing import Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.notices import ClockCorrected, Notice, RetentionHeld
from engine.bus.records import NoticeRecord
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_DAY
from engine.storage.append import notice_row
from engine.storage.insertion import insert_new
from engine.storage.tables.acts import operator_state
from engine.storage.tables.chats import notices
from engine.storage.tables.trades import executions, opportunities

SETTLED_NS: Final = NS_PER_DAY
"""A clock that was set, or is far ahead, is believed after this time; somebody has looked then."""

STEP_NS_MIN: Final = NS_PER_DAY // 24
"""Less is nothing to an age of days."""

_INSTANTS: Final = (
    notices.c.at_ns,
    opportunities.c.seen_at_ns,
    executions.c.closed_at_ns,
    operator_state.c.at_ns,
)


async def doubted(
    connection: AsyncConnection, *, now_ns: int, period_ns: int, basis: Basis
) -> tuple[bool, bool]:
    """Say whether nothing may be deleted at `now_ns`, and whether that is news, told just now.

    Args:
        connection: of the writer.
        now_ns: what the clock says.
        period_ns: age at which the first records go.
        basis: of the notice.
    """
    doubt = await load_doubt(connection, now_ns=now_ns, period_ns=period_ns, basis=basis)
    return doubt is not None, doubt is not None and await tell_once(connection, doubt)


async def load_doubt(
    connection: AsyncConnection, *, now_ns: int, period_ns: int, basis: Basis
) -> NoticeRecord | None:
    """Return what is to be told if nothing may be deleted at `now_ns`, None if it may.

    Args:
        connection: of the writer.
        now_ns: what the clock says.
        period_ns: age at which the first records go.
        basis: of the notice.
    """
    before_ns = await _newest_until(connection, now_ns - SETTLED_NS)
    stepped = await _step_ahead(connection, now_ns)
    if before_ns is not None and before_ns < now_ns - SETTLED_NS - period_ns:
        since_ns, ahead_ns = before_ns, now_ns - before_ns
    elif stepped is not None:
        since_ns, ahead_ns = stepped.at_ns, stepped.step_ns
    else:
        return None
    notice = RetentionHeld(at_ns=now_ns, basis=basis, ahead_ns=ahead_ns)
    return NoticeRecord(record_id=f"retention-held-{since_ns}", notice=notice)


async def tell_once(connection: AsyncConnection, doubt: NoticeRecord) -> bool:
    """Store the notice of a doubt; say whether it is new."""
    return await insert_new(connection, notices, notice_row(doubt)) > 0


async def _newest_until(connection: AsyncConnection, until_ns: int) -> int | None:
    newest: list[int] = []
    for instant in _INSTANTS:
        found = await connection.execute(select(func.max(instant)).where(instant <= until_ns))
        newest += [at_ns for at_ns in found.scalars() if at_ns is not None]
    return max(newest, default=None)


async def _step_ahead(connection: AsyncConnection, now_ns: int) -> ClockCorrected | None:
    found = await connection.execute(
        select(notices.c.notice)
        .where(
            notices.c.at_ns > now_ns - SETTLED_NS,
            notices.c.at_ns <= now_ns,
            notices.c.kind == ClockCorrected.__name__,
        )
        .order_by(notices.c.at_ns.desc())
    )
    for text in found.scalars():
        notice = msgspec.json.decode(text, type=Notice)
        if isinstance(notice, ClockCorrected) and notice.step_ns >= STEP_NS_MIN:
            return notice
    return None
