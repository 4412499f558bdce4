"""Handlers: /trades /pnl /export."""

from bot.answer import Answer, Document
from bot.command import Call
from bot.commands.common import answer_plainly, numbered_why
from bot.render.money import (
    TRADES_SHOWN_MAX,
    make_chart,
    render_export,
    render_export_too_big,
    render_pnl,
    render_trades,
)
from engine.facade.commands import GetExport, GetPnl, GetTrades
from engine.facade.reports import ExportReport, PnlReport, TradesReport

DOCUMENT_BYTES_MAX = 49_000_000
"""Telegram takes documents of up to 50 MB from a bot, the request around it included."""

_EXPORT_DAYS = 30


async def trades(call: Call) -> Answer:
    """Show the newest executions."""
    asked = call.arguments.number("n", default=TRADES_SHOWN_MAX)
    report = await call.ask(GetTrades(limit=asked))
    if isinstance(report, TradesReport):
        shown = report.trades[: min(asked, TRADES_SHOWN_MAX)]
        return Answer(
            screen=render_trades(report, asked=asked),
            buttons=numbered_why([trade.opportunity_id for trade in shown]),
        )
    return answer_plainly(report, call.settings)


async def pnl(call: Call) -> Answer:
    """Show profit with its chart."""
    days = call.arguments.number("days", default=1)
    report = await call.ask(GetPnl(days=days))
    if isinstance(report, PnlReport):
        chart = make_chart(report, days=days, now_ns=call.now_ns)
        return Answer(screen=render_pnl(report, days=days), chart=chart)
    return answer_plainly(report, call.settings)


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
