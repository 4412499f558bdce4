"""Handlers: /start /help /status /venues /version."""

import asyncio

from bot.answer import Answer
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import EVER_DAYS, MAIN_MENU, answer_plainly, ask_pnl
from bot.grammar import nearest
from bot.render.overview import (
    Beside,
    render_sandbox,
    render_start,
    render_status,
    render_venues,
    render_version,
)
from bot.render.screen import Facts, Mark, Screen, Text
from engine.facade.commands import GetStatus, GetVenues, GetVersion
from engine.facade.reports import StatusReport, VenuesReport, VersionReport

_SANDBOX = "sandbox"


async def start(call: Call) -> Answer:
    """Greet with the state and the menu."""
    report = await call.ask(GetStatus())
    if not isinstance(report, StatusReport):
        return answer_plainly(report, call.settings)
    return Answer(
        screen=render_start(report, has_authenticator=call.settings.has_authenticator),
        buttons=MAIN_MENU,
    )


async def show_help(call: Call) -> Answer:
    """Show all commands, one topic or one command."""
    wanted = call.arguments.text("topic or command")
    if wanted is None:
        return Answer(screen=_help_all(call.table), buttons=MAIN_MENU)
    word = wanted.lower().lstrip("/")
    if word == _SANDBOX:
        report = await call.ask(GetStatus())
        if isinstance(report, StatusReport):
            return Answer(screen=render_sandbox(report))
        return answer_plainly(report, call.settings)
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


async def status(call: Call) -> Answer:
    """Show the overview."""
    report = await call.ask(GetStatus())
    if isinstance(report, StatusReport):
        beside = Beside(
            day=await ask_pnl(call, days=1),
            ever=await ask_pnl(call, days=EVER_DAYS),
            memory_mb=await asyncio.to_thread(call.settings.read_memory_mb),
        )
        return Answer(screen=render_status(report, beside), buttons=MAIN_MENU)
    return answer_plainly(report, call.settings)


async def venues(call: Call) -> Answer:
    """Show the venues and what is stale."""
    report = await call.ask(GetVenues())
    if isinstance(report, VenuesReport):
        return Answer(screen=render_venues(report))
    return answer_plainly(report, call.settings)


async def version(call: Call) -> Answer:
    """Show what runs here."""
    report = await call.ask(GetVersion())
    if isinstance(report, VersionReport):
        return Answer(screen=render_version(report))
    return answer_plainly(report, call.settings)


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
