"""Charts: portrait pictures in light and dark, drawn in a process of their own."""

import io
from dataclasses import replace as replaced
from decimal import Decimal

import pytest
from msgspec.structs import replace
from PIL import Image

from bot.render.charts import make_equity, make_expected, make_funnel, make_latency
from engine.domain.instruments import VenueId
from engine.domain.modes import Money
from engine.domain.performance import By
from engine.domain.stories import OrderCost
from engine.domain.units import NS_PER_DAY
from engine.requests.performance import GetPerformance
from tests.bot import samples
from tests.bot.conftest import Chat

DARK, LIGHT = (0x17, 0x21, 0x2B), (255, 255, 255)


def corner(photo: bytes | None) -> tuple[int, ...]:
    """Return the colour of a picture's paper, of a picture that is portrait."""
    assert photo is not None
    picture = Image.open(io.BytesIO(photo)).convert("RGB")
    assert picture.size == (1080, 1350)
    found = picture.getpixel((3, 3))
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize(
    ("line", "theme", "paper"),
    [
        ("/chart equity dark", "light", DARK),
        ("/chart expected 30 light", "dark", LIGHT),
        ("/chart funnel", "dark", DARK),
        ("/chart latency", "light", LIGHT),
        ("/chart spreads", "dark", DARK),
    ],
)
async def test_each_chart_is_drawn_as_the_command_or_else_the_setting_says(
    chat: Chat, line: str, theme: str, paper: tuple[int, ...]
) -> None:
    async with chat.start_with(chart_theme=theme):
        await chat.say(line)

    assert corner(chat.emulator.chats.from_bot()[-1].photo) == paper


async def test_days_and_look_may_stand_alone(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/chart equity 30")
        await chat.say("/chart equity dark")
        assert "is not valid" in await chat.say("/chart equity 0")
        assert "Nothing was done" in await chat.say("/chart equity pink")

    asked = [
        one
        for one in chat.facade.asked
        if isinstance(one, GetPerformance) and one.money is Money.PAPER
    ]
    assert [(one.until_ns - one.since_ns) // NS_PER_DAY for one in asked] == [30, 7]


async def test_the_menu_of_charts_leads_to_each_and_stays(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/chart")
        chat.emulator.person_taps("Funnel")
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 2)

    menu, funnel = chat.emulator.chats.from_bot()
    assert "Charts" in menu.text
    assert menu.edits == 0
    assert funnel.photo is not None


def test_nothing_is_drawn_of_nothing() -> None:
    empty = replace(samples.performance(), points=[], groups=[], outcomes={})

    assert make_equity(empty, days=7) is None
    assert make_expected(empty, days=7) is None
    assert make_funnel(empty, days=7) is None


def test_a_funnel_never_widens() -> None:
    funnel = make_funnel(samples.performance(), days=7)

    assert funnel is not None
    counts = [count for _, count, _ in funnel.stages]
    assert counts == sorted(counts, reverse=True)
    assert counts == [1_204, 174, 33, 31, 22]


def test_latency_shows_orders_of_each_venue_beside_the_engines_own() -> None:
    orders = tuple(
        OrderCost(
            venue=VenueId("binance"),
            side="buy",
            purpose="leg",
            fee_quote=Decimal(0),
            fee_base=Decimal(0),
            latency_ns=ms * 1_000_000,
        )
        for ms in range(1, 101)
    )
    trade = replace(samples.trades().trades[1], story=replaced(samples.story(), orders=orders))

    bars = make_latency(samples.status(), [trade])

    assert bars is not None
    rows = {label: (middle, slow) for label, middle, slow, _ in bars.rows}
    assert rows["order at binance"] == (51.0, 100.0)
    assert rows["frame to decision"] == pytest.approx((0.0142, 0.0718))


def test_routes_are_told_with_both_amounts() -> None:
    bars = make_expected(samples.performance(By.ROUTE), days=7)

    assert bars is not None
    assert bars.rows[0] == ("BTC-USD\ncoinbase→bitstamp", 14.10, 12.3456, "+$12.35\nof +$14.10")
