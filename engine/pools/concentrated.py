"""Concentrated liquidity pools: Uniswap V3, V4 and forks that keep their swap, in whole numbers.

A swap walks as the contract does: from initialised tick to initialised tick, stopping at the end of
each word of the tick bitmap as well, because each stop rounds. Fees that change are passed in with
the state. Forks that walk otherwise (Algebra) and V4 hooks that take or give amounts are not of
this form.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate

from engine.domain.errors import BadValueError
from engine.pools.integers import INT256_MAX, PIPS, UINT128_MAX, check_token, check_whole
from engine.pools.swap_math import step_exact_in, step_exact_out
from engine.pools.tick_math import (
    SQRT_RATIO_MAX_X96,
    SQRT_RATIO_MIN_X96,
    TICK_MAX,
    TICK_MIN,
    check_sqrt_price,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)
from engine.pools.tick_table import TickTable


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcentratedState:
    """A pool between two swaps.

    `tick` is the pool's own: one below the tick of the price if the price fell exactly onto an
    initialised tick. `amount_raw_max` is what the contract's type for amounts paid and given holds:
    127 bits in V4. `fee_pips` is the providers' fee; in V4 a protocol may take one before it, each
    direction its own.
    """

    sqrt_price_x96: int
    tick: int
    liquidity: int
    fee_pips: int
    table: TickTable
    amount_raw_max: int = INT256_MAX
    protocol_fees_pips: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        _check_price(self.sqrt_price_x96, self.tick)
        check_whole(self.fee_pips, what="fee_pips", low=0, high=PIPS - 1)
        if self.protocol_fees_pips != (0, 0):
            for token_in in (0, 1):
                check_whole(self.swap_fee_pips(token_in), what="swap fee", low=0, high=PIPS - 1)
        check_whole(self.amount_raw_max, what="amount_raw_max", low=1, high=INT256_MAX)
        self.table.check_liquidity(self.liquidity, self.tick)

    @property
    def most_liquidity(self) -> int:
        """The most liquidity that there is between two ticks."""
        sums = self.table.liquidity_sums
        return max(sums) + self.liquidity - sums[bisect_right(self.table.ticks, self.tick)]

    def swap_fee_pips(self, token_in: int) -> int:
        """Return the fee of a swap that sells a token, the protocol's within."""
        taken = self.protocol_fees_pips[token_in]
        if taken == 0:
            return self.fee_pips
        return swap_fee_pips(lp_fee_pips=self.fee_pips, protocol_fee_pips=taken)

    def with_price(self, *, sqrt_price_x96: int, tick: int, liquidity: int) -> "ConcentratedState":
        """Return the pool at another price: what was right of the ticks before still is.

        Raises:
            BadValueError: no such price, one that is not at the tick, or liquidity that is not what
                the ticks on the way add up to.
        """
        _check_price(sqrt_price_x96, tick)
        table = self.table
        low = max(table.known_min - 1, TICK_MIN)
        check_whole(tick, what="tick", low=low, high=table.known_max)
        check_whole(liquidity, what="liquidity", low=0, high=UINT128_MAX)
        expected = self.liquidity + table.gained(self.tick, tick)
        if liquidity != expected:
            raise BadValueError(
                f"liquidity {liquidity} at tick {tick}; from {self.liquidity} at tick {self.tick}"
                f" the ticks lead to {expected}"
            )
        return self._but(sqrt_price_x96, tick, liquidity, table)

    def with_position(self, low: int, high: int, liquidity_delta: int) -> "ConcentratedState":
        """Return the pool after liquidity was added to a range of ticks, or taken from it.

        Raises:
            BadValueError: see `TickTable.with_position`; or liquidity would be below zero or beyond
                128 bits within the range, or none is left anywhere.
        """
        check_whole(liquidity_delta, what="liquidity", low=-UINT128_MAX, high=UINT128_MAX)
        if liquidity_delta == 0:  # a contract tells of it when only fees are settled
            return self
        table = self.table.with_position(low, high, liquidity_delta)
        is_in_use = low <= self.tick < high
        liquidity = self.liquidity + (liquidity_delta if is_in_use else 0)
        check_whole(liquidity, what="liquidity", low=0, high=UINT128_MAX)
        if liquidity_delta < 0 or not table.is_whole:
            # In a whole table no sum of what ticks may have at most is beyond 128 bits.
            first, end = bisect_left(table.ticks, low), bisect_left(table.ticks, high)
            start = liquidity + table.gained(self.tick, low - 1)
            nets = table.liquidity_nets[first:end]
            least = min(accumulate(nets, initial=start))
            most = 0 if table.is_whole else max(accumulate(nets, initial=start))
            if least < 0 or most > UINT128_MAX:
                raise BadValueError(
                    f"with {liquidity_delta} from tick {low} to {high} liquidity there is from"
                    f" {least} on: negative, or over 128 bits"
                )
        if not table.ticks and liquidity == 0:
            raise BadValueError(f"liquidity is 0 at tick {self.tick} and everywhere else")
        return self._but(self.sqrt_price_x96, self.tick, liquidity, table)

    def _but(
        self, sqrt_price_x96: int, tick: int, liquidity: int, table: TickTable
    ) -> "ConcentratedState":
        """Return the pool with these, unchecked: all ticks are looked at to check them anew."""
        made = object.__new__(ConcentratedState)
        for name, value in (
            ("sqrt_price_x96", sqrt_price_x96),
            ("tick", tick),
            ("liquidity", liquidity),
            ("fee_pips", self.fee_pips),
            ("table", table),
            ("amount_raw_max", self.amount_raw_max),
            ("protocol_fees_pips", self.protocol_fees_pips),
        ):
            object.__setattr__(made, name, value)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """What a swap takes and gives, and where it leaves the pool."""

    amount_in_raw: int
    amount_out_raw: int
    sqrt_price_x96: int
    tick: int
    liquidity: int
    step_count: int


