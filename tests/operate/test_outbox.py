import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.bus.notices import OpportunitySeen, WorkTrouble
from engine.bus.records import (
    Append,
    Appended,
    IntentRecord,
    NoticeRecord,
    OpportunityClosed,
    Record,
    StateRecord,
    Superseded,
)
from engine.bus.request import Request
from engine.domain.errors import BadValueError, SupersededError, TransientError
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Mode
from engine.domain.orders import Intent, Order, OrderState, Purpose
from engine.operate import outbox as outbox_module
from engine.operate.outbox import Outbox, Worth
from tests.execute.test_conformance import TWO
from tests.patience import PATIENCE_S


class FakeLedger:
    """Stores what it is sent; may be away, and refuses records named so."""

    def __init__(self) -> None:
        self.stored: list[Record] = []
        self.is_away = False
        self.generation: int | None = None
        self.calls = 0
        self.refused_plan = ""
        self.changed = asyncio.Event()

    async def call(self, request: Request[Any], /, *, timeout_s: float = 5.0) -> Any:
        assert isinstance(request, Append)
        assert timeout_s > 0
        self.calls += 1
        self.changed.set()
        if self.is_away:
            raise TransientError("away")
        if request.generation != self.generation:
            return Superseded(generation=self.generation or 0)
        for record in request.records:
            if isinstance(record, StateRecord) and record.by == "bad":
                raise BadValueError("never")
            if isinstance(record, IntentRecord) and record.intent.plan.plan_id == self.refused_plan:
                raise BadValueError("never")
        self.stored += request.records
        return Appended(count=len(request.records))

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.stored) < count:
                self.changed.clear()
                await self.changed.wait()


def state(number: int, *, by: str = "operator") -> StateRecord:
    return StateRecord(
        record_id=f"s{number}",
        at_ns=number,
        mode=Mode.OBSERVE,
        is_paused=False,
        limits={},
        by=by,
        action="x",
    )


