"""Command /flatten: what is left over, what closing each of it comes to now, and to close it."""

from typing import Final

from bot.answer import Answer, Button, Confirmation
from bot.command import Call, CommandEntry, Kind, Topic
from bot.grammar import Argument, Arguments, Form
from bot.render.flatten import render_ask_closing, render_closings
from engine.requests.flatten import CloseLeftovers, GetClosings

CLOSE: Final = "close"

_POSITIONS: Final = Button(label="Positions", line="/positions")
_VENUES: Final = Button(label="Venues", line="/balances")
_CLOSE: Final = Button(label="Close them", line=f"/flatten {CLOSE}")


async def flatten(call: Call) -> Answer:
    """Show what closing each leftover comes to now; ask once more before any of it is closed."""
    report = await call.ask(GetClosings())
    terms = tuple(one.terms for one in report.closings if one.terms is not None)
    if not terms or not is_close(call.arguments):
        first = ((_CLOSE,),) if terms else ()
        return Answer(screen=render_closings(report), buttons=(*first, (_POSITIONS, _VENUES)))
    return Answer(
        screen=render_ask_closing(report),
        confirmation=Confirmation(
            action=f"Close {len(terms)}",
            command=call.seal(CloseLeftovers(closings=terms), at_ns=call.now_ns),
        ),
    )


def is_close(arguments: Arguments) -> bool:
    """Say whether a line asks to close what is left over."""
    return arguments.text("act") is not None


FLATTEN = CommandEntry(
    name="flatten",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="close leftovers, and at what cost",
    long_help=(
        (
            "Shows what is left over at which venue, live money and paper apart, and the one order"
            " that would close it there now: price, fee, what it comes to against what it was"
            " filled for. It reckons with the books as they are and within unwind_band_bps."
        ),
        (
            "/flatten close asks once more, then sends these orders, each immediate and no worse"
            " than its limit, while paused too. Each is told at its end, beside what was shown."
        ),
        (
            "Real leftovers are closed in mode approve or live. What is on a chain, or too small"
            " for its venue, is not closed from here."
        ),
    ),
    handler=flatten,
    parent="positions",
    changes_when=is_close,
    grammar=(Argument(name="act", form=Form.CHOICE, choices=(CLOSE,), may_be_skipped=True),),
)
