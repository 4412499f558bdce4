"""Two engines over one ledger: neither sees nor spends the other's money, and a kill is of both."""

import csv
import io
from decimal import Decimal

import pytest

from bot.render.notices import render_notice
from engine.bus.records import (
    Append,
    Appended,
    EngineState,
    IntentRecord,
    LatchAct,
    LoadState,
    Record,
    Superseded,
)
from engine.bus.reports import EngineIds, ExportReport, PnlReport, TradesReport
from engine.domain.assets import Amount
from engine.domain.engines import check_engine_id
from engine.domain.errors import BadValueError
from engine.domain.holdings import Deposit
from engine.domain.modes import Mode
from engine.domain.orders import Intent
from engine.requests.money import GetEngineIds, GetExport, GetPnl, GetTrades
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.storage.migrate import migrate
from tests.storage import makers
from tests.storage.asking import ask, notices
from tests.storage.conftest import Clock

TODAY_NS = makers.NOW_NS - makers.NOW_NS % makers.DAY_NS
ENGINES = ("main", "second")


async def begin(ledger: Ledger, engine_id: str) -> EngineState:
    return await ask(ledger, LoadState(day_start_ns=TODAY_NS, engine_id=engine_id), EngineState)


async def put(ledger: Ledger, engine_id: str, *records: Record) -> None:
    await ask(ledger, Append(records=list(records), engine_id=engine_id), Appended)


def deposit(number: int, amount: str) -> Record:
    held = Amount.of(amount, "USD")
    return makers.make_deposit_record(
        number=number,
        deposit=Deposit(
            venue=makers.BUY_VENUE, added=held, started=held, started_usd=Decimal(amount)
        ),
    )


async def test_neither_engine_sees_the_money_of_the_other(
    settings: LedgerSettings, clock: Clock
) -> None:
    trades = [
        makers.make_execution_record(
            number=number, profit_usd=Decimal(number), residual_base=Decimal(number)
        )
        for number in (1, 2)
    ]
    open_plan = makers.make_execution_record(number=3)
    intent = Intent(plan=open_plan.plan, orders=open_plan.execution.orders)
    async with open_ledger(settings, clock=clock) as ledger:
        for number, (engine_id, trade) in enumerate(zip(ENGINES, trades, strict=True)):
            await put(ledger, engine_id, trade, deposit(number, f"{number + 1}000"))
        await put(
            ledger,
            "second",
            makers.make_state_record(number=2, mode=Mode.OBSERVE, is_paused=True),
            IntentRecord(run_id="r", basis=open_plan.basis, intent=intent),
        )
        await put(ledger, "main", makers.make_state_record(number=1, mode=Mode.PAPER))

        main, second, third = [await begin(ledger, one) for one in (*ENGINES, "third")]

    assert [main.realised_today_usd, second.realised_today_usd] == ["1", "2"]
    assert [one.held.value for one in main.residuals] == [1]
    assert [one.held.value for one in second.residuals] == [2]
    starts = [
        {one.started.value for one in state.holdings if one.started.asset == "USD"} - {Decimal(0)}
        for state in (main, second)
    ]
    assert starts == [{Decimal(1_000)}, {Decimal(2_000)}]
    assert (main.mode, main.is_paused) == (Mode.PAPER, False)
    assert (second.mode, second.is_paused) == (Mode.OBSERVE, True)
    assert (main.open_plans, second.open_plans) == ([], [intent])
    assert (third.mode, third.residuals, third.holdings, third.last_prices) == (None, [], [], [])
    assert third.realised_today_usd == "0"


