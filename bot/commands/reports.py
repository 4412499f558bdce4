"""Commands: /reports /daily /report /performance."""

import datetime as dt

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import DAYS_MAX, no_day, read_day
from bot.commands.money_asked import MONEY, performance_asked
from bot.grammar import Argument, Form
from bot.render import words
from bot.render.discoveries import learned_words
from bot.render.reports import Came, books_line, live_facts, render_came, render_groups
from bot.render.screen import Screen, Text
from engine.bus.performance import BooksReport, PerformanceReport
from engine.bus.reports import BalanceReport
from engine.domain.errors import TransientError
from engine.domain.modes import Money
from engine.domain.performance import By
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.requests.balance import GetBalance
from engine.requests.discoveries import CountDiscoveries
from engine.requests.overview import GetStatus
from engine.requests.performance import GetBooks, GetPerformance

SPANS = {"day": 1, "week": 7, "month": 30}

_MENU = (
    (
        Button(label="Today", line="/daily"),
        Button(label="Yesterday", line="/daily yesterday"),
    ),
    (
        Button(label="Week", line="/report week"),
        Button(label="Month", line="/report month"),
        Button(label="Profit", line="/pnl 7"),
    ),
    (
        Button(label="By pair", line="/performance pair 30"),
        Button(label="By route", line="/performance route 30"),
        Button(label="By hour", line="/performance hour 30"),
    ),
    (
        Button(label="Charts", line="/chart"),
        Button(label="Balance drawn", line="/balance picture"),
    ),
    (
        Button(label="Export trades", line="/export trades"),
        Button(label="Export audit", line="/export audit"),
    ),
)
_BY_BUTTONS = (
    (
        Button(label="By pair", line="/performance pair"),
        Button(label="By venue", line="/performance venue"),
    ),
    (
        Button(label="By route", line="/performance route"),
        Button(label="By hour", line="/performance hour"),
    ),
)


async def reports(call: Call) -> Answer:
    """Show the menu of reports."""
    del call
    text = Text("What was earned: as text, as a picture, as a file.")
    return Answer(screen=Screen(title="Reports", blocks=(text,)), buttons=_MENU)


REPORTS = CommandEntry(
    name="reports",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="menu of reports, pictures and files",
    long_help=("Shows a button to each report, picture and file.",),
    handler=reports,
)


async def daily(call: Call) -> Answer:
    """Show one UTC day."""
    asked = call.arguments.text("date") or "today"
    today_ns = call.now_ns // NS_PER_DAY * NS_PER_DAY
    start_ns: int | None
    if asked in {"today", "yesterday"}:
        start_ns = today_ns - (NS_PER_DAY if asked == "yesterday" else 0)
    else:
        start_ns = read_day(asked)
    if start_ns is None:
        return no_day(asked)
    title = f"Day {day_name(start_ns)}"
    return await _report(call, title, start_ns, min(start_ns + NS_PER_DAY, call.now_ns))


DAILY = CommandEntry(
    name="daily",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="what one UTC day came to",
    long_help=(
        "Shows today so far, yesterday, or the day of a date such as 2026-11-28, all in UTC.",
        (
            "Net profit, planned against realised, costs, drawdown, best and worst, refusals that"
            " lasted half a second or more (by estimate), alerts; and whether the ledger's"
            " balances, its fills and the engine's positions agree."
        ),
        "The same of each day comes by itself at 00:05 UTC (SYNDICATE_OPERATOR_DAILY_REPORT_AT).",
    ),
    handler=daily,
    parent="reports",
    grammar=(Argument(name="date", form=Form.WORD),),
)


async def report(call: Call) -> Answer:
    """Show a span of days up to now, or from one day to another."""
    first, last = call.arguments.text("from") or "day", call.arguments.text("to")
    if first in SPANS and last is None:
        days = SPANS[first]
        title = f"Last {'day' if days == 1 else f'{days} days'}"
        return await _report(call, title, call.now_ns - days * NS_PER_DAY, call.now_ns)
    start_ns, end_ns = read_day(first), read_day(last or first)
    if start_ns is None or end_ns is None or end_ns < start_ns:
        return no_day(first if start_ns is None else last or first)
    title = f"{day_name(start_ns)} to {day_name(end_ns)}"
    return await _report(call, title, start_ns, min(end_ns + NS_PER_DAY, call.now_ns))


