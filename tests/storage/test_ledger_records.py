"""What is appended is there afterwards, once, all of it or nothing."""

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from engine.bus.records import Append, Appended, EngineState, LoadState, Record, Superseded
from engine.bus.reports import WhyReport
from engine.domain.errors import BadValueError
from engine.domain.modes import Mode
from engine.requests.why import GetStoredWhy
from engine.storage.generations import make_run_id
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask, notices, trades
from tests.storage.conftest import Clock


async def test_an_execution_comes_back_as_it_was_stored(
    settings: LedgerSettings, clock: Clock
) -> None:
    record = makers.make_execution_record(residual_base=Decimal("-0.00000001"))
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_opportunity_record(), record, makers.make_closed())

    async with open_ledger(settings, clock=clock) as ledger:
        stored = await trades(ledger)

    (trade,) = stored.trades
    assert stored.total == 1
    assert trade.profit_usd == record.execution.profit_usd
    assert trade.expected_usd == record.execution.expected_usd
    assert trade.left_over == tuple(one.held for one in record.execution.residuals)
    assert trade.size_base == Decimal("0.01")
    assert (trade.pair, trade.buy_venue, trade.sell_venue) == ("BTC-USD", "coinbase", "gemini")


async def test_a_record_that_arrives_twice_is_stored_once(
    settings: LedgerSettings, clock: Clock
) -> None:
    records: list[Record] = [
        makers.make_opportunity_record(),
        makers.make_execution_record(),
        makers.make_state_record(),
        makers.make_notice_record(),
    ]
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *records, *records)
        await append(ledger, *records)

        stored = await trades(ledger)
        news = await notices(ledger)

    assert stored.total == 1
    assert [stamped.notice for stamped in news.notices] == [makers.make_notice()]


async def test_a_money_record_with_a_used_id_and_other_content_is_refused(
    settings: LedgerSettings, clock: Clock
) -> None:
    first = makers.make_execution_record()
    other = makers.make_execution_record(profit_usd=Decimal(5))
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, first)

        with pytest.raises(BadValueError, match=r"exec-run1-1.*other content"):
            await append(ledger, other)

        (trade,) = (await trades(ledger)).trades
    assert trade.profit_usd == first.execution.profit_usd


async def test_a_fill_id_of_another_execution_is_refused_and_nothing_is_kept(
    settings: LedgerSettings, clock: Clock
) -> None:
    first = makers.make_execution_record(number=1)
    second = makers.make_execution_record(number=2)
    order = second.execution.orders[0]
    stolen = replace(order.fills[0], fill_id=first.execution.orders[0].fills[0].fill_id)
    orders = (replace(order, fills=(stolen,)), *second.execution.orders[1:])
    broken = msgspec.structs.replace(second, execution=replace(second.execution, orders=orders))
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, first)

        with pytest.raises(BadValueError):
            await append(ledger, broken)

        assert (await trades(ledger)).total == 1


async def test_an_append_with_one_bad_record_stores_none_of_them(
    settings: LedgerSettings, clock: Clock
) -> None:
    bad = makers.make_execution_record(number=2, profit_usd=Decimal("NaN"))
    async with open_ledger(settings, clock=clock) as ledger:
        with pytest.raises(BadValueError, match="not finite"):
            await append(
                ledger,
                makers.make_opportunity_record(),
                makers.make_execution_record(),
                makers.make_notice_record(),
                bad,
            )

        assert (await trades(ledger)).total == 0
        news = await notices(ledger)
        why = await ledger.answer(GetStoredWhy(ref="run1-1"))
    assert not news.notices
    assert not isinstance(why, WhyReport)


async def test_the_ledger_goes_on_after_a_refused_append(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for number in range(3):
            with pytest.raises(BadValueError):
                await append(
                    ledger,
                    makers.make_execution_record(number=number, closed_at_ns=2**63),
                )
        await append(ledger, makers.make_execution_record())

        assert (await trades(ledger)).total == 1


async def test_text_that_no_database_stores_does_not_stop_money(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_opportunity_record(detail="zero \x00, half \ud800"),
            makers.make_state_record(by="\x00"),
            makers.make_execution_record(),
        )

        assert (await trades(ledger)).total == 1


async def test_the_last_state_that_was_set_is_restored(
    settings: LedgerSettings, clock: Clock
) -> None:
    later_by_clock = makers.make_state_record(number=1, at_ns=makers.NOW_NS + 5, mode=Mode.PAPER)
    limits = {"position_usd": Decimal("250.50"), "orders_per_minute_max": Decimal(10)}
    set_last = makers.make_state_record(number=2, mode=Mode.OBSERVE, is_paused=True, limits=limits)
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, later_by_clock)
        await append(ledger, set_last)

    async with open_ledger(settings, clock=clock) as ledger:
        state = await ledger.answer(LoadState(day_start_ns=0))

    assert isinstance(state, EngineState)
    assert (state.mode, state.is_paused) == (Mode.OBSERVE, True)
    assert state.limits == limits


async def test_records_of_an_engine_that_another_followed_are_refused_whole(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        old = await ask(ledger, LoadState(day_start_ns=0), EngineState)
        new = await ask(ledger, LoadState(day_start_ns=0), EngineState)
    state = makers.make_state_record(number=1, mode=Mode.PAPER)

    async with open_ledger(settings, clock=clock) as ledger:
        late = await ledger.answer(Append(records=[state], generation=old.generation))
        untouched = await ask(ledger, LoadState(day_start_ns=0), EngineState)
        newest = Append(records=[state], generation=untouched.generation)

        assert late == Superseded(generation=new.generation)
        assert untouched.mode is None
        assert await ledger.answer(newest) == Appended(count=1)


async def test_an_empty_ledger_knows_no_state(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        state = await ledger.answer(LoadState(day_start_ns=0))

    assert state == EngineState(
        mode=None,
        is_paused=False,
        realised_today_usd="0",
        residuals=[],
        generation=1,
        run_id=make_run_id(makers.NOW_NS),
        holdings=[],
        limits={},
    )
