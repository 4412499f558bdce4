"""Command: /chart."""

from bot.answer import Answer, Button, Picture, Theme
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import DAYS_MAX
from bot.commands.money_asked import MONEY, performance_asked
from bot.grammar import Argument, Form
from bot.render.charts import (
    make_equity,
    make_expected,
    make_funnel,
    make_latency,
    render_menu,
    span,
)
from bot.render.quote_map import make_quote_map, render_quotes
from bot.render.screen import Screen, Text, brief
from bot.render.spreads import make_heatmap, render_spreads
from engine.domain.performance import By
from engine.requests.money import GetTrades
from engine.requests.overview import GetQuotes, GetSpreads, GetStatus

KINDS = ("equity", "expected", "funnel", "latency", "spreads", "map")
_TRADES_LOOKED_AT = 200
_MENU = (
    tuple(Button(label=kind.capitalize(), line=f"/chart {kind}") for kind in KINDS[:3]),
    tuple(Button(label=kind.capitalize(), line=f"/chart {kind}") for kind in KINDS[3:]),
)


async def chart(call: Call) -> Answer:
    """Draw what is asked for; without a word say what can be drawn."""
    kind = call.arguments.text("what")
    if kind is None:
        return Answer(screen=render_menu(), buttons=_MENU)
    said = call.arguments.text("look")
    days = call.arguments.number("days", default=7)
    title, picture = await _make(call, kind, days)
    note = "" if picture is None else picture.basis_note
    blocks = () if picture is not None else (Text("There is nothing to draw yet."),)
    return Answer(
        screen=title
        if isinstance(title, Screen)
        else Screen(title=title, blocks=blocks, note=note),
        chart=picture,
        theme=None if said is None else Theme(said),
    )


CHART = CommandEntry(
    name="chart",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="pictures: equity, funnel, latency ...",
    long_help=(
        (
            "Draws equity (profit, and how far it is below its peak), expected (planned and"
            " realised by route), funnel (from found to won), latency, spreads, or a map of who"
            " quotes what."
        ),
        (
            "The days (7 by default), and paper or live, are for the first three: live where"
            " anything was sent. Light or dark is for all of them."
        ),
    ),
    handler=chart,
    parent="reports",
    grammar=(
        Argument(name="what", form=Form.CHOICE, choices=KINDS),
        Argument(name="days", form=Form.NUMBER, number_max=DAYS_MAX, may_be_skipped=True),
        MONEY,
        Argument(name="look", form=Form.CHOICE, choices=tuple(Theme)),
    ),
)


async def _make(call: Call, kind: str, days: int) -> tuple[str | Screen, Picture | None]:
    if kind == "spreads":
        spreads = await call.ask(GetSpreads())
        return brief(render_spreads(spreads)), make_heatmap(spreads)
    if kind == "map":
        quotes = await call.ask(GetQuotes())
        return render_quotes(quotes), make_quote_map(quotes)
    if kind == "latency":
        status = await call.ask(GetStatus())
        trades = await call.ask(GetTrades(limit=_TRADES_LOOKED_AT))
        return "How long each step takes", make_latency(status, trades.trades)
    by = By.ROUTE if kind == "expected" else By.ALL
    report = await performance_asked(call, by, days=days)
    if kind == "equity":
        return f"Profit, {span(days)}", make_equity(report, days=days)
    if kind == "expected":
        return f"Planned and realised, {span(days)}", make_expected(report, days=days)
    return f"From found to won, {span(days)}", make_funnel(report, days=days)
