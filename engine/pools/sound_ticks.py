"""The ranges of a pool that fit its liquidity, where those far from its price do not by a rounding.

Liquidity as it is read from ticks can be a few units off far from the price: below zero between two
ticks, or not nothing behind the last one. Such ranges are cut away and the rest is kept. What is
off by more is no rounding but a snapshot whose parts are not of one moment: it is left as it is,
and refused by the checks that follow.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from engine.pools.tick_math import TICK_MAX, TICK_MIN

ROUNDING_RATIO_MAX: Final = 1e-9
"""Of the most liquidity between two ticks: being off by more is no rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundTicks:
    """Ticks that are kept, the range of those that count as known, and what was cut, in words."""

    ticks: Sequence[int]
    liquidity_nets: Sequence[int]
    known_min: int
    known_max: int
    cut: tuple[str, ...] = ()


def sound_ticks(whole: SoundTicks, *, liquidity: int, tick: int) -> SoundTicks:
    """Return the ticks without the ranges that do not fit, from those nearest to the price on."""
    ticks, nets = whole.ticks, whole.liquidity_nets
    here = bisect_right(ticks, tick)
    up = _levels(liquidity, ((at, nets[at]) for at in range(here, len(ticks))))
    down = _levels(liquidity, ((at, -nets[at]) for at in reversed(range(here))))
    most = max((level for _, level in (*up, *down)), default=0)
    off_max = int(max(most, liquidity) * ROUNDING_RATIO_MAX)
    high = _first_off(up, is_whole=whole.known_max == TICK_MAX)
    low = _first_off(down, is_whole=whole.known_min == TICK_MIN)
    first, end = 0, len(ticks)
    known_min, known_max, cut = whole.known_min, whole.known_max, []
    if low is not None and abs(low[1]) <= off_max:
        first, known_min = low[0] + 1, ticks[low[0]]
        cut.append(f"below tick {known_min}, where liquidity is {low[1]}")
    if high is not None and abs(high[1]) <= off_max:
        end, known_max = high[0], ticks[high[0]]
        cut.append(f"above tick {known_max}, where liquidity is {high[1]}")
    if not cut:
        return whole
    return SoundTicks(
        ticks=ticks[first:end],
        liquidity_nets=nets[first:end],
        known_min=known_min,
        known_max=known_max,
        cut=tuple(cut),
    )


def _levels(liquidity: int, crossed: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the liquidity behind each tick, going away from the price."""
    levels = []
    for at, net in crossed:
        liquidity += net
        levels.append((at, liquidity))
    return levels


def _first_off(levels: Sequence[tuple[int, int]], *, is_whole: bool) -> tuple[int, int] | None:
    """Return the first level that no pool can have; behind the last tick of all there is none."""
    for number, (at, level) in enumerate(levels, 1):
        if level < 0 or (is_whole and number == len(levels) and level != 0):
            return at, level
    return None
