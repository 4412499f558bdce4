"""What chats keep and are told, as the ledger answers for it: inbox, notices, threads, states."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.reports import (
    InboxItems,
    InboxStored,
    Kept,
    KeptReport,
    NoticesReport,
    Thread,
    ThreadsReport,
)
from engine.storage import chat_state_store, inbox_store, notice_store, thread_store
from engine.storage.opening import Clock

T = TypeVar("T")


class Transact(Protocol):
    """Carries something out in a transaction of its own."""

    async def __call__(self, work: Callable[[AsyncConnection], Awaitable[T]], /) -> T:
        """Return what comes of it."""
        ...


class Chats:
    """Answers for chats.

    Args:
        change: carries out what changes something.
        transact: carries out what only looks.
        clock: the wall clock.
    """

    def __init__(self, *, change: Transact, transact: Transact, clock: Clock) -> None:
        self._change = change
        self._transact = transact
        self._clock = clock
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Wake whoever waits for notices."""
        self._news.set()
        self._news = asyncio.Event()

    async def put_inbox(self, source: str, updates: Sequence[tuple[int, bytes]]) -> InboxStored:
        """Store updates of a chat."""
        return await self._change(
            partial(
                inbox_store.put,
                source=source,
                updates=updates,
                now_ns=self._clock(),
                own_ids=set(),
            )
        )

    async def take_inbox(self, source: str) -> InboxItems:
        """Load updates that were not yet done."""
        return await self._transact(partial(inbox_store.load_waiting, source=source))

    async def finish_inbox(self, source: str, update_ids: Sequence[int]) -> InboxStored:
        """Mark updates as done."""
        return await self._change(
            partial(
                inbox_store.mark_done, source=source, update_ids=update_ids, now_ns=self._clock()
            )
        )

    async def notices(
        self, reader: str, *, after_seq: int | None, limit: int, wait_ms: int
    ) -> NoticesReport:
        """Load notices; wait for the first."""
        load = partial(notice_store.load_notices, reader=reader, after_seq=after_seq, limit=limit)
        # Taken before the first look, so that no news falls between the look and the wait.
        news = self._news
        report = await self._transact(load)
        if report.notices or wait_ms <= 0:
            return report
        try:
            async with asyncio.timeout(min(wait_ms, notice_store.WAIT_MS_MAX) / 1_000):
                await news.wait()
        except TimeoutError:
            return report
        return await self._transact(load)

    async def finish_notices(
        self,
        reader: str,
        seq: int,
        *,
        chat: str,
        threads: Sequence[Thread],
        states: Sequence[Kept],
    ) -> InboxStored:
        """Remember what a reader delivered, in which messages, and what it keeps of it."""

        async def work(connection: AsyncConnection) -> InboxStored:
            await notice_store.confirm(connection, reader=reader, seq=seq)
            await thread_store.keep(connection, chat=chat, threads=threads, seq=seq)
            await chat_state_store.keep(connection, chat=chat, states=states)
            return InboxStored()

        return await self._change(work)

    async def pin_thread(self, chat: str, thread: Thread) -> InboxStored:
        """Remember in which message something stands for good."""

        async def work(connection: AsyncConnection) -> InboxStored:
            await thread_store.keep(
                connection, chat=chat, threads=[thread], seq=thread_store.PINNED_SEQ
            )
            return InboxStored()

        return await self._change(work)

    async def chat_states(self, chat: str) -> KeptReport:
        """Load what a chat keeps."""
        return await self._transact(partial(chat_state_store.load_chat_states, chat=chat))

    async def threads(self, chat: str) -> ThreadsReport:
        """Load the newest threads of a chat."""
        return await self._transact(partial(thread_store.load_threads, chat=chat))
