"""Reports: a time as a screen, with all its costs, and whether all books agree."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from bot.commands.common import read_day
from engine.bus.performance import PlaceDifference
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Money
from engine.domain.performance import By
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.requests.performance import GetPerformance
from tests.bot import samples
from tests.bot.conftest import Chat

TODAY_NS = samples.AT_NS // NS_PER_DAY * NS_PER_DAY


async def asked(chat: Chat, line: str) -> GetPerformance:
    """Say a line and return what of the ledger it asked."""
    async with chat.start():
        await chat.say(line)
    paper, *live = (one for one in chat.facade.asked if isinstance(one, GetPerformance))
    assert all(one == replace(paper, by=By.ALL, money=Money.LIVE) for one in live)
    return paper


@pytest.mark.parametrize(
    ("line", "since_ns", "until_ns"),
    [
        ("/daily", TODAY_NS, None),
        ("/daily today", TODAY_NS, None),
        ("/daily yesterday", TODAY_NS - NS_PER_DAY, TODAY_NS),
        ("/daily 2026-09-18", TODAY_NS - 3 * NS_PER_DAY, TODAY_NS - 2 * NS_PER_DAY),
        ("/report 2026-09-18 2026-09-19", TODAY_NS - 3 * NS_PER_DAY, TODAY_NS - NS_PER_DAY),
        ("/report 2026-09-18", TODAY_NS - 3 * NS_PER_DAY, TODAY_NS - 2 * NS_PER_DAY),
        ("/report 2026-09-20 2026-09-21", TODAY_NS - NS_PER_DAY, None),
    ],
)
async def test_days_are_whole_days_of_utc_and_end_now_at_the_latest(
    chat: Chat, line: str, since_ns: int, until_ns: int | None
) -> None:
    request = await asked(chat, line)

    now_ns = chat.clock.now_ns
    assert (request.since_ns, request.until_ns) == (since_ns, until_ns or now_ns)


@pytest.mark.parametrize(("word", "days"), [("day", 1), ("week", 7), ("month", 30)])
async def test_a_span_ends_now(chat: Chat, word: str, days: int) -> None:
    request = await asked(chat, f"/report {word}")

    assert request.until_ns == chat.clock.now_ns
    assert request.until_ns - request.since_ns == days * NS_PER_DAY


@pytest.mark.parametrize(
    "line",
    ["/daily tomorrow", "/daily 2026-02-30", "/report 2026-09-19 2026-09-18", "/report week 3"],
)
async def test_what_is_no_day_is_refused_and_nothing_is_asked(chat: Chat, line: str) -> None:
    async with chat.start():
        text = await chat.say(line)

    assert "is no day" in text
    assert not any(isinstance(one, GetPerformance) for one in chat.facade.asked)


async def test_a_report_names_profit_costs_what_stood_out_and_that_the_books_agree(
    chat: Chat,
) -> None:
    async with chat.start():
        text = " ".join((await chat.read("/daily")).split())

    for part in (
        "+$14.10, 88% came",
        "31, 71% won",
        "Fees -$3.20",
        "Gas -$0.42",
        "Transfer -$0.51",
        "Slippage -$1.75",
        "Drawdown $2.10",
        "+$3.21 BTC-USD",
        "-$1.07 BTC-USD",
        "10 that lasted",
        "stale book 8",
        "4: venue lost 2",
        "started 1 times",
        "ledger=fills=positions ✔",
    ):
        assert part in text, part


async def test_a_difference_between_ledger_and_fills_is_told_with_both_amounts(chat: Chat) -> None:
    wrong = PlaceDifference(
        engine_id="main",
        venue=VenueId("binance"),
        asset=AssetCode("BTC"),
        held=Decimal("0.5"),
        from_fills=Decimal("0.4"),
    )
    chat.facade.books = replace(chat.facade.books, differences=[wrong])

    async with chat.start():
        text = " ".join((await chat.read("/daily")).split())

    assert text.startswith("✖")
    assert "✖ Δ BTC at binance: ledger 0.5, fills 0.4" in text


async def test_sums_that_differ_from_a_fold_are_told(chat: Chat) -> None:
    chat.facade.performance = {"is_summed_twice_alike": False}

    async with chat.start():
        text = " ".join((await chat.read("/daily")).split())

    assert text.startswith("✖")
    assert "✖ Δ two ways of adding up the paper trades" in text


async def test_positions_that_the_ledger_does_not_have_are_told(chat: Chat) -> None:
    held = chat.facade.books.held
    chat.facade.books = replace(
        chat.facade.books, held=[replace(held[0], held=held[0].held + 1), *held[1:]]
    )

    async with chat.start():
        text = " ".join((await chat.read("/daily")).split())

    assert f"positions {held[0].held}, ledger {held[0].held + 1}" in text


async def test_books_that_cannot_be_asked_are_not_called_equal(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/version")
        chat.facade.is_engine_away = True
        text = await chat.read("/daily")

    assert "not all of them answer" in text
    assert "✔" not in text.split("Books")[1]


@pytest.mark.parametrize("by", [by for by in By if by is not By.ALL])
async def test_performance_groups_by_what_is_asked(chat: Chat, by: By) -> None:
    async with chat.start():
        text = await chat.read(f"/performance {by} 30")

    names = [name for name, _ in samples.performance(by).groups]
    assert all((f"{int(name):02d}" if by is By.HOUR else name[:14]) in text for name in names)


def test_a_day_begins_at_midnight_utc() -> None:
    assert read_day("2026-09-21") == TODAY_NS
    assert read_day("1970-01-02") == NS_PER_DAY
    assert read_day("20260921") is None
    assert TODAY_NS % NS_PER_S == 0