async def test_a_new_engine_ends_those_of_its_own_id_alone_and_no_two_runs_share_a_name(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        first, second, again = [await begin(ledger, one) for one in ("main", "second", "main")]

        def append(engine_id: str, state: EngineState, number: int) -> Append:
            record = makers.make_execution_record(number=number)
            return Append(records=[record], generation=state.generation, engine_id=engine_id)

        old = await ask(ledger, append("main", first, 1), Superseded)
        await ask(ledger, append("main", again, 1), Appended)
        await ask(ledger, append("second", second, 2), Appended)

    assert old.generation == again.generation == 2
    assert second.generation == 1
    assert len({first.run_id, second.run_id, again.run_id}) == 3, "all within one second"


async def test_a_kill_is_of_all_engines(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await put(ledger, "main", makers.make_latch_record(act=LatchAct.KILL))

        states = [await begin(ledger, one) for one in ENGINES]

    assert [one.latch.is_killed for one in states] == [True, True]


@pytest.mark.parametrize("table", ["trades", "opportunities"])
async def test_exports_say_whose_a_row_is(
    settings: LedgerSettings, clock: Clock, table: str
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for number, engine_id in enumerate(ENGINES):
            await put(
                ledger,
                engine_id,
                makers.make_execution_record(number=number),
                makers.make_opportunity_record(number=number),
            )
        report = await ask(ledger, GetExport(table=table), ExportReport)

    rows = csv.DictReader(io.StringIO(report.content.decode(), newline=""))
    assert sorted(row["engine_id"] for row in rows) == ["main", "second"]


async def test_trades_and_profit_say_whose_they_are_and_the_rows_come_to_the_whole(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for engine_id in (*ENGINES, "idle"):
            await begin(ledger, engine_id)
        for number, engine_id in enumerate((*ENGINES, "second")):
            profit_usd = Decimal(number + 1)
            record = makers.make_execution_record(number=number, profit_usd=profit_usd)
            await put(ledger, engine_id, record)
        trades = await ask(ledger, GetTrades(), TradesReport)
        pnl = await ask(ledger, GetPnl(), PnlReport)
        known = await ask(ledger, GetEngineIds(), EngineIds)

    assert [one.engine_id for one in trades.trades] == ["second", "second", "main"]
    assert trades.engines == known.engine_ids == ["idle", "main", "second"]
    found = {name: (int(profit), count) for name, (profit, count) in pnl.by_engine.items()}
    assert found == {"idle": (0, 0), "main": (1, 1), "second": (5, 2)}
    assert sum(profit for profit, _ in pnl.by_engine.values()) == pnl.realised_usd
    assert sum(count for _, count in pnl.by_engine.values()) == pnl.executions


async def test_a_notice_says_which_engine_told_it(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for number, engine_id in enumerate(ENGINES):
            notice = makers.make_notice_record(number=number)
            for _ in range(2):  # as an outbox does that heard no answer
                await put(ledger, engine_id, notice)
        told = (await notices(ledger)).notices

    assert [one.notice.engine_id for one in told] == ["main", "second"]
    screens = [repr(render_notice(one)) for one in told]
    assert ["engine second" in screen for screen in screens] == [False, True]


@pytest.mark.parametrize("wrong", ["", "Main", "a/b", "a" * 17, "-a", "a b", "../a", "a\n"])
async def test_what_is_no_id_of_an_engine_is_refused(
    wrong: str, sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    with pytest.raises(BadValueError, match="an engine is named by"):
        check_engine_id(wrong)
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        with pytest.raises(BadValueError, match="an engine is named by"):
            await begin(ledger, wrong)


async def test_what_was_stored_before_engines_had_ids_is_of_the_main_one(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await put(
            ledger,
            "main",
            makers.make_execution_record(residual_base=Decimal(1)),
            deposit(1, "1000"),
            makers.make_state_record(mode=Mode.PAPER),
        )
        before = await begin(ledger, "main")
    await migrate("down", settings=settings, to="20261129_intents", may_discard=True)

    async with open_ledger(settings, clock=clock) as ledger:
        after = await begin(ledger, "main")

    for name in ("mode", "realised_today_usd", "residuals", "holdings", "last_prices"):
        assert getattr(after, name) == getattr(before, name), name
    assert before.holdings
