"""What every family of handlers needs: the main menu and the answers to a plain no."""

from bot.answer import Answer, Button
from bot.command import Call
from bot.notice_buttons import why_button
from bot.render.market import render_unknown
from bot.render.safety import render_acknowledged, render_declined
from engine.bus.reports import Acknowledged, Declined, PnlReport, Unknown
from engine.domain.errors import TransientError
from engine.facade.front_end import FrontEndSettings
from engine.requests.money import GetPnl

MAIN_MENU: tuple[tuple[Button, ...], ...] = (
    (
        Button(label="Status", line="/status"),
        Button(label="Opportunities", line="/opportunities"),
    ),
    (
        Button(label="PnL", line="/pnl"),
        Button(label="Venues", line="/venues"),
        Button(label="Limits", line="/limits"),
    ),
    (
        Button(label="Pause", line="/pause"),
        Button(label="KILL", line="/kill", is_alarming=True),
    ),
)


_WHY_IN_A_ROW = 3

DAYS_MAX = 365
"""Most days that a person may ask for."""

EVER_DAYS = 36_500
"""Longer than any installation runs."""


def numbered_why(refs: list[str]) -> tuple[tuple[Button, ...], ...]:
    """Return a button to the decision on each line of a numbered list."""
    buttons = [why_button(ref, label=f"Why {number}") for number, ref in enumerate(refs, 1)]
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
        return Answer(screen=screen)
    if isinstance(report, Declined):
        return Answer(screen=render_declined(report))
    return Answer(screen=render_unknown(report))