def amount_out(
    state: ConcentratedState, amount_in_raw: int, *, token_in: int, fee_pips: int | None = None
) -> int:
    """Return what the pool gives for an input, floored; 0 if it is too small for one unit.

    Raises:
        BadValueError: no input, or more than the pool's liquidity can take.
    """
    found = swap_exact_in(state, amount_in_raw, token_in=token_in, fee_pips=fee_pips)
    if found.amount_in_raw != amount_in_raw:
        raise BadValueError(
            f"the pool takes {found.amount_in_raw} of amount_in_raw {amount_in_raw} and is empty"
        )
    return found.amount_out_raw


def amount_in(
    state: ConcentratedState, amount_out_raw: int, *, token_in: int, fee_pips: int | None = None
) -> int:
    """Return what the pool asks for an output, rounded up.

    Raises:
        BadValueError: no output, or more than the pool's liquidity can give.
    """
    found = swap_exact_out(state, amount_out_raw, token_in=token_in, fee_pips=fee_pips)
    if found.amount_out_raw != amount_out_raw:
        raise BadValueError(
            f"the pool gives {found.amount_out_raw} of amount_out_raw {amount_out_raw} and is empty"
        )
    return found.amount_in_raw


def amount_reached(state: ConcentratedState, amount_in_raw: int, *, token_in: int) -> int:
    """Return how much of an input is spent where the known liquidity ends, or about as much.

    There the price may round to beyond the end: the swap of all of it can still be refused.
    """
    table, price = state.table, state.sqrt_price_x96
    limit_x96 = (
        max(table.known_min_x96, SQRT_RATIO_MIN_X96 + 1)
        if check_token(token_in) == 0
        else min(table.known_max_x96, SQRT_RATIO_MAX_X96 - 1)
    )
    if limit_x96 == price:
        return 0
    return swap_exact_in(
        state, amount_in_raw, token_in=token_in, sqrt_price_limit_x96=limit_x96
    ).amount_in_raw


def swap_exact_in(
    state: ConcentratedState,
    amount_in_raw: int,
    *,
    token_in: int,
    sqrt_price_limit_x96: int | None = None,
    fee_pips: int | None = None,
) -> Swap:
    """Sell an amount until it is spent, or until the price limit (the end of all prices).

    Args:
        state: the pool before.
        amount_in_raw: what is sold, fee included.
        token_in: index of the token that is sold.
        sqrt_price_limit_x96: the swap stops here, with what it has taken and given by then.
        fee_pips: the whole fee of this swap in the place of the state's.

    Raises:
        BadValueError: an input of nothing or beyond the contract's type, a limit on the wrong side
            of the price, or ticks needed that are not known.
    """
    check_whole(amount_in_raw, what="amount_in_raw", low=1, high=INT256_MAX)
    return _swap(
        state,
        left_in_raw=amount_in_raw,
        left_out_raw=0,
        token_in=token_in,
        limit_x96=sqrt_price_limit_x96,
        fee_pips=fee_pips,
    )


