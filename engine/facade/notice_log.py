"""The ledger's notices as a log: whoever asks it, over whatever transport, reads by position."""

import secrets
from collections.abc import Sequence
from typing import Final

from engine.bus.log import Entry
from engine.bus.notices import Notice
from engine.bus.records import Append, NoticeRecord
from engine.bus.request import Caller
from engine.requests.chat import DoneNotices, GetNotices

ANSWER_S: Final = 5.0
"""Longest wait for an answer, beyond the time that a reader wants to wait for news."""

_ID_BYTES: Final = 12


class NoticeLog:
    """Obeys `bus.log.Log`."""

    def __init__(self, ledger: Caller) -> None:
        self._ledger = ledger

    async def append(self, items: Sequence[Notice], /) -> None:
        """See `Log.append`."""
        records = [
            NoticeRecord(record_id=secrets.token_hex(_ID_BYTES), notice=one) for one in items
        ]
        await self._ledger.call(Append(records=[*records]), timeout_s=ANSWER_S)

    async def read(
        self, consumer: str, /, *, after: int | None = None, limit: int = 100, wait_s: float = 0
    ) -> list[Entry[Notice]]:
        """See `Log.read`."""
        request = GetNotices(
            reader=consumer, after_seq=after, limit=limit, wait_ms=int(wait_s * 1_000)
        )
        report = await self._ledger.call(request, timeout_s=wait_s + ANSWER_S)
        return [Entry(one.seq, one.notice) for one in report.notices]

    async def done(self, consumer: str, seq: int, /) -> None:
        """See `Log.done`."""
        await self._ledger.call(DoneNotices(reader=consumer, seq=seq), timeout_s=ANSWER_S)
