"""What is left over, and what closing it would cost."""

from msgspec.structs import replace

from bot.render.flatten import BY_HAND, render_closings
from bot.render.plain import write_plain
from engine.domain.modes import Money
from tests.bot import samples


def text_of(*which: int) -> str:
    report = samples.closings()
    chosen = [report.closings[number] for number in which]
    return " ".join(write_plain(render_closings(replace(report, closings=chosen))).split())


def test_the_order_that_closes_is_shown_with_price_fee_and_what_it_comes_to() -> None:
    text = text_of(0)

    assert "coinbase 0.0002 BTC" in text
    assert "sell 0.0002 at 63,990.50" in text
    assert "fee 0.0512 USD" in text
    assert "comes to +$0.05" in text
    assert BY_HAND not in text


def test_live_money_and_paper_are_in_no_sum_together() -> None:
    text = text_of(0, 1, 2)

    assert text.index("Live: nothing closes now") < text.index("Paper: closing comes to +$0.05")
    assert "its book is not live" in text
    assert "no order so small" in text
    assert BY_HAND in text


def test_a_book_that_has_too_little_is_told() -> None:
    report = samples.closings()
    part = replace(report.closings[0], filled_base=report.closings[0].size_base / 2)
    text = " ".join(
        write_plain(
            render_closings(replace(report, closings=[replace(part, money=Money.LIVE)]))
        ).split()
    )

    assert "Left over: 1, 0 to close" in text
    assert "the book has 0.0001 of it" in text


def test_nothing_left_over_is_told_so() -> None:
    assert "Nothing is left over" in text_of()
