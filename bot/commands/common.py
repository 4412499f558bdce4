"""What every family of handlers needs: questions that many ask, and the answers to a plain no."""

import datetime as dt
from collections.abc import Sequence

from bot.answer import Answer, Button, Confirmation
from bot.command import Call
from bot.grammar import nearest
from bot.menus import OVERVIEW, TASKS, acts
from bot.notice_buttons import CANCEL_DELAYED, why_button
from bot.ranks import check_may_send
from bot.render.market import render_unknown
from bot.render.safety import (
    render_acknowledged,
    render_ask_code,
    render_ask_loosening,
    render_declined,
)
from bot.render.work import render_done
from engine.bus.command import Command
from engine.bus.reports import Acknowledged, Declined, PnlReport, StatusReport, Unknown
from engine.bus.work_reports import WorkDone
from engine.domain.errors import TransientError
from engine.domain.units import NS_PER_S
from engine.facade.front_end import FrontEndSettings
from engine.requests.money import GetPnl
from engine.requests.overview import GetStatus

_WHY_IN_A_ROW = 3

DAYS_MAX = 365
"""Most days that a person may ask for."""

EVER_DAYS = 36_500
"""Longer than any installation runs."""


def numbered_why(refs: list[str]) -> tuple[tuple[Button, ...], ...]:
    """Return a button to the decision on each line of a numbered list."""
    buttons = [
        why_button(ref, label=f"Why {number}", key=ref) for number, ref in enumerate(refs, 1)
    ]
    return tuple(
        tuple(buttons[at : at + _WHY_IN_A_ROW]) for at in range(0, len(buttons), _WHY_IN_A_ROW)
    )


async def ask_pnl(call: Call, *, days: int) -> PnlReport | None:
    """Return the profit of the last days, None while the ledger is away."""
    try:
        return await call.ask(GetPnl(days=days))
    except TransientError:
        return None


async def ask_to_loosen(
    call: Call,
    command: Command[Acknowledged] | Command[WorkDone],
    lacks: Declined,
    *,
    asked: str,
    action: str,
) -> Answer:
    """Ask for what a loosening lacks: a tap, or the same line again with a one-time code.

    Raises:
        NotPermittedError: another rank is asked in vain.
    """
    check_may_send(call.rank, command)
    now = await call.ask(GetStatus())
    if lacks.needs_code:
        return Answer(screen=render_ask_code(asked, now, why=lacks.why, line=call.line))
    return Answer(
        screen=render_ask_loosening(asked, now, why=lacks.why),
        confirmation=Confirmation(action=action, command=call.seal(command, at_ns=call.now_ns)),
    )


async def only_tighten(call: Call, command: Command[Acknowledged], refusal: Answer) -> Answer:
    """Have a command carried out that declines whatever lets the engine do more.

    Where the engine declines it, the answer is why a change may not be carried out now.
    """
    report = await call.ask(call.seal(command))
    return refusal if isinstance(report, Declined) else answer_plainly(report, call.settings)


def delay_buttons(report: StatusReport) -> tuple[tuple[Button, ...], ...]:
    """Return what cancels changes that wait, where any do."""
    return ((CANCEL_DELAYED,),) if report.delayed else ()


def answer_plainly(
    report: Acknowledged | WorkDone | Declined | Unknown, settings: FrontEndSettings
) -> Answer:
    """Answer with what was reported: carried out, declined or unknown."""
    if isinstance(report, WorkDone):
        return Answer(screen=render_done(report), buttons=((TASKS, OVERVIEW),))
    if isinstance(report, Acknowledged):
        screen = render_acknowledged(report, has_authenticator=settings.has_authenticator)
        row = acts(is_killed=report.is_killed, is_paused=report.is_paused, mode=report.mode)
        return Answer(screen=screen, buttons=((*row, OVERVIEW),))
    if isinstance(report, Declined):
        return Answer(screen=render_declined(report))
    return Answer(screen=render_unknown(report))


def answer_unknown(command: str, what: str, name: str, known: Sequence[str]) -> Answer:
    """Answer that nothing of a run has a name, with what comes nearest as a button."""
    near = nearest(name, tuple(one.lower() for one in known))
    meant = "" if near is None else f"; did you mean {near}?"
    row = (OVERVIEW,) if near is None else (Button(label=near, line=f"{command} {near}"),)
    screen = render_declined(Declined(why=f"no {what} {name} in this run{meant}"))
    return Answer(screen=screen, buttons=(row,))


def read_day(text: str) -> int | None:
    """Return the first instant of a UTC day such as 2026-11-28; None if it is none."""
    try:
        day = dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return int(day.timestamp()) * NS_PER_S


def no_day(text: str) -> Answer:
    """Answer that a word is no day."""
    why = f"“{text}” is no day: today, yesterday, or a date as 2026-11-28; the first one first."
    return Answer(screen=render_declined(Declined(why=why)))
