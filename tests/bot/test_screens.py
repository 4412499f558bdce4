"""Screens: harmless whatever stands in them, and narrow enough for a phone."""

import contextvars
import datetime as dt
import re
import string
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.chart_times import bounds_of, form_of
from bot.command_table import COMMANDS
from bot.commands import overview
from bot.dispatch import Dispatcher, Invocation, Refused, read_line
from bot.render import words
from bot.render.clean import clean
from bot.render.html import CAPTION_UNITS_MAX, MESSAGE_UNITS_MAX, plain_of, write_html
from bot.render.market import render_opportunities, render_why
from bot.render.money import render_pnl, render_trades
from bot.render.notices import render_digest, render_notice
from bot.render.overview import Beside, render_status, render_venues
from bot.render.pages import ROWS_MAX, make_pages
from bot.render.plain import write_plain
from bot.render.safety import render_limits
from bot.render.screen import (
    WIDTH,
    Facts,
    Lines,
    Screen,
    Table,
    Text,
    monospace_rows,
    wrapped,
)
from bot.render.stories import make_waterfall
from engine.bus.notices import PaperTraded, StampedNotice
from engine.bus.reports import EngineLine, LimitLine, TradesReport, WatchedLine, WhyReport
from engine.connectors.specs import all_specs
from engine.domain.stories import TradeStory
from engine.facade.front_end import FrontEndSettings
from tests.bot import samples
from tests.bot.conftest import Clock
from tests.bot.fake_facade import FakeFacade
from tests.bot.test_commands_end_to_end import EXAMPLES
from tests.effort import examples
from tests.reference.world import START_NS, Setup, World, make_instrument
from tests.storage.makers import make_story
from tests.telegram.markup import parse_html, units
from tests.telegram.picture import bubble_rows

VENUES = all_specs()

HOSTILE = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="<>&;\"'/b#x0 pre", max_size=60),
    st.text(alphabet="\u202e\u200b\u2066\u2069\ufeff\u0000\u001b\u0301\u3164abc\n\t", max_size=60),
    st.sampled_from(
        [
            "</pre>",
            "<b>",
            "&lt;",
            "&#60;",
            "<a href='tg://user?id=1'>x</a>",
            "\x1b[2J",
            "🏴\u200d☠️",
            "\U0001d54f",
        ]
    ),
)
INVISIBLE = {chr(c) for c in (*range(32), 127, *range(0x80, 0xA0), 0x200B, 0x200E, 0x200F, 0xFEFF)}
INVISIBLE |= {chr(c) for c in (*range(0x202A, 0x202F), *range(0x2060, 0x2070))}


@st.composite
def screens(draw: st.DrawFn) -> Screen:
    blocks = draw(
        st.lists(
            st.one_of(
                st.builds(Text, HOSTILE),
                st.lists(st.tuples(HOSTILE, HOSTILE), max_size=6).map(lambda r: Facts(tuple(r))),
                st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), max_size=6).map(
                    lambda r: Table(("a", "b", "c"), tuple(r))
                ),
                st.lists(HOSTILE, max_size=6).map(lambda r: Lines(tuple(r))),
            ),
            max_size=8,
        )
    )
    return Screen(title=draw(HOSTILE), blocks=tuple(blocks), note=draw(HOSTILE))


@given(screens())
@settings(max_examples=examples(150), deadline=None)
def test_hostile_text_never_breaks_the_markup_and_never_vanishes(screen: Screen) -> None:
    parts = write_html(screen)

    for part in parts:
        visible, spans = parse_html(part)
        assert visible.strip()
        assert not INVISIBLE & set(visible.replace("\n", ""))
        assert {span.kind for span in spans} <= {"b", "pre", "i"}
        assert plain_of(part) == visible
        for span in spans:
            if span.kind == "pre":
                inside = visible.encode("utf-16-le")[
                    2 * span.offset : 2 * (span.offset + span.length)
                ].decode("utf-16-le")
                assert all(len(row) <= WIDTH for row in inside.split("\n"))


