"""What trading came to: the database's exact sums are those of a fold, and the books agree."""

import asyncio
import dataclasses
import random
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import update

from engine.bus.performance import BooksReport, PerformanceReport
from engine.bus.records import DepositRecord, ExecutionRecord
from engine.domain.exact import exact_sum
from engine.domain.performance import By, Sums
from engine.domain.stories import Cause, Difference, TradeStory, Worth
from engine.portfolio.positions import Positions
from engine.requests.performance import GetBooks, GetPerformance
from engine.storage.books import PIECE
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.storage.tables.balances import balances
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock
from tests.storage.random_trades import make_inventory, steps

SINCE_NS = makers.NOW_NS - 2 * makers.DAY_NS
UNTIL_NS = makers.NOW_NS + makers.DAY_NS // 2
COSTS = (Cause.FEE, Cause.TRANSFER, Cause.GAS)


def with_costs(chance: random.Random, record: ExecutionRecord) -> ExecutionRecord:
    """Return the record with a story of its own, with every kind of cause, or without one."""
    execution = record.execution
    if chance.random() < 0.1:
        return msgspec.structs.replace(record, execution=dataclasses.replace(execution, story=None))

    def worth() -> Worth:
        amount = Decimal(chance.randrange(-(10**24), 10**24)).scaleb(-18)
        return Worth(quote=amount * 2, usd=amount)

    causes = chance.sample(list(Cause), 5)
    story = execution.story
    assert story is not None
    told = dataclasses.replace(
        story,
        to_realised=tuple(Difference(cause=cause, worth=worth()) for cause in causes),
        fee=worth(),
        transfer=worth(),
        gas=worth(),
    )
    return msgspec.structs.replace(record, execution=dataclasses.replace(execution, story=told))


def make_records(seed: int, count: int) -> list[ExecutionRecord | DepositRecord]:
    chance = random.Random(seed)
    return [
        with_costs(chance, one) if isinstance(one, ExecutionRecord) else one
        for records in steps(seed, Positions(), make_inventory(), count)
        for one in records
    ]


def slippage(story: TradeStory | None) -> Decimal:
    differences = () if story is None else story.to_realised
    return exact_sum(-one.worth.usd for one in differences if one.cause not in COSTS)


def fold(records: list[ExecutionRecord], by: By) -> dict[str, Sums]:
    """Add up as anybody would."""
    groups: dict[str, Sums] = {}
    for record in records:
        one, story = record.execution, record.execution.story
        opportunity = record.plan.opportunity
        pair, buy, sell = opportunity.pair, opportunity.buy_venue, opportunity.sell_venue
        named: dict[By, list[str]] = {
            By.ALL: ["all"],
            By.PAIR: [pair],
            By.VENUE: sorted({buy, sell}),
            By.ROUTE: [f"{pair} {buy}→{sell}"],
            By.HOUR: [str(one.closed_at_ns // (3600 * 10**9) % 24)],
        }
        realised = exact_sum((one.profit_usd, one.correction_usd or Decimal(0)))
        for name in named[by]:
            before = groups.get(name, Sums())
            groups[name] = Sums(
                trades=before.trades + 1,
                wins=before.wins + (one.profit_usd > 0),
                realised=exact_sum((before.realised, realised)),
                expected=exact_sum((before.expected, one.expected_usd)),
                fee=exact_sum((before.fee, story.fee.usd if story else Decimal(0))),
                gas=exact_sum((before.gas, story.gas.usd if story else Decimal(0))),
                transfer=exact_sum((before.transfer, story.transfer.usd if story else Decimal(0))),
                slippage=exact_sum((before.slippage, slippage(story))),
            )
    return groups


async def check_sums(ledger: Ledger, records: list[ExecutionRecord]) -> None:
    within = [r for r in records if SINCE_NS <= r.execution.closed_at_ns < UNTIL_NS]
    for by in By:
        asked = GetPerformance(since_ns=SINCE_NS, until_ns=UNTIL_NS, by=by)
        report = await ask(ledger, asked, PerformanceReport)
        assert report.all == fold(within, By.ALL).get("all", Sums())
        assert dict(report.groups) == ({} if by is By.ALL else fold(within, by))
        assert report.is_summed_twice_alike
        if within:
            gains = [
                exact_sum((r.execution.profit_usd, r.execution.correction_usd or Decimal(0)))
                for r in within
            ]
            assert report.best is not None
            assert report.worst is not None
            assert (report.best.realised, report.worst.realised) == (max(gains), min(gains))
            assert report.points[-1][1] == report.all.realised
            assert report.drawdown == max(fall for *_, fall in report.points)


@given(seed=st.integers(0, 2**32), count=st.integers(0, 40))
@hypothesis_settings(max_examples=12, deadline=None)
def test_sums_of_the_database_are_those_of_a_fold(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int
) -> None:
    records = make_records(seed, count)

    async def check(directory: Path) -> None:
        async with open_ledger(LedgerSettings(data_dir=directory), clock=Clock()) as ledger:
            await append(ledger, *records)
            await check_sums(ledger, [r for r in records if isinstance(r, ExecutionRecord)])
            books = await ask(ledger, GetBooks(), BooksReport)
            assert books.differences == []

    asyncio.run(check(tmp_path_factory.mktemp("sums") / "var"))


async def test_both_databases_sum_up_alike(settings: LedgerSettings, clock: Clock) -> None:
    records = make_records(5, 60)

    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *records)
        await check_sums(ledger, [r for r in records if isinstance(r, ExecutionRecord)])
        books = await ask(ledger, GetBooks(), BooksReport)

    assert books.differences == []
    assert books.held


async def test_transactions_are_in_the_books(settings: LedgerSettings, clock: Clock) -> None:
    deposits = [one for one in make_records(3, 1) if isinstance(one, DepositRecord)]

    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *deposits)
        await append(ledger, makers.make_atomic_record(number=7))
        await append(ledger, makers.make_atomic_record(number=8, why="too late"))
        books = await ask(ledger, GetBooks(), BooksReport)

    assert books.differences == []
    assert any(one.asset == "ETH" for one in books.held)


