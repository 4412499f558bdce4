"""Commands: /system /config."""

import asyncio
import contextlib

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.grammar import Argument, Form
from bot.render.config import render_section, render_sections
from bot.render.system import render_system
from engine.domain.errors import TransientError
from engine.requests.overview import GetStatus
from engine.requests.settings import GetSettings

_SYSTEM_BUTTONS = (
    (
        Button(label="Health", line="/health"),
        Button(label="Incidents", line="/incident"),
        Button(label="Alerts", line="/alerts"),
    ),
    (
        Button(label="Venues", line="/venues"),
        Button(label="Log", line="/log"),
        Button(label="Version", line="/version"),
    ),
    (Button(label="Agents", line="/agents"), Button(label="Resources", line="/resources")),
)
_CONFIG_BUTTONS = (
    (
        Button(label="Limits", line="/limits"),
        Button(label="Mode", line="/mode"),
        Button(label="Commands", line="/help"),
    ),
    (Button(label="Files of settings", line="/reload"),),
)


async def system(call: Call) -> Answer:
    """Show whether what this runs on is well."""
    report = await call.ask(GetStatus())
    memory_mb = await asyncio.to_thread(call.settings.read_memory_mb)
    screen = render_system(report, chat=call.chat, memory_mb=memory_mb)
    return Answer(screen=screen, buttons=_SYSTEM_BUTTONS)


SYSTEM = CommandEntry(
    name="system",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="feeds, clock, outbox, memory, latency",
    long_help=(
        (
            "Shows the age of each feed, the chat's own state (messages that wait, when Telegram"
            " last answered, how far its clock is from ours), memory, latency and what the"
            " ledger waits for. What is not well comes first."
        ),
    ),
    handler=system,
)


async def config(call: Call) -> Answer:
    """Show the settings in force."""
    settings, running = call.settings.in_force, None
    with contextlib.suppress(TransientError):  # what it began with is known without it
        running = await call.ask(GetSettings())
    section = call.arguments.text("section")
    if section is not None:
        return Answer(screen=render_section(section.lower(), settings, running))
    return Answer(screen=render_sections(settings, running), buttons=_CONFIG_BUTTONS)


CONFIG = CommandEntry(
    name="config",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="the settings in force",
    long_help=(
        (
            "Shows which settings differ from their defaults and where each is set; of secrets only"
            " whether they are."
        ),
        "With a section: all of its settings.",
    ),
    handler=config,
    aliases=("settings",),
    grammar=(Argument(name="section", form=Form.WORD),),
)
