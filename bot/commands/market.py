"""Handlers: /opportunities /spreads /why."""

from bot.answer import Answer, Button
from bot.command import Call
from bot.commands.common import answer_plainly, numbered_why
from bot.render.market import (
    SHOWN_MAX,
    make_picture,
    render_nothing_yet,
    render_opportunities,
    render_why,
)
from bot.render.spreads import make_heatmap, render_spreads
from engine.facade.commands import GetOpportunities, GetSpreads, GetTrades, GetWhy
from engine.facade.reports import OpportunitiesReport, SpreadsReport, TradesReport, WhyReport

_NEWEST_OF = 50
_PICTURE = "picture"
_SPREADS_BUTTONS = (
    (
        Button(label="Picture", line="/spreads picture"),
        Button(label="Opportunities", line="/opportunities"),
    ),
)


async def opportunities(call: Call) -> Answer:
    """Show open and recent opportunities, with a button to each decision."""
    report = await call.ask(GetOpportunities(limit=SHOWN_MAX))
    if not isinstance(report, OpportunitiesReport):
        return answer_plainly(report, call.settings)
    refs = [line.opportunity_id for line in report.opportunities[:SHOWN_MAX]]
    return Answer(screen=render_opportunities(report), buttons=numbered_why(refs))


async def spreads(call: Call) -> Answer:
    """Show the gaps between books; as a picture on request."""
    report = await call.ask(GetSpreads())
    if not isinstance(report, SpreadsReport):
        return answer_plainly(report, call.settings)
    screen = render_spreads(report)
    if call.arguments.text("form") == "picture":
        return Answer(screen=screen, chart=make_heatmap(report))
    return Answer(screen=screen, buttons=_SPREADS_BUTTONS)


async def why(call: Call) -> Answer:
    """Show the whole decision on one opportunity or trade, without an id on the newest."""
    asked, form = call.arguments.text("id"), call.arguments.text("form")
    if asked == _PICTURE and form is None:
        asked, form = None, _PICTURE
    ref = await _newest(call) if asked is None else asked.lower()
    if ref is None:
        return Answer(screen=render_nothing_yet())
    report = await call.ask(GetWhy(ref=ref))
    if isinstance(report, WhyReport):
        screen = render_why(report)
        if form == _PICTURE:
            return Answer(screen=screen, chart=make_picture(report))
        return Answer(screen=screen, buttons=_after_why(report))
    return answer_plainly(report, call.settings)


def _after_why(report: WhyReport) -> tuple[tuple[Button, ...], ...]:
    if report.story is None:
        return ()
    picture = Button(label="Picture", line=f"/why {report.line.opportunity_id} {_PICTURE}")
    return ((picture, Button(label="Trades", line="/trades")),)


async def _newest(call: Call) -> str | None:
    """Return the id of the newest opportunity, or after a restart that of the newest trade."""
    report = await call.ask(GetOpportunities(limit=_NEWEST_OF))
    if isinstance(report, OpportunitiesReport) and report.opportunities:
        return max(report.opportunities, key=lambda line: line.seen_at_ns).opportunity_id
    trades = await call.ask(GetTrades(limit=1))
    if isinstance(trades, TradesReport) and trades.trades:
        return trades.trades[0].opportunity_id
    return None
