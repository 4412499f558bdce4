"""Handlers: /limits /pause /resume /kill /unkill /mode."""

import logging

from msgspec.structs import replace

from bot.answer import Answer, Button, Confirmation
from bot.command import Call
from bot.commands.common import answer_plainly
from bot.grammar import Arguments
from bot.render.safety import (
    render_ask_mode,
    render_ask_resume,
    render_declined,
    render_kill,
    render_kill_failed,
    render_kill_unconfirmed,
    render_limits,
    render_mode,
)
from engine.facade.commands import (
    GetLimits,
    GetStatus,
    Kill,
    Mode,
    Pause,
    Resume,
    SetMode,
    TransientError,
    Unkill,
)
from engine.facade.redaction import redact
from engine.facade.reports import Declined, KillReport, LimitsReport, StatusReport

_log = logging.getLogger(__name__)

WHY_LIMIT = 200
"""Characters of a reason that are kept."""


async def limits(call: Call) -> Answer:
    """Show the limits and their use."""
    report = await call.ask(GetLimits())
    if isinstance(report, LimitsReport):
        return Answer(screen=render_limits(report))
    return answer_plainly(report, call.settings)


async def pause(call: Call) -> Answer:
    """Stop making plans, in one step."""
    return answer_plainly(await call.ask(Pause(by=call.by)), call.settings)


async def resume(call: Call) -> Answer:
    """Ask for the second step; nothing changes before it."""
    report = await call.ask(GetStatus())
    if not isinstance(report, StatusReport):
        return answer_plainly(report, call.settings)
    return Answer(
        screen=render_ask_resume(report),
        confirmation=Confirmation(
            action="Resume", command=Resume(by=call.by, given_at_ns=call.now_ns)
        ),
    )


def make_kill(call: Call) -> Kill:
    """Return the command that kills."""
    why = redact(call.arguments.text("why") or "asked by the operator")
    return Kill(
        by=call.by,
        why=why[:WHY_LIMIT],
        at_ns=call.given_at_ns,
        is_late=call.is_late,
        ref=call.ref,
    )


async def kill(call: Call) -> Answer:
    """Set the latch, in one step.

    The facade goes by every path at once and says of each what is true.
    """
    try:
        report = await call.ask(make_kill(call))
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
        return Answer(screen=render_kill(report, has_authenticator=has_authenticator))
    if isinstance(report, Declined):
        return Answer(screen=render_declined(report), buttons=((_KILL_NOW,),))
    return answer_plainly(report, call.settings)


async def unkill(call: Call) -> Answer:
    """Clear the latch with the one-time code."""
    code = call.arguments.text("code") or ""
    command = Unkill(by=call.by, code=code, given_at_ns=call.given_at_ns)
    return answer_plainly(await call.ask(command), call.settings)


async def mode(call: Call) -> Answer:
    """Show the mode; go down in one step; ask for the second step before going up."""
    wanted = call.arguments.text("mode")
    if wanted is None:
        report = await call.ask(GetStatus())
        if isinstance(report, StatusReport):
            return Answer(screen=render_mode(report), buttons=_MODE_BUTTONS)
        return answer_plainly(report, call.settings)
    command = SetMode(by=call.by, mode=Mode(wanted), given_at_ns=call.now_ns)
    report = await call.ask(command)
    if isinstance(report, Declined) and report.needs_confirmation:
        now = await call.ask(GetStatus())
        if not isinstance(now, StatusReport):
            return answer_plainly(now, call.settings)
        return Answer(
            screen=render_ask_mode(Mode(wanted), now, why=report.why),
            confirmation=Confirmation(
                action=f"Go to {wanted}",
                command=replace(command, is_confirmed=True),
            ),
        )
    return answer_plainly(report, call.settings)


def is_mode_protective(arguments: Arguments) -> bool:
    """Say whether a /mode call can only make the engine do less, or only shows."""
    return arguments.text("mode") in {None, Mode.OBSERVE.value}


_KILL_NOW = Button(label="KILL", line="/kill", is_alarming=True)
_MODE_BUTTONS = (
    (
        Button(label="Observe", line="/mode observe"),
        Button(label="Paper", line="/mode paper"),
    ),
)
