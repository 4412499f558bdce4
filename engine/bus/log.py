"""Logs: what is told in order, kept until each consumer has had it, and read by position.

A request is one question and its answer, and is gone with whoever asked. What a log was given is
durable, and its consumers have names: each goes on where it was done, after whatever restart.
"""

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
