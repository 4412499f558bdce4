"""Commands: /limits /pause /resume /kill /unkill /mode."""

import asyncio
import contextlib
import logging
import re
from typing import Final

from msgspec.structs import replace

from bot.answer import Answer, Button, Confirmation
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly, ask_to_loosen, only_tighten
from bot.grammar import Argument, Arguments, Form
from bot.menus import KILL as KILL_BUTTON
from bot.menus import OVERVIEW, PLACES
from bot.render.kills import render_aftermath
from bot.render.safety import (
    render_ask_resume,
    render_declined,
    render_kill,
    render_kill_failed,
    render_kill_unconfirmed,
    render_limits,
    render_mode,
)
from engine.bus.reports import Declined, KillReport
from engine.domain.engines import ENGINE_ID_PATTERN
from engine.domain.errors import TransientError
from engine.domain.modes import MODES_UPWARD, Mode
from engine.domain.redaction import redact
from engine.requests.kills import GetAftermath
from engine.requests.overview import GetLimits, GetStatus
from engine.requests.safety import CancelDelayed, Kill, Pause, Resume, SetMode, Unkill

_log = logging.getLogger(__name__)

LOOK_S: Final = 0.5

WHY_LIMIT = 200
"""Characters of a reason that are kept."""


async def limits(call: Call) -> Answer:
    """Show the limits and their use."""
    report = await call.ask(GetLimits())
    return Answer(screen=render_limits(report), buttons=PLACES)


LIMITS = CommandEntry(
    name="limits",
    topic=Topic.SAFETY,
    kind=Kind.READ,
    short_help="limits, their use, their refusals",
    long_help=("Shows each limit, how much of it is used now, and what it refused.",),
    handler=limits,
    aliases=("risk",),
)


async def pause(call: Call) -> Answer:
    """Stop making plans, in one step."""
    return answer_plainly(await call.ask(call.seal(Pause())), call.settings)


PAUSE = CommandEntry(
    name="pause",
    topic=Topic.SAFETY,
    kind=Kind.PROTECTIVE,
    short_help="stop making plans",
    long_help=(
        "Stops making plans until /resume; survives a restart.",
        "Pausing twice is the same as pausing once.",
    ),
    handler=pause,
)


async def resume(call: Call) -> Answer:
    """Ask for the second step; nothing changes before it."""
    report = await call.ask(GetStatus())
    return Answer(
        screen=render_ask_resume(report),
        confirmation=Confirmation(action="Resume", command=call.seal(Resume(), at_ns=call.now_ns)),
    )


RESUME = CommandEntry(
    name="resume",
    topic=Topic.SAFETY,
    kind=Kind.CHANGE,
    short_help="make plans again, in two steps",
    long_help=(
        (
            "Asks for a second step, which counts once and for a short time; then plans are"
            " made again. It does not clear the kill latch."
        ),
    ),
    handler=resume,
)


async def make_kill(call: Call) -> Kill:
    """Return the command that kills: one engine if its name is all that was said, else all."""
    said = call.arguments.text("why") or ""
    if said and said == await _engine_named(call, said):
        return call.seal(Kill(why="asked by the operator", engine=said), target=said)
    return call.seal(Kill(why=redact(said or "asked by the operator")[:WHY_LIMIT]))


async def _engine_named(call: Call, said: str) -> str | None:
    """Look whether an engine has this name; a disk that does not say so in time has none."""
    if re.fullmatch(ENGINE_ID_PATTERN, said) is None:
        return None
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(LOOK_S):
            return said if said in await asyncio.to_thread(call.settings.read_engine_ids) else None
    return None


async def kill(call: Call) -> Answer:
    """Set the latch, in one step.

    The facade goes by every path at once and says of each what is true.
    """
    try:
        report = await call.ask(await make_kill(call))
    except TransientError as error:
        has_authenticator = call.settings.has_authenticator
        return Answer(
            screen=render_kill_unconfirmed(str(error), has_authenticator=has_authenticator)
        )
    except Exception as error:  # noqa: BLE001 - whatever failed, the operator must know at once
        _log.exception("a kill failed")
        return Answer(screen=render_kill_failed(redact(str(error) or type(error).__name__)))
    if isinstance(report, KillReport):
        has_authenticator = call.settings.has_authenticator
        screen = render_kill(report, has_authenticator=has_authenticator)
        return Answer(screen=screen, buttons=((OVERVIEW,),))
    if isinstance(report, Declined):
        return Answer(screen=render_declined(report), buttons=((KILL_BUTTON,),))
    return answer_plainly(report, call.settings)


