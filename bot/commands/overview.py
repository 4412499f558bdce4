"""Commands: /start /help /status /venues /version."""

import asyncio

from bot.answer import Answer
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import EVER_DAYS, ask_pnl, delay_buttons
from bot.grammar import Argument, Form, nearest
from bot.menus import KILL, PLACES, SCREENS, main_menu
from bot.render.overview import (
    Beside,
    render_sandbox,
    render_start,
    render_status,
    render_venues,
    render_version,
)
from bot.render.screen import Facts, Mark, Screen, Text
from engine.requests.overview import GetEngines, GetStatus, GetVenues, GetVersion

_SANDBOX = "sandbox"


async def start(call: Call) -> Answer:
    """Greet with the state and the menu."""
    report = await call.ask(GetStatus())
    return Answer(
        screen=render_start(report, has_authenticator=call.settings.has_authenticator),
        buttons=main_menu(report),
    )


START = CommandEntry(
    name="start",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="greeting, state and menu",
    long_help=("Shows in two lines how the engine stands, and the menu.",),
    handler=start,
    parent="",
)


async def show_help(call: Call) -> Answer:
    """Show all commands, one topic or one command."""
    wanted = call.arguments.text("topic or command")
    if wanted is None:
        return Answer(screen=_help_all(call.table), buttons=(*SCREENS, (KILL,)))
    word = wanted.lower().lstrip("/")
    if word == _SANDBOX:
        report = await call.ask(GetStatus())
        return Answer(screen=render_sandbox(report))
    for entry in call.table:
        if word == entry.name or word in entry.aliases:
            return Answer(screen=_help_one(entry))
    if word in set(Topic):
        return Answer(screen=_help_topic(Topic(word), call.table))
    known = (*(entry.name for entry in call.table), *Topic, _SANDBOX)
    close = nearest(word, known)
    return Answer(
        screen=Screen(
            title=f"No help on “{word}”",
            mark=Mark.WARN,
            blocks=(Text(f"Did you mean /help {close} ?" if close else "/help shows all"),),
        )
    )


HELP = CommandEntry(
    name="help",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="commands, a topic, or one command",
    long_help=(
        "Without an argument: every command by topic.",
        "With a topic or a command: what it does and what it takes.",
    ),
    handler=show_help,
    grammar=(Argument(name="topic or command", form=Form.REST),),
)


async def status(call: Call) -> Answer:
    """Show the overview."""
    report = await call.ask(GetStatus())
    known = await asyncio.to_thread(call.settings.read_engine_ids)
    beside = Beside(
        engines=(await call.ask(GetEngines())).engines if len(known) > 1 else (),
        day=await ask_pnl(call, days=1),
        ever=await ask_pnl(call, days=EVER_DAYS),
        memory_mb=await asyncio.to_thread(call.settings.read_memory_mb),
    )
    buttons = (*delay_buttons(report), *main_menu(report))
    return Answer(screen=render_status(report, beside, now_ns=call.now_ns), buttons=buttons)


STATUS = CommandEntry(
    name="status",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="mode, venues, counters, latency",
    long_help=(
        (
            "Shows mode, latch and pause, what was found and traded, the paper profit, the"
            " commonest refusal, latency from frame to decision, memory, and each venue."
        ),
    ),
    handler=status,
    aliases=("s",),
    parent="",
)


async def venues(call: Call) -> Answer:
    """Show the venues and what is stale."""
    report = await call.ask(GetVenues())
    return Answer(screen=render_venues(report), buttons=PLACES)


VENUES = CommandEntry(
    name="venues",
    topic=Topic.MARKET,
    kind=Kind.READ,
    short_help="live books, age, rate, faults",
    long_help=(
        (
            "Shows for each venue how many of its books may be traded on, the age of the newest"
            " change, frames a second, resyncs and the commonest fault."
        ),
        "Below it stands what is out of every decision, and why.",
    ),
    handler=venues,
    parent="system",
)


async def version(call: Call) -> Answer:
    """Show what runs here."""
    report = await call.ask(GetVersion())
    return Answer(screen=render_version(report))


VERSION = CommandEntry(
    name="version",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="version, commit, run",
    long_help=("Shows version, commit, run id and when the engine started.",),
    handler=version,
    parent="system",
)


def _help_all(table: tuple[CommandEntry, ...]) -> Screen:
    rows = tuple(
        (topic.value, " ".join(f"/{entry.name}" for entry in table if entry.topic is topic))
        for topic in Topic
    )
    return Screen(
        title="Commands",
        blocks=(
            *(Text(f"{name}: {commands}") for name, commands in rows),
            Text("/help status explains one, /help safety a topic."),
            Text("/help sandbox says where the figures come from."),
            Text("A line that begins with kill works as /kill."),
        ),
    )


def _help_topic(topic: Topic, table: tuple[CommandEntry, ...]) -> Screen:
    return Screen(
        title=f"Help: {topic.value}",
        blocks=tuple(
            Text(f"{entry.usage}: {entry.short_help}") for entry in table if entry.topic is topic
        ),
    )


def _help_one(entry: CommandEntry) -> Screen:
    facts = [("Kind", _KIND_WORDS[entry.kind])]
    if entry.aliases:
        facts.append(("Also", " ".join(f"/{alias}" for alias in entry.aliases)))
    return Screen(
        title=entry.usage,
        blocks=(*(Text(sentence) for sentence in entry.long_help), Facts(tuple(facts))),
    )


_KIND_WORDS = {
    Kind.READ: "only shows",
    Kind.PROTECTIVE: "protective, one step",
    Kind.CHANGE: "loosens, two steps",
}
