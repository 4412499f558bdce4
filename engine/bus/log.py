"""Logs: what is told in order, kept until each consumer has had it, and read by position.

A request is one question and its answer, and is gone with whoever asked. What a log was given is
durable, and its consumers have names: each goes on where it was done, after whatever restart.
"""

import asyncio
from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

Item = TypeVar("Item")


class Entry(NamedTuple, Generic[Item]):
    """An item and its number, which rises and is never used twice."""

    seq: int
    item: Item


class Log(Protocol[Item]):
    """A log, wherever it is kept."""

    async def append(self, items: Sequence[Item], /) -> None:
        """Append items; they are durable once it returns, and may be twice if it is asked again.

        Raises:
            TransientError: nothing or all of it was appended; ask again.
        """
        ...

    async def read(
        self, consumer: str, /, *, after: int | None = None, limit: int = 100, wait_s: float = 0
    ) -> list[Entry[Item]]:
        """Read on after a number, or after what the consumer was done with; waits for the first.

        Raises:
            TransientError: the log is away or did not answer in time.
        """
        ...

    async def done(self, consumer: str, seq: int, /) -> None:
        """Remember that a consumer had everything up to a number; never goes back."""
        ...


class MemoryLog(Generic[Item]):
    """A log of this process, for tests and for roles that share one."""

    def __init__(self) -> None:
        self._entries: list[Entry[Item]] = []
        self._newest = 0
        self._done: dict[str, int] = {}
        self._news = asyncio.Event()

    async def append(self, items: Sequence[Item], /) -> None:
        """See `Log.append`."""
        for item in items:
            self._newest += 1
            self._entries.append(Entry(self._newest, item))
        self._news.set()
        self._news = asyncio.Event()

    async def read(
        self, consumer: str, /, *, after: int | None = None, limit: int = 100, wait_s: float = 0
    ) -> list[Entry[Item]]:
        """See `Log.read`."""
        position = self._done.setdefault(consumer, 0)
        start = position if after is None else after
        if self._newest <= start and wait_s > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                return []
        return [entry for entry in self._entries if entry.seq > start][:limit]

    async def done(self, consumer: str, seq: int, /) -> None:
        """See `Log.done`; what all consumers had is dropped."""
        self._done[consumer] = max(self._done.get(consumer, 0), min(seq, self._newest))
        slowest = min(self._done.values())
        self._entries = [entry for entry in self._entries if entry.seq > slowest]
