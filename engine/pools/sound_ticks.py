"""The ranges of a pool that fit its liquidity, where those far from its price do not by a rounding.

A contract keeps liquidity and what each tick adds to it as whole numbers that it only adds and
subtracts: read whole and at one block they fit to the unit. So do all recorded pools that were
read so: the 1,295 of Uniswap V4 in degenbot's snapshot of Ethereum and the 17 with ticks in
tycho-simulation's. Three of degenbot's other pools do not, and are off by 8e13, 8e16 and 1e21: two
have some words of ticks only, the third no tick below 0 although its last is the highest of all.

So the chain rounds nothing. What rounds is a source that keeps numbers as 64-bit floats, as
JavaScript does: each one over 53 bits is then off by up to half of its last binary place. Where the
liquidity behind a tick is off by no more than the numbers that it is the sum of explain, the ranges
from there on are cut away and the rest is kept. Being off by more means ticks that are missing or
not of one block; nobody knows which ranges are wrong then. Such ticks are left as they are, and the
checks that follow refuse them with what is off.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

FLOAT_BITS: Final = 53
"""Binary places of a 64-bit float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundTicks:
    """Ticks that are kept, the range of those that count as known, and what was cut, in words."""

    ticks: Sequence[int]
    liquidity_nets: Sequence[int]
    known_min: int
    known_max: int
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Off:
    """Liquidity behind a tick that no pool can have."""

    at: int
    level: int
    explained: int


def sound_ticks(
    whole: SoundTicks, *, liquidity: int, tick: int, ends: tuple[int, int]
) -> SoundTicks:
    """Return the ticks without the ranges that do not fit, from those nearest to the price on.

    Args:
        whole: the ticks as they were read; returned as they are if more than a rounding is off.
        liquidity: at the price.
        tick: of the price.
        ends: the first and the last tick that the protocol has.
    """
    ticks, nets = whole.ticks, whole.liquidity_nets
    here = bisect_right(ticks, tick)
    has_top, has_bottom = whole.known_max == ends[1], whole.known_min == ends[0]
    if _fits(liquidity, nets[here:], is_whole=has_top) and _fits(
        liquidity, [-net for net in nets[:here][::-1]], is_whole=has_bottom
    ):
        return whole
    up = ((at, nets[at]) for at in range(here, len(ticks)))
    down = ((at, -nets[at]) for at in reversed(range(here)))
    high = _first_off(liquidity, up, is_whole=has_top)
    low = _first_off(liquidity, down, is_whole=has_bottom)
    if any(off is not None and abs(off.level) > off.explained for off in (low, high)):
        return whole
    first, end = 0, len(ticks)
    known_min, known_max, cut = whole.known_min, whole.known_max, []
    if low is not None:
        first, known_min = low.at + 1, ticks[low.at]
        cut.append(f"below tick {known_min}, where liquidity is {low.level}")
    if high is not None:
        end, known_max = high.at, ticks[high.at]
        cut.append(f"above tick {known_max}, where liquidity is {high.level}")
    if not cut:
        return whole
    return SoundTicks(
        ticks=ticks[first:end],
        liquidity_nets=nets[first:end],
        known_min=known_min,
        known_max=known_max,
        cut=tuple(cut),
    )


def _fits(liquidity: int, nets: Sequence[int], *, is_whole: bool) -> bool:
    """Tell whether nothing is off: so it is nearly always, and the reasons take longer to find."""
    levels = list(accumulate(nets, initial=liquidity))
    return min(levels) >= 0 and not (is_whole and nets and levels[-1])


def _first_off(
    liquidity: int, crossed: Iterable[tuple[int, int]], *, is_whole: bool
) -> _Off | None:
    """Return the first of what is off, going away from the price; the first unexplained, if any."""
    first, last, explained = None, None, _rounding(liquidity)
    for at, net in crossed:
        liquidity += net
        explained += _rounding(net)
        last = _Off(at=at, level=liquidity, explained=explained)
        if liquidity < 0:
            first = first or last
            if -liquidity > explained:
                return last
    if is_whole and last is not None and last.level != 0:  # behind the last tick there is nothing
        return last if first is None or abs(last.level) > explained else first
    return first


def _rounding(number: int) -> int:
    """Return by how much a number that went through a 64-bit float can be off."""
    return 1 << abs(number).bit_length() >> FLOAT_BITS + 1
