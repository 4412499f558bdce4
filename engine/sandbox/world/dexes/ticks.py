"""Spans of ticks for the positions that a pool begins with."""

from typing import Final

from engine.pools.tick_math import TICK_MAX

NARROW_TICKS: Final = 2_000
"""So far from the price the narrower position reaches, on each side."""


def narrow(tick: int, spacing: int) -> tuple[int, int]:
    """Return a span around a tick."""
    return (
        (tick - NARROW_TICKS) // spacing * spacing,
        (tick + NARROW_TICKS) // spacing * spacing,
    )


def whole(spacing: int) -> tuple[int, int]:
    """Return the widest span."""
    end = TICK_MAX // spacing * spacing
    return -end, end
