"""Command /truth: what trades on chain were predicted, simulated and realised to come to."""

from typing import Final

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import DAYS_MAX
from bot.grammar import Argument, Form
from bot.render.screen import brief
from bot.render.truth import make_truth_picture, render_truths
from engine.bus.truths import LINES_MAX, GetTruths
from engine.domain.units import NS_PER_DAY

SHOWN: Final = 5
PICTURE: Final = "picture"


async def truth(call: Call) -> Answer:
    """Show or draw what trades came to."""
    days = call.arguments.number("days", default=7)
    is_drawn = call.arguments.text("look") == PICTURE
    limit = LINES_MAX if is_drawn else SHOWN
    report = await call.ask(GetTruths(since_ns=call.now_ns - days * NS_PER_DAY, limit=limit))
    screen = render_truths(report, days=days)
    picture = make_truth_picture(report, days=days) if is_drawn else None
    return Answer(
        screen=screen if picture is None else brief(screen),
        chart=picture,
        buttons=(
            (
                Button(label="Drawn", line=f"/truth {PICTURE} {days}"),
                Button(label="Sent", line="/tx"),
                Button(label="As a file", line="/export truths"),
            ),
        ),
    )


TRUTH = CommandEntry(
    name="truth",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="predicted, simulated, realised",
    long_help=(
        (
            "Shows of each transaction of the last days (7 by default) what the detector predicted,"
            " what our simulation gave before signing, and what came of it, net of everything; and"
            " what made the differences, by name, which add up to the last unit."
        ),
        (
            "Order in block: others touched the same pools before ours in its block. State moved:"
            " blocks between. Outbid: another bundle paid more. Token: a pool or token gave"
            " something else than its formula says. Unknown: no node says."
        ),
        "/truth picture draws predicted against realised; /export truths is all of it as a file.",
    ),
    handler=truth,
    parent="trades",
    grammar=(
        Argument(name="look", form=Form.CHOICE, choices=(PICTURE,), may_be_skipped=True),
        Argument(name="days", form=Form.NUMBER, number_max=DAYS_MAX),
    ),
)
