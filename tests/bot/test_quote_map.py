"""The map of who quotes what, on the phone."""

from msgspec.structs import replace

from bot.render.quote_map import PAIRS_MAX, PLACES_MAX, make_quote_map, render_quotes
from bot.render.screen import Lines, monospace_rows
from engine.bus.quote_report import QuoteLine, QuotesReport
from engine.domain.modes import Basis
from tests.bot import samples
from tests.bot.conftest import Chat

REPORT = samples.quotes()


def line(place: str, pair: str, usd: float | None = 1.0) -> QuoteLine:
    return QuoteLine(place=place, pair=pair, count=3, live=2, usd=usd, age_ms=100)


async def test_the_map_is_a_picture_with_the_richest_places_first(chat: Chat) -> None:
    async with chat.start():
        text = await chat.say("/chart map")

    assert "8 places quote 5 pairs" in text
    assert "uniswap_v3 base: $18M" in text
    picture = make_quote_map(REPORT)
    assert picture is not None
    assert picture.rows[:2] == ("uniswap_v3\nbase", "aerodrome_v2\nbase")


def test_what_is_stale_quiet_or_in_part_live_is_told_apart() -> None:
    picture = make_quote_map(replace(REPORT, lines=[*REPORT.lines, line("x", "ETH-USDC", 1e9)]))
    assert picture is not None
    cells = dict(zip(picture.rows, picture.cells, strict=True))

    states = {cell[2] for row in picture.cells for cell in row if cell is not None}
    assert states == {"fresh", "old", "stale"}
    assert ("stale", "0 of 1", "stale") in cells["uniswap_v2\nethereum"]
    assert ("$1B", "0.1 s, 2 of 3", "fresh") in cells["x"]


def test_a_map_that_is_too_large_shows_the_richest_and_says_what_it_leaves_out() -> None:
    places, pairs = PLACES_MAX + 5, PAIRS_MAX + 9
    report = QuotesReport(
        basis=Basis.SANDBOX,
        lines=[
            line(f"venue-with-a-long-name-{place}", f"TOKEN{pair}-USD", usd=float(place * pair))
            for place in range(1, places + 1)
            for pair in range(1, pairs + 1)
        ],
    )

    picture = make_quote_map(report)

    assert picture is not None
    assert (len(picture.rows), len(picture.columns)) == (PLACES_MAX, PAIRS_MAX)
    assert "5 places more" in picture.hint
    assert picture.columns[0] == f"TOKEN{pairs}\nUSD"
    rows = [
        row
        for block in render_quotes(report).blocks
        if isinstance(block, Lines)
        for row in monospace_rows(block)
    ]
    assert all(len(row) <= 36 for row in rows)


def test_nothing_is_no_picture() -> None:
    nothing = QuotesReport(basis=Basis.SANDBOX, lines=[])
    assert make_quote_map(nothing) is None
    assert "Nobody" in render_quotes(nothing).title