@given(st.lists(HOSTILE.map(lambda text: text * 8), min_size=20, max_size=60))
@settings(max_examples=examples(40), deadline=None)
def test_long_screens_are_split_into_valid_parts_that_lose_no_line(lines: list[str]) -> None:
    screen = Screen(title="t", blocks=tuple(Text(line) for line in lines))

    parts = write_html(screen, units_max_first=CAPTION_UNITS_MAX)

    assert units(parts[0]) <= CAPTION_UNITS_MAX
    assert all(units(part) <= MESSAGE_UNITS_MAX for part in parts)
    written = [row for part in parts for row in parse_html(part)[0].split("\n")]
    assert [row for row in written[1:] if row] == [c for line in lines if (c := clean(line))]


@given(screens())
@settings(max_examples=examples(60), deadline=None)
def test_the_terminal_never_sees_a_control_character(screen: Screen) -> None:
    assert not INVISIBLE & set(write_plain(screen).replace("\n", ""))


@given(HOSTILE)
def test_no_line_from_outside_raises_or_is_half_understood(line: str) -> None:
    assert isinstance(read_line(line), Invocation | Refused)


@pytest.mark.parametrize("between", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\n"])
def test_two_numbers_with_any_break_between_them_are_not_read_as_one(between: str) -> None:
    assert isinstance(read_line(f"/trades 1{between}2"), Refused)


@given(st.text(alphabet=string.printable + "٣１²", max_size=12))
def test_a_number_is_plain_ascii_digits_or_refused(word: str) -> None:
    asked = read_line(f"/trades {word}")
    if isinstance(asked, Invocation) and asked.arguments.numbers:
        stripped = word.strip().removesuffix(".")  # two spaces, as a phone writes them
        assert stripped.isascii()
        assert stripped.isdigit()
        assert 1 <= int(stripped) <= 50


def check_fits(screen: Screen) -> None:
    """Check each page as a phone breaks it: rows above the fold, and width of monospace."""
    for page in make_pages(screen):
        (part,) = write_html(page.screen)
        visible, spans = parse_html(part)
        assert bubble_rows(visible, spans) <= ROWS_MAX, visible


@pytest.mark.parametrize("name", [entry.name for entry in COMMANDS])
async def test_every_screen_fits_a_phone(name: str) -> None:
    dispatcher = Dispatcher(facade=FakeFacade(), settings=FrontEndSettings(), clock=Clock())
    asked = read_line(EXAMPLES[name][0])
    assert isinstance(asked, Invocation)

    answer = await dispatcher.carry_out(asked, by="test")

    check_fits(answer.screen)
    if not asked.is_screen:
        assert len(make_pages(answer.screen)) == 1


def test_why_trades_and_the_notice_tell_the_same_figures_and_the_cause() -> None:
    (told,) = (one for one in samples.all_notices() if isinstance(one, PaperTraded))
    trade = replace(samples.trades().trades[1], profit_usd=Decimal("1.19"), story=samples.story())
    screens = (
        render_why(replace(samples.why(), story=samples.story())),
        render_trades(TradesReport(trades=[trade], total=1), asked=1),
        render_notice(StampedNotice(seq=1, notice=replace(told, story=samples.story()))),
    )

    for screen in screens:
        (part,) = write_html(screen)
        text, _ = parse_html(part)
        check_fits(screen)
        assert all(figure in text for figure in ("+$3.26", "+$1.28", "+$1.19")), text
        assert "size limit -$1.50" in text


def test_how_much_of_a_leg_was_filled_is_told_of_the_smallest_order_too() -> None:
    why = samples.why()
    tiny, nearly = Decimal("0.001308"), Decimal("0.00130799")
    legs = [
        replace(why.legs[0], size_base=tiny, filled_base=filled)
        for filled in (tiny, nearly, Decimal(0))
    ]

    lines = write_plain(render_why(replace(why, legs=legs))).splitlines()

    shares = [line.split()[3] for line in lines if line.strip().startswith("buy coinbase 0.001308")]
    assert shares == ["100%", "99%", "0%"]


def test_a_trade_shows_side_venue_rate_and_amount_of_each_orders_fee() -> None:
    why = replace(samples.why(), story=samples.story())
    bought = replace(why.legs[0], fee_quote=Decimal(0), fee_base=Decimal("0.0000156"))

    lines = write_plain(render_why(why)).splitlines()
    in_base = write_plain(render_why(replace(why, legs=[bought]))).splitlines()
    legs = [replace(leg, pair="BTC-USDT") for leg in why.legs]
    in_quote = write_plain(render_why(replace(why, legs=legs))).splitlines()

    assert "  fee buy coinbase 0.0601% $0.60" in lines
    assert "  fee sell bitstamp 0.0599% $0.60" in lines
    assert "  fee unwind coinbase 0.0601% $0.60" in lines
    assert "  fee buy coinbase 0.1% 0.0000156 BTC" in in_base
    assert "  fee buy coinbase 0.0601% 0.6 USDT" in in_quote


@pytest.mark.parametrize("story", [samples.story(), make_story(Decimal("-0.40"))])
def test_each_bar_of_a_storys_picture_begins_where_the_one_before_ended(story: TradeStory) -> None:
    picture = make_waterfall(story, title="t", note="n")

    labels = [label for label, *_ in picture.bars]
    assert [labels[at] for at in picture.totals] == ["found", "planned", "realised"]
    assert len(picture.bars) == 3 + len(story.to_sized) + len(story.to_realised)
    for number, (_, _, start, _) in enumerate(picture.bars[1:], 1):
        ended = picture.bars[number - 1][3]
        reached = picture.bars[number][3] if number in picture.totals else start
        assert reached == pytest.approx(ended)
    assert picture.bars[-1][3] == pytest.approx(float(story.realised.usd))


def test_hostile_names_stay_inside_their_row() -> None:
    evil = "<b>\u202eDSU\u200b</pre>" + "W" * 200
    report = samples.opportunities()
    evil_line = replace(report.opportunities[0], pair=evil, detail=evil, outcome=evil)
    for screen in (
        render_opportunities(replace(report, opportunities=[evil_line], market_note=evil)),
        render_why(replace(samples.why(), line=evil_line, later_refusals=[(evil, evil)])),
        render_trades(
            replace(samples.trades(), trades=[replace(samples.trades().trades[0], pair=evil)]),
            asked=5,
        ),
    ):
        for part in write_html(screen):
            visible, _ = parse_html(part)
            assert "\u202e" not in visible


def test_help_names_every_command() -> None:
    text = write_plain(overview._help_all(COMMANDS))
    for entry in COMMANDS:
        assert f"/{entry.name}" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.567, "$1,234.57"),
        (0.0, "$0.00"),
        (-0.004, "-$0.004"),
        (0.00001, "$<0.0001"),
        (float("nan"), "$?"),
        (-12.3, "-$12.30"),
    ],
)
def test_dollars(value: float, text: str) -> None:
    assert words.usd(value) == text


