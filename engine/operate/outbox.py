"""Records on their way to the ledger: bounded, in order, kept until the ledger has them.

The hot path only appends. What a record is worth decides what becomes of it while the ledger is
away: money and state are never dropped, and when much of them waits the decider refuses new plans.
News and passing sights are bounded; the oldest are dropped and counted, and stop nothing.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Collection
from enum import IntEnum
from typing import Final

import msgspec

from engine.bus.notices import OpportunitySeen
from engine.bus.records import (
    Append,
    IntentRecord,
    NoticeRecord,
    OpportunityClosed,
    OpportunityRecord,
    Record,
    Superseded,
)
from engine.bus.request import Caller
from engine.domain.backoff import Backoff
from engine.domain.engines import MAIN
from engine.domain.errors import BadValueError, SupersededError, TransientError
from engine.domain.recovery import LEDGER_RECORDS

log = logging.getLogger(__name__)

PASSING_MAX: Final = 20_000
"""Opportunities, and notices of them, waiting; beyond it the oldest is dropped."""
NEWS_MAX: Final = 2_000
"""Other notices waiting; beyond it the oldest is dropped."""
BEHIND_AT: Final = 2_000
"""Money and state waiting, above which no plan is made."""
BATCH_MAX: Final = 500
BATCH_S: Final = 0.1
HURRIED_MAX: Final = 10
"""So many batches in a row may leave out what passes; then all go that wait."""
CALL_TIMEOUT_S: Final = 10.0
RETRY_S_FIRST: Final = 0.1
RETRY_S_MAX: Final = 2.0


class Worth(IntEnum):
    """What a waiting record is worth."""

    PASSING = 0
    NEWS = 1
    KEPT = 2


class Outbox:
    """The queue between the engine and the ledger.

    Attributes:
        dropped: number of records dropped because the ledger was away too long, by worth.
        refused: records that the ledger will never take; each is logged whole.
        intended: is told of each intent on its way to the ledger.
        on_intent: is told of each intent, while `run` runs, whether the ledger has it now or never
            will; what it is of waits for that.

    Args:
        ledger: where to send.
        generation: this engine's number.
        has_ledger: says whether there may be a ledger again before this process ends.
    """

    def __init__(
        self,
        ledger: Caller,
        *,
        generation: int | None = None,
        has_ledger: Callable[[], bool] = lambda: True,
        engine_id: str = MAIN,
    ) -> None:
        self.dropped = {Worth.PASSING: 0, Worth.NEWS: 0}
        self.refused = 0
        self.intended: Callable[[IntentRecord], None] = _unheard
        self.on_intent: Callable[[IntentRecord, bool], None] = _nobody
        self._ledger = ledger
        self._has_ledger = has_ledger
        self._generation = generation
        self._engine_id = engine_id
        self._put_count = 0
        self._kept_count = 0
        self._waiting: dict[Worth, deque[tuple[int, Record]]] = {worth: deque() for worth in Worth}
        self._sending: list[Record] = []
        self._appended = asyncio.Event()
        self._hurried = asyncio.Event()
        self._hurried_count = 0
        self._durable: dict[int, asyncio.Future[None]] = {}

    def put(self, record: Record) -> None:
        """Append a record; the oldest of no more worth than news gives way when too many wait."""
        worth = worth_of(record)
        waiting = self._waiting[worth]
        self._put_count += 1
        waiting.append((self._put_count, record))
        if worth is Worth.KEPT:
            self._kept_count += 1
        else:
            most = PASSING_MAX if worth is Worth.PASSING else NEWS_MAX
            if len(waiting) > most:
                waiting.popleft()
                self.dropped[worth] += 1
        self._appended.set()
        if isinstance(record, IntentRecord):
            self._hurried.set()
            self.intended(record)

    async def put_durably(self, record: Record, *, timeout_s: float = 5.0) -> None:
        """Append a record and wait until the ledger has it.

        Raises:
            TransientError: it is not durable yet; it stays queued.
            BadValueError: the ledger refuses it for good; it will never be stored.
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
        return len(self._sending) + sum(len(waiting) for waiting in self._waiting.values())

    def is_behind(self) -> bool:
        """Say whether no plan should be made: too much money waits, or what waits is lost."""
        return self._kept_count > BEHIND_AT or not self._has_ledger()

    async def run(self) -> None:
        """Send for ever; cancel to stop.

        Raises:
            SupersededError: another engine has begun; nothing more of this one is stored.
        """
        backoff = Backoff(LEDGER_RECORDS, first_s=RETRY_S_FIRST, longest_s=RETRY_S_MAX)
        while True:
            await self._appended.wait()
            # One transaction for what comes together; an order waits for its intent, though.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BATCH_S):
                    await self._hurried.wait()
            try:
                await self._send_next()
            except TransientError as error:
                log.warning("%d records wait for the ledger: %s", self.waiting, error)
                await asyncio.sleep(backoff.next_s())
                continue
            backoff.reset()

    async def drain(self, *, timeout_s: float) -> int:
        """Send what waits before closing; returns how many records could not be sent."""
        self.on_intent = _nobody  # nothing leaves any more
        try:
            async with asyncio.timeout(timeout_s):
                while self.waiting:
                    await self._send_next()
        except (TimeoutError, TransientError) as error:
            log.warning("%d records were not stored: %s", self.waiting, error)
        except SupersededError as error:
            kept = [*self._sending, *(record for _, record in self._waiting[Worth.KEPT])]
            for record in kept:
                log.error("not stored (%s): %s", error, msgspec.json.encode(record).decode())  # noqa: TRY400 - as above
        return self.waiting

    async def _send_next(self) -> None:
        # A batch that failed is sent again as it was: the ledger may have it.
        self._sending = self._sending or self._take_batch()
        try:
            await self._append(self._sending)
        except BadValueError:
            # One record spoils its batch: find it, so that the others are stored.
            while self._sending:
                await self._send_alone(self._sending[0])
                del self._sending[0]
        else:
            for record in self._sending:
                self._settle(record, None)
            self._sending = []
        if not self.waiting:
            self._appended.clear()

    def _take_batch(self) -> list[Record]:
        batch: list[Record] = []
        queues = self._queues()
        self._hurried.clear()
        while len(batch) < BATCH_MAX and any(queues):
            oldest = min((queue for queue in queues if queue), key=lambda queue: queue[0][0])
            batch.append(oldest.popleft()[1])
        return batch

    def _queues(self) -> Collection[deque[tuple[int, Record]]]:
        """Return what the next batch is of: while an intent waits, of nothing that passes.

        What is left waits for the next batch. News go along: a crash must not leave more than the
        last trade stored and not told.
        """
        lasting = [self._waiting[Worth.KEPT], self._waiting[Worth.NEWS]]
        is_hurried = self._hurried.is_set() and bool(lasting[0])
        if is_hurried and self._hurried_count < HURRIED_MAX:
            self._hurried_count += 1
            return lasting
        self._hurried_count = 0
        return self._waiting.values()

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
            self._settle(record, error)
        else:
            self._settle(record, None)

    async def _append(self, batch: list[Record]) -> None:
        reply = await self._ledger.call(
            Append(records=batch, generation=self._generation, engine_id=self._engine_id),
            timeout_s=CALL_TIMEOUT_S,
        )
        if isinstance(reply, Superseded):
            raise SupersededError(
                f"another engine has begun since (generation {reply.generation}, this is "
                f"{self._generation}): this one stops, and its records are refused"
            )

    def _settle(self, record: Record, error: BadValueError | None) -> None:
        if worth_of(record) is Worth.KEPT:
            self._kept_count -= 1
        if isinstance(record, IntentRecord):
            self.on_intent(record, error is None)
        future = self._durable.get(id(record))
        if future is None or future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def _nobody(_record: IntentRecord, _is_stored: bool) -> None:  # noqa: FBT001 - as it is called
    """Tell nobody."""


def _unheard(_record: IntentRecord) -> None:
    """Tell nobody."""


def worth_of(record: Record) -> Worth:
    """Say what a record is worth while it waits."""
    if isinstance(record, OpportunityRecord | OpportunityClosed):
        return Worth.PASSING
    if isinstance(record, NoticeRecord):
        return Worth.PASSING if isinstance(record.notice, OpportunitySeen) else Worth.NEWS
    return Worth.KEPT
