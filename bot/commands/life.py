"""Commands: /positions /exposure /trade /log."""

import asyncio

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly
from bot.grammar import Argument, Form
from bot.notice_buttons import why_button
from bot.render.life import render_exposure, render_life, render_log, render_positions
from engine.bus.life import LifeReport
from engine.requests.life import GetExposure, GetLife
from engine.requests.overview import GetLimits

_LOG_LINES = 10
_LOG_LINES_MAX = 50
_POSITIONS_BUTTONS = (
    (
        Button(label="If I die now", line="/exposure"),
        Button(label="Balance", line="/balance"),
    ),
)
_EXPOSURE_BUTTONS = (
    (
        Button(label="Positions", line="/positions"),
        Button(label="Limits", line="/limits"),
    ),
    (Button(label="KILL", line="/kill", is_alarming=True),),
)


async def positions(call: Call) -> Answer:
    """Show what is open."""
    report = await call.ask(GetExposure())
    return Answer(screen=render_positions(report), buttons=_POSITIONS_BUTTONS)


POSITIONS = CommandEntry(
    name="positions",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="plans under way and leftovers",
    long_help=(
        (
            "Shows how many plans are under way and what they may leave us holding at most, and"
            " what earlier ones left over: where, how much, what it was filled for, its worth now."
        ),
    ),
    handler=positions,
    parent="balance",
)


async def exposure(call: Call) -> Answer:
    """Say what is open, what it could cost, what protects it."""
    report = await call.ask(GetExposure())
    limits = await call.ask(GetLimits())
    return Answer(screen=render_exposure(report, limits), buttons=_EXPOSURE_BUTTONS)


EXPOSURE = CommandEntry(
    name="exposure",
    topic=Topic.SAFETY,
    kind=Kind.READ,
    short_help="if I die now: what is at stake",
    long_help=(
        (
            "Shows what is open now, the most that it could cost if all of this stopped at once,"
            " and what protects it."
        ),
    ),
    handler=exposure,
    aliases=("dead",),
    parent="limits",
)


async def trade(call: Call) -> Answer:
    """Show the whole life of a trade, without an id of the newest."""
    report = await call.ask(GetLife(ref=call.arguments.text("id") or ""))
    if not isinstance(report, LifeReport):
        return answer_plainly(report, call.settings)
    buttons = ((why_button(report.opportunity_id), Button(label="Trades", line="/trades")),)
    return Answer(screen=render_life(report), buttons=buttons)


TRADE = CommandEntry(
    name="trade",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="a trade step by step, with its times",
    long_help=(
        (
            "Shows a trade by its id or that of its opportunity: found, decided, intended, each"
            " order as sent and filled, closed, and what was told later; with the time between."
        ),
        "Without an id: the newest one.",
    ),
    handler=trade,
    parent="trades",
    grammar=(Argument(name="id", form=Form.WORD),),
)


async def log(call: Call) -> Answer:
    """Show the newest warnings and errors of all roles."""
    most = call.arguments.number("n", default=_LOG_LINES)
    return Answer(screen=render_log(await asyncio.to_thread(call.settings.read_log, most)))


LOG = CommandEntry(
    name="log",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="newest warnings and errors",
    long_help=(
        "Shows the newest warnings and errors of all roles (10 by default), the newest last.",
    ),
    handler=log,
    parent="system",
    grammar=(Argument(name="n", form=Form.NUMBER, number_max=_LOG_LINES_MAX),),
)
