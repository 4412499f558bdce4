"""The chain of a critical alert: told again and again until acknowledged, then by other ways too.

It goes by time alone, so that it works as well while nothing of it reaches the chat.
"""

from typing import Final

from bot.alerts.alert import Alert, State
from engine.domain.recovery import ALERT_CHAIN, TALLY
from engine.domain.units import NS_PER_S

REPEATS_MIN: Final = (1, 2, 5, 10)
"""Minutes after the firing at which it is told again; after the last of them each `EVERY_MIN`."""

EVERY_MIN: Final = 10
PAGED_FROM: Final = 2
"""With this repeat it goes out by other ways than the chat, and with each later one."""


def due_at_ns(alert: Alert) -> int:
    """Return when the next repeat is due."""
    done = alert.repeats
    last = len(REPEATS_MIN)
    minutes = REPEATS_MIN[done] if done < last else REPEATS_MIN[-1] + EVERY_MIN * (done - last + 1)
    return alert.fired_at_ns + minutes * 60 * NS_PER_S


def is_running(alert: Alert) -> bool:
    """Say whether the chain goes on."""
    return alert.is_critical and alert.state is State.FIRING


def step(alert: Alert, *, now_ns: int) -> bool:
    """Take the step that is due, if any; several that were missed are one. Say whether one was."""
    if not is_running(alert) or now_ns < due_at_ns(alert):
        return False
    was_delivered = alert.is_told
    while now_ns >= due_at_ns(alert):
        alert.repeats += 1
    alert.wants_message = True
    alert.change()
    TALLY.tried(ALERT_CHAIN)
    if alert.repeats >= PAGED_FROM or not was_delivered:
        alert.pages_due += 1
    return True


def restart(alert: Alert, *, now_ns: int) -> None:
    """Begin anew."""
    alert.fired_at_ns = now_ns
    alert.repeats = 0