def test_percent_is_a_hundredth_of_basis_points() -> None:
    assert words.percent(12.84) == "+0.128%"
    assert words.percent(-100) == "-1.000%"


def test_a_route_of_more_legs_shows_all_of_them() -> None:
    line = samples.triangle()
    listed = replace(samples.opportunities(), opportunities=[line])

    text = write_plain(render_opportunities(listed))
    reason = write_plain(render_why(replace(samples.why(), line=line, legs=[])))

    assert "BTC-USD 3 legs" in text
    assert "USD→BTC→ETH→USD" in text
    assert "coinbase, uniswap_v3@ethereum" in text
    assert "98 of 3 legs, 6 of 4 legs" in text
    for words_of_leg in (
        "1,000 USD",
        "→0.37 ETH coinbase ETH-BTC",
        "→1,001 USD uniswap_v3@ethereum 0.05 %",
    ):
        assert words_of_leg in " ".join(reason.split())
    indented = [row for row in text.splitlines() if row.startswith(("●", "  "))]
    assert max(len(row.removeprefix("  ")) for row in indented) <= WIDTH


def test_prices_that_are_not_shared_are_told_in_the_status() -> None:
    well = write_plain(render_status(samples.status(), Beside()))
    failed = write_plain(
        render_status(replace(samples.status(), prices_failure="no room"), Beside())
    )

    assert "Prices" not in well
    assert "Prices   not shared: see log" in failed


