"""Initialised ticks of a concentrated pool, and the tick that a swap steps to next."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from engine.domain.errors import BadValueError
from engine.pools.integers import INT128_MAX, UINT128_MAX, check_whole
from engine.pools.tick_math import TICK_MAX, TICK_MIN, sqrt_ratio_at_tick

TICK_SPACING_MAX = 32_767
"""Of Uniswap V4; V3 and its forks stay below."""

WORD_BITS = 256
"""Ticks, in units of the spacing, that one word of a pool's bitmap tells about."""


@dataclass(frozen=True, slots=True)
class TickTable:
    """Initialised ticks in order, with the liquidity that enters when the price rises over each.

    Make it with `of`. `liquidity_sums[i]` is the sum of the first i net liquidities, `sum_min` and
    `sum_max` the least and largest of these. Ticks outside `known_min`..`known_max` were not read
    from the chain: a swap that gets there is refused. `cut` says what was known and left out, as
    it does not fit; see `sound_ticks`.
    """

    tick_spacing: int
    ticks: tuple[int, ...]
    liquidity_nets: tuple[int, ...]
    known_min: int
    known_max: int
    liquidity_sums: tuple[int, ...]
    sum_min: int
    sum_max: int
    sqrt_ratios_x96: tuple[int, ...]
    known_min_x96: int
    known_max_x96: int
    cut: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        tick_spacing: int,
        ticks: Sequence[int],
        liquidity_nets: Sequence[int],
        known_min: int = TICK_MIN,
        known_max: int = TICK_MAX,
        cut: tuple[str, ...] = (),
    ) -> "TickTable":
        """Make a table of ticks in rising order.

        Raises:
            BadValueError: ticks out of order, off the spacing or the known range, or net liquidity
                that no pool can have.
        """
        check_whole(tick_spacing, what="tick_spacing", low=1, high=TICK_SPACING_MAX)
        check_whole(known_min, what="known_min", low=TICK_MIN, high=TICK_MAX)
        check_whole(known_max, what="known_max", low=known_min, high=TICK_MAX)
        if len(ticks) != len(liquidity_nets):
            raise BadValueError(f"{len(ticks)} ticks but {len(liquidity_nets)} net liquidities")
        for tick, net in zip(ticks, liquidity_nets, strict=True):
            check_whole(tick, what="tick", low=known_min, high=known_max)
            if tick % tick_spacing:
                raise BadValueError(f"tick {tick} is no multiple of the spacing {tick_spacing}")
            check_whole(net, what=f"net liquidity at tick {tick}", low=-INT128_MAX, high=INT128_MAX)
        for tick, following in pairwise(ticks):
            if tick >= following:
                raise BadValueError(f"tick {following} follows {tick}: ticks must rise")
        sums = (0, *accumulate(liquidity_nets))
        if (known_min, known_max) == (TICK_MIN, TICK_MAX) and sums[-1] != 0:
            raise BadValueError(f"net liquidity over all ticks sums to {sums[-1]}, not to 0")
        return cls(
            tick_spacing=tick_spacing,
            ticks=tuple(ticks),
            liquidity_nets=tuple(liquidity_nets),
            known_min=known_min,
            known_max=known_max,
            liquidity_sums=sums,
            sum_min=min(sums),
            sum_max=max(sums),
            sqrt_ratios_x96=tuple(sqrt_ratio_at_tick(tick) for tick in ticks),
            known_min_x96=sqrt_ratio_at_tick(known_min),
            known_max_x96=sqrt_ratio_at_tick(known_max),
            cut=cut,
        )

    @property
    def is_whole(self) -> bool:
        """Whether every tick of the pool was read."""
        return (self.known_min, self.known_max) == (TICK_MIN, TICK_MAX)

    def check_liquidity(self, liquidity: int, tick: int) -> None:
        """Check that a pool with these ticks can have this liquidity at this tick.

        Raises:
            BadValueError: it cannot: somewhere liquidity would be negative or beyond 128 bits, or
                it is not what the ticks sum up to.
        """
        check_whole(liquidity, what="liquidity", low=0, high=UINT128_MAX)
        check_whole(tick, what="tick", low=max(self.known_min - 1, TICK_MIN), high=self.known_max)
        base = liquidity - self.liquidity_sums[bisect_right(self.ticks, tick)]
        top = base + self.liquidity_sums[-1]
        if (self.known_min == TICK_MIN and base != 0) or (self.known_max == TICK_MAX and top != 0):
            raise BadValueError(
                f"with liquidity {liquidity} at tick {tick} the ticks leave {base} below the first"
                f" and {top} above the last, not 0"
            )
        if self.sum_min + base < 0 or self.sum_max + base > UINT128_MAX:
            raise BadValueError(
                f"with liquidity {liquidity} at tick {tick} it is from {self.sum_min + base} to"
                f" {self.sum_max + base} elsewhere: negative, or over 128 bits"
            )

    def next_below(self, tick: int) -> tuple[int, int]:
        """Return where a falling price steps to from a tick, and the index there, -1 if not in use.

        It is the nearest initialised tick at or below, or the first tick of the bitmap's word.
        """
        start = tick // self.tick_spacing // WORD_BITS * WORD_BITS * self.tick_spacing
        index = bisect_right(self.ticks, tick) - 1
        if index >= 0 and self.ticks[index] >= start:
            return self.ticks[index], index
        return max(start, TICK_MIN), -1

    def next_above(self, tick: int) -> tuple[int, int]:
        """Return where a rising price steps to from a tick, and the index there, -1 if not in use.

        It is the nearest initialised tick above, or the last tick of the bitmap's word.
        """
        compressed = tick // self.tick_spacing + 1
        end = (compressed // WORD_BITS * WORD_BITS + WORD_BITS - 1) * self.tick_spacing
        index = bisect_left(self.ticks, compressed * self.tick_spacing)
        if index < len(self.ticks) and self.ticks[index] <= end:
            return self.ticks[index], index
        return min(end, TICK_MAX), -1
