"""One transaction at a time, which nobody who asks can tear apart."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.records import Append
from engine.domain.errors import FatalError, TransientError
from engine.domain.modes import Basis
from engine.requests.chat import GetNotices
from engine.storage.append import append
from engine.storage.ledger import LedgerSettings, open_ledger
from engine.storage.opening import open_writer, prepare
from engine.storage.writer import Writer
from tests.patience import PATIENCE_S
from tests.storage import asking, makers
from tests.storage.conftest import Clock

Work = Callable[[AsyncConnection], Awaitable[None]]


class Gate:
    """Work that says when it is under way, and goes on when it is told."""

    def __init__(self, work: Work | None = None) -> None:
        self.started = asyncio.Event()
        self.released = asyncio.Event()
        self._work = work

    async def __call__(self, connection: AsyncConnection) -> None:
        self.started.set()
        await self.released.wait()
        if self._work is not None:
            await self._work(connection)


async def _store_execution(connection: AsyncConnection) -> None:
    await append(connection, [makers.make_execution_record()], basis=Basis.SANDBOX)


async def _nothing(_connection: AsyncConnection) -> None:
    return


async def _prepared(writer: Writer, settings: LedgerSettings, clock: Clock) -> None:
    await prepare(writer, settings=settings, clock=clock)


async def test_a_request_cancelled_in_its_transaction_is_committed_whole(
    bare_settings: LedgerSettings, clock: Clock
) -> None:
    gate = Gate(_store_execution)
    told = asyncio.Event()
    bare_settings.data_dir.mkdir()
    async with open_writer(bare_settings) as writer, asyncio.timeout(PATIENCE_S):
        await _prepared(writer, bare_settings, clock)
        async with asyncio.TaskGroup() as tasks:
            asker = tasks.create_task(writer.transact(gate, then=lambda _: told.set()))
            await gate.started.wait()
            asker.cancel()
            gate.released.set()
            await told.wait()

    async with open_ledger(bare_settings, clock=clock) as ledger:
        assert (await asking.trades(ledger)).total == 1


async def test_a_request_cancelled_before_its_turn_is_not_run(
    bare_sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    gate, ran = Gate(), asyncio.Event()

    async def work(_connection: AsyncConnection) -> None:
        ran.set()

    bare_sqlite_settings.data_dir.mkdir()
    async with open_writer(bare_sqlite_settings) as writer, asyncio.timeout(PATIENCE_S):
        await _prepared(writer, bare_sqlite_settings, clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(writer.transact(gate))
            await gate.started.wait()
            waiting = tasks.create_task(writer.transact(work))
            while writer._jobs.empty():
                await asyncio.sleep(0)
            waiting.cancel()
            gate.released.set()
            await writer.transact(_nothing)

    assert not ran.is_set()


async def test_transactions_of_many_tasks_never_interleave(
    bare_settings: LedgerSettings, clock: Clock
) -> None:
    running = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await connection.exec_driver_sql("SELECT 1")
        await asyncio.sleep(0)
        running -= 1

    bare_settings.data_dir.mkdir()
    async with open_writer(bare_settings) as writer:
        await _prepared(writer, bare_settings, clock)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(50):
                tasks.create_task(writer.transact(work))


async def test_a_full_queue_refuses_after_the_time_named_and_recovers(
    bare_sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    settings = dataclasses.replace(bare_sqlite_settings, jobs_max=1, queue_s=0.05)
    gate = Gate()
    settings.data_dir.mkdir()
    async with open_writer(settings) as writer, asyncio.timeout(PATIENCE_S):
        await _prepared(writer, settings, clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(writer.transact(gate))
            await gate.started.wait()
            tasks.create_task(writer.transact(_nothing))
            while not writer._jobs.full():
                await asyncio.sleep(0)
            with pytest.raises(TransientError, match="1 requests wait"):
                await writer.transact(_nothing)
            gate.released.set()
        await writer.transact(_nothing)


async def test_a_mistake_in_one_request_is_told_to_its_asker_alone(
    bare_sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async def mistake(connection: AsyncConnection) -> None:
        await _store_execution(connection)
        raise ZeroDivisionError

    bare_sqlite_settings.data_dir.mkdir()
    async with open_writer(bare_sqlite_settings) as writer:
        await _prepared(writer, bare_sqlite_settings, clock)
        with pytest.raises(ZeroDivisionError):
            await writer.transact(mistake)
        await writer.transact(_nothing)

    async with open_ledger(bare_sqlite_settings, clock=clock) as ledger:
        assert (await asking.trades(ledger)).total == 0


async def test_a_fatal_failure_ends_the_ledger_and_is_told_to_all_who_wait(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async def fail(_connection: AsyncConnection) -> None:
        raise FatalError("the disk is gone")

    answers: list[str] = []

    async def ask(asking_now: Awaitable[object]) -> None:
        try:
            answers.append(repr(await asking_now))
        except (FatalError, TransientError) as error:
            answers.append(str(error))

    async def role() -> None:
        async with open_ledger(sqlite_settings, clock=clock) as ledger:
            async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
                tasks.create_task(ask(ledger._writer.transact(fail)))
                tasks.create_task(
                    ask(ledger.answer(Append(records=[makers.make_execution_record()])))
                )
                tasks.create_task(ask(ledger.answer(GetNotices(reader="phone", wait_ms=60_000))))
            pytest.fail("the ledger went on")

    with pytest.raises(FatalError, match="the disk is gone"):
        await role()

    assert answers == ["the disk is gone"] * 3
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        assert (await asking.trades(ledger)).total == 0


async def test_closing_finishes_what_was_accepted(settings: LedgerSettings, clock: Clock) -> None:
    async with asyncio.TaskGroup() as tasks, open_ledger(settings, clock=clock) as ledger:
        appending = [
            tasks.create_task(asking.append(ledger, makers.make_execution_record(number=n)))
            for n in range(20)
        ]
        while ledger._writer._jobs.qsize() < 15:
            await asyncio.sleep(0)
    assert all(task.exception() is None for task in appending)

    async with open_ledger(settings, clock=clock) as ledger:
        assert (await asking.trades(ledger)).total == 20


async def test_a_cancelled_role_closes_the_ledger_without_an_error_of_its_own(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    opened = asyncio.Event()

    async def role() -> None:
        async with open_ledger(sqlite_settings, clock=clock) as ledger:
            await asking.append(ledger, makers.make_execution_record())
            opened.set()
            await asking.notices(ledger, wait_ms=60_000)

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(role())
        await opened.wait()
        running.cancel()

    assert running.cancelled()
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        assert (await asking.trades(ledger)).total == 1