def test_what_the_engine_had_no_room_or_time_for_is_shown_once_there_is_some() -> None:
    counts = {"without_room": 1_234, "without_room_usd": 2.5, "pools_waiting": 10_001}
    status = replace(
        samples.status(),
        **counts,
        moves_refused=56,
        told_left_out=1_024,
        told_left_out_bps_max=310,
    )
    listed = replace(samples.opportunities(), **counts)
    texts = [
        write_plain(screen)
        for screen in (render_status(status, Beside()), render_opportunities(listed))
    ]

    for said in ("No room   1,234 routes more", "Screening 10,001 pools wait"):
        assert said in texts[0]
    assert "Moves     56 of pools refused" in texts[0]
    assert "Told      1,024 left out, to 310 bps" in texts[0]
    assert "1,234 more without room (best +$2.50), 10,001 pools wait for screening" in texts[1]
    for screen in (render_status(status, Beside()), render_opportunities(listed)):
        check_fits(screen)
    quiet = write_plain(render_status(samples.status(), Beside()))
    quiet += write_plain(render_opportunities(samples.opportunities()))
    for word in ("oom", "oves", "wait"):
        assert word not in quiet


def test_how_many_opportunities_are_left_out_is_said_with_how_these_were_chosen() -> None:
    listed = replace(samples.opportunities(), left_out=1_188, left_out_open=2)
    screen = render_opportunities(listed)
    newest = replace(listed, is_newest_first=True, left_out_open=0)

    check_fits(screen)
    text = write_plain(screen)
    assert "Opportunities: 3 open" in text
    assert "Here the 4 of the most worth; 1,188 more, 2 of them open\n" in text
    assert "Here the 4 newest; 1,188 more\n" in write_plain(render_opportunities(newest))
    assert "more" not in write_plain(render_opportunities(samples.opportunities()))


def test_what_cannot_be_traded_is_one_line_before_what_can() -> None:
    watched = WatchedLine(
        found={"on several chains": 1_412, "over a bridge": 3}, open=8, best=samples.opportunity(77)
    )
    listed = replace(samples.opportunities(), watched=watched)
    status = replace(samples.status(), watched=watched.found)

    screen = render_opportunities(listed)

    check_fits(screen)
    text = write_plain(screen)
    line = "Not tradable: 1,412 on several chains, 3 over a bridge; 8 open, best +$"
    assert text.index(line) < text.index("● ")
    assert text.count("r7-77") == 1
    shown = " ".join(write_plain(render_status(status, Beside())).split())
    assert "Watched 1,415 not tradable" in shown
    nothing = replace(watched, open=0, best=None)
    assert "; 0 open\n" in write_plain(render_opportunities(replace(listed, watched=nothing)))


def test_a_notice_of_several_opportunities_says_of_how_many_it_is_the_best() -> None:
    alone = render_notice(StampedNotice(seq=1, notice=samples.seen()))
    several = render_notice(StampedNotice(seq=1, notice=replace(samples.seen(), others=23)))
    digest = render_digest(
        [StampedNotice(seq=n, notice=replace(samples.seen(), others=n)) for n in (1, 2)]
    )

    assert "best of" not in write_plain(alone)
    assert "the best of 24" in write_plain(several)
    assert "Opportunities 5" in write_plain(digest)


