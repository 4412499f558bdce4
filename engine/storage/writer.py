"""The writer: one task that owns the one connection and runs one transaction at a time.

Reading goes through it too. A second connection would wake the WAL-reset bug of older SQLite, and
reads are short: long ones (exports, retention) come in pages, between which others get their turn.

Whoever asks may be cancelled at any moment; the transaction is not, because it runs in the
writer's own task. A cancelled request has therefore an unknown outcome, and asking again with the
same record ids is safe.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Any, Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.backoff import Backoff
from engine.domain.errors import FatalError, SyndicateError, TransientError
from engine.domain.recovery import DATABASE_WORK
from engine.storage.database import Database
from engine.storage.ledger_settings import LedgerSettings

BACKOFF_S_FIRST = 0.1
BACKOFF_S_MAX = 2.0

TIDY_JOBS: Final = 100
"""So many transactions are about a thousand pages of the log."""

QUIET_S: Final = 0.05
"""The log is moved to its places once nobody has asked for so long."""

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

_FAILURES = (
    SQLAlchemyError,
    sqlite3.Error,
    OSError,
    OverflowError,
    UnicodeError,
    SyndicateError,
)
"""What a database raises, and what its driver raises about values; all else is our own mistake."""

_log = logging.getLogger(__name__)


class _Turn(IntEnum):
    """Who goes before whom; among their like those that came first."""

    AT_ONCE = 0
    IN_ORDER = 1
    LAST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    work: Work[Any]
    then: Callable[[Any], None] | None
    in_transaction: bool
    is_long: bool
    done: asyncio.Future[Any]


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """A job in the queue; the end of all of them is none."""

    turn: _Turn
    number: int
    job: _Job | None = field(compare=False)


class Writer:
    """Runs pieces of work on the database, one after another, each in its own transaction."""

    def __init__(self, *, database: Database, settings: LedgerSettings) -> None:
        self.database = database
        self._settings = settings
        self._jobs: asyncio.PriorityQueue[_Place] = asyncio.PriorityQueue(settings.jobs_max)
        self._numbers = count()
        self._untidied = 0
        self._connection: AsyncConnection | None = None
        self._failure: FatalError | None = None
        self._is_closing = False
        self._is_over = False
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`, and drop the connection.

        Raises:
            FatalError: the database cannot be relied on any more; everyone waiting is told.
        """
        try:
            while (job := await self._next()) is not None:
                await self._serve(job)
                if self._failure is not None:
                    raise self._failure
        finally:
            self._is_closing = self._is_over = True
            self._refuse_waiting()
            await self._disconnect()
            self._ended.set()

    async def transact(self, work: Work[T], *, then: Callable[[T], None] | None = None) -> T:
        """Run `work` in a transaction of its own and return its result once it is durable.

        `work` may be run again from the start when a connection is lost, so it must depend on
        nothing but its connection. `then` is called with the result as soon as it is durable,
        also when whoever asked does not wait any more.

        Raises:
            FatalError: the database failed; nothing of `work` was kept.
            TransientError: the database is away or too many requests wait.
            BadValueError: the database refuses a value; nothing of `work` was kept.
        """
        return await self._submit(work, then=then, in_transaction=True, is_long=False)

    async def at_once(self, work: Work[T], *, then: Callable[[T], None] | None = None) -> T:
        """Run `work` before all that waits, outside of a transaction: it is one change by itself.

        Somebody holds something back until it is durable; see `transact` for all else.
        """
        return await self._submit(
            work, then=then, in_transaction=False, is_long=False, turn=_Turn.AT_ONCE
        )

    async def transact_long(self, work: Work[T]) -> T:
        """Do as `transact`, without a bound on the time: for changes of the schema."""
        return await self._submit(work, then=None, in_transaction=True, is_long=True)

    async def alone(self, work: Work[T]) -> T:
        """Run `work` outside of a transaction while nothing else uses the connection."""
        return await self._submit(work, then=None, in_transaction=False, is_long=True)

    async def stop(self) -> None:
        """Finish what was accepted, up to `close_s`, accept nothing more, and close."""
        self._is_closing = True
        if self._ended.is_set():
            return
        try:
            async with asyncio.timeout(self._settings.close_s):
                await self._jobs.put(_Place(_Turn.LAST, next(self._numbers), None))
                await self._ended.wait()
        except TimeoutError:
            _log.warning(
                "the ledger's last requests did not finish within %s s", self._settings.close_s
            )

    async def _submit(
        self,
        work: Work[T],
        *,
        then: Callable[[T], None] | None,
        in_transaction: bool,
        is_long: bool,
        turn: _Turn = _Turn.IN_ORDER,
    ) -> T:
        if self._failure is not None:
            raise self._failure
        if self._is_closing:
            raise TransientError("the ledger is closing; ask again after its restart")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = _Job(work=work, then=then, in_transaction=in_transaction, is_long=is_long, done=done)
        try:
            async with asyncio.timeout(self._settings.queue_s):
                await self._jobs.put(_Place(turn, next(self._numbers), job))
        except TimeoutError as error:
            raise TransientError(
                f"the ledger is behind: {self._settings.jobs_max} requests wait; ask again later"
            ) from error
        if self._is_over:
            self._refuse_waiting()
        return await done

    async def _next(self) -> _Job | None:
        """Return whose turn it is; while nobody asks, move the log to its places first."""
        if self._untidied >= TIDY_JOBS:
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET_S):
                    return (await self._jobs.get()).job
            self._untidied = 0
            return _Job(
                work=self.database.tidy,
                then=None,
                in_transaction=False,
                is_long=True,
                done=asyncio.get_running_loop().create_future(),
            )
        return (await self._jobs.get()).job

    async def _serve(self, job: _Job) -> None:
        if job.done.cancelled():
            return
        try:
            result = await self._attempt(job)
        except asyncio.CancelledError:
            job.done.cancel()
            raise
        except FatalError as error:
            self._failure = error
            _settle(job.done, error)
        except Exception as error:  # noqa: BLE001 - whoever asked gets it; the writer goes on
            _settle(job.done, error)
        else:
            if job.then is not None:
                job.then(result)
            if not job.done.cancelled():
                job.done.set_result(result)

    async def _attempt(self, job: _Job) -> Any:
        backoff = Backoff(
            DATABASE_WORK, first_s=BACKOFF_S_FIRST, longest_s=BACKOFF_S_MAX, of="database"
        )
        for attempt in range(1, self._settings.attempts_max + 1):
            try:
                result = await self._run_once(job)
            except _FAILURES as error:
                failure = self.database.translate(error)
                if not isinstance(failure, TransientError) or isinstance(error, FatalError):
                    raise failure from error
                await self._disconnect()
                if attempt == self._settings.attempts_max:
                    backoff.give_up()
                    raise failure from error
                _log.warning("%s; attempt %d follows", failure, attempt + 1)
            else:
                backoff.reset()
                self._untidied += 1
                return result
            await asyncio.sleep(backoff.next_s())
        raise AssertionError("attempts_max is above 0")

    async def _run_once(self, job: _Job) -> Any:
        if self._connection is None:
            self._connection = await self.database.connect()
        connection = self._connection
        limit_s = None if job.is_long else self.database.transaction_s
        async with nullcontext() if limit_s is None else asyncio.timeout(limit_s):
            if not job.in_transaction:
                return await job.work(connection)
            async with connection.begin():
                return await job.work(connection)

    def _refuse_waiting(self) -> None:
        while not self._jobs.empty():
            job = self._jobs.get_nowait().job
            if job is not None:
                _settle(
                    job.done,
                    self._failure
                    or TransientError("the ledger is closing; ask again after its restart"),
                )

    async def _disconnect(self) -> None:
        self._connection = None
        await self.database.disconnect()


def _settle(done: asyncio.Future[Any], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
