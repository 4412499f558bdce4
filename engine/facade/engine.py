"""The facade: the one object through which every front-end drives the engine."""

from collections.abc import AsyncIterator
from typing import Protocol

from engine.bus.commands import Command
from engine.bus.notices import StampedNotice
from engine.bus.reports import Report


class Facade(Protocol):
    """What a front-end may do."""

    async def ask(self, command: Command) -> Report:
        """Carry out a command and return its report.

        `Kill` goes by every path at once (engine, latch file, ledger) and reports on each.

        Raises:
            TransientError: the role that answers is away; the text says which and what to do.
        """
        ...

    def notices(self, *, reader: str) -> AsyncIterator[StampedNotice]:
        """Stream stored notices from the first that `reader` has not confirmed, for ever.

        Survives restarts of the ledger. Confirm with `DoneNotices` after delivery.
        """
        ...