KILL = CommandEntry(
    name="kill",
    topic=Topic.SAFETY,
    kind=Kind.PROTECTIVE,
    short_help="set the kill latch, at once",
    long_help=(
        (
            "Stops the engine and sets the kill latch before anything else is done, and says"
            " what each role has of it: no plan is made until"
            " it is cleared with /unkill, over any restart."
        ),
        "Any line that begins with the word kill does the same. A reason may follow.",
        "Where there are several engines, the name of one and nothing else kills only that one.",
    ),
    handler=kill,
    aliases=("k",),
    grammar=(Argument(name="why", form=Form.REST),),
)


async def unkill(call: Call) -> Answer:
    """Clear the latch with the one-time code; without one, show what changed since the kill."""
    code, engine = call.arguments.text("code"), call.arguments.text("engine") or ""
    if code is None:
        report = await call.ask(GetAftermath())
        has_authenticator = call.settings.has_authenticator
        return Answer(
            screen=render_aftermath(report, now_ns=call.now_ns, has_authenticator=has_authenticator)
        )
    command = call.seal(Unkill(code=code, engine=engine), target=engine or None)
    return answer_plainly(await call.ask(command), call.settings)


UNKILL = CommandEntry(
    name="unkill",
    topic=Topic.SAFETY,
    kind=Kind.CHANGE,
    short_help="clear the latch with a one-time code",
    long_help=(
        "Alone it shows what the kill left and what changed since.",
        "With a one-time code it clears the kill latch: the code is the second step.",
        "With the name of an engine: the latch of that one, if it was killed by its name.",
    ),
    handler=unkill,
    is_on_buttons=False,
    grammar=(
        Argument(name="code", form=Form.CODE),
        Argument(name="engine", form=Form.WORD),
    ),
)


async def mode(call: Call) -> Answer:
    """Show the mode; go down in one step; ask for what going up needs."""
    wanted, code = call.arguments.text("mode"), call.arguments.text("code")
    if wanted is None:
        return Answer(screen=render_mode(await call.ask(GetStatus())), buttons=_MODE_BUTTONS)
    if call.refusal is not None:
        down = SetMode(mode=Mode(wanted), only_tightens=True)
        return await only_tighten(call, down, call.refusal)
    command = SetMode(mode=Mode(wanted), is_confirmed=code is not None, code=code)
    report = await call.ask(call.seal(command, at_ns=call.given_at_ns if code else call.now_ns))
    if isinstance(report, Declined) and report.needs_confirmation:
        asked = f"Go up to mode {wanted}?"
        return await ask_to_loosen(
            call, replace(command, is_confirmed=True), report, asked=asked, action=f"Go to {wanted}"
        )
    return answer_plainly(report, call.settings)


def is_mode_protective(arguments: Arguments) -> bool:
    """Say whether a /mode call can only make the engine do less, or only shows."""
    return arguments.text("mode") in {None, Mode.OBSERVE.value}


def may_mode_go_down(arguments: Arguments) -> bool:
    """Say whether a mode lies below another, from which it would be a step down."""
    return arguments.text("mode") not in {None, MODES_UPWARD[-1].value}


async def cancel(call: Call) -> Answer:
    """Cancel what waits, in one step."""
    return answer_plainly(await call.ask(call.seal(CancelDelayed())), call.settings)


CANCEL = CommandEntry(
    name="cancel",
    topic=Topic.SAFETY,
    kind=Kind.PROTECTIVE,
    short_help="cancel changes that wait",
    long_help=(
        (
            "The largest changes that let more through wait before they act: a mode beyond paper,"
            " a limit of money that is more than doubled. This cancels all that wait."
        ),
        "A kill, a pause, a lower mode and a tighter limit cancel them as well.",
    ),
    handler=cancel,
)


MODE = CommandEntry(
    name="mode",
    topic=Topic.SAFETY,
    kind=Kind.CHANGE,
    short_help=" or ".join(MODES_UPWARD),
    long_help=(
        "Without an argument: shows the mode.",
        (
            "Going down takes one step, also while the ledger is away. Going up asks for a second"
            " one: a tap, or where an authenticator is set up the same line with its six digits,"
            " as /mode paper 123456."
        ),
        "approve: each trade waits for your word, or for a mandate that covers it.",
    ),
    handler=mode,
    parent="config",
    grammar=(
        Argument(name="mode", form=Form.CHOICE, choices=tuple(MODES_UPWARD)),
        Argument(name="code", form=Form.CODE),
    ),
    protective_when=is_mode_protective,
    may_tighten_when=may_mode_go_down,
)


_MODE_BUTTONS = (
    tuple(Button(label=one.value.capitalize(), line=f"/mode {one.value}") for one in MODES_UPWARD),
)