def test_why_shows_the_worst_case_what_kills_the_gain_and_that_nobody_calibrated_it() -> None:
    text = write_plain(render_why(samples.why_of_a_long_route()))

    for words_shown in ("-$0.21", "a move of -0.128%", "31.5 gwei", "uncalibrated", "Exact now"):
        assert words_shown in text


def test_why_tells_what_the_bytes_of_a_transaction_cost_where_they_cost_anything() -> None:
    why = samples.why_of_a_long_route()
    assert why.values is not None
    on_a_rollup = replace(why, values=replace(why.values, data_fee=0.0123))

    assert "L1 data" not in write_plain(render_why(why))
    row = next(row for row in write_plain(render_why(on_a_rollup)).splitlines() if "L1 data" in row)
    assert row.split() == ["L1", "data", "0.0123", why.line.quote]


def test_sizes_and_leftovers_name_their_asset() -> None:
    traded = next(one for one in samples.all_notices() if isinstance(one, PaperTraded))
    texts = (
        write_plain(render_notice(StampedNotice(seq=1, notice=traded))),
        write_plain(render_trades(samples.trades(), asked=6)),
        write_plain(render_why(replace(samples.why(), line=samples.opportunity(12)))),
    )

    for text in texts:
        assert " BTC" in text
        assert " base" not in text
    assert "left over 0.0002 BTC" in texts[0]
    assert "left over 0.0002 BTC" in texts[1]


def test_a_decision_and_its_detail_are_one_sentence() -> None:
    line = replace(samples.triangle(), detail="a route of 3 legs is watched, not traded yet")
    report = replace(
        samples.why_of_a_long_route(),
        line=line,
        later_refusals=[("stale_book", "binance:BTC-USD: not live")],
    )

    text = write_plain(render_why(report))
    bare = write_plain(render_why(replace(report, line=replace(line, detail=""))))

    assert "Decision: no executor; a route of 3 legs is watched, not traded yet.\n" in text
    assert "Later: stale book; binance:BTC-USD: not live.\n" in text
    assert "Decision: no executor.\n" in bare


def test_why_names_the_advice_that_bore_on_the_decision_and_is_steered_by_none() -> None:
    said = ["tip of base (discovery 12)", "path of base:0xa\x1b[2J,0xb (discovery 13)"]

    text = write_plain(render_why(replace(samples.why(), advice=said)))

    assert "Advised: tip of base (discovery 12), path of base:0xa" in text
    assert "\x1b" not in text
    assert "Advised" not in write_plain(render_why(samples.why()))


def test_why_says_what_a_displaced_route_gave_way_to() -> None:
    why = replace(samples.why_of_a_long_route(), ended="gave way to r-2, which gains 424.10 USD")

    assert "Ended: gave way to r-2, which gains 424.10 USD.\n" in write_plain(render_why(why))


def test_why_shows_what_sharing_legs_gains_and_only_the_legs_that_it_changes() -> None:
    rows = write_plain(render_why(samples.why_of_a_long_route())).splitlines()

    at = rows.index("Split now: 2,000→2,003, net +$2.25")
    assert [row.strip() for row in rows[at + 1 : at + 6]] == [
        "1: 62% coinbase BTC-USD",
        "1: 38% bitstamp BTC-USD",
        "5: 88% uniswap_v3@ethereum 0.05 %",
        "5: 12% uniswap_v2@ethereum 0.3 %",
        "Frames 88121, 88121, 88097 of run r7",
    ]


def test_why_shows_a_leg_that_moves_as_a_whole_and_counts_places_without_room() -> None:
    shared, *rest = samples.split_now().legs
    moved = replace(samples.split_now(), legs=((replace(shared[1], share_ratio=1.0),), *rest))
    crowded = replace(samples.split_now(), legs=(shared * 2, *rest))

    texts = [
        write_plain(render_why(replace(samples.why_of_a_long_route(), split_now=one)))
        for one in (moved, crowded)
    ]

    assert "1: 100% bitstamp BTC-USD" in texts[0]
    assert "1: 62% coinbase" not in texts[0]
    assert texts[1].count("1: 62% coinbase BTC-USD") == 2
    assert "and 3 more" in texts[1]
    assert "uniswap_v2" not in texts[1]


