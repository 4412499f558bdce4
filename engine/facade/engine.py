"""The facade: the one object through which every front-end drives the engine."""

from collections.abc import AsyncIterator
from typing import Protocol

from engine.bus.notices import StampedNotice
from engine.bus.request import Reply, Request


class Facade(Protocol):
    """What a front-end may do."""

    async def ask(self, request: Request[Reply], /) -> Reply:
        """Have a request answered by whoever answers it.

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
