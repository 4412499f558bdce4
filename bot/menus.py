"""Buttons that many screens share: the way to the others, and what acts, as it fits the state."""

from bot.answer import Button
from engine.bus.reports import StatusReport
from engine.domain.modes import Mode

Rows = tuple[tuple[Button, ...], ...]

OVERVIEW = Button(label="Overview", line="/status")
TASKS = Button(label="Tasks", line="/tasks")
KILL = Button(label="KILL", line="/kill", is_alarming=True)
_PAUSE = Button(label="Pause", line="/pause")
_RESUME = Button(label="Resume…", line="/resume")
_PAPER = Button(label="Paper…", line="/mode paper")
_UNKILL = Button(label="How to unkill", line="/help unkill")

_PERMITS = (
    Button(label="Approvals", line="/approvals"),
    Button(label="Mandates", line="/mandates"),
)
"""Where a person's word is asked for."""

PLACES: Rows = (
    (
        Button(label="Venues", line="/venue"),
        Button(label="Pairs", line="/pair"),
        Button(label="Fees", line="/fee"),
    ),
)
"""What may be traded, and what it costs."""

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
        *((_PERMITS,) if now.mode is Mode.APPROVE else ()),
        acts(is_killed=now.is_killed, is_paused=now.is_paused, mode=now.mode),
    )
