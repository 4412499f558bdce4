"""The life of a trade as it is stored, and what is open as the engine knows it."""

from engine.bus.life import LifeReport
from engine.bus.reports import Unknown
from engine.requests.life import GetLife
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock


async def test_each_step_of_a_trade_is_told_in_order(
    settings: LedgerSettings, clock: Clock
) -> None:
    seen = makers.make_opportunity_record(seen_at_ns=makers.NOW_NS - makers.SECOND_NS)
    record = makers.make_execution_record()
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, seen, record)
        life = await ask(ledger, GetLife(ref=seen.opportunity_id), LifeReport)
        same = await ask(ledger, GetLife(ref=record.execution.execution_id), LifeReport)
        newest = await ask(ledger, GetLife(), LifeReport)

    kinds = [event.what for event in life.events]
    assert kinds[0] == "found"
    assert {"decided", "sent", "filled", "closed"} <= set(kinds)
    assert [e.at_ns for e in life.events] == sorted(e.at_ns for e in life.events)
    orders = record.execution.orders
    assert kinds.count("sent") == len(orders)
    assert kinds.count("filled") == sum(len(order.fills) for order in orders)
    assert life.profit_usd == record.execution.profit_usd
    assert life == same == newest


async def test_a_transaction_tells_its_chain_and_its_gas(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_atomic_record(number=7, why="too late"))
        life = await ask(ledger, GetLife(), LifeReport)

    told = {event.what: event.text for event in life.events}
    assert told["sent"] == "transaction on ethereum"
    assert told["reverted"].startswith("too late; gas ")


async def test_what_is_no_trade_is_unknown(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        assert await ask(ledger, GetLife(ref="r1"), Unknown) == Unknown(what="trade r1")
        assert await ask(ledger, GetLife(), Unknown) == Unknown(what="no trade yet")
