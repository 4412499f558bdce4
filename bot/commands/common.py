"""What every family of handlers needs: the main menu and the answers to a plain no."""

from bot.answer import Answer, Button
from bot.command import Call
from bot.notice_buttons import why_button
from bot.render.market import render_unknown
from bot.render.safety import render_acknowledged, render_declined
from engine.bus.reports import Acknowledged, Declined, PnlReport, StatusReport, Unknown
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
from engine.facade.front_end import FrontEndSettings
from engine.requests.money import GetPnl

Rows = tuple[tuple[Button, ...], ...]

OVERVIEW = Button(label="Overview", line="/status")
KILL = Button(label="KILL", line="/kill", is_alarming=True)
_PAUSE = Button(label="Pause", line="/pause")
_RESUME = Button(label="Resume…", line="/resume")
_PAPER = Button(label="Paper…", line="/mode paper")
_UNKILL = Button(label="How to unkill", line="/help unkill")

SCREENS: Rows = (
    (
        Button(label="Opportunities", line="/opportunities"),
        Button(label="Spreads", line="/spreads"),
    ),
    (
        Button(label="Trades", line="/trades"),
        Button(label="Balance", line="/balance"),
        Button(label="Risk", line="/limits"),
    ),
    (
        Button(label="Reports", line="/reports"),
        Button(label="System", line="/system"),
        Button(label="Settings", line="/config"),
    ),
)


def acts(*, is_killed: bool, is_paused: bool, mode: Mode) -> tuple[Button, ...]:
    """Return the buttons that change something, as they fit what is so now."""
    if is_killed:
        return (_UNKILL,)
    if is_paused:
        return (_RESUME, KILL)
    return (_PAPER if mode is Mode.OBSERVE else _PAUSE, KILL)


def main_menu(now: StatusReport) -> Rows:
    """Return the buttons of the first screen."""
    return (
        *SCREENS,
        acts(is_killed=now.is_killed, is_paused=now.is_paused, mode=now.mode),
    )


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


def answer_plainly(report: Acknowledged | Declined | Unknown, settings: FrontEndSettings) -> Answer:
    """Answer with what was reported: carried out, declined or unknown."""
    if isinstance(report, Acknowledged):
        screen = render_acknowledged(report, has_authenticator=settings.has_authenticator)
        row = acts(is_killed=report.is_killed, is_paused=report.is_paused, mode=report.mode)
        return Answer(screen=screen, buttons=((*row, OVERVIEW),))
    if isinstance(report, Declined):
        return Answer(screen=render_declined(report))
    return Answer(screen=render_unknown(report))
