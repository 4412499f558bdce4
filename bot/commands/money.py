"""Commands: /trades /pnl /export."""

from bot.answer import Answer, Document
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import DAYS_MAX, answer_plainly, numbered_why
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
from engine.bus.reports import ExportReport
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
    short_help="newest paper trades",
    long_help=("Shows the newest executions: profit realised of expected, and route.",),
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
    ),
    handler=pnl,
    parent="reports",
    grammar=(Argument(name="days", form=Form.NUMBER, number_max=DAYS_MAX),),
)


async def export(call: Call) -> Answer:
    """Send a table as a CSV file."""
    table = call.arguments.text("table") or ""
    days = call.arguments.number("days", default=_EXPORT_DAYS)
    report = await call.ask(GetExport(table=table, days=days))
    if not isinstance(report, ExportReport):
        return answer_plainly(report, call.settings)
    if len(report.content) > DOCUMENT_BYTES_MAX:
        return Answer(screen=render_export_too_big(report, bytes_max=DOCUMENT_BYTES_MAX))
    return Answer(
        screen=render_export(report, table=table, days=days),
        document=Document(file_name=report.file_name, content=report.content),
    )


EXPORT = CommandEntry(
    name="export",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="a table as a CSV file",
    long_help=("Sends a table of the last days (30 by default) as a CSV file with its checksum.",),
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
                "opportunities",
                "notices",
                "audit",
            ),
        ),
        Argument(name="days", form=Form.NUMBER, number_max=DAYS_MAX),
    ),
)
