"""Commands: /opportunities /spreads /why."""

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly, numbered_why
from bot.grammar import Argument, Form
from bot.render.market import (
    SHOWN_MAX,
    make_picture,
    render_nothing_yet,
    render_opportunities,
    render_why,
)
from bot.render.screen import brief
from bot.render.spreads import make_heatmap, render_spreads
from engine.bus.reports import WhyReport
from engine.requests.money import GetTrades
from engine.requests.overview import GetOpportunities, GetSpreads
from engine.requests.why import GetWhy

_NEWEST_OF = 50
_PICTURE = "picture"
_NEWEST = "newest"
_SPREADS_BUTTONS = (
    (
        Button(label="Picture", line="/spreads picture"),
        Button(label="Opportunities", line="/opportunities"),
    ),
)


async def opportunities(call: Call) -> Answer:
    """Show opportunities with a button to each decision, and to the other choice of them."""
    is_newest = call.arguments.text("order") == _NEWEST
    report = await call.ask(GetOpportunities(limit=SHOWN_MAX, is_newest_first=is_newest))
    refs = [line.opportunity_id for line in report.opportunities[:SHOWN_MAX]]
    buttons = numbered_why(refs)
    if report.is_newest_first:
        buttons += ((Button(label="Most worth", line="/opportunities"),),)
    elif report.left_out:
        buttons += ((Button(label="Newest", line=f"/opportunities {_NEWEST}"),),)
    return Answer(screen=render_opportunities(report), buttons=buttons)


OPPORTUNITIES = CommandEntry(
    name="opportunities",
    topic=Topic.MARKET,
    kind=Kind.READ,
    short_help="open and recent, and why not taken",
    long_help=(
        (
            "Shows recent opportunities of the most worth in USD after costs, open ones (filled"
            " dot) first: expected profit and net edge, route, size, what was decided, and how many"
            " more there are."
        ),
        "With the word newest: the newest ones, whatever they are worth.",
    ),
    handler=opportunities,
    grammar=(Argument(name="order", form=Form.CHOICE, choices=(_NEWEST,)),),
    aliases=("opps", "o"),
)


async def spreads(call: Call) -> Answer:
    """Show the gaps between books; as a picture on request."""
    report = await call.ask(GetSpreads())
    screen = render_spreads(report)
    if call.arguments.text("form") == "picture":
        return Answer(screen=brief(screen), chart=make_heatmap(report))
    return Answer(screen=screen, buttons=_SPREADS_BUTTONS)


SPREADS = CommandEntry(
    name="spreads",
    topic=Topic.MARKET,
    kind=Kind.READ,
    short_help="gaps now, and how much is missing",
    long_help=(
        (
            "Shows the best gap of each pair between two venues now, whether or not it pays:"
            " gross, costs (fees and transfer), net, and how much a plan is short of; below it"
            " the nearest misses of the last hour."
        ),
        "With the word picture: all pairs by all venues as a heatmap.",
    ),
    handler=spreads,
    grammar=(Argument(name="form", form=Form.CHOICE, choices=("picture",)),),
)


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
            return Answer(screen=brief(screen), chart=make_picture(report))
        return Answer(screen=screen, buttons=_after_why(report))
    return answer_plainly(report, call.settings)


WHY = CommandEntry(
    name="why",
    topic=Topic.MARKET,
    kind=Kind.READ,
    short_help="one decision with all its numbers",
    long_help=(
        (
            "Shows an opportunity or a trade by its id: edges, the decision and its numbers,"
            " the legs as planned and filled, and the input frames that caused it."
        ),
        "Without an id: the newest one.",
        "With the word picture: a trade's way from found to realised, cause by cause.",
    ),
    handler=why,
    parent="opportunities",
    grammar=(
        Argument(name="id", form=Form.WORD),
        Argument(name="form", form=Form.CHOICE, choices=("picture",)),
    ),
)


def _after_why(report: WhyReport) -> tuple[tuple[Button, ...], ...]:
    if report.story is None:
        return ()
    picture = Button(label="Picture", line=f"/why {report.line.opportunity_id} {_PICTURE}")
    return ((picture, Button(label="Trades", line="/trades")),)


async def _newest(call: Call) -> str | None:
    """Return the id of the newest opportunity, or after a restart that of the newest trade."""
    report = await call.ask(GetOpportunities(limit=_NEWEST_OF, is_newest_first=True))
    if report.opportunities:
        return max(report.opportunities, key=lambda line: line.seen_at_ns).opportunity_id
    trades = await call.ask(GetTrades(limit=1))
    if trades.trades:
        return trades.trades[0].opportunity_id
    return None