@pytest.mark.parametrize(
    "why",
    [
        samples.why_of_a_long_route(),
        replace(samples.why(), legs=samples.why().legs[:2], later_refusals=[]),
    ],
    ids=["watched", "traded"],
)
def test_why_of_a_shared_route_fits_a_phone_however_many_places_it_has(why: WhyReport) -> None:
    crowded = replace(samples.split_now(), legs=(samples.split_now().legs[0] * 8,) * 5)

    check_fits(render_why(replace(why, split_now=crowded)))


def test_why_of_a_route_of_five_legs_fits_a_phone() -> None:
    check_fits(render_why(replace(samples.why_of_a_long_route(), split_now=None)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.000001453, "0.000001453"),
        (0.0013071234, "0.001307"),
        (0.1, "0.1"),
        (12345.678, "12,346"),
        (999.96, "1,000"),
        (0, "0"),
        (float("inf"), "?"),
        (-0.05, "-0.05"),
    ],
)
def test_an_amount_has_four_digits_and_never_an_exponent(value: float, text: str) -> None:
    assert words.size(value) == text


def test_a_gain_in_another_asset_stands_beside_its_dollars() -> None:
    assert words.gain(0.000001453, "BTC", usd_per=90_000) == "+$0.13 (+0.000001453 BTC)"
    assert words.gain(1.2831, "USD") == "+$1.28"
    assert words.gain(-0.002, "ETH") == "-0.002 ETH"


@pytest.mark.parametrize("line", samples.limits().limits, ids=lambda line: line.name)
def test_a_limit_is_told_in_words(line: LimitLine) -> None:
    text = write_plain(render_limits(replace(samples.limits(), limits=[line])))

    assert "/" not in text
    assert " of " in text or "none yet" in text


FIGURES = st.one_of(
    st.integers(0, 9_999_999_999).map(str),
    st.integers(0, 9_999_999_999).map(lambda cents: f"{Decimal(cents) / 100:.2f}"),
)


ASSETS = ("BTC", "USDT", "1000PEPE")
LIMIT_LINES = World(Setup(instruments=[make_instrument("a")])).decider.limit_lines(START_NS)


@given(
    line=st.sampled_from(LIMIT_LINES),
    allowed=FIGURES,
    used=st.one_of(FIGURES, st.just("unknown")),
    place=st.builds("{} {}".format, st.sampled_from(sorted(VENUES)), st.sampled_from(ASSETS)),
    refusals=st.integers(0, 9_999_999_999),
)
def test_no_row_of_the_limits_drops_a_fact_on_a_phone(
    line: LimitLine, allowed: str, used: str, place: str, refusals: int
) -> None:
    if line.name == "balance":
        line = replace(line, used=f"{used}% left: {place}", refusals=refusals)
    elif line.unit:
        line = replace(line, used=used, limit=allowed, refusals=refusals)
    else:
        line = replace(line, refusals=refusals)
    screen = render_limits(replace(samples.limits(), limits=[line]))

    (rows,) = (monospace_rows(one) for one in screen.blocks if isinstance(one, Facts))
    told = "".join("".join(rows).split())

    assert max(map(len, rows)) <= WIDTH
    facts = f"{line.name} {line.used} {line.unit} {line.limit if line.unit else ''}".split()
    assert [fact for fact in facts if fact not in told] == []
    assert not refusals or f"({refusals:,})" in told


def test_times_are_shown_in_the_zone_of_the_settings() -> None:
    def shown() -> str:
        words.use_zone("Asia/Kolkata")
        return words.clock_zone(samples.AT_NS)

    assert contextvars.copy_context().run(shown) == "19:43:20 IST"
    assert words.clock_zone(samples.AT_NS) == "14:13:20 UTC"