def swap_exact_out(
    state: ConcentratedState,
    amount_out_raw: int,
    *,
    token_in: int,
    sqrt_price_limit_x96: int | None = None,
    fee_pips: int | None = None,
) -> Swap:
    """Buy an amount until it is given, or until the price limit; otherwise as `swap_exact_in`."""
    check_whole(amount_out_raw, what="amount_out_raw", low=1, high=INT256_MAX)
    return _swap(
        state,
        left_in_raw=0,
        left_out_raw=amount_out_raw,
        token_in=token_in,
        limit_x96=sqrt_price_limit_x96,
        fee_pips=fee_pips,
    )


def state_after(state: ConcentratedState, swap: Swap) -> ConcentratedState:
    """Return the pool as the swap leaves it."""
    return replace(
        state, sqrt_price_x96=swap.sqrt_price_x96, tick=swap.tick, liquidity=swap.liquidity
    )


def swap_fee_pips(*, lp_fee_pips: int, protocol_fee_pips: int) -> int:
    """Return the fee of a V4 swap: the protocol's first, then the providers' on the rest.

    Raises:
        BadValueError: a fee out of its range (a protocol takes a thousandth at most).
    """
    check_whole(lp_fee_pips, what="lp_fee_pips", low=0, high=PIPS - 1)
    check_whole(protocol_fee_pips, what="protocol_fee_pips", low=0, high=1_000)
    return protocol_fee_pips + lp_fee_pips - protocol_fee_pips * lp_fee_pips // PIPS


def _swap(
    state: ConcentratedState,
    *,
    left_in_raw: int,
    left_out_raw: int,
    token_in: int,
    limit_x96: int | None,
    fee_pips: int | None,
) -> Swap:
    """Walk the ticks; one of the two amounts is 0 and the other one is the exact one."""
    falls = check_token(token_in) == 0
    limit_x96 = _check_limit(state, limit_x96, falls=falls)
    fee = state.swap_fee_pips(token_in) if fee_pips is None else fee_pips
    check_whole(fee, what="fee_pips", low=0, high=PIPS - 1)
    table = state.table
    price, tick, liquidity = state.sqrt_price_x96, state.tick, state.liquidity
    paid, got, step_count = 0, 0, 0
    is_exact_in = left_in_raw > 0
    left = left_in_raw if is_exact_in else left_out_raw
    while left > 0 and price != limit_x96:
        next_tick, index = table.next_below(tick) if falls else table.next_above(tick)
        next_x96 = table.sqrt_ratios_x96[index] if index >= 0 else sqrt_ratio_at_tick(next_tick)
        target = max(next_x96, limit_x96) if falls else min(next_x96, limit_x96)
        before = price
        if is_exact_in:
            price, taken, given = step_exact_in(price, target, liquidity, left, fee)
            left -= taken
        else:
            price, taken, given = step_exact_out(price, target, liquidity, left, fee)
            left -= given
        if price < table.known_min_x96 or price > table.known_max_x96:
            raise BadValueError(
                f"the swap leaves the known ticks {table.known_min} to {table.known_max}"
            )
        paid += taken
        got += given
        step_count += 1
        if price == next_x96:
            if index >= 0:
                net = table.liquidity_nets[index]
                liquidity = _add(liquidity, -net if falls else net)
            tick = next_tick - 1 if falls else next_tick
        elif price != before:
            tick = tick_at_sqrt_ratio(price)
    if max(paid, got) > state.amount_raw_max:
        raise BadValueError(f"amounts {paid} and {got} are over what the contract can hold")
    return Swap(
        amount_in_raw=paid,
        amount_out_raw=got,
        sqrt_price_x96=price,
        tick=tick,
        liquidity=liquidity,
        step_count=step_count,
    )


def _check_price(sqrt_price_x96: int, tick: int) -> None:
    check_sqrt_price(sqrt_price_x96, what="sqrt_price_x96")
    check_whole(tick, what="tick", low=TICK_MIN, high=TICK_MAX - 1)
    low_x96, high_x96 = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)
    if not low_x96 <= sqrt_price_x96 <= high_x96:
        raise BadValueError(f"sqrt_price_x96 {sqrt_price_x96} is not at tick {tick}")


def _check_limit(state: ConcentratedState, limit_x96: int | None, *, falls: bool) -> int:
    if limit_x96 is None:
        limit_x96 = SQRT_RATIO_MIN_X96 + 1 if falls else SQRT_RATIO_MAX_X96 - 1
    price = state.sqrt_price_x96
    low = SQRT_RATIO_MIN_X96 + 1 if falls else price + 1
    high = price - 1 if falls else SQRT_RATIO_MAX_X96 - 1
    return check_whole(limit_x96, what="sqrt_price_limit_x96", low=low, high=high)


def _add(liquidity: int, net: int) -> int:
    return check_whole(liquidity + net, what="liquidity", low=0, high=UINT128_MAX)
