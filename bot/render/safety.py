"""Screens about limits, the latch, pausing and the mode."""

from bot.render import words
from bot.render.screen import Facts, Mark, Screen, Text
from engine.bus.reports import (
    Acknowledged,
    Declined,
    KillReport,
    LimitLine,
    LimitsReport,
    StatusReport,
)
from engine.domain.delays import Delayed
from engine.domain.units import NS_PER_S

KILLED_TITLE = "KILLED: no plans are made"


def render_limits(report: LimitsReport) -> Screen:
    """Show each limit, what of it is used, and the refusals it caused."""
    rows = tuple((words.phrase(line.name), _limit_value(line)) for line in report.limits)
    changed = tuple(
        Text(f"{line.term} is {line.limit}, by the settings {line.by_settings}.")
        for line in report.limits
        if line.by_settings
    )
    return Screen(
        title="Limits: used of what is allowed",
        blocks=(Facts(rows), Text("In brackets: how often it refused."), *changed),
        note=words.BASIS_WORDS[report.basis],
    )


def _limit_value(line: LimitLine) -> str:
    """Say what is used of a limit; one that is a state, not an amount, has no unit."""
    if line.unit and line.used in {"", "-"}:
        value = f"{line.limit} {line.unit}, none yet"
    elif line.unit:
        value = f"{line.used} of {line.limit} {line.unit}"
    else:
        value = line.used
    return f"{value} ({words.count(line.refusals)})" if line.refusals else value


def render_acknowledged(report: Acknowledged, *, has_authenticator: bool) -> Screen:
    """Say what is so now, as the engine reported it; while killed, that comes first."""
    if report.is_killed:
        return Screen(
            title=KILLED_TITLE,
            mark=Mark.BAD,
            blocks=(Text(f"{report.text}."), *way_back(has_authenticator=has_authenticator)),
        )
    mark, state = (Mark.WARN, "paused") if report.is_paused else (Mark.GOOD, "running")
    return Screen(
        title=report.text,
        mark=mark,
        blocks=(Text(f"Now: {state}, mode {report.mode.value}."),),
    )


def way_back(*, has_authenticator: bool, of: str = "") -> tuple[Text, ...]:
    """Say step by step how plans are allowed again after a kill, of one engine or of all."""
    make = f"make unkill ENGINE={of}" if of else "make unkill"
    on_the_machine = Text(f"To trade again: on its machine run {make} and type clear.")
    if has_authenticator:
        name = f" and {of}" if of else ""
        return (
            Text(
                "To trade again: open your authenticator, then send /unkill and its six"
                f" digits{name}."
            ),
            Text(f"On its machine, {make} does the same."),
        )
    return (on_the_machine, Text("To do it from the phone next time, run make enroll there once."))


def render_declined(report: Declined) -> Screen:
    """Say that nothing was changed, and why."""
    return Screen(title="Not done", mark=Mark.WARN, blocks=(Text(report.why),))


def render_kill(report: KillReport, *, has_authenticator: bool) -> Screen:
    """Say what is true of each role after a kill, and what it comes to."""
    engine = f"Engine {report.of}" if report.of else "Engine"
    paths = (
        Text(f"{engine}: {report.engine.text}."),
        Text(f"Latch file: {report.latch_file.text}."),
        Text(f"Ledger: {report.ledger.text}."),
    )
    after: tuple[Text, ...] = way_back(has_authenticator=has_authenticator, of=report.of)
    title = KILLED_TITLE
    if report.of:
        title = f"KILLED: engine {report.of} makes no plans"
        after += (Text("The other engines go on. /kill alone stops all."),)
    if not report.latch_file.is_done:
        after = (Text("Mend the disk of its machine: the latch file shall hold too."),)
        if not report.engine.is_done:
            title = "KILL FAILED: the engine may make plans"
            after = (Text("Stop the program on its machine. Send KILL again as well."),)
        elif not report.ledger.is_done:
            title = "KILLED until the engine restarts"
    return Screen(title=title, mark=Mark.BAD, blocks=(*paths, *after))


def render_kill_unconfirmed(why: str, *, has_authenticator: bool) -> Screen:
    """Say that nothing has confirmed a kill yet."""
    return Screen(
        title="KILL NOT CONFIRMED",
        mark=Mark.BAD,
        blocks=(
            Text(why),
            Text("It is on its way by every path. /status shows whether the engine answers."),
            Text("Send KILL again, and stop the program on its machine if this stays so."),
            *way_back(has_authenticator=has_authenticator),
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
    title, mark, killed = _ask(f"Mode: {report.mode.value}", report, mark=Mark.NONE)
    return Screen(
        title=title,
        mark=mark,
        blocks=(
            *killed,
            Text("observe: finds and judges, plans nothing."),
            Text("paper: plans and simulates, no real money."),
            *_mixed(report),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def _mixed(report: StatusReport) -> tuple[Text, ...]:
    """Say whether plans of orders together with a transaction go live, and else why not."""
    if report.mixed_shut is None:
        return ()
    if report.mixed_shut:
        return (Text(f"live: {report.mixed_shut}."),)
    return (Text("live: orders together with a transaction, too."),)


def render_ask_resume(report: StatusReport) -> Screen:
    """Ask for the second step of a resume."""
    title, mark, killed = _ask("Resume?", report, mark=Mark.WARN)
    if report.is_killed:
        text = "Resuming ends the pause only; the latch still holds every plan until /unkill."
    else:
        text = "The engine will make plans again in the mode it is in."
    return Screen(title=title, mark=mark, blocks=(*killed, Text(text)))


def render_ask_loosening(asked: str, report: StatusReport, *, why: str) -> Screen:
    """Ask for the second step of letting more through."""
    title, mark, killed = _ask(asked, report, mark=Mark.WARN)
    return Screen(title=title, mark=mark, blocks=(*killed, Text(why)))


def render_ask_code(asked: str, report: StatusReport, *, why: str, line: str) -> Screen:
    """Say how a one-time code is given: in the line that it is for, so that it is for no other."""
    title, mark, killed = _ask(asked, report, mark=Mark.WARN)
    how = Text(f"Open your authenticator, then send {line} and its six digits.")
    return Screen(title=title, mark=mark, blocks=(*killed, Text(why), how))


def waits_text(one: Delayed, *, now_ns: int) -> Text:
    """Say what waits, and how long it still does."""
    left_s = max(one.due_at_ns - now_ns, 0) / NS_PER_S
    return Text(f"Waits: {one.what}, in {words.duration(left_s)}. /cancel stops it.")


def _ask(title: str, report: StatusReport, *, mark: Mark) -> tuple[str, Mark, tuple[Text, ...]]:
    """Return title, mark and first lines of a screen; while killed, that comes first."""
    if report.is_killed:
        return KILLED_TITLE, Mark.BAD, (Text(title),)
    return title, mark, ()
