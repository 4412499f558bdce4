"""Exact Orca Whirlpool swaps with a static fee: exact input and output, as the program rounds.

A state holds the ticks of the tick arrays that a transaction would name: beyond `tick_low` and
`tick_high` the program knows nothing and a swap that gets there fails. Where there is no liquidity
at the price a swap moves the price for nothing to the first tick that adds some, as the program
does. Adaptive fees and transfer fees of tokens are not modelled.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from engine.domain.errors import BadValueError
from engine.pools.reverts import (
    U64_MAX,
    U128_MAX,
    check_same_count,
    check_swap,
    check_tokens,
    check_whole,
    overflow,
)
from engine.pools.sound_ticks import SoundTicks, sound_ticks
from engine.pools.whirlpool_math import (
    FEE_ONE_E6,
    ONE_X64,
    SQRT_PRICE_X64_MAX,
    SQRT_PRICE_X64_MIN,
    TICK_MAX,
    TICK_MIN,
    amount_a,
    amount_b,
    less_fee,
    price_after_a,
    price_after_b,
    sqrt_price_at,
    tick_at,
    with_fee,
)

FEE_E6_MAX = 100_000
"""`FEE_RATE_HARD_LIMIT` of the program: ten percent."""
TICKS_PER_ARRAY = 88
TICK_SPACING_MAX = (1 << 16) - 1
STEPS_MAX = 2_000
"""More ticks than any transaction's tick arrays hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhirlpoolState:
    """A pool and the ticks of its known tick arrays; `make_whirlpool` checks one.

    `ticks` are the initialised ones in rising order, `nets` the liquidity that each adds on the
    way up, `tick_prices_x64` their square roots of price. `cut` says what was known and left out,
    as it does not fit; see `sound_ticks`.
    """

    fee_e6: int
    liquidity: int
    sqrt_price_x64: int
    tick: int
    ticks: tuple[int, ...]
    nets: tuple[int, ...]
    tick_prices_x64: tuple[int, ...]
    tick_low: int
    tick_high: int
    cut: tuple[str, ...] = ()

    @property
    def most_liquidity(self) -> int:
        """The most liquidity that there is between two known ticks."""
        return max(liquidities(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class WhirlpoolSwap:
    """What a swap did; `fee_raw` is the part of the input that went to liquidity and protocol."""

    amount_in_raw: int
    amount_out_raw: int
    fee_raw: int
    sqrt_price_x64: int
    liquidity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    amount_in: int
    amount_out: int
    fee: int
    price_x64: int


def make_whirlpool(
    *,
    pool: str,
    tokens: Sequence[str],
    tick_spacing: int,
    fee_e6: int,
    liquidity: int,
    sqrt_price_x64: int,
    tick: int,
    ticks: Sequence[int],
    nets: Sequence[int],
    array_starts: Sequence[int],
) -> WhirlpoolState:
    """Check a pool's values and make its state.

    `array_starts` are the first ticks of the known tick arrays: neighbours, in rising order.

    Raises:
        BadValueError: a value that no deployed pool can have; the text names it and the pool.
    """
    check_tokens(tokens, pool=pool, least=2, most=2)
    check_same_count(nets, what="net liquidities", pool=pool, count=len(ticks))
    check_whole(tick_spacing, what=f"tick spacing of {pool}", least=1, most=TICK_SPACING_MAX)
    check_whole(fee_e6, what=f"fee of pool {pool} in millionths", least=0, most=FEE_E6_MAX)
    check_whole(liquidity, what=f"liquidity of pool {pool}", least=0, most=U128_MAX)
    check_whole(
        sqrt_price_x64,
        what=f"square root of price of pool {pool}",
        least=SQRT_PRICE_X64_MIN,
        most=SQRT_PRICE_X64_MAX,
    )
    check_whole(tick, what=f"tick of pool {pool}", least=TICK_MIN - 1, most=TICK_MAX)
    low, high = _known_range(array_starts, pool=pool, tick_spacing=tick_spacing)
    for index, (one, net) in enumerate(zip(ticks, nets, strict=True)):
        check_whole(one, what=f"initialised tick of pool {pool}", least=low, most=high)
        check_whole(net, what=f"net liquidity of {pool}", least=-U128_MAX // 2, most=U128_MAX // 2)
        if one % tick_spacing:
            raise BadValueError(f"tick {one} of pool {pool} is no multiple of {tick_spacing}")
        if index and one <= ticks[index - 1]:
            raise BadValueError(f"ticks of pool {pool} do not rise: {ticks[index - 1]}, {one}")
    if tick_at(sqrt_price_x64) - tick not in (0, 1):  # 1: just crossed a tick downwards
        raise BadValueError(f"tick {tick} of pool {pool} is not that of its price")
    whole = SoundTicks(ticks=ticks, liquidity_nets=nets, known_min=low, known_max=high)
    sound = sound_ticks(whole, liquidity=liquidity, tick=tick, ends=(TICK_MIN, TICK_MAX))
    state = WhirlpoolState(
        fee_e6=fee_e6,
        liquidity=liquidity,
        sqrt_price_x64=sqrt_price_x64,
        tick=tick,
        ticks=tuple(sound.ticks),
        nets=tuple(sound.liquidity_nets),
        tick_prices_x64=tuple(sqrt_price_at(one) for one in sound.ticks),
        tick_low=sound.known_min,
        tick_high=sound.known_max,
        cut=sound.cut,
    )
    _check_liquidity(state, pool=pool)
    return state


def amount_out(state: WhirlpoolState, amount_in_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what a swap of exact input pays.

    Raises:
        BadValueError: arguments that the program refuses, or a swap beyond the known ticks.
    """
    check_swap(amount_in_raw, token_in=token_in, token_out=token_out, count=2)
    done = swap(state, amount_in_raw, is_a_to_b=token_in == 0, is_exact_in=True)
    if done.amount_in_raw != amount_in_raw:
        raise BadValueError(f"the pool takes {done.amount_in_raw} of {amount_in_raw} raw units")
    return done.amount_out_raw


def amount_in(state: WhirlpoolState, amount_out_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what a swap of exact output takes.

    Raises:
        BadValueError: arguments that the program refuses, or a swap beyond the known ticks.
    """
    check_swap(amount_out_raw, token_in=token_in, token_out=token_out, count=2)
    done = swap(state, amount_out_raw, is_a_to_b=token_in == 0, is_exact_in=False)
    if done.amount_out_raw != amount_out_raw:
        raise BadValueError(f"the pool pays {done.amount_out_raw} of {amount_out_raw} raw units")
    return done.amount_in_raw


def swap(
    state: WhirlpoolState, amount_raw: int, *, is_a_to_b: bool, is_exact_in: bool
) -> WhirlpoolSwap:
    """Walk from tick to tick until the amount is used up or the price reaches its bound.

    Raises:
        BadValueError: an amount beyond 64 bits, or a swap beyond the known ticks.
    """
    check_whole(amount_raw, what="amount in raw units", least=1, most=U64_MAX)
    bound_x64 = SQRT_PRICE_X64_MIN if is_a_to_b else SQRT_PRICE_X64_MAX
    left, other, fees = amount_raw, 0, 0
    price_x64, liquidity = state.sqrt_price_x64, state.liquidity
    if is_a_to_b:
        index = bisect_right(state.ticks, state.tick) - 1
    else:
        index = bisect_right(state.ticks, state.tick)
    is_beyond = not state.tick_low <= state.tick < state.tick_high + is_a_to_b
    for _ in range(STEPS_MAX):
        if left == 0 or price_x64 == bound_x64:
            break
        if is_beyond:
            raise BadValueError("the swap runs beyond the known tick arrays")
        is_known = 0 <= index < len(state.ticks)
        if is_known:
            target_x64 = state.tick_prices_x64[index]
        else:
            target_x64 = sqrt_price_at(state.tick_low if is_a_to_b else state.tick_high)
        step = _step(
            left,
            price_x64,
            target_x64,
            liquidity,
            fee_e6=state.fee_e6,
            is_a_to_b=is_a_to_b,
            is_exact_in=is_exact_in,
        )
        fees += step.fee
        left -= step.amount_in + step.fee if is_exact_in else step.amount_out
        other += step.amount_out if is_exact_in else step.amount_in + step.fee
        price_x64 = step.price_x64
        if price_x64 == target_x64:
            if is_known:
                liquidity += -state.nets[index] if is_a_to_b else state.nets[index]
                index += -1 if is_a_to_b else 1
            else:
                is_beyond = True
    else:
        raise BadValueError(f"the swap crosses more than {STEPS_MAX} ticks")
    if other > U64_MAX or left < 0:
        raise overflow("amount of the swap")
    moved = amount_raw - left
    return WhirlpoolSwap(
        amount_in_raw=moved if is_exact_in else other,
        amount_out_raw=other if is_exact_in else moved,
        fee_raw=fees,
        sqrt_price_x64=price_x64,
        liquidity=liquidity,
    )


def _step(
    left: int,
    price_x64: int,
    target_x64: int,
    liquidity: int,
    *,
    fee_e6: int,
    is_a_to_b: bool,
    is_exact_in: bool,
) -> _Step:
    """Trade within one range of liquidity: to its end, or until the amount is used up."""
    low, high = min(price_x64, target_x64), max(price_x64, target_x64)
    fixed_amount, other_amount = (
        (amount_a, amount_b) if is_a_to_b == is_exact_in else (amount_b, amount_a)
    )
    price_after = price_after_a if is_a_to_b == is_exact_in else price_after_b
    usable = less_fee(left, fee_e6) if is_exact_in else left
    fixed = fixed_amount(low, high, liquidity, is_up=is_exact_in)
    if fixed is not None and fixed <= usable:
        after_x64 = target_x64
    else:
        after_x64 = price_after(price_x64, liquidity, usable, is_added=is_exact_in)
        low, high = min(price_x64, after_x64), max(price_x64, after_x64)
        fixed = fixed_amount(low, high, liquidity, is_up=is_exact_in)
    other = other_amount(low, high, liquidity, is_up=not is_exact_in)
    if fixed is None or other is None:
        raise overflow("amount of a step")
    if not is_exact_in:
        fixed = min(fixed, left)
        return _Step(
            amount_in=other,
            amount_out=fixed,
            fee=with_fee(other, fee_e6) - other,
            price_x64=after_x64,
        )
    is_to_end = after_x64 == target_x64
    fee = with_fee(fixed, fee_e6) - fixed if is_to_end else left - fixed
    return _Step(amount_in=fixed, amount_out=other, fee=fee, price_x64=after_x64)


def as_row(state: WhirlpoolState) -> tuple[float, ...]:
    """Give the pool's numbers that the float kernel reads, in the order of its columns."""
    index = bisect_right(state.ticks, state.tick)
    return (state.sqrt_price_x64 / ONE_X64, state.fee_e6 / FEE_ONE_E6, float(index))


def as_ranges(state: WhirlpoolState) -> tuple[tuple[float, float, float], ...]:
    """Give (low, high, liquidity) of each range between known ticks, rising, for the kernel."""
    edges = [state.tick_low, *state.ticks, state.tick_high]
    prices = [sqrt_price_at(edge) / ONE_X64 for edge in edges]
    return tuple(
        (prices[index], prices[index + 1], float(liquidity))
        for index, liquidity in enumerate(liquidities(state))
    )


def liquidities(state: WhirlpoolState) -> list[int]:
    """Give the liquidity of each range between known ticks, rising."""
    now = bisect_right(state.ticks, state.tick)
    lowest = state.liquidity - sum(state.nets[:now])
    return list(accumulate(state.nets, initial=lowest))


def _check_liquidity(state: WhirlpoolState, *, pool: str) -> None:
    found = liquidities(state)
    if min(found) < 0 or max(found) > U128_MAX:
        raise BadValueError(
            f"with liquidity {state.liquidity} at tick {state.tick} of pool {pool} it is from"
            f" {min(found)} to {max(found)} elsewhere: negative, or over 128 bits"
        )
    below = found[0] if state.tick_low == TICK_MIN else 0
    above = found[-1] if state.tick_high == TICK_MAX else 0
    if below or above:
        raise BadValueError(
            f"with liquidity {state.liquidity} at tick {state.tick} of pool {pool} the ticks leave"
            f" {below} below the first and {above} above the last, not 0"
        )


def _known_range(array_starts: Sequence[int], *, pool: str, tick_spacing: int) -> tuple[int, int]:
    width = TICKS_PER_ARRAY * tick_spacing
    if not array_starts:
        raise BadValueError(f"pool {pool} has no known tick array")
    for index, start in enumerate(array_starts):
        least = TICK_MIN - width
        check_whole(start, what=f"start of a tick array of {pool}", least=least, most=TICK_MAX)
        if start % width:
            raise BadValueError(f"tick array at {start} of pool {pool}: no multiple of {width}")
        if index and start != array_starts[index - 1] + width:
            raise BadValueError(f"tick arrays of pool {pool} are no neighbours: {array_starts}")
    return max(array_starts[0], TICK_MIN), min(array_starts[-1] + width - 1, TICK_MAX)
