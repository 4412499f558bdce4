"""Profit, trades, leftovers and reasons, loaded from what is stored."""

import dataclasses
from decimal import Decimal

import msgspec
import pytest

from engine.bus.performance import PerformanceReport
from engine.bus.records import EngineState, ExecutionRecord, LoadState
from engine.bus.reports import PnlReport, TradesReport, Unknown, WhyReport
from engine.domain.modes import Basis
from engine.domain.orders import OrderState
from engine.domain.performance import By
from engine.domain.plans import Closes, LeggedPlan, is_closing
from engine.requests.money import GetPnl, GetTrades
from engine.requests.performance import GetPerformance
from engine.requests.why import GetStoredWhy
from engine.storage import totals
from engine.storage.ledger import DAYS_MAX, LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock

HOUR_NS = 3_600 * makers.SECOND_NS


async def test_profit_adds_up_exactly_by_route_and_time(
    settings: LedgerSettings, clock: Clock
) -> None:
    gain, loss = Decimal("0.1000000000000000000000000001"), Decimal("-12345678901234567890.2")
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_execution_record(number=1, profit_usd=gain, closed_at_ns=makers.NOW_NS),
            makers.make_execution_record(
                number=2, profit_usd=loss, closed_at_ns=makers.NOW_NS - HOUR_NS
            ),
            makers.make_execution_record(
                number=3, profit_usd=gain, closed_at_ns=makers.NOW_NS - 2 * makers.DAY_NS
            ),
        )

        pnl = await ask(ledger, GetPnl(days=1), PnlReport)

    total = Decimal("-12345678901234567890.0999999999999999999999999999")
    assert pnl.realised_usd == total
    assert pnl.expected_usd == Decimal("2.20")
    assert (pnl.executions, pnl.wins) == (2, 1)
    assert pnl.by_route == {"BTC-USD coinbase→gemini": (total, 2)}
    assert pnl.points == [(makers.NOW_NS - HOUR_NS, loss), (makers.NOW_NS, total)]
    assert pnl.since_ns == makers.NOW_NS - makers.DAY_NS


async def test_sandbox_profit_is_never_added_to_live_profit(
    settings: LedgerSettings, clock: Clock
) -> None:
    live = dataclasses.replace(settings, basis=Basis.LIVE)
    async with open_ledger(live, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_execution_record(
                number=1, profit_usd=Decimal(-5), basis=Basis.LIVE, residual_base=Decimal("0.1")
            ),
            makers.make_execution_record(
                number=2, profit_usd=Decimal(90), residual_base=Decimal("0.7")
            ),
        )

        pnl = await ask(ledger, GetPnl(days=1), PnlReport)
        state = await ask(ledger, LoadState(day_start_ns=0), EngineState)

    assert pnl.realised_usd == Decimal(-5)
    assert pnl.by_basis == {"live": Decimal(-5), "sandbox": Decimal(90)}
    assert Decimal(state.realised_today_usd) == Decimal(-5)
    assert [(one.venue, str(one.held)) for one in state.residuals] == [("coinbase", "0.1 BTC")]


async def test_leftovers_are_summed_where_they_lie(settings: LedgerSettings, clock: Clock) -> None:
    amounts = ["0.3", "-0.1", "0.00000001", "0", "-0.2", "0.0"]
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            *(
                makers.make_execution_record(number=number, residual_base=Decimal(amount))
                for number, amount in enumerate(amounts)
            ),
        )

        state = await ask(ledger, LoadState(day_start_ns=0), EngineState)

    assert [(one.venue, str(one.held)) for one in state.residuals] == [
        ("coinbase", "0.30000001 BTC"),
        ("gemini", "-0.3 BTC"),
    ]


async def test_profit_of_today_starts_at_the_instant_asked(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for number, closed_at_ns in enumerate((makers.NOW_NS - 1, makers.NOW_NS)):
            await append(
                ledger,
                makers.make_execution_record(
                    number=number, closed_at_ns=closed_at_ns, profit_usd=Decimal(3)
                ),
            )

        state = await ask(ledger, LoadState(day_start_ns=makers.NOW_NS), EngineState)

    assert Decimal(state.realised_today_usd) == Decimal(3)


async def test_trades_are_newest_first_and_counted_whole(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            *(
                makers.make_execution_record(number=number, closed_at_ns=makers.NOW_NS + number)
                for number in (1, 2, 3)
            ),
        )

        report = await ask(ledger, GetTrades(limit=2), TradesReport)

    assert [trade.execution_id for trade in report.trades] == ["exec-run1-3", "exec-run1-2"]
    assert report.total == 3


async def test_what_closes_a_leftover_is_listed_and_explained_as_that(
    settings: LedgerSettings, clock: Clock
) -> None:
    route = makers.make_execution_record(number=1)
    closing = makers.make_execution_record(number=2, closed_at_ns=makers.NOW_NS + 1)
    closes = Closes(held=Decimal("0.01"), carry=Decimal(600))
    assert isinstance(closing.plan, LeggedPlan)
    closing = msgspec.structs.replace(
        closing,
        plan=msgspec.structs.replace(closing.plan, closes=closes, legs=closing.plan.legs[1:]),
        execution=dataclasses.replace(closing.execution, orders=closing.execution.orders[1:]),
    )
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, route, closing)

        report = await ask(ledger, GetTrades(limit=2), TradesReport)
        why = await ask(ledger, GetStoredWhy(ref="exec-run1-2"), WhyReport)
        other = await ask(ledger, GetStoredWhy(ref="exec-run1-1"), WhyReport)

    assert [trade.closes for trade in report.trades] == [Decimal("0.01"), None]
    assert (why.is_closing, other.is_closing) == (True, False)