@pytest.mark.parametrize(
    ("span", "form"),
    [
        (dt.timedelta(seconds=40), "%H:%M:%S"),
        (dt.timedelta(hours=3), "%H:%M"),
        (dt.timedelta(days=7), "%m-%d %H:%M"),
    ],
)
def test_seconds_on_an_axis_cannot_be_read_as_minutes(span: dt.timedelta, form: str) -> None:
    assert form_of(span) == form


def test_trades_dated_ahead_of_a_clock_that_was_set_back_are_within_the_chart() -> None:
    now = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
    moments = [now - dt.timedelta(hours=1), now + dt.timedelta(hours=8)]

    left, right = bounds_of(now - dt.timedelta(days=1), now, moments)

    assert left < moments[0]
    assert right == moments[1]


def test_the_status_tells_this_run_the_last_day_and_all_as_the_pnl_does() -> None:
    day = samples.pnl()
    ever = replace(day, realised_usd=Decimal("21.24"), executions=40)

    text = write_plain(render_status(samples.status(), Beside(day=day, ever=ever)))

    assert "This run +$12.35 in 31 trades" in text
    assert f"Last day {words.usd(day.realised_usd, is_signed=True)} in 16 trades" in text
    assert "All days +$21.24 in 40 trades" in text


@pytest.mark.parametrize(
    "state", ["status BREAK", "limit only, post only", "refused: Invalid stream: ltcbtc@depth"]
)
def test_the_state_of_a_market_that_is_out_stands_in_the_venues_screen(state: str) -> None:
    report = samples.venues()
    halted = replace(report.instruments[3], is_live=False, stale_reason="halted", note=state)
    report = replace(report, instruments=[halted])

    text = write_plain(render_venues(report))

    assert f"{halted.venue} {halted.pair}" in text
    assert state in " ".join(text.split())


def test_where_there_are_several_engines_each_figure_says_whose_it_is() -> None:
    names = ["base", "main"]
    own = [replace(one, engine_id="base") for one in samples.trades().trades]
    by_engine = {"base": (Decimal(12), 3), "main": (Decimal(-2), 1)}
    lines = (
        EngineLine(engine_id="base", trouble="engine is away"),
        EngineLine(engine_id="main", is_killed=True, traded=7, profit_usd=Decimal(9)),
    )
    one = TradesReport(trades=own[:2], total=2)
    screens = {
        "trades": render_trades(replace(one, engines=names), asked=2),
        "pnl": render_pnl(replace(samples.pnl(), by_engine=by_engine), days=1),
        "status": render_status(samples.status(), Beside(engines=lines)),
    }

    said = {}
    for name, screen in screens.items():
        (part,) = write_html(screen)
        said[name], _ = parse_html(part)
        check_fits(screen)
    assert said["trades"].count(", base") == 2
    assert re.search(r"base +3 +\+\$12\.00\s+main +1 +-\$2\.00", said["pnl"])
    assert re.search(r"base +away\s+main +KILLED +7 +\+\$9\.00", said["status"])
    (part,) = write_html(render_trades(one, asked=2))
    assert ", base" not in parse_html(part)[0], "one engine needs no name"


def test_a_token_that_is_only_its_address_is_shown_by_its_ends_and_never_when_it_is_written() -> (
    None
):
    asset = "USDT@base:0xcf7ed3acca5a467e9e704c703e8d87f634fb0fc9"
    screen = Screen(
        title=f"ETH-{asset}",
        blocks=(Text(asset), Facts((("Route", f"ETH→{asset}→ETH"),)), wrapped([f"  {asset} 2"])),
    )

    text = "".join(write_html(screen))

    assert asset not in text
    assert text.count("USDT 0xcf7e…0fc9") == 4
    assert clean(asset) == asset
