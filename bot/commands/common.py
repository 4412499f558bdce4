"""What every family of handlers needs: questions that many ask, and the answers to a plain no."""

from bot.answer import Answer, Button
from bot.command import Call
from bot.menus import OVERVIEW, acts
from bot.notice_buttons import why_button
from bot.render.market import render_unknown
from bot.render.safety import render_acknowledged, render_declined
from engine.bus.reports import Acknowledged, Declined, PnlReport, Unknown
from engine.domain.errors import TransientError
from engine.facade.front_end import FrontEndSettings
from engine.requests.money import GetPnl

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
