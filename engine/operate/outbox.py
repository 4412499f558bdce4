"""Records on their way to the ledger: bounded, in order, kept until the ledger has them.

The hot path only appends. What a record is worth decides what becomes of it while the ledger is
away: money and state are never dropped, and when much of them waits the decider refuses new plans.
News and passing sights are bounded; the oldest are dropped and counted, and stop nothing.

Intents have a lane of their own and go at once, as orders wait for them; all else goes in batches,
in the order of its kind. Nothing that is stored means anything else behind an intent than before.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Final

import msgspec

from engine.bus.notices import OpportunitySeen
from engine.bus.records import (
    Append,
    Appended,
    IntentRecord,
    NoticeRecord,
    OpportunityClosed,
    OpportunityRecord,
    Record,
    Superseded,
)
from engine.bus.request import AsksNow, Caller
from engine.domain.backoff import Backoff
from engine.domain.engines import MAIN
from engine.domain.errors import BadValueError, SupersededError, TransientError, worst_of
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
INTENTS_MAX: Final = 50
"""So many intents go together."""
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
        self._intents: deque[Record] = deque()
        self._first = _Lane(self._take_intents, lambda: bool(self._intents))
        self._rest = _Lane(self._take_batch, lambda: any(self._waiting.values()))
        self._early: dict[int, Callable[[], Awaitable[Appended | Superseded]]] = {}
        self._durable: dict[int, asyncio.Future[None]] = {}

    def put(self, record: Record) -> None:
        """Append a record; the oldest of no more worth than news gives way when too many wait."""
        if isinstance(record, IntentRecord):
            self._kept_count += 1
            self._intents.append(record)
            self._send_early(record)
            self._first.appended.set()
            self.intended(record)
            return
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
        self._rest.appended.set()

    def _send_early(self, record: IntentRecord) -> None:
        """Send an intent within this turn of the loop, which ends once the input is done with."""
        if isinstance(self._ledger, AsksNow):
            asked = self._ledger.ask_now(self._asked([record]), timeout_s=CALL_TIMEOUT_S)
            if asked is not None:
                self._early[id(record)] = asked

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
        taken = len(self._first.sending) + len(self._rest.sending) + len(self._intents)
        return taken + sum(len(waiting) for waiting in self._waiting.values())

    def is_behind(self) -> bool:
        """Say whether no plan should be made: too much money waits, or what waits is lost."""
        return self._kept_count > BEHIND_AT or not self._has_ledger()

    async def run(self) -> None:
        """Send for ever; cancel to stop.

        Raises:
            SupersededError: another engine has begun; nothing more of this one is stored.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._run(self._first, wait_s=0.0))
                tasks.create_task(self._run(self._rest, wait_s=BATCH_S))
        except ExceptionGroup as errors:
            raise worst_of(errors) from None

    async def _run(self, lane: "_Lane", *, wait_s: float) -> None:
        backoff = Backoff(LEDGER_RECORDS, first_s=RETRY_S_FIRST, longest_s=RETRY_S_MAX)
        while True:
            await lane.appended.wait()
            if wait_s:  # one transaction for what comes together
                await asyncio.sleep(wait_s)
            try:
                await self._send_next(lane)
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
                    await self._send_next(self._first)
                    await self._send_next(self._rest)
        except (TimeoutError, TransientError) as error:
            log.warning("%d records were not stored: %s", self.waiting, error)
        except SupersededError as error:
            kept = [*self._first.sending, *self._intents, *self._rest.sending]
            kept += [record for _, record in self._waiting[Worth.KEPT]]
            for record in kept:
                log.error("not stored (%s): %s", error, msgspec.json.encode(record).decode())  # noqa: TRY400 - as above
        return self.waiting

    async def _send_next(self, lane: "_Lane") -> None:
        # A batch that failed is sent again as it was: the ledger may have it.
        lane.sending = lane.sending or lane.take()
        try:
            if lane.sending:
                await self._append(lane.sending)
        except BadValueError:
            # One record spoils its batch: find it, so that the others are stored.
            while lane.sending:
                await self._send_alone(lane.sending[0])
                del lane.sending[0]
        else:
            for record in lane.sending:
                self._settle(record, None)
            lane.sending = []
        if not lane.has_more():
            lane.appended.clear()

    def _take_intents(self) -> list[Record]:
        return [self._intents.popleft() for _ in range(min(INTENTS_MAX, len(self._intents)))]

    def _take_batch(self) -> list[Record]:
        batch: list[Record] = []
        queues = self._waiting.values()
        while len(batch) < BATCH_MAX and any(queues):
            oldest = min((queue for queue in queues if queue), key=lambda queue: queue[0][0])
            batch.append(oldest.popleft()[1])
        return batch

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
        # What was sent within the turn that made it is asked for again only if that failed.
        early = [self._early.pop(id(record), None) for record in batch]
        known = [await one() for one in early if one is not None]
        if None in early:
            known.append(await self._ledger.call(self._asked(batch), timeout_s=CALL_TIMEOUT_S))
        for reply in known:
            self._check_place(reply)

    def _asked(self, batch: list[Record]) -> Append:
        return Append(records=batch, generation=self._generation, engine_id=self._engine_id)

    def _check_place(self, reply: Appended | Superseded) -> None:
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


class _Lane:
    """Batches that go one after the other, each until it is stored.

    Attributes:
        take: takes the next batch out of what waits.
        has_more: says whether anything waits.
        appended: set while something waits, or is on its way.
        sending: the batch that is on its way.
    """

    def __init__(self, take: Callable[[], list[Record]], has_more: Callable[[], bool]) -> None:
        self.take = take
        self.has_more = has_more
        self.appended = asyncio.Event()
        self.sending: list[Record] = []


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
