"""Command /flatten: what is left over, and what closing each of it would cost now."""

from typing import Final

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.render.flatten import render_closings
from engine.requests.flatten import GetClosings

_BUTTONS: Final = (
    (
        Button(label="Positions", line="/positions"),
        Button(label="Venues", line="/balances"),
    ),
)


async def flatten(call: Call) -> Answer:
    """Show what closing each leftover would cost now."""
    return Answer(screen=render_closings(await call.ask(GetClosings())), buttons=_BUTTONS)


FLATTEN = CommandEntry(
    name="flatten",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="what closing leftovers would cost",
    long_help=(
        (
            "Shows what is left over at which venue, live money and paper apart, and the one order"
            " that would close it there now: price, fee, what it comes to against what it was"
            " filled for. It reckons with the books as they are and within unwind_band_bps."
        ),
        (
            "It only shows. Close live leftovers by hand at the venue's own page; it halts that"
            " venue until /balances adopt takes what is there as what is so."
        ),
    ),
    handler=flatten,
    parent="positions",
)