async def test_a_balance_that_nothing_adds_up_to_is_told_with_both_amounts(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        await append(ledger, *make_records(4, 10))
        true = (await ask(ledger, GetBooks(), BooksReport)).held[0]
        wrong = exact_sum((true.held, Decimal("0.000000000000000001")))
        await ledger._writer.transact(
            lambda connection: connection.execute(
                update(balances)
                .where(balances.c.venue == true.venue, balances.c.asset == true.asset)
                .values(held=wrong)
            )
        )
        (found,) = (await ask(ledger, GetBooks(), BooksReport)).differences

    assert (found.venue, found.asset) == (true.venue, true.asset)
    assert (found.held, found.from_fills) == (wrong, true.held)


async def test_more_trades_than_a_piece_holds_are_all_in_the_sums_and_in_the_books(
    sqlite_settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.storage.books.PIECE", 7)
    monkeypatch.setattr("engine.storage.performance.PIECE", 3)
    assert PIECE > 7
    monkeypatch.setattr("engine.storage.fold.POINTS_MAX", 4)
    records = make_records(9, 30)

    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        for upto in (12, 12, len(records)):  # what was summed up before is not taken for all
            await append(ledger, *records[:upto])
            trades = [r for r in records[:upto] if isinstance(r, ExecutionRecord)]
            await check_sums(ledger, trades)
            report = await ask(
                ledger, GetPerformance(since_ns=0, until_ns=2**62), PerformanceReport
            )
            assert len(report.points) <= 4 + 2
        books = await ask(ledger, GetBooks(), BooksReport)

    assert books.differences == []


async def test_refusals_that_lasted_and_what_was_told_are_counted(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for number, outcome in enumerate(("stale_book", "stale_book", "planned"), 1):
            seen = makers.make_opportunity_record(number=number, outcome=outcome)
            lasted = makers.SECOND_NS if number != 2 else makers.SECOND_NS // 10
            closed = makers.make_closed(number=number, closed_at_ns=makers.NOW_NS + lasted)
            await append(ledger, seen, closed)
        asked = GetPerformance(since_ns=SINCE_NS, until_ns=UNTIL_NS)
        report = await ask(ledger, asked, PerformanceReport)

    assert [(one.reason, one.count, one.usd) for one in report.missed] == [("stale_book", 1, 1.2)]
    assert report.outcomes == {"stale_book": 2, "planned": 1}
    assert report.all == Sums()
    assert report.best is None
