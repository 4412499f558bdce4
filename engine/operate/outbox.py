"""Records on their way to the ledger: bounded, in order, kept until the ledger has them.

The hot path only appends. Money, state and notices are never dropped; when the ledger is away for
long, opportunities are dropped first (and counted), and the decider refuses new plans.
"""

import asyncio
import logging
from collections import deque
from typing import Final

import msgspec

from engine.bus.records import Append, Appended, OpportunityClosed, OpportunityRecord, Record
from engine.bus.wire import Caller, LedgerReply, LedgerRequest
from engine.domain.errors import BadValueError, TransientError

log = logging.getLogger(__name__)

WAITING_MAX: Final = 20_000
"""Records waiting, above which opportunities are dropped."""
BEHIND_AT: Final = 2_000
"""Money, state and notices waiting, above which no plan is made."""
BATCH_MAX: Final = 500
BATCH_S: Final = 0.1
CALL_TIMEOUT_S: Final = 10.0
RETRY_S_FIRST: Final = 0.1
RETRY_S_MAX: Final = 2.0


class Outbox:
    """The queue between the engine and the ledger.

    Attributes:
        dropped: opportunities dropped because the ledger was away too long.
        refused: records that the ledger will never take; each is logged whole.
    """

    def __init__(self, ledger: Caller[LedgerRequest, LedgerReply]) -> None:
        self.dropped = 0
        self.refused = 0
        self._ledger = ledger
        self._waiting: deque[Record] = deque()
        self._important = 0
        self._appended = asyncio.Event()
        self._durable: dict[int, asyncio.Future[None]] = {}

    def put(self, record: Record) -> None:
        """Append a record; opportunities give way when the queue is full."""
        if _is_important(record):
            self._important += 1
        elif len(self._waiting) >= WAITING_MAX:
            self.dropped += 1
            return
        self._waiting.append(record)
        self._appended.set()

    async def put_durably(self, record: Record, *, timeout_s: float = 5.0) -> None:
        """Append a record and wait until the ledger has it.

        Raises:
            TransientError: it is not durable yet; it stays queued.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._durable[id(record)] = future
        self.put(record)
        try:
            async with asyncio.timeout(timeout_s):
                await future
        except TimeoutError as error:
            raise TransientError(
                "the ledger is away: this was done but is not yet stored; ask /status"
            ) from error
        finally:
            self._durable.pop(id(record), None)

    @property
    def waiting(self) -> int:
        """Number of records that the ledger does not have yet."""
        return len(self._waiting)

    def is_behind(self) -> bool:
        """Say whether so much is waiting that no plan should be made."""
        return self._important > BEHIND_AT

    async def run(self) -> None:
        """Send for ever; cancel to stop."""
        retry_s = RETRY_S_FIRST
        while True:
            await self._appended.wait()
            await asyncio.sleep(BATCH_S)  # one transaction for what comes together
            batch = [self._waiting[k] for k in range(min(len(self._waiting), BATCH_MAX))]
            try:
                await self._send(batch)
            except TransientError as error:
                log.warning("%d records wait for the ledger: %s", len(self._waiting), error)
                await asyncio.sleep(retry_s)
                retry_s = min(retry_s * 2, RETRY_S_MAX)
                continue
            retry_s = RETRY_S_FIRST
            self._remove(batch)

    async def drain(self, *, timeout_s: float) -> int:
        """Send what waits before closing; returns how many records could not be sent."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._waiting:
                    batch = [self._waiting[k] for k in range(min(len(self._waiting), BATCH_MAX))]
                    await self._send(batch)
                    self._remove(batch)
        except (TimeoutError, TransientError) as error:
            log.warning("%d records were not stored: %s", len(self._waiting), error)
        return len(self._waiting)

    async def _send(self, batch: list[Record]) -> None:
        try:
            await self._append(batch)
        except BadValueError:
            # One record spoils its batch: find it, so that the others are stored.
            for record in batch:
                await self._send_alone(record)

    async def _send_alone(self, record: Record) -> None:
        try:
            await self._append([record])
        except BadValueError as error:
            self.refused += 1
            log.error(  # noqa: TRY400 - the record says more than a traceback
                "the ledger refuses a record for good (%s): %s",
                error,
                msgspec.json.encode(record).decode(),
            )

    async def _append(self, batch: list[Record]) -> None:
        reply = await self._ledger.call(Append(records=batch), timeout_s=CALL_TIMEOUT_S)
        if not isinstance(reply, Appended):
            raise TransientError(f"the ledger answered {type(reply).__name__} to an Append")

    def _remove(self, batch: list[Record]) -> None:
        for record in batch:
            self._waiting.popleft()
            if _is_important(record):
                self._important -= 1
            future = self._durable.get(id(record))
            if future is not None and not future.done():
                future.set_result(None)
        if not self._waiting:
            self._appended.clear()


def _is_important(record: Record) -> bool:
    return not isinstance(record, OpportunityRecord | OpportunityClosed)
