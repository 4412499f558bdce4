"""What a chat keeps in the ledger: inbox, how far its notices are told, threads, own state."""

from typing import TYPE_CHECKING

from engine.bus.reports import (
    InboxItems,
    InboxStored,
    Kept,
    KeptReport,
    NoticesReport,
    Thread,
    ThreadsReport,
)
from engine.bus.request import LedgerRequest

if TYPE_CHECKING:
    from engine.storage.ledger import Ledger


class PutInbox(LedgerRequest[InboxStored], frozen=True, kw_only=True):
    """Store updates of a chat durably before they are confirmed to it."""

    source: str
    updates: list[tuple[int, bytes]]

    async def answer(self, ledger: "Ledger", /) -> InboxStored:
        """See `Request.answer`."""
        return await ledger.chats.put_inbox(self.source, self.updates)


class TakeInbox(LedgerRequest[InboxItems], frozen=True, kw_only=True):
    """Load stored updates that were not yet done, oldest first."""

    source: str

    async def answer(self, ledger: "Ledger", /) -> InboxItems:
        """See `Request.answer`."""
        return await ledger.chats.take_inbox(self.source)


class DoneInbox(LedgerRequest[InboxStored], frozen=True, kw_only=True):
    """Mark stored updates as done."""

    source: str
    update_ids: list[int]

    async def answer(self, ledger: "Ledger", /) -> InboxStored:
        """See `Request.answer`."""
        return await ledger.chats.finish_inbox(self.source, self.update_ids)


class GetNotices(LedgerRequest[NoticesReport], frozen=True, kw_only=True):
    """Stored notices after a number, oldest first; waits up to `wait_ms` for the first."""

    reader: str
    after_seq: int | None = None
    limit: int = 100
    wait_ms: int = 0

    async def answer(self, ledger: "Ledger", /) -> NoticesReport:
        """See `Request.answer`."""
        return await ledger.chats.notices(
            self.reader, after_seq=self.after_seq, limit=self.limit, wait_ms=self.wait_ms
        )


class DoneNotices(LedgerRequest[InboxStored], frozen=True, kw_only=True):
    """Remember that a reader has delivered all notices up to a number.

    Attributes:
        chat: where the messages of `threads` are.
        threads: messages that later news will edit.
        states: what the chat keeps of the notices up to this number, in place of what it kept.
    """

    reader: str
    seq: int
    chat: str = ""
    threads: tuple[Thread, ...] = ()
    states: tuple[Kept, ...] = ()

    async def answer(self, ledger: "Ledger", /) -> InboxStored:
        """See `Request.answer`."""
        return await ledger.chats.finish_notices(
            self.reader, self.seq, chat=self.chat, threads=self.threads, states=self.states
        )


class PinThread(LedgerRequest[InboxStored], frozen=True, kw_only=True):
    """Remember in which message of a chat something stands for good, however much follows."""

    chat: str
    name: str
    message_id: int

    async def answer(self, ledger: "Ledger", /) -> InboxStored:
        """See `Request.answer`."""
        return await ledger.chats.pin_thread(
            self.chat, Thread(name=self.name, message_id=self.message_id)
        )


class GetThreads(LedgerRequest[ThreadsReport], frozen=True, kw_only=True):
    """The newest threads of a chat, oldest first."""

    chat: str

    async def answer(self, ledger: "Ledger", /) -> ThreadsReport:
        """See `Request.answer`."""
        return await ledger.chats.threads(self.chat)


class GetKept(LedgerRequest[KeptReport], frozen=True, kw_only=True):
    """All that a chat keeps under names of its own."""

    chat: str

    async def answer(self, ledger: "Ledger", /) -> KeptReport:
        """See `Request.answer`."""
        return await ledger.chats.chat_states(self.chat)