def at_one_venue(number: int, opportunity_id: str, profit_usd: int) -> ExecutionRecord:
    """Return an execution that buys and sells at one venue, as triangles and closings do."""
    record = makers.make_execution_record(number=number, profit_usd=Decimal(profit_usd))
    seen = record.plan.opportunity
    seen = msgspec.structs.replace(
        seen,
        opportunity_id=opportunity_id,
        hops=tuple(msgspec.structs.replace(hop, venue=seen.buy_venue) for hop in seen.hops),
    )
    assert isinstance(record.plan, LeggedPlan)
    return msgspec.structs.replace(
        record,
        plan=msgspec.structs.replace(record.plan, opportunity=seen),
        execution=dataclasses.replace(record.execution, opportunity_id=opportunity_id),
    )


async def test_what_closed_a_leftover_is_no_route_in_any_sum(
    settings: LedgerSettings, clock: Clock
) -> None:
    ids = ["run1-1", "run1-flat", "run1-flat2", "run1-flat2-3", "run-flat4-run1-flat17"]
    assert [is_closing(one) for one in ids] == [False, False, True, False, True]
    route, closing = "BTC-USD coinbase→coinbase", "BTC-USD closing at coinbase"
    whole = GetPerformance(since_ns=0, until_ns=makers.NOW_NS + 1, by=By.ROUTE)
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            *(at_one_venue(number, one, 10**number) for number, one in enumerate(ids)),
        )

        day = await ask(ledger, GetPnl(days=1), PnlReport)
        ever = await ask(ledger, GetPnl(days=DAYS_MAX), PnlReport)
        report = await ask(ledger, whole, PerformanceReport)

    expected = {route: (Decimal(1_011), 3), closing: (Decimal(10_100), 2)}
    assert day.by_route == ever.by_route == expected
    assert {name: (one.realised, one.trades) for name, one in report.groups} == expected
    assert report.best is not None
    assert report.worst is not None
    assert (report.best.route, report.worst.route) == (closing, route)


async def test_a_long_profit_curve_is_thinned_and_keeps_its_end(
    sqlite_settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "POINTS_MAX", 20)
    count = 45
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        await append(
            ledger,
            *(
                makers.make_execution_record(number=number, profit_usd=Decimal(1))
                for number in range(count)
            ),
        )

        pnl = await ask(ledger, GetPnl(days=1), PnlReport)

    assert pnl.executions == count
    assert len(pnl.points) <= 20
    assert pnl.points[-1] == (makers.NOW_NS, Decimal(count))


async def test_why_tells_the_decision_and_the_fills(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_opportunity_record(detail="net 20.0 bps"),
            makers.make_execution_record(),
            makers.make_closed(),
        )

        by_opportunity = await ask(ledger, GetStoredWhy(ref="run1-1"), WhyReport)
        by_execution = await ask(ledger, GetStoredWhy(ref="exec-run1-1"), WhyReport)

    assert by_opportunity == by_execution
    assert by_opportunity.market_note == "recorded markets"
    assert by_opportunity.execution_id == "exec-run1-1"
    assert by_opportunity.frame_seqs == (1_001, 11, 12)
    assert by_opportunity.later_refusals == [("order_rate_limit", "3 orders in 1 s, limit 2")]
    assert by_opportunity.ended == "gave way to run-2, which gains 424.10 USD"
    assert by_opportunity.line.hops == makers.make_opportunity().hops
    assert by_opportunity.line.lasted_ms == 1_000
    assert not by_opportunity.line.is_open
    buy, sell = by_opportunity.legs
    assert (buy.side, buy.filled_base, buy.price_average) == (
        "buy",
        Decimal("0.01"),
        Decimal(60_000),
    )
    assert (sell.fee_quote, sell.frame_seq) == (Decimal("1.80"), 12)


