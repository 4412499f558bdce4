"""A trade of orders and a transaction is kept whole, and every report tells both parts of it."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest

from engine.bus.life import LifeReport
from engine.bus.past_reports import PastTradesReport
from engine.bus.performance import BooksReport
from engine.bus.records import EngineState, ExecutionRecord, IntentRecord, LoadState
from engine.bus.reports import WhyReport
from engine.domain.modes import Basis, Mode
from engine.execute.book_finished import MixedFinished
from engine.requests.life import GetLife
from engine.requests.past import GetPastTrades
from engine.requests.performance import GetBooks
from engine.requests.why import GetStoredWhy
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.execute.mixed_worlds import (
    BETWEEN,
    make_mixed_world,
    move_pool,
    open_plan,
    play_out,
    pool_of,
)
from tests.execute.test_mixed import make_orders_first
from tests.reference.world import World
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock


@cache
def landed() -> tuple[World, MixedFinished]:
    world = make_mixed_world(BETWEEN)
    open_plan(world)
    return world, play_out(world)


@cache
def reverted() -> tuple[World, MixedFinished]:
    world = make_orders_first(BETWEEN)
    open_plan(world)
    move_pool(world, pool_of(("ETH", 1_000), ("BTC", 2)))
    return world, play_out(world)


Make = Callable[[], tuple[World, MixedFinished]]
TRADES = pytest.mark.parametrize("make", [landed, reverted])


def record_of(finished: MixedFinished) -> ExecutionRecord:
    return ExecutionRecord(
        run_id=makers.RUN_ID,
        basis=Basis.SANDBOX,
        mode=Mode.PAPER,
        plan=finished.plan,
        execution=replace(finished.execution, story=finished.story()),
    )


@TRADES
async def test_it_changes_venues_and_wallet_once_and_the_books_add_up(
    settings: LedgerSettings, clock: Clock, make: Make
) -> None:
    _, finished = make()
    record = record_of(finished)
    expected: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for venue, asset, change in finished.execution.changes:
        expected[venue, asset] += change
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, record)
        await append(ledger, record)

        state = await ask(ledger, LoadState(day_start_ns=0), EngineState)
        books = await ask(ledger, GetBooks(), BooksReport)

    assert {one.place: one.held.value for one in state.holdings} == expected
    assert books.differences == []
    assert state.residuals == list(finished.execution.residuals)


@TRADES
async def test_why_tells_orders_and_swaps_in_the_order_of_the_route(
    settings: LedgerSettings, clock: Clock, make: Make
) -> None:
    _, finished = make()
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, record_of(finished))
        why = await ask(
            ledger, GetStoredWhy(ref=finished.plan.opportunity.opportunity_id), WhyReport
        )
        life = await ask(ledger, GetLife(), LifeReport)
        past = await ask(ledger, GetPastTrades(since_ns=0, most=9), PastTradesReport)

    has_reverted = bool(finished.execution.why_reverted)
    assert [(leg.pair, leg.side, leg.purpose) for leg in why.legs[:3]] == [
        ("ETH-USDT", "buy", "leg"),
        ("BTC-ETH", "buy", "leg"),
        ("BTC-USDT", "sell", "leg"),
    ]
    assert why.legs[0].filled_base == finished.plan.legs[0].size_base
    assert bool(why.legs[1].filled_base) is not has_reverted
    assert [leg.purpose for leg in why.legs[3:]] == ["unwind"] * (2 if has_reverted else 0)
    assert why.line.outcome == "traded"
    assert ("its transaction reverted" in why.line.detail) is has_reverted
    assert why.story is not None
    assert why.story.gas.quote == finished.settlement.gas_quote
    whats = [event.what for event in life.events]
    assert "reverted" in whats if has_reverted else "landed" in whats
    assert "filled" in whats
    (trade,) = past.trades
    assert trade.outcome == "traded"
    assert trade.gas_usd == pytest.approx(float(finished.story().gas.usd))


async def test_what_was_under_way_comes_back_with_both_of_its_intents(
    settings: LedgerSettings, clock: Clock
) -> None:
    world, finished = landed()
    first, second = world.journal.intents
    async with open_ledger(settings, clock=clock) as ledger:
        for intent in (first, second):
            await append(
                ledger, IntentRecord(run_id=makers.RUN_ID, basis=Basis.SANDBOX, intent=intent)
            )
        state = await ask(ledger, LoadState(day_start_ns=0), EngineState)
        await append(ledger, record_of(finished))
        after = await ask(ledger, LoadState(day_start_ns=0), EngineState)

    (under_way,) = state.open_plans
    assert under_way.plan == finished.plan
    assert {one.client_order_id for one in under_way.sendables} == {
        one.client_order_id for one in (*first.sendables, *second.sendables)
    }
    assert after.open_plans == []
