"""Plans that have not ended are known after a restart, with all that they intended."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.records import (
    Append,
    Appended,
    EngineState,
    ExecutionRecord,
    IntentRecord,
    LoadState,
    Superseded,
)
from engine.bus.request import Request
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.domain.orders import Intent, OrderState, Purpose
from engine.requests.money import GetTrades
from engine.storage import writer as writer_module
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.storage.ledger_settings import DATABASE_NAME
from tests.patience import PATIENCE_S
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock


def intent_of(record: ExecutionRecord, *, basis: Basis = Basis.SANDBOX) -> IntentRecord:
    orders = tuple(
        replace(order, state=OrderState.PLANNED, fills=()) for order in record.execution.orders
    )
    return IntentRecord(
        run_id=record.run_id, basis=basis, intent=Intent(plan=record.plan, orders=orders)
    )


async def open_plans(ledger: Ledger) -> list[Intent]:
    return (await ask(ledger, LoadState(day_start_ns=0), EngineState)).open_plans


async def test_a_plan_is_open_from_its_intent_until_its_execution_is_stored(
    settings: LedgerSettings, clock: Clock
) -> None:
    record, other = (makers.make_execution_record(number=number) for number in (1, 2))
    first, second = intent_of(record), intent_of(other)
    order = first.intent.orders[0]
    unwinding = IntentRecord(
        run_id=first.run_id,
        basis=first.basis,
        intent=Intent(
            plan=record.plan,
            orders=(
                replace(order, client_order_id="later", purpose=Purpose.UNWIND, sent_at_ns=2**62),
            ),
        ),
    )
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, first, second, unwinding)
        await append(ledger, first, unwinding)

        both = {one.plan.plan_id: one for one in await open_plans(ledger)}
        await append(ledger, record)
        left = await open_plans(ledger)

    assert both == {
        record.plan.plan_id: Intent(
            plan=record.plan, orders=(*first.intent.orders, *unwinding.intent.orders)
        ),
        other.plan.plan_id: second.intent,
    }
    assert left == [second.intent]


async def test_a_transaction_is_open_like_any_plan(settings: LedgerSettings, clock: Clock) -> None:
    record = makers.make_atomic_record()
    transaction = record.execution.transaction
    assert transaction is not None
    intent = Intent(plan=record.plan, transactions=(replace(transaction, receipt=None),))
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, IntentRecord(run_id=record.run_id, basis=record.basis, intent=intent))

        assert await open_plans(ledger) == [intent]


async def test_an_engine_takes_over_what_is_of_its_own_basis_alone(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    record = intent_of(makers.make_execution_record())
    async with open_ledger(replace(sqlite_settings, basis=Basis.LIVE), clock=clock) as ledger:
        await append(ledger, record)

        assert await open_plans(ledger) == []


async def test_an_intent_of_the_engine_that_acts_is_kept_once_however_often_it_comes(
    settings: LedgerSettings, clock: Clock
) -> None:
    first, second = (intent_of(makers.make_execution_record(number=number)) for number in (1, 2))
    async with open_ledger(settings, clock=clock) as ledger:
        generation = (await ask(ledger, LoadState(day_start_ns=0), EngineState)).generation
        for records in ([first], [first], [first, second], [second]):
            appended = await ask(
                ledger, Append(records=[*records], generation=generation), Appended
            )
            assert appended.count == len(records)

        assert await open_plans(ledger) == [first.intent, second.intent]


async def test_an_intent_with_an_id_of_another_is_refused_and_the_ledger_goes_on(
    settings: LedgerSettings, clock: Clock
) -> None:
    record = intent_of(makers.make_execution_record())
    order = replace(record.intent.orders[0], sent_at_ns=1)
    other = IntentRecord(
        run_id=record.run_id,
        basis=record.basis,
        intent=Intent(plan=record.intent.plan, orders=(order, *record.intent.orders[1:])),
    )
    async with open_ledger(settings, clock=clock) as ledger:
        generation = (await ask(ledger, LoadState(day_start_ns=0), EngineState)).generation
        await ask(ledger, Append(records=[record], generation=generation), Appended)
        with pytest.raises(BadValueError, match="already holds record_id"):
            await ask(ledger, Append(records=[other], generation=generation), Appended)

        assert await open_plans(ledger) == [record.intent]


async def test_no_intent_is_kept_of_an_engine_that_another_followed(
    settings: LedgerSettings, clock: Clock
) -> None:
    record = intent_of(makers.make_execution_record())
    async with open_ledger(settings, clock=clock) as ledger:
        former = (await ask(ledger, LoadState(day_start_ns=0), EngineState)).generation
        newest = (await ask(ledger, LoadState(day_start_ns=0), EngineState)).generation
        refused = await ask(ledger, Append(records=[record], generation=former), Superseded)

        assert refused == Superseded(generation=newest)
        assert await open_plans(ledger) == []


async def test_an_intent_goes_before_all_that_waits_for_the_database(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    record = intent_of(makers.make_execution_record())
    begun, goes_on = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def long(_connection: AsyncConnection) -> None:
        begun.set()
        await goes_on.wait()

    async with open_ledger(sqlite_settings, clock=clock) as ledger, asyncio.timeout(PATIENCE_S):

        async def answered(name: str, what: Request[Any]) -> None:
            await ledger.answer(what)
            done.append(name)

        generation = (await ask(ledger, LoadState(day_start_ns=0), EngineState)).generation
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ledger._writer.transact(long))
            await begun.wait()
            for name, what in (
                ("trades", GetTrades(limit=1)),
                ("intent", Append(records=[record], generation=generation)),
            ):
                tasks.create_task(answered(name, what))
                await asyncio.sleep(0)
            while ledger._writer._jobs.qsize() < 2:
                await asyncio.sleep(0)
            goes_on.set()

    assert done == ["intent", "trades"]


async def test_the_log_is_moved_to_its_places_once_nobody_asks(
    sqlite_settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "TIDY_JOBS", 1)
    path = sqlite_settings.data_dir / DATABASE_NAME
    record = intent_of(makers.make_execution_record())
    async with open_ledger(sqlite_settings, clock=clock) as ledger, asyncio.timeout(PATIENCE_S):
        generation = (await ask(ledger, LoadState(day_start_ns=0), EngineState)).generation
        await ask(ledger, Append(records=[record], generation=generation), Appended)
        while record.intent.plan.plan_id.encode() not in path.read_bytes():
            await asyncio.sleep(0)


async def test_the_log_has_its_room_from_the_start_also_where_there_is_nothing_to_write(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    settings = replace(sqlite_settings, log_bytes=2**20)
    record = intent_of(makers.make_execution_record())
    for _ in range(2):
        async with open_ledger(settings, clock=clock) as ledger:
            log = settings.data_dir / f"{DATABASE_NAME}-wal"
            assert log.stat().st_size >= settings.log_bytes
            await append(ledger, record)

    async with open_ledger(settings, clock=clock) as ledger:
        assert await open_plans(ledger) == [record.intent]
