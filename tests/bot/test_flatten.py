"""What is left over, what closing it would come to, and the question to close it."""

from decimal import Decimal

from msgspec.structs import replace

from bot.render.flatten import render_ask_closing, render_closings
from bot.render.market import render_why
from bot.render.money import render_trades
from bot.render.plain import write_plain
from bot.render.screen import Screen
from engine.bus.closings import ClosingsReport
from engine.domain.modes import Money
from tests.bot import samples
from tests.bot.conftest import Chat


def words_of(screen: Screen) -> str:
    return " ".join(write_plain(screen).split())


def report_of(*which: int) -> ClosingsReport:
    report = samples.closings()
    return replace(report, closings=[report.closings[number] for number in which])


def test_the_order_that_closes_is_shown_with_price_fee_and_what_it_comes_to() -> None:
    text = words_of(render_closings(report_of(0)))

    assert "coinbase 0.0002 BTC" in text
    assert "sell 0.0002 at 63,990.50" in text
    assert "fee 0.0512 USD" in text
    assert "comes to +$0.05" in text


def test_live_money_and_paper_are_in_no_sum_together() -> None:
    text = words_of(render_closings(report_of(0, 1, 2)))

    assert text.index("Live: nothing closes now") < text.index("Paper: closing comes to +$0.05")
    assert "its book is not live" in text
    assert "no order so small" in text


def test_a_book_that_has_too_little_is_told() -> None:
    (line,) = report_of(0).closings
    part = replace(line, filled_base=line.size_base / 2, money=Money.LIVE)
    text = words_of(render_closings(replace(report_of(0), closings=[part])))

    assert "the book has 0.0001 of it" in text


def test_what_would_close_and_may_not_leave_now_says_why() -> None:
    (line,) = report_of(0).closings
    held_up = replace(line, terms=None, why_not_now="the mode is observe")
    text = words_of(render_closings(replace(report_of(0), closings=[held_up])))

    assert "Left over: 1, 0 to close" in text
    assert "not now: the mode is observe" in text


def test_nothing_left_over_is_told_so() -> None:
    assert "Nothing is left over" in words_of(render_closings(report_of()))


def test_the_question_names_each_order_with_its_bound() -> None:
    text = words_of(render_ask_closing(samples.closings()))

    assert "Close 1 of 3?" in text
    assert "sell 0.0002 BTC at coinbase for 63,670.55 or more" in text


async def test_nothing_is_closed_before_the_second_step_and_then_what_was_shown(
    chat: Chat,
) -> None:
    async with chat.start():
        assert "Close 1 of 3?" in await chat.say("/flatten close")
        assert chat.facade.effects == []
        await chat.tap("Close 1")
        await chat.emulator.wait_until(
            lambda: any("1 orders on their way" in one for one in chat.emulator.transcript())
        )

    assert chat.facade.effects == ["close 1"]


def test_what_closed_a_leftover_is_no_route_on_any_screen() -> None:
    report = samples.trades(2)
    venue = report.trades[0].buy_venue
    closing = replace(
        report.trades[0], sell_venue=venue, closes=Decimal("0.015612"), assets=("BTC", "USD")
    )
    why = samples.why()
    closed = replace(why, line=replace(why.line, sell_venue=venue), is_closing=True)

    listed = words_of(render_trades(replace(report, trades=[closing, report.trades[1]]), asked=2))
    explained = words_of(render_why(closed))

    assert f"BTC-USD closing at {venue} 0.0156" in listed
    assert "coinbase→bitstamp" in listed, "the other is a route"
    assert f"a leftover at {venue}" in explained
    assert f"{venue}→{venue}" not in listed + explained