def closed(number: int) -> OpportunityClosed:
    return OpportunityClosed(
        opportunity_id=str(number), closed_at_ns=number, peak_profit_quote=1.0, refusals=()
    )


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[None]:
    task = asyncio.create_task(outbox.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_records_arrive_once_and_in_order() -> None:
    ledger = FakeLedger()
    outbox = Outbox(ledger)
    records: list[Record] = [state(n) if n % 3 else closed(n) for n in range(1_200)]
    async with running(outbox):
        for record in records:
            outbox.put(record)
        await ledger.until(len(records))

    assert ledger.stored == records
    assert outbox.waiting == 0


async def test_nothing_important_is_lost_while_the_ledger_is_away() -> None:
    ledger = FakeLedger()
    ledger.is_away = True
    outbox = Outbox(ledger)
    async with running(outbox):
        for number in range(50):
            outbox.put(state(number))
        async with asyncio.timeout(PATIENCE_S):
            while ledger.calls < 2:
                ledger.changed.clear()
                await ledger.changed.wait()
        ledger.is_away = False
        await ledger.until(50)

    assert ledger.stored == [state(number) for number in range(50)]


async def test_an_engine_that_another_followed_sends_no_more_and_keeps_what_it_held_in_its_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = FakeLedger()
    ledger.generation = 8
    outbox = Outbox(ledger, generation=7)
    outbox.put(state(1))

    with pytest.raises(SupersededError, match="generation 8, this is 7"):
        await outbox.run()
    outbox.put(state(2))
    assert await outbox.drain(timeout_s=5.0) == 2

    assert ledger.stored == []
    assert all(f'"record_id":"s{number}"' in caplog.text for number in (1, 2))


async def test_a_change_is_acknowledged_only_when_it_is_stored() -> None:
    ledger = FakeLedger()
    outbox = Outbox(ledger)
    async with running(outbox):
        await outbox.put_durably(state(1))
        assert ledger.stored == [state(1)]
        ledger.is_away = True
        with pytest.raises(TransientError, match="not yet stored"):
            await outbox.put_durably(state(2), timeout_s=0.05)


async def test_a_record_that_is_refused_for_good_does_not_hold_up_the_others() -> None:
    ledger = FakeLedger()
    outbox = Outbox(ledger)
    async with running(outbox):
        for record in (state(1), state(2, by="bad"), state(3)):
            outbox.put(record)
        await ledger.until(2)

    assert ledger.stored == [state(1), state(3)]
    assert outbox.refused == 1


def sight(number: int) -> NoticeRecord:
    seen = OpportunitySeen(
        at_ns=number,
        basis=Basis.SANDBOX,
        opportunity_id=str(number),
        pair="BTC-USD",
        buy_venue=VenueId("a"),
        sell_venue=VenueId("b"),
        net_edge_bps=1.0,
        profit_usd=1.0,
        outcome="planned",
    )
    return NoticeRecord(record_id=f"n{number}", notice=seen)


async def test_opportunities_give_way_oldest_first_and_only_money_stops_plans(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox_module, "PASSING_MAX", 10)
    monkeypatch.setattr(outbox_module, "BEHIND_AT", 12)
    ledger = FakeLedger()
    outbox = Outbox(ledger)
    for number in range(8):
        outbox.put(closed(number))
        outbox.put(sight(number))
    assert (outbox.waiting, outbox.dropped[Worth.PASSING], outbox.is_behind()) == (10, 6, False)

    for number in range(13):
        outbox.put(state(number))

    assert (outbox.waiting, outbox.dropped[Worth.PASSING], outbox.is_behind()) == (23, 6, True)
    assert await outbox.drain(timeout_s=PATIENCE_S) == 0
    assert ledger.stored[:2] == [closed(3), sight(3)]
    assert not outbox.is_behind()


def test_two_thousand_notices_of_opportunities_do_not_stop_trading() -> None:
    outbox = Outbox(FakeLedger())

    for number in range(outbox_module.BEHIND_AT + outbox_module.PASSING_MAX):
        outbox.put(sight(number))

    assert not outbox.is_behind()
    assert outbox.waiting == outbox_module.PASSING_MAX


async def test_whoever_waits_for_a_record_that_is_refused_hears_of_it() -> None:
    outbox = Outbox(FakeLedger())
    async with running(outbox):
        with pytest.raises(BadValueError, match="never"):
            await outbox.put_durably(state(1, by="bad"))

    assert outbox.refused == 1


async def test_closing_sends_what_waits() -> None:
    ledger = FakeLedger()
    outbox = Outbox(ledger)
    for number in range(3):
        outbox.put(state(number))

    assert await outbox.drain(timeout_s=PATIENCE_S) == 0
    assert len(ledger.stored) == 3


async def test_no_plan_is_made_once_the_ledger_has_ended_for_good() -> None:
    has_ended = False
    outbox = Outbox(FakeLedger(), has_ledger=lambda: not has_ended)
    assert not outbox.is_behind()

    has_ended = True

    assert outbox.is_behind(), "what would come of the plan is kept by nobody"


def intent(number: int) -> IntentRecord:
    plan = TWO
    order = Order(
        client_order_id=f"o{number}",
        plan_id=plan.plan_id,
        purpose=Purpose.LEG,
        instrument=plan.legs[0].instrument,
        side=plan.legs[0].side,
        size_base=plan.legs[0].size_base,
        price_limit=plan.legs[0].price_limit,
        sent_at_ns=0,
        arrives_at_ns=0,
        state=OrderState.PLANNED,
    )
    return IntentRecord(run_id="r", basis=Basis.SANDBOX, intent=Intent.of(plan, [order]))


class Intents:
    """What is told of intents, and what the ledger had then."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.told: list[tuple[IntentRecord, bool, bool]] = []
        self._ledger = ledger

    def take(self, record: IntentRecord, is_stored: bool) -> None:  # noqa: FBT001 - as it is called
        self.told.append((record, is_stored, record in self._ledger.stored))


async def test_an_intent_waits_for_no_batch_and_is_told_once_the_ledger_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox_module, "BATCH_S", 10 * PATIENCE_S)
    ledger = FakeLedger()
    outbox, intents = Outbox(ledger), Intents(ledger)
    outbox.on_intent = intents.take
    begun: list[IntentRecord] = []
    outbox.intended = begun.append
    async with running(outbox):
        for number in (1, 2):
            assert len(begun) == number - 1
            outbox.put(closed(number))
            outbox.put(intent(number))
            await ledger.until(number)
            await asyncio.sleep(0)

    assert intents.told == [(intent(1), True, True), (intent(2), True, True)]
    assert ledger.stored == begun == [intent(1), intent(2)]


class SlowLedger(FakeLedger):
    """Is long at anything but intents."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.goes_on = asyncio.Event(), asyncio.Event()

    async def call(self, request: Request[Any], /, *, timeout_s: float = 5.0) -> Any:
        assert isinstance(request, Append)
        if not all(isinstance(record, IntentRecord) for record in request.records):
            self.begun.set()
            await self.goes_on.wait()
        return await super().call(request, timeout_s=timeout_s)


async def test_an_intent_waits_for_no_records_that_are_on_their_way_already() -> None:
    ledger = SlowLedger()
    outbox, intents = Outbox(ledger), Intents(ledger)
    outbox.on_intent = intents.take
    async with running(outbox), asyncio.timeout(PATIENCE_S):
        outbox.put(state(1))
        await ledger.begun.wait()
        outbox.put(intent(1))
        await ledger.until(1)
        assert ledger.stored == [intent(1)]
        assert outbox.waiting > 0
        ledger.goes_on.set()
        await ledger.until(2)

    assert ledger.stored == [intent(1), state(1)]
    assert intents.told == [(intent(1), True, True)]


async def test_an_intent_is_sent_again_until_a_ledger_that_was_away_has_it() -> None:
    ledger = FakeLedger()
    ledger.is_away = True
    outbox, intents = Outbox(ledger), Intents(ledger)
    outbox.on_intent = intents.take
    async with running(outbox), asyncio.timeout(PATIENCE_S):
        outbox.put(intent(1))
        while ledger.calls < 2:
            ledger.changed.clear()
            await ledger.changed.wait()
        assert (intents.told, outbox.waiting) == ([], 1)
        ledger.is_away = False
        await ledger.until(1)

    assert intents.told == [(intent(1), True, True)]
    assert outbox.waiting == 0


class NearLedger(FakeLedger):
    """Can be asked within the turn of the loop; its answers come later, or are lost."""

    def __init__(self) -> None:
        super().__init__()
        self.early: list[Record] = []
        self.is_lost = False
        self.answers = asyncio.Event()

    def ask_now(
        self, request: Append, /, *, timeout_s: float = 5.0
    ) -> Callable[[], Awaitable[Any]]:
        self.early += request.records

        async def answered() -> Any:
            await self.answers.wait()
            if self.is_lost:
                raise TransientError("the connection is lost")
            self.calls -= 1
            return await self.call(request, timeout_s=timeout_s)

        return answered


async def test_an_intent_is_on_its_way_before_whoever_made_it_goes_on() -> None:
    ledger = NearLedger()
    outbox, intents = Outbox(ledger), Intents(ledger)
    outbox.on_intent = intents.take
    async with running(outbox), asyncio.timeout(PATIENCE_S):
        for number in (1, 2):
            outbox.put(intent(number))
            assert ledger.early[-1] == intent(number)
        await asyncio.sleep(0)
        assert intents.told == []
        ledger.answers.set()
        await ledger.until(2)
        while outbox.waiting:
            await asyncio.sleep(0)

    assert intents.told == [(intent(1), True, True), (intent(2), True, True)]
    assert ledger.calls == 0, "what was asked once is not asked again"


async def test_an_intent_whose_answer_is_lost_is_sent_again() -> None:
    ledger = NearLedger()
    ledger.is_lost = True
    ledger.answers.set()
    outbox, intents = Outbox(ledger), Intents(ledger)
    outbox.on_intent = intents.take
    async with running(outbox), asyncio.timeout(PATIENCE_S):
        outbox.put(intent(1))
        await ledger.until(1)
        while outbox.waiting:
            await asyncio.sleep(0)

    assert intents.told == [(intent(1), True, True)]
    assert ledger.calls == 1


async def test_an_engine_that_another_followed_learns_it_by_an_early_intent() -> None:
    ledger = NearLedger()
    ledger.generation = 8
    ledger.answers.set()
    outbox = Outbox(ledger, generation=7)
    outbox.put(intent(1))

    with pytest.raises(SupersededError, match="generation 8, this is 7"):
        await outbox.run()
    assert ledger.stored == []


async def test_news_go_with_what_they_tell_of() -> None:
    told = WorkTrouble(at_ns=1, basis=Basis.SANDBOX, task="gas", what="it failed")
    news = NoticeRecord(record_id="n1", notice=told)
    ledger = FakeLedger()
    outbox = Outbox(ledger)
    for record in (state(1), closed(1), news):
        outbox.put(record)
    await outbox._send_next(outbox._rest)

    assert ledger.stored == [state(1), closed(1), news]


async def test_an_intent_that_is_refused_for_good_is_told_as_such() -> None:
    ledger = FakeLedger()
    outbox, intents = Outbox(ledger), Intents(ledger)
    outbox.on_intent = intents.take
    ledger.refused_plan = TWO.plan_id
    async with running(outbox):
        outbox.put(intent(1))
        outbox.put(state(1))
        await ledger.until(1)

    assert intents.told == [(intent(1), False, False)]


async def test_nothing_leaves_any_more_for_intents_that_are_stored_while_closing() -> None:
    ledger = FakeLedger()
    outbox, intents = Outbox(ledger), Intents(ledger)
    outbox.on_intent = intents.take
    outbox.put(intent(1))

    assert await outbox.drain(timeout_s=PATIENCE_S) == 0

    assert ledger.stored == [intent(1)]
    assert intents.told == []
