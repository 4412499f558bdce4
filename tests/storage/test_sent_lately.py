"""What was sent within the last minute, and what failed in a row, is known over a restart."""

from dataclasses import replace

from msgspec import structs

from engine.bus.records import EngineState, ExecutionRecord, LoadState
from engine.domain.orders import OrderState
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock
from tests.storage.test_intents import intent_of

SENT_NS = makers.NOW_NS + 1_000


def real(number: int, *fates: OrderState) -> ExecutionRecord:
    """A live trade whose orders ended so, each at one of two venues."""
    record = makers.make_execution_record(number=number, closed_at_ns=makers.NOW_NS + number)
    orders = tuple(
        replace(
            order,
            state=fate,
            version=2,
            fills=order.fills if fate is OrderState.FILLED else (),
        )
        for order, fate in zip(record.execution.orders, fates, strict=True)
    )
    return structs.replace(
        record,
        plan=structs.replace(record.plan, is_live=True),
        execution=replace(record.execution, orders=orders),
    )


async def load(settings: LedgerSettings, clock: Clock, *records: object) -> EngineState:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *records)  # type: ignore[arg-type]
        return await ask(ledger, LoadState(day_start_ns=0), EngineState)


async def test_orders_of_the_last_minute_count_ended_or_under_way(
    settings: LedgerSettings, clock: Clock
) -> None:
    under_way = intent_of(makers.make_execution_record(number=2))

    state = await load(settings, clock, makers.make_execution_record(), under_way)

    assert state.sent_at_ns == (SENT_NS,) * 4


async def test_orders_of_more_than_a_minute_ago_do_not(
    settings: LedgerSettings, clock: Clock
) -> None:
    clock.now_ns += 60 * makers.SECOND_NS + 1_000

    assert (await load(settings, clock, makers.make_execution_record())).sent_at_ns == ()


async def test_failures_count_from_the_last_order_that_was_filled(
    settings: LedgerSettings, clock: Clock
) -> None:
    failed, filled, moved = OrderState.REJECTED, OrderState.FILLED, OrderState.EXPIRED

    state = await load(
        settings,
        clock,
        real(1, failed, failed),
        real(2, filled, failed),
        real(3, failed, moved),
        real(4, failed, filled),
    )

    assert state.failures == {makers.BUY_VENUE: (2, makers.NOW_NS + 4)}


async def test_what_failed_on_paper_says_nothing_of_a_venue(
    settings: LedgerSettings, clock: Clock
) -> None:
    record = real(1, OrderState.REJECTED, OrderState.REJECTED)
    paper = structs.replace(record, plan=structs.replace(record.plan, is_live=False))

    assert (await load(settings, clock, paper)).failures == {}
