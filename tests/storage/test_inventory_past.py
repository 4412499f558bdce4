"""What places held at any instant is what deposits, trades and costs up to then add up to."""

import sqlite3
from contextlib import closing
from decimal import Decimal

import msgspec

from engine.bus.money_reports import InventoryPast
from engine.bus.performance import BooksReport
from engine.bus.records import DepositRecord, ExecutionRecord
from engine.domain.assets import Amount
from engine.domain.holdings import Deposit
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Money
from engine.requests.inventory import GetInventoryPast
from engine.requests.performance import GetBooks
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.storage.ledger_settings import DATABASE_NAME
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock

HOUR_NS = 3_600 * 10**9
AT_NS = makers.make_execution_record(number=1).execution.closed_at_ns


def deposit(number: int, added: str, *, at_ns: int, money: Money = Money.PAPER) -> DepositRecord:
    return DepositRecord(
        record_id=f"r1-d{number}",
        run_id="r1",
        basis=Basis.SANDBOX,
        at_ns=at_ns,
        deposit=Deposit(
            venue=VenueId("ethereum"),
            added=Amount.of(added, "USD"),
            started=Amount.of(added, "USD"),
            started_usd=Decimal(added),
        ),
        money=money,
    )


async def past(ledger: Ledger, since_ns: int, until_ns: int, money: Money) -> InventoryPast:
    asked = GetInventoryPast(since_ns=since_ns, until_ns=until_ns, money=money)
    return await ask(ledger, asked, InventoryPast)


def held(report: InventoryPast, number: int) -> dict[tuple[str, str], Decimal]:
    return {(one.venue, one.asset): one.held[number] for one in report.places}


def live(record: ExecutionRecord) -> ExecutionRecord:
    plan = msgspec.structs.replace(record.plan, is_live=True)
    return msgspec.structs.replace(record, plan=plan)


async def test_the_newest_instant_is_the_balances_and_the_oldest_has_nothing(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            deposit(1, "1000", at_ns=AT_NS - HOUR_NS),
            makers.make_execution_record(number=1),
            makers.make_atomic_record(number=2),
            live(makers.make_atomic_record(number=3)),
        )
        books = await ask(ledger, GetBooks(), BooksReport)
        for money in Money:
            report = await past(ledger, AT_NS - 3 * HOUR_NS, AT_NS + 3 * HOUR_NS, money)

            balances = {
                (one.venue, one.asset): one.held for one in books.held if one.money is money
            }
            assert held(report, -1) == balances
            assert set(held(report, 0).values()) == {Decimal(0)}
            assert report.at_ns == sorted(report.at_ns)
            assert (report.at_ns[0], report.at_ns[-1]) == (
                AT_NS - 3 * HOUR_NS,
                AT_NS + 3 * HOUR_NS,
            )


async def test_between_a_deposit_and_a_trade_there_is_the_deposit_alone(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            deposit(1, "1000", at_ns=AT_NS - 2 * HOUR_NS),
            deposit(2, "7", at_ns=AT_NS - 2 * HOUR_NS, money=Money.LIVE),
            makers.make_atomic_record(number=2),
        )
        report = await past(ledger, AT_NS - 3 * HOUR_NS, AT_NS + HOUR_NS, Money.PAPER)

    dollars = next(one.held for one in report.places if one.asset == "USD")
    for at_ns, amount in zip(report.at_ns, dollars, strict=True):
        if at_ns < AT_NS - 2 * HOUR_NS:
            assert amount == 0
        elif at_ns < AT_NS:
            assert amount == 1_000
    assert dollars[-1] == Decimal("1009.5")


async def test_what_came_after_the_newest_instant_is_not_in_it(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            deposit(1, "1000", at_ns=AT_NS - 2 * HOUR_NS),
            deposit(2, "500", at_ns=AT_NS),
        )
        report = await past(ledger, AT_NS - 3 * HOUR_NS, AT_NS - HOUR_NS, Money.PAPER)

    assert held(report, -1) == {("ethereum", "USD"): Decimal(1_000)}


async def test_trades_of_versions_that_had_no_balances_are_in_no_past(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        await append(
            ledger,
            deposit(1, "1000", at_ns=AT_NS - 2 * HOUR_NS),
            makers.make_execution_record(number=1),
        )
    with closing(sqlite3.connect(sqlite_settings.data_dir / DATABASE_NAME)) as database:
        (guard,) = database.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'executions'"
            " AND sql LIKE '%UPDATE%'"
        ).fetchone()
        (name,) = database.execute(
            "SELECT name FROM sqlite_master WHERE sql = ?", (guard,)
        ).fetchone()
        database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE executions SET seq = NULL")
        database.execute(guard)
        database.execute("DELETE FROM balances WHERE venue <> 'ethereum'")
        database.commit()
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        report = await past(ledger, AT_NS - 3 * HOUR_NS, AT_NS + HOUR_NS, Money.PAPER)

    assert {(one.venue, one.asset) for one in report.places} == {("ethereum", "USD")}
