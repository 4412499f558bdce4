"""What a role beside the engine has the ledger keep: it waits for that, and holds up nothing.

So much may wait, and no more: then what counts least is left out, counted, and told once the ledger
takes records again.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from engine.bus.notices import RecordsDropped
from engine.bus.records import Append, NoticeRecord, Record
from engine.bus.request import Caller
from engine.domain.errors import BadValueError, TransientError
from engine.domain.modes import Basis
from engine.operate.clock import Clock

log = logging.getLogger(__name__)

WAITING_MAX: Final = 200
RETRY_S: Final = 1.0


class ForLedger:
    """Records of one role, on their way to the ledger.

    Attributes:
        left_out_count: records that were not kept since the start, as too many waited.
    """

    def __init__(
        self,
        ledger: Caller,
        *,
        kind: str,
        basis: Basis,
        clock: Clock,
        rank: Callable[[Record], int] = lambda _record: 0,
        most: int = WAITING_MAX,
    ) -> None:
        """Begin with none.

        Args:
            ledger: keeps them.
            kind: what they are, for people and in the names of records.
            basis: of the installation.
            clock: the wall clock.
            rank: how much a record counts; of those that count least the newest is left out.
            most: so many may wait.
        """
        self.left_out_count = 0
        self._ledger = ledger
        self._kind, self._basis, self._clock = kind, basis, clock
        self._rank, self._most = rank, most
        self._waiting: list[Record] = []
        self._untold_count = 0
        self._has_some = asyncio.Event()

    async def store(self, record: Record) -> None:
        """Return once it is stored; raises `TransientError` while the ledger is away."""
        await self._ledger.call(Append(records=[record]))

    def store_later(self, record: Record) -> None:
        """Store it once the ledger takes it."""
        log.info("%s", record)
        self._waiting.append(record)
        if len(self._waiting) > self._most:
            newest_first = range(len(self._waiting) - 1, -1, -1)
            least = min(newest_first, key=lambda at: self._rank(self._waiting[at]))
            self._untold_count += 1
            self.left_out_count += 1
            log.error("too many records wait, one is left out: %s", self._waiting.pop(least))
        self._has_some.set()

    async def run(self) -> None:
        """Store for ever, one after the other."""
        while True:
            await self._has_some.wait()
            while self._waiting:
                await self._insist(self._waiting.pop(0))
                if self._untold_count and not self._waiting:
                    self._tell_left_out()
            self._has_some.clear()

    async def _insist(self, record: Record) -> None:
        while True:
            try:
                await self.store(record)
            except TransientError as error:
                log.info("records of %s wait for the ledger: %s", self._kind, error)
                await asyncio.sleep(RETRY_S)
            except BadValueError as error:
                log.error("the ledger refuses %s: %s", record, error)  # noqa: TRY400 - said whole
                return
            else:
                return

    def _tell_left_out(self) -> None:
        count, self._untold_count = self._untold_count, 0
        at_ns = self._clock()
        dropped = RecordsDropped(at_ns=at_ns, basis=self._basis, kind=self._kind, count=count)
        self.store_later(NoticeRecord(record_id=f"{self._kind}-dropped-{at_ns}", notice=dropped))
