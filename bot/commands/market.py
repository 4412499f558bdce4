"""Handlers: /opportunities /spreads /why."""

from bot.answer import Answer, Button
from bot.command import Call
from bot.commands.common import answer_plainly
from bot.render.market import SHOWN_MAX, render_opportunities, render_why
from bot.render.spreads import make_heatmap, render_spreads
from engine.facade.commands import GetOpportunities, GetSpreads, GetWhy
from engine.facade.reports import OpportunitiesReport, SpreadsReport, WhyReport

_BUTTONS_MAX = 2
_SPREADS_BUTTONS = (
    (
        Button(label="Picture", line="/spreads picture"),
        Button(label="Opportunities", line="/opportunities"),
    ),
)


async def opportunities(call: Call) -> Answer:
    """Show open and recent opportunities, with a button to the decision on the first ones."""
    report = await call.ask(GetOpportunities(limit=SHOWN_MAX))
    if not isinstance(report, OpportunitiesReport):
        return answer_plainly(report, call.settings)
    why = tuple(
        Button(label=f"Why {line.opportunity_id}", line=f"/why {line.opportunity_id}")
        for line in report.opportunities[:_BUTTONS_MAX]
    )
    return Answer(screen=render_opportunities(report), buttons=(why,) if why else ())


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
    """Show the whole decision on one opportunity or trade."""
    report = await call.ask(GetWhy(ref=call.arguments.text("id") or ""))
    if isinstance(report, WhyReport):
        return Answer(screen=render_why(report))
    return answer_plainly(report, call.settings)
