"""Copies of what background tasks keep, as the ledger has them: the newest of each alone."""

from typing import Protocol

import msgspec

from engine.bus.request import LedgerRequest


class TaskCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of one thing that is kept of a task.

    Attributes:
        kind: what it is, as a number of `background.sealed.Kind`.
        sequence: the higher of two of a task and kind is the newer.
        content: sealed and compressed; empty where there is nothing of it any more.
    """

    task: str
    kind: int
    sequence: int
    at_ns: int
    content: bytes


class CopiesKept(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """The copies are durable, those that are older than what was there left out."""

    kept: int


class TaskCopies(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """The newest copies."""

    copies: list[TaskCopy]


class CopyKeeper(Protocol):
    """What the ledger does for background work."""

    async def keep_task_copies(self, copies: list[TaskCopy]) -> CopiesKept:
        """See `KeepTaskCopies`."""
        ...

    async def task_copies(self, task: str) -> TaskCopies:
        """See `GetTaskCopies`."""
        ...


class KeepTaskCopies(LedgerRequest[CopiesKept], frozen=True, kw_only=True):
    """Keep copies in place of older ones."""

    copies: list[TaskCopy]

    async def answer(self, ledger: CopyKeeper, /) -> CopiesKept:
        """See `Request.answer`."""
        return await ledger.keep_task_copies(self.copies)


class GetTaskCopies(LedgerRequest[TaskCopies], frozen=True, kw_only=True):
    """The newest copies of a task."""

    task: str

    async def answer(self, ledger: CopyKeeper, /) -> TaskCopies:
        """See `Request.answer`."""
        return await ledger.task_copies(self.task)
