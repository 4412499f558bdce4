"""Screens about limits, the latch, pausing and the mode."""

from bot.render import words
from bot.render.screen import Facts, Mark, Screen, Text
from engine.facade.commands import Mode
from engine.facade.reports import Acknowledged, Declined, LimitLine, LimitsReport, StatusReport

_LIMITS_SHOWN_MAX = 10


def render_limits(report: LimitsReport) -> Screen:
    """Show each limit, what of it is used, and the refusals it caused."""
    rows = tuple(
        (words.phrase(line.name), _limit_value(line)) for line in report.limits[:_LIMITS_SHOWN_MAX]
    )
    return Screen(
        title="Limits: used of limit (refusals)",
        blocks=(Facts(rows),),
        note=words.source_note(report.basis, report.market_note),
    )


def _limit_value(line: LimitLine) -> str:
    """Say what is used of a limit; one that is a state, not an amount, has no unit."""
    value = f"{line.used}/{line.limit} {line.unit}" if line.unit else line.used
    return f"{value} ({words.count(line.refusals)})" if line.refusals else value


def render_acknowledged(report: Acknowledged) -> Screen:
    """Say what is so now, as the engine reported it."""
    if report.is_killed:
        mark, state = Mark.BAD, "KILLED"
    elif report.is_paused:
        mark, state = Mark.WARN, "paused"
    else:
        mark, state = Mark.GOOD, "running"
    return Screen(
        title=report.text,
        mark=mark,
        blocks=(Text(f"Now: {state}, mode {report.mode.value}."),),
    )


def render_declined(report: Declined) -> Screen:
    """Say that nothing was changed, and why."""
    return Screen(title="Not done", mark=Mark.WARN, blocks=(Text(report.why),))


def render_kill_unconfirmed(why: str) -> Screen:
    """Say that the latch is set although the engine has not said so."""
    return Screen(
        title="KILLED: the latch is set",
        mark=Mark.BAD,
        blocks=(
            Text(f"The engine has not confirmed it: {why}"),
            Text("It reads the latch before every plan. /status shows whether it answers."),
        ),
    )


def render_kill_failed(why: str) -> Screen:
    """Say that the latch could not be set, and what else stops the engine."""
    return Screen(
        title="KILL FAILED",
        mark=Mark.BAD,
        blocks=(Text(why), Text("Stop the program on its machine. Send KILL again as well.")),
    )


def render_mode(report: StatusReport) -> Screen:
    """Show the mode and what the others would do."""
    return Screen(
        title=f"Mode: {report.mode.value}",
        blocks=(
            Text("observe: finds and judges, plans nothing."),
            Text("paper: plans and simulates, no real money."),
        ),
        note=words.source_note(report.basis, report.market_note),
    )


def render_ask_resume() -> Screen:
    """Ask for the second step of a resume."""
    return Screen(
        title="Resume?",
        mark=Mark.WARN,
        blocks=(Text("The engine will make plans again in the mode it is in."),),
    )


def render_ask_mode(mode: Mode, *, why: str) -> Screen:
    """Ask for the second step of going up."""
    return Screen(title=f"Go up to mode {mode.value}?", mark=Mark.WARN, blocks=(Text(why),))
