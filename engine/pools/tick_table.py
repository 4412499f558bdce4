"""Initialised ticks of a concentrated pool, and the tick that a swap steps to next."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
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

    Make it with `of`. `grosses` is the liquidity of all positions that begin or end at each tick,
    by which the contract tells when a tick is in use no longer; None if it was not read. Ticks
    outside `known_min`..`known_max` were not read from the chain: a swap that gets there is
    refused. `cut` says what was known and left out, as it does not fit; see `sound_ticks`.
    """

    tick_spacing: int
    ticks: tuple[int, ...]
    liquidity_nets: tuple[int, ...]
    known_min: int
    known_max: int
    sqrt_ratios_x96: tuple[int, ...]
    known_min_x96: int
    known_max_x96: int
    cut: tuple[str, ...] = ()
    grosses: tuple[int, ...] | None = None

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
        grosses: Sequence[int] | None = None,
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
        total = sum(liquidity_nets)
        if (known_min, known_max) == (TICK_MIN, TICK_MAX) and total != 0:
            raise BadValueError(f"net liquidity over all ticks sums to {total}, not to 0")
        if grosses is not None:
            if len(ticks) != len(grosses):
                raise BadValueError(f"{len(ticks)} ticks but {len(grosses)} gross liquidities")
            for tick, net, gross in zip(ticks, liquidity_nets, grosses, strict=True):
                check_gross(gross, net, tick=tick, tick_spacing=tick_spacing)
        return cls(
            tick_spacing=tick_spacing,
            ticks=tuple(ticks),
            liquidity_nets=tuple(liquidity_nets),
            known_min=known_min,
            known_max=known_max,
            sqrt_ratios_x96=tuple(sqrt_ratio_at_tick(tick) for tick in ticks),
            known_min_x96=sqrt_ratio_at_tick(known_min),
            known_max_x96=sqrt_ratio_at_tick(known_max),
            cut=cut,
            grosses=None if grosses is None else tuple(grosses),
        )

    @property
    def liquidity_sums(self) -> tuple[int, ...]:
        """The sums of the first net liquidities: of none, of one, and so on to that of all."""
        return tuple(accumulate(self.liquidity_nets, initial=0))

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
        sums = self.liquidity_sums
        base = liquidity - sums[bisect_right(self.ticks, tick)]
        top = base + sums[-1]
        if (self.known_min == TICK_MIN and base != 0) or (self.known_max == TICK_MAX and top != 0):
            raise BadValueError(
                f"with liquidity {liquidity} at tick {tick} the ticks leave {base} below the first"
                f" and {top} above the last, not 0"
            )
        least, most = min(sums) + base, max(sums) + base
        if least < 0 or most > UINT128_MAX:
            raise BadValueError(
                f"with liquidity {liquidity} at tick {tick} it is from {least} to {most} elsewhere:"
                " negative, or over 128 bits"
            )

    def gained(self, tick: int, to_tick: int) -> int:
        """Return the liquidity that a price gains on its way from one tick to another."""
        first, end = bisect_right(self.ticks, tick), bisect_right(self.ticks, to_tick)
        if first <= end:
            return sum(self.liquidity_nets[first:end])
        return -sum(self.liquidity_nets[end:first])

    def with_position(self, low: int, high: int, liquidity_delta: int) -> "TickTable":
        """Return the table after liquidity was added to a range of ticks, or taken from it.

        As the contract does, a tick at which no position begins or ends any more is dropped.

        Raises:
            BadValueError: no position has this range, the table does not know the gross liquidity
                or was cut, or it has less at an end of the range than is taken.
        """
        for what, tick in (("lower", low), ("upper", high)):
            check_whole(tick, what=f"{what} tick", low=TICK_MIN, high=TICK_MAX)
            if tick % self.tick_spacing:
                raise BadValueError(
                    f"tick {tick} is no multiple of the spacing {self.tick_spacing}"
                )
        if low >= high:
            raise BadValueError(f"a position from tick {low} to {high} has no width")
        if self.grosses is None or self.cut:
            raise BadValueError("gross liquidity was not read" if not self.cut else "it was cut")
        ticks, ratios = self.ticks, self.sqrt_ratios_x96
        nets, grosses = list(self.liquidity_nets), list(self.grosses)
        for tick, net_delta in ((low, liquidity_delta), (high, -liquidity_delta)):
            if not self.known_min <= tick <= self.known_max:
                continue
            at = bisect_left(ticks, tick)
            if at == len(ticks) or ticks[at] != tick:
                ticks = (*ticks[:at], tick, *ticks[at:])
                ratios = (*ratios[:at], sqrt_ratio_at_tick(tick), *ratios[at:])
                nets.insert(at, 0)
                grosses.insert(at, 0)
            nets[at] += net_delta
            grosses[at] += liquidity_delta
            if grosses[at] == 0 == nets[at]:
                ticks = (*ticks[:at], *ticks[at + 1 :])
                ratios = (*ratios[:at], *ratios[at + 1 :])
                del nets[at], grosses[at]
            else:
                check_gross(grosses[at], nets[at], tick=tick, tick_spacing=self.tick_spacing)
        return replace(
            self,
            ticks=ticks,
            liquidity_nets=tuple(nets),
            grosses=tuple(grosses),
            sqrt_ratios_x96=ratios,
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


def liquidity_max_per_tick(tick_spacing: int) -> int:
    """Return the gross liquidity that one tick may have: 128 bits shared by all, as V3 has it."""
    return UINT128_MAX // (2 * (TICK_MAX // tick_spacing) + 1)


def check_gross(gross: int, net: int, *, tick: int, tick_spacing: int) -> None:
    """Check the gross liquidity of a tick, the sum of what begins and what ends there.

    Net is their difference: never more than the sum, and odd exactly if the sum is.

    Raises:
        BadValueError: no tick can have these.
    """
    high = liquidity_max_per_tick(tick_spacing)
    check_whole(gross, what=f"gross liquidity at tick {tick}", low=1, high=high)
    if abs(net) > gross or (gross - net) % 2:
        raise BadValueError(
            f"net liquidity {net} at tick {tick} is not the difference of two parts of {gross}"
        )