async def test_after_a_restart_a_trade_reads_its_end_and_tells_one_story(
    settings: LedgerSettings, clock: Clock
) -> None:
    record = makers.make_execution_record()
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_opportunity_record(outcome="planned"), record)

    async with open_ledger(settings, clock=clock) as ledger:
        why = await ask(ledger, GetStoredWhy(ref="run1-1"), WhyReport)
        (trade,) = (await ask(ledger, GetTrades(limit=1), TradesReport)).trades

    assert (why.line.outcome, why.line.detail) == ("traded", "0.9877 USD from fills")
    assert why.story == trade.story == record.execution.story


async def test_why_still_tells_of_a_trade_whose_opportunity_was_deleted_by_age(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_opportunity_record(), makers.make_execution_record())
        clock.now_ns += 31 * makers.DAY_NS
        assert await ledger.apply_retention() == 1

        why = await ask(ledger, GetStoredWhy(ref="exec-run1-1"), WhyReport)

    assert why.frame_seqs == (1_001, 11, 12)
    assert why.gross_edge_bps == 80.0
    assert len(why.legs) == 2


async def test_why_shows_a_leg_that_was_planned_but_never_sent(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    record = makers.make_execution_record()
    unfilled = dataclasses.replace(record.execution.orders[0], fills=(), state=OrderState.EXPIRED)
    execution = dataclasses.replace(record.execution, orders=(unfilled,))
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        await append(ledger, msgspec.structs.replace(record, execution=execution))

        why = await ask(ledger, GetStoredWhy(ref="exec-run1-1"), WhyReport)

    assert [(leg.side, leg.filled_base, leg.price_average) for leg in why.legs] == [
        ("buy", Decimal(0), None),
        ("sell", Decimal(0), None),
    ]


async def test_an_opportunity_is_open_until_it_is_closed_or_its_run_is_over(
    settings: LedgerSettings, clock: Clock
) -> None:
    clock.now_ns += 2 * makers.SECOND_NS
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_opportunity_record())
        during = await ask(ledger, GetStoredWhy(ref="run1-1"), WhyReport)
        await append(
            ledger,
            makers.make_opportunity_record(run_id="run2", seen_at_ns=makers.NOW_NS + 1),
        )
        after = await ask(ledger, GetStoredWhy(ref="run1-1"), WhyReport)

    assert (during.line.is_open, during.line.lasted_ms) == (True, 2_000)
    assert (after.line.is_open, after.line.lasted_ms) == (False, 0)


async def test_why_of_an_unknown_id_says_so(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        reply = await ask(ledger, GetStoredWhy(ref="' OR 1=1 --"), Unknown)

    assert "' OR 1=1 --" in reply.what


async def test_profit_is_the_same_whatever_the_size_of_a_page(
    settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        # Several close at the same instant, so that a page may end between two of them.
        records = [
            makers.make_execution_record(
                number=number,
                profit_usd=Decimal(number),
                closed_at_ns=makers.NOW_NS - number // 3 * makers.SECOND_NS,
            )
            for number in range(1, 12)
        ]
        await append(ledger, *records)
        whole = await ask(ledger, GetPnl(days=1), PnlReport)

        for rows in (1, 2, 3, 11):
            monkeypatch.setattr(totals, "PAGE_ROWS", rows)
            assert await ask(ledger, GetPnl(days=1), PnlReport) == whole

    assert whole.realised_usd == Decimal(66)
    assert whole.executions == 11


async def test_the_profit_of_all_days_is_the_sum_of_each_and_of_what_is_stored_later(
    settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.storage.ever.PAGE_ROWS", 3)
    gains = [Decimal(number) / 7 - 1 for number in range(1, 15)]
    records = [
        makers.make_execution_record(
            number=number,
            profit_usd=gain.quantize(Decimal("1e-20")),
            closed_at_ns=makers.NOW_NS - (number % 5) * makers.DAY_NS,
        )
        for number, gain in enumerate(gains, 1)
    ]
    async with open_ledger(settings, clock=clock) as ledger:
        looks = []
        for upto in (0, 5, 5, 11, 14):
            await append(ledger, *records[:upto])
            ever = await ask(ledger, GetPnl(days=36_500), PnlReport)
            year = await ask(ledger, GetPnl(days=365), PnlReport)
            looks.append((upto, ever, year))
    async with open_ledger(settings, clock=clock) as ledger:
        again = await ask(ledger, GetPnl(days=36_500), PnlReport)

    for upto, ever, year in looks:
        assert ever.executions == upto
        assert msgspec.structs.replace(ever, since_ns=0, points=[]) == msgspec.structs.replace(
            year, since_ns=0, points=[]
        )
    assert again == looks[-1][1]