REPORT = CommandEntry(
    name="report",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="day, week, month, or from to",
    long_help=(
        "Shows the last day, week or month up to now, as /report week.",
        (
            "With one or two dates: those UTC days and all between them, as"
            " /report 2026-11-01 2026-11-15."
        ),
    ),
    handler=report,
    parent="reports",
    grammar=(Argument(name="from", form=Form.WORD), Argument(name="to", form=Form.WORD)),
)


async def performance(call: Call) -> Answer:
    """Show what each pair, venue, route or hour came to."""
    by = By(call.arguments.text("by") or By.PAIR)
    days = call.arguments.number("days", default=7)
    came = await performance_asked(call, by, days=days)
    return Answer(screen=render_groups(came, by, days=days), buttons=_BY_BUTTONS)


PERFORMANCE = CommandEntry(
    name="performance",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="profit by pair, venue, route or hour",
    long_help=(
        (
            "Shows trades, how many won and the net profit of the last days (7 by default), the"
            " largest first; hours are of the UTC day."
        ),
        (
            "Of what was sent, where there is any, else of paper; the last line says which."
            " /performance pair 30 paper asks for one of the two."
        ),
    ),
    handler=performance,
    parent="reports",
    grammar=(
        Argument(
            name="by",
            form=Form.CHOICE,
            choices=("pair", "venue", "route", "hour"),
            may_be_skipped=True,
        ),
        Argument(name="days", form=Form.NUMBER, number_max=DAYS_MAX, may_be_skipped=True),
        MONEY,
    ),
)


def day_name(at_ns: int) -> str:
    """Return the UTC day of an instant, as 2026-11-28."""
    return f"{dt.datetime.fromtimestamp(at_ns // NS_PER_S, dt.UTC):%Y-%m-%d}"


async def _report(call: Call, title: str, since_ns: int, until_ns: int) -> Answer:
    came = await call.ask(GetPerformance(since_ns=since_ns, until_ns=until_ns))
    sent = await call.ask(GetPerformance(since_ns=since_ns, until_ns=until_ns, money=Money.LIVE))
    differences = await _differences(call, came, sent)
    shown = Came.of(
        came,
        books="not all of them answer" if differences is None else books_line(differences),
        is_alike=None if differences is None else not differences,
        beside=(
            *live_facts(sent.all, sent.upkeep_usd),
            *await _uptime(call, came),
            *await _learned(call, since_ns, until_ns),
        ),
    )
    return Answer(screen=render_came(title, shown, basis=came.basis), buttons=_BY_BUTTONS)


async def _differences(
    call: Call, came: PerformanceReport, sent: PerformanceReport
) -> list[str] | None:
    """Return where the books differ, None where not all of them answer.

    What is under way is in the engine's positions before it is in the ledger: what differs only
    there is looked at once more.
    """
    told = [
        f"two ways of adding up the {one.money} trades"
        for one in (came, sent)
        if not one.is_summed_twice_alike
    ]
    try:
        for _ in range(2):
            books = await call.ask(GetBooks())
            positions = _unlike(books, await call.ask(GetBalance()), call.settings.engine_id)
            if not positions:
                break
    except TransientError:
        return None
    told += [
        f"{_live(one.money)}{one.asset} at {one.venue}: ledger {one.held}, fills {one.from_fills}"
        for one in books.differences
    ]
    return told + positions


def _unlike(books: BooksReport, balance: BalanceReport, engine_id: str) -> list[str]:
    """Return the places of which the engine and the ledger hold different amounts."""
    held = {
        (one.money, one.venue, str(one.asset)): one.held
        for one in books.held
        if one.engine_id == engine_id
    }
    return [
        f"{_live(line.money)}{line.asset} at {line.venue}: positions {line.held},"
        f" ledger {held.get((line.money, line.venue, line.asset), 'none')}"
        for line in balance.lines
        if held.get((line.money, line.venue, line.asset)) != line.held
    ]


def _live(money: Money) -> str:
    return "live " if money is Money.LIVE else ""


async def _learned(call: Call, since_ns: int, until_ns: int) -> tuple[tuple[str, str], ...]:
    counts = await call.ask(CountDiscoveries(since_ns=since_ns, until_ns=until_ns))
    return (("Learned", learned_words(counts.learned())),)


async def _uptime(call: Call, came: PerformanceReport) -> tuple[tuple[str, str], ...]:
    starts = came.notices.get("Started", 0)
    try:
        up = words.duration((await call.ask(GetStatus())).uptime_s)
    except TransientError:
        up = "away now"
    return (("Up", f"{up}, started {words.count(starts)} times in this time"),)
