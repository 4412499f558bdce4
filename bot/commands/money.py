"""Commands: /trades /pnl /export."""

from bot.answer import Answer, Document
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import DAYS_MAX, answer_plainly, no_day, numbered_why, read_day
from bot.grammar import Argument, Form
from bot.render.money import (
    TRADES_SHOWN,
    TRADES_SHOWN_MAX,
    make_chart,
    render_export,
    render_export_too_big,
    render_pnl,
    render_trades,
)
from bot.render.safety import render_declined
from bot.sheets import SheetError, make_sheet
from engine.bus.reports import Declined, ExportReport
from engine.domain.units import NS_PER_DAY
from engine.requests.money import GetExport, GetPnl, GetTrades

DOCUMENT_BYTES_MAX = 49_000_000
"""Telegram takes documents of up to 50 MB from a bot, the request around it included."""

_EXPORT_DAYS = 30


async def trades(call: Call) -> Answer:
    """Show the newest executions."""
    asked = call.arguments.number("n", default=TRADES_SHOWN)
    report = await call.ask(GetTrades(limit=asked))
    shown = report.trades[: min(asked, TRADES_SHOWN_MAX)]
    return Answer(
        screen=render_trades(report, asked=asked),
        buttons=numbered_why([trade.opportunity_id for trade in shown]),
    )


TRADES = CommandEntry(
    name="trades",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="newest trades, paper and live",
    long_help=(
        "Shows the newest executions: profit realised of expected, and route.",
        "Where any was signed and sent, each line says whether it was paper or live.",
    ),
    handler=trades,
    grammar=(Argument(name="n", form=Form.NUMBER, number_max=TRADES_SHOWN_MAX),),
)


async def pnl(call: Call) -> Answer:
    """Show profit with its chart."""
    days = call.arguments.number("days", default=1)
    report = await call.ask(GetPnl(days=days))
    chart = make_chart(report, days=days, now_ns=call.now_ns)
    return Answer(screen=render_pnl(report, days=days), chart=chart)


PNL = CommandEntry(
    name="pnl",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="profit from fills, with a chart",
    long_help=(
        (
            "Shows realised paper profit over the last days against what was expected, by"
            " route, with a chart of the cumulative profit."
        ),
        "What was signed and sent stands beside it as live, and in no sum with paper.",
    ),
    handler=pnl,
    parent="reports",
    grammar=(Argument(name="days", form=Form.NUMBER, number_max=DAYS_MAX),),
)


async def export(call: Call) -> Answer:
    """Send a table as a file."""
    table = call.arguments.text("table") or ""
    form = call.arguments.text("form") or "csv"
    span = read_span(call)
    if isinstance(span, Answer):
        return span
    since_ns, until_ns, days, told = span
    report = await call.ask(
        GetExport(
            table=table,
            days=days,
            since_ns=since_ns,
            until_ns=until_ns,
            form="json" if form == "json" else "csv",
        )
    )
    if not isinstance(report, ExportReport):
        return answer_plainly(report, call.settings)
    file_name, content = report.file_name, report.content
    if form == "xlsx" and len(content) <= DOCUMENT_BYTES_MAX:
        try:
            content = await make_sheet(content)
        except SheetError as error:
            why = f"no Excel file could be made: {error}; as csv it can be sent"
            return Answer(screen=render_declined(Declined(why=why)))
        file_name = f"{file_name.removesuffix('.csv')}.xlsx"
    if len(content) > DOCUMENT_BYTES_MAX:
        return Answer(screen=render_export_too_big(len(content), bytes_max=DOCUMENT_BYTES_MAX))
    return Answer(
        screen=render_export(report, content, title=f"{table}, {told}"),
        document=Document(file_name=file_name, content=content),
    )


def read_span(call: Call) -> tuple[int | None, int | None, int, str] | Answer:
    """Return from when to when, or how many days, and both in words; or why that is none."""
    first, last = call.arguments.text("from"), call.arguments.text("to")
    days = call.arguments.number("days", default=_EXPORT_DAYS)
    if first is None:
        return None, None, days, f"last {'day' if days == 1 else f'{days} days'}"
    start_ns, end_ns = read_day(first), read_day(last or first)
    if start_ns is None or end_ns is None or end_ns < start_ns:
        return no_day(first if start_ns is None else last or first)
    return start_ns, end_ns + NS_PER_DAY, days, f"{first} to {last or first}"


EXPORT = CommandEntry(
    name="export",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="a table as a CSV, JSON or Excel file",
    long_help=(
        (
            "Sends a table of the last days (30 by default), or from one UTC day to another, as"
            " CSV, JSON or Excel: /export trades xlsx 2026-11-01 2026-11-15."
        ),
        (
            "With it come the file's SHA-256 and what was compared with the ledger. Amounts are"
            " exact; Excel keeps 15 digits, longer ones are text. No cell is a formula."
        ),
    ),
    handler=export,
    parent="reports",
    grammar=(
        Argument(
            name="table",
            form=Form.CHOICE,
            is_required=True,
            choices=(
                "trades",
                "fills",
                "transactions",
                "swaps",
                "costs",
                "truths",
                "opportunities",
                "notices",
                "approvals",
                "mandates",
                "audit",
            ),
        ),
        Argument(
            name="form", form=Form.CHOICE, choices=("csv", "json", "xlsx"), may_be_skipped=True
        ),
        Argument(name="days", form=Form.NUMBER, number_max=DAYS_MAX, may_be_skipped=True),
        Argument(name="from", form=Form.WORD),
        Argument(name="to", form=Form.WORD),
    ),
)
