"""Reports of what is stored for a chat."""

import msgspec

from engine.bus.notices import StampedNotice
from engine.bus.report import Report


class InboxStored(Report, frozen=True, kw_only=True):
    """Durable; `new_ids` are those that were not stored before."""

    new_ids: list[int] = msgspec.field(default_factory=list)


class InboxItems(Report, frozen=True, kw_only=True):
    """Stored updates that were not yet done."""

    updates: list[tuple[int, bytes]]


class NoticesReport(Report, frozen=True, kw_only=True):
    """Stored notices, oldest first; `delivered_seq` is what the reader confirmed last."""

    notices: list[StampedNotice]
    delivered_seq: int
    newest_seq: int


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """What one thing was told in: later news of it edits that message."""

    name: str
    message_id: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a chat keeps under a name of its own; without a value it is to be forgotten."""

    name: str
    value: bytes | None


class KeptReport(Report, frozen=True, kw_only=True):
    """All that a chat keeps."""

    states: list[Kept]


class ThreadsReport(Report, frozen=True, kw_only=True):
    """Messages of a chat that later news may edit, oldest first."""

    threads: list[Thread]
