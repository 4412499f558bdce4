"""Plans that have not ended are known after a restart, with all that they intended."""

from dataclasses import replace

from engine.bus.records import EngineState, ExecutionRecord, IntentRecord, LoadState
from engine.domain.modes import Basis
from engine.domain.orders import Intent, OrderState, Purpose
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
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
