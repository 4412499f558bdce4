"""Where copies of what tasks keep are put besides their pages: the ledger; `redis_copies`."""

from collections.abc import Sequence
from typing import Final, Protocol

from engine.bus.background_copies import GetTaskCopies, KeepTaskCopies, TaskCopy
from engine.bus.request import Caller

LEDGER_S: Final = 30.0


class CopyStore(Protocol):
    """Keeps copies; every wait has an end."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    async def keep(self, copies: Sequence[TaskCopy]) -> None:
        """Keep copies in place of those before.

        Raises:
            SyndicateError: it cannot now.
        """
        ...

    async def load(self, task: str) -> list[TaskCopy]:
        """Return what is kept of a task; it may be anything.

        Raises:
            SyndicateError: it cannot now.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


class LedgerStore:
    """Copies in the ledger, which outlive everything else."""

    name = "the ledger"

    def __init__(self, ledger: Caller) -> None:
        self._ledger = ledger

    async def keep(self, copies: Sequence[TaskCopy]) -> None:
        """See `CopyStore.keep`."""
        for one in copies:  # each in a message of its own: none is too long
            await self._ledger.call(KeepTaskCopies(copies=[one]), timeout_s=LEDGER_S)

    async def load(self, task: str) -> list[TaskCopy]:
        """See `CopyStore.load`."""
        found = await self._ledger.call(GetTaskCopies(task=task), timeout_s=LEDGER_S)
        return found.copies

    async def aclose(self) -> None:
        """See `CopyStore.aclose`."""
