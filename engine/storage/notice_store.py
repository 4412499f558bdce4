"""Stored notices and how far each reader has confirmed them."""

import logging

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.notices import Notice, StampedNotice
from engine.bus.reports import NoticesReport
from engine.storage.insertion import insert_new
from engine.storage.tables.chats import notices, readers

_log = logging.getLogger(__name__)

NOTICES_MAX = 1_000
WAIT_MS_MAX = 60_000


async def load_newest_seq(connection: AsyncConnection) -> int:
    """Load the newest notice number; deleted notices count as long as a reader saw them."""
    stored = await connection.execute(select(func.max(notices.c.seq)))
    delivered = await connection.execute(select(func.max(readers.c.delivered_seq)))
    return max(stored.scalar() or 0, delivered.scalar() or 0)


async def load_notices(
    connection: AsyncConnection, *, reader: str, after_seq: int | None, limit: int
) -> NoticesReport:
    """Load notices after a number, oldest first, `NOTICES_MAX` at most.

    Without a number, or with one that was never given (the database is older than the reader, as
    after a restore), it starts from the first notice that the reader has not confirmed.
    """
    delivered_seq = await _load_delivered(connection, reader)
    newest_seq = await load_newest_seq(connection)
    start_seq = delivered_seq if after_seq is None or after_seq > newest_seq else after_seq
    found = await connection.execute(
        select(notices.c.seq, notices.c.notice)
        .where(notices.c.seq > start_seq)
        .order_by(notices.c.seq)
        .limit(max(1, min(limit, NOTICES_MAX)))
    )
    stamped = (_decode(row.seq, row.notice) for row in found)
    return NoticesReport(
        notices=[notice for notice in stamped if notice is not None],
        delivered_seq=delivered_seq,
        newest_seq=newest_seq,
    )


async def confirm(connection: AsyncConnection, *, reader: str, seq: int) -> None:
    """Move a reader's cursor forward, never back and never past the newest notice."""
    newest_seq = await load_newest_seq(connection)
    await insert_new(connection, readers, {"reader": reader, "delivered_seq": 0})
    confirmed_seq = min(seq, newest_seq)
    await connection.execute(
        update(readers)
        .where(readers.c.reader == reader, readers.c.delivered_seq < confirmed_seq)
        .values(delivered_seq=confirmed_seq)
    )


def _decode(seq: int, text: str) -> StampedNotice | None:
    """Decode a notice; one of another version of the program must not stop those after it."""
    try:
        return StampedNotice(seq=seq, notice=msgspec.json.decode(text, type=Notice))
    except msgspec.DecodeError as error:
        _log.warning("notice %d was left out, this version cannot read it: %s", seq, error)
        return None


async def _load_delivered(connection: AsyncConnection, reader: str) -> int:
    found = await connection.execute(
        select(readers.c.delivered_seq).where(readers.c.reader == reader)
    )
    return found.scalar_one_or_none() or 0
