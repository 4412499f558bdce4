"""Paper and live stand beside one another: no sum of the ledger holds both."""

from decimal import Decimal

import msgspec
from sqlalchemy import text

from engine.bus.life import LifeReport
from engine.bus.notices import DayClosed
from engine.bus.performance import BooksReport, PerformanceReport
from engine.bus.records import EngineState, ExecutionRecord, LoadState
from engine.bus.reports import ExportReport, PnlReport, TradesReport, WhyReport
from engine.domain.modes import Basis, Money
from engine.requests.life import GetLife
from engine.requests.money import GetExport, GetPnl, GetTrades
from engine.requests.performance import GetBooks, GetPerformance
from engine.requests.why import GetStoredWhy
from engine.storage.daily import day_name, make_report
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.storage.migrate import migrate
from engine.storage.opening import open_writer
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock

BEFORE = "20261130_truths"
PAPER_USD, LIVE_USD = Decimal("0.9876543210123456789"), Decimal("9.14")
DAY_NS = makers.NOW_NS - makers.NOW_NS % makers.DAY_NS
PLACES = ("venue", "asset", "held")


def live_record(number: int = 2) -> ExecutionRecord:
    record = makers.make_atomic_record(number=number)
    plan = msgspec.structs.replace(record.plan, is_live=True)
    return msgspec.structs.replace(record, plan=plan)


async def fill(ledger: Ledger) -> None:
    """One trade of each money, one of them in one asset at one place."""
    await append(ledger, makers.make_execution_record(number=1), live_record())


async def test_profit_is_summed_up_apart_over_days_and_over_all_of_them(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await fill(ledger)
        days = [await ask(ledger, GetPnl(days=count), PnlReport) for count in (1, 36_500)]

    for report in days:
        assert (report.realised_usd, report.executions) == (PAPER_USD, 1)
        assert (report.live.realised_usd, report.live.executions) == (LIVE_USD, 1)
        assert report.by_basis == {"sandbox": PAPER_USD}
        assert not report.by_route.keys() ^ report.live.by_route.keys()  # one route in both
        assert [amount for amount, _ in report.by_route.values()] == [PAPER_USD]
        assert [amount for amount, _ in report.live.by_route.values()] == [LIVE_USD]
    assert [points[-1][1] for points in (days[0].points, days[0].live.points)] == [
        PAPER_USD,
        LIVE_USD,
    ]


async def test_each_trade_says_whether_it_was_paper_or_live(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await fill(ledger)
        trades = (await ask(ledger, GetTrades(limit=9), TradesReport)).trades
        lives = [await ask(ledger, GetLife(ref=one.execution_id), LifeReport) for one in trades]
        whys = [await ask(ledger, GetStoredWhy(ref=one.execution_id), WhyReport) for one in trades]

    assert [one.money for one in trades] == [Money.LIVE, Money.PAPER]
    for shown in (trades, lives, whys):
        assert [one.basis for one in shown] == [Basis.SANDBOX_LIVE, Basis.SANDBOX]
    assert [one.money for one in lives] == [Money.LIVE, Money.PAPER]


async def test_the_sums_of_a_time_are_of_one_money(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await fill(ledger)
        for _ in range(2):  # the second time from what is remembered
            for money, usd in ((Money.PAPER, PAPER_USD), (Money.LIVE, LIVE_USD)):
                asked = GetPerformance(
                    since_ns=DAY_NS, until_ns=makers.NOW_NS + makers.DAY_NS, money=money
                )
                report = await ask(ledger, asked, PerformanceReport)
                assert report.money is money
                assert (report.all.trades, report.all.realised) == (1, usd)
                assert report.is_summed_twice_alike


async def test_the_report_of_a_day_has_live_beside_paper(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await fill(ledger)
        day = day_name(makers.NOW_NS)
        record = await make_report(ledger, day=day, now_ns=clock(), basis=Basis.SANDBOX)

    told = record.notice
    assert isinstance(told, DayClosed)
    assert told.sums.realised == PAPER_USD
    assert told.live is not None
    assert (told.live.trades, told.live.realised) == (1, LIVE_USD)


async def test_balances_and_what_makes_them_are_kept_apart_and_agree(
    settings: LedgerSettings, clock: Clock
) -> None:
    paper = makers.make_atomic_record(number=1)
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, paper, live_record(), live_record(3))
        books = await ask(ledger, GetBooks(), BooksReport)
        state = await ask(ledger, LoadState(day_start_ns=DAY_NS), EngineState)

    assert books.differences == []
    held = {(one.money, one.venue, one.asset): one.held for one in books.held}
    assert held == {
        (Money.PAPER, "ethereum", "ETH"): Decimal("-0.00018"),
        (Money.PAPER, "ethereum", "USD"): Decimal("9.5"),
        (Money.LIVE, "ethereum", "ETH"): Decimal("-0.00036"),
        (Money.LIVE, "ethereum", "USD"): Decimal(19),
    }
    assert {one.place: one.held.value for one in state.holdings} == {
        ("ethereum", "ETH"): Decimal("-0.00018"),
        ("ethereum", "USD"): Decimal("9.5"),
    }
    assert {one.place: one.held.value for one in state.live.holdings} == {
        ("ethereum", "ETH"): Decimal("-0.00036"),
        ("ethereum", "USD"): Decimal(19),
    }


async def test_an_engine_begins_with_what_each_money_came_to(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_execution_record(number=1, residual_base=Decimal("0.001")),
            live_record(),
        )
        state = await ask(ledger, LoadState(day_start_ns=DAY_NS), EngineState)

    assert Decimal(state.realised_today_usd) == PAPER_USD
    assert state.live.realised_today_usd == LIVE_USD
    assert len(state.residuals) == 1
    assert state.live.residuals == ()


async def test_a_file_says_which_and_is_compared_by_each(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await fill(ledger)
        report = await ask(ledger, GetExport(table="trades", days=1), ExportReport)

    header, *rows = report.content.decode().splitlines()
    column = header.split(",").index("money")
    assert sorted(row.split(",")[column] for row in rows) == ["live", "paper"]
    assert report.is_alike
    assert report.check == "1 trades, 0.99 USD; 1 live trades, 9.14 USD"


async def test_what_was_stored_before_there_were_two_is_paper(
    bare_settings: LedgerSettings, clock: Clock
) -> None:
    await migrate("up", settings=bare_settings)
    await migrate("down", settings=bare_settings, to=BEFORE)
    async with open_writer(bare_settings) as writer:
        await writer.transact(
            lambda connection: connection.execute(
                text(
                    "INSERT INTO balances (engine_id, basis, venue, asset, held)"
                    " VALUES ('main', 'sandbox', 'kraken', 'BTC', '1.5')"
                )
            )
        )

    async with open_ledger(bare_settings, clock=clock) as ledger:
        books = await ask(ledger, GetBooks(), BooksReport)

    assert [(one.money, *(getattr(one, name) for name in PLACES)) for one in books.held] == [
        (Money.PAPER, "kraken", "BTC", Decimal("1.5"))
    ]
