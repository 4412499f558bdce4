"""Damping: what comes and goes is one alert that says so, until it has been calm for a while."""

from typing import Final

from bot.alerts.alert import Alert, State
from engine.domain.units import NS_PER_S

FLIPS: Final = 3
WITHIN_NS: Final = 600 * NS_PER_S
"""So many firings within this time are flapping; so long without a change ends it."""


def count_firing(alert: Alert, *, now_ns: int) -> None:
    """Count that an episode began; the alert flaps from the third on."""
    flips = [at_ns for at_ns in alert.flips if now_ns - at_ns < WITHIN_NS]
    alert.flips = (*flips, now_ns)[-FLIPS:]
    if len(alert.flips) >= FLIPS:
        alert.is_flapping = True
        alert.calm_at_ns = 0


def fire_again(alert: Alert, *, now_ns: int) -> None:
    """Take a firing in while it flaps: the same episode goes on."""
    alert.flips = (*alert.flips, now_ns)[-FLIPS:]
    alert.calm_at_ns = 0


def end(alert: Alert, *, now_ns: int) -> None:
    """Take its end in while it flaps: it counts once it has lasted."""
    alert.calm_at_ns = now_ns


def is_calm(alert: Alert, *, now_ns: int) -> bool:
    """Say whether its last end has lasted."""
    return (
        alert.is_flapping
        and alert.state is not State.RESOLVED
        and alert.calm_at_ns > 0
        and now_ns - alert.calm_at_ns >= WITHIN_NS
    )
