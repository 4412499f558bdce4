"""What no plan was carried out by is a live cost, to the wei; what is booked of each is known."""

from decimal import Decimal

from engine.bus.booked import BookedReport, GetBooked
from engine.bus.performance import BooksReport, PerformanceReport
from engine.bus.records import CostRecord, DepositRecord, EngineState, LoadState
from engine.bus.reports import ExportReport, PnlReport
from engine.domain.assets import Amount, AssetCode
from engine.domain.holdings import Deposit
from engine.domain.instruments import VenueId
from engine.domain.live_start import Opened
from engine.domain.modes import Basis, Money
from engine.domain.told import Cost
from engine.requests.money import GetExport, GetPnl
from engine.requests.performance import GetBooks, GetPerformance
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock

BASE, ETH = VenueId("base"), AssetCode("ETH")
GAS = Decimal("0.000123456789012345")
DAY_NS = makers.NOW_NS - makers.NOW_NS % makers.DAY_NS


def cost(version: int, amount: Decimal, usd: str | None, *, name: str = "hole-1") -> CostRecord:
    return CostRecord(
        record_id=f"{name}-v{version}",
        run_id="r1",
        basis=Basis.SANDBOX,
        at_ns=makers.NOW_NS,
        cost=Cost(
            client_order_id=name,
            version=version,
            venue=BASE,
            asset=ETH,
            amount=amount,
            usd=None if usd is None else Decimal(usd),
            what="nonce 7 was filled",
        ),
    )


def opening(number: int, amount: str, *, era: int = 0) -> DepositRecord:
    return DepositRecord(
        record_id=f"r1-d{number}",
        run_id="r1",
        basis=Basis.SANDBOX,
        at_ns=makers.NOW_NS,
        deposit=Deposit(
            venue=BASE,
            added=Amount.of(amount, "ETH"),
            started=Amount.of(amount, "ETH"),
            started_usd=Decimal(2_000),
        ),
        money=Money.LIVE,
        why="base holds it at block 12",
        opened=Opened(venue=BASE, asset=ETH, era=era, began="0xb"),
    )


async def test_costs_are_counted_once_and_apart_from_trades(
    settings: LedgerSettings, clock: Clock
) -> None:
    one, other = cost(1, GAS, "0.25"), cost(1, GAS, None, name="pause-2")
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, opening(1, "1"), one, other)
        await append(ledger, one)
        books = await ask(ledger, GetBooks(), BooksReport)
        pnl = await ask(ledger, GetPnl(days=1), PnlReport)
        ever = await ask(ledger, GetPnl(days=36_500), PnlReport)
        spent = GetPerformance(since_ns=DAY_NS, until_ns=DAY_NS + makers.DAY_NS, money=Money.LIVE)
        day = await ask(ledger, spent, PerformanceReport)
        state = await ask(ledger, LoadState(day_start_ns=DAY_NS), EngineState)
        file = await ask(ledger, GetExport(table="costs", days=1), ExportReport)

    assert books.differences == []
    assert [(one.money, one.held) for one in books.held] == [(Money.LIVE, 1 - 2 * GAS)]
    for report in (pnl, ever):
        assert (report.live.upkeep_usd, report.live.upkeep) == (Decimal("0.25"), 2)
        assert (report.live.unpriced, report.live.executions) == (1, 0)
        assert report.live.net_usd == Decimal("-0.25")
        assert report.realised_usd == 0
    assert day.upkeep_usd == Decimal("0.25")
    assert state.live.realised_today_usd == Decimal("-0.25")
    assert Decimal(state.realised_today_usd) == 0
    assert file.is_alike
    assert f"{GAS:f}" in file.content.decode()


async def test_a_later_word_of_the_same_is_a_difference(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, cost(1, GAS, "0.25"), cost(2, -GAS, "-0.25"), cost(3, 2 * GAS, "0.5"))
        pnl = await ask(ledger, GetPnl(days=1), PnlReport)
        asked = GetBooked(client_order_ids=("hole-1", "never told"))
        (booked,) = (await ask(ledger, asked, BookedReport)).booked

    assert (pnl.live.upkeep_usd, pnl.live.upkeep) == (Decimal("0.5"), 1)
    assert (booked.client_order_id, booked.version, booked.gas) == ("hole-1", 3, 2 * GAS)


async def test_an_engine_begins_with_what_was_opened_on_which_chain(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, opening(1, "1"), opening(2, "-0.25", era=1))
        state = await ask(ledger, LoadState(day_start_ns=DAY_NS), EngineState)

    assert state.live.opened == (Opened(venue=BASE, asset=ETH, era=1, began="0xb"),)
    assert [one.held.value for one in state.live.holdings] == [Decimal("0.75")]
    assert state.holdings == []
