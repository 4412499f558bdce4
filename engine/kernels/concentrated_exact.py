"""Concentrated pools in 256-bit whole numbers: the contract's swap, for confirming.

A swap steps from initialised tick to initialised tick and stops at the end of each word of the tick
bitmap as well, as Uniswap V3 and V4 do: each stop rounds. The exact form in Python, with the rules
spelled out, is `engine.pools.concentrated`. What no contract takes is refused, never an error.

One row of `pools` is a pool, its columns below; rows TICKS_FROM up to before TICKS_TO of `ticks`
are its initialised ticks in rising order. Ticks are int64 kept in uint64, net liquidity is int128
in two limbs, both in two's complement; numbers of several limbs have the least one first.
"""

from collections.abc import Sequence

import numpy as np
from numba import int64, uint64

from engine.kernels.concentrated_step import PIPS, step_in, step_out
from engine.kernels.jit import borrowing, kernel
from engine.kernels.tick_math import (
    SQRT_RATIO_MAX_X96,
    SQRT_RATIO_MIN_X96,
    TICK_MAX,
    TICK_MIN,
    sqrt_ratio,
    tick_at,
)
from engine.kernels.u256 import (
    WORD_ZERO,
    ZERO,
    increment,
    is_equal,
    is_zero,
    load,
    store,
    to_limbs,
)
from engine.kernels.wide import add, is_less, subtract

# Columns of `pools`.
SQRT_PRICE = 0  # three limbs, times 2**96
LIQUIDITY = 3  # two limbs
TICK = 5
TICK_SPACING = 6
FEE_PIPS = 7
AMOUNT_BITS = 8  # of amounts paid and given: 255, in Uniswap V4 127
TICKS_FROM = 9
TICKS_TO = 10
KNOWN_MIN = 11  # ticks beyond these two were not read from the chain
KNOWN_MAX = 12
POOL_COLUMNS = 13

# Columns of `ticks`.
TICK_INDEX = 0
NET = 1  # two limbs: liquidity that enters when the price rises over the tick
SQRT_RATIO = 3  # three limbs
TICK_COLUMNS = 6

# Columns of `hops`.
HOP_POOL = 0
HOP_TOKEN_IN = 1
HOP_COLUMNS = 2

# Outcomes of a swap.
DONE = 0
PARTIAL = 1  # the price limit or the end of liquidity came first
REFUSED = 2  # no contract takes it, or it needs ticks that are not known

# Places in the result of `swap`.
OUT_PAID = 0  # four limbs
OUT_GOT = 4  # four limbs
OUT_SQRT_PRICE = 8  # three limbs
OUT_LIQUIDITY = 11  # two limbs
OUT_TICK = 13
OUT_STEPS = 14
OUT_COLUMNS = 15

_WORD_BITS = 256
_WORDS_MAX = 2 * TICK_MAX // _WORD_BITS + 4  # of one pool with a tick spacing of 1
_63 = np.uint64(63)
_PRICE_FIRST = tuple(np.uint64(limb) for limb in to_limbs(SQRT_RATIO_MIN_X96))
_PRICE_LAST = tuple(np.uint64(limb) for limb in to_limbs(SQRT_RATIO_MAX_X96 - 1))


def pack_ticks(
    ticks: Sequence[int], liquidity_nets: Sequence[int], sqrt_ratios_x96: Sequence[int]
) -> np.ndarray:
    """Return rows of `ticks`.

    Raises:
        OverflowError: a number that its limbs do not hold.
    """
    # One whole number of six limbs per row: an array cell by cell takes ten times as long.
    packed = (
        (tick % 2**64 | net % 2**128 << 64 | ratio << 192).to_bytes(8 * TICK_COLUMNS, "little")
        for tick, net, ratio in zip(ticks, liquidity_nets, sqrt_ratios_x96, strict=True)
    )
    rows = np.frombuffer(bytearray(b"".join(packed)), np.uint64)
    return rows.reshape(-1, TICK_COLUMNS)


def pack_pool(
    *,
    sqrt_price_x96: int,
    liquidity: int,
    tick: int,
    tick_spacing: int,
    fee_pips: int,
    ticks_from: int,
    ticks_to: int,
    amount_bits: int = 255,
    known: tuple[int, int] = (TICK_MIN, TICK_MAX),
) -> np.ndarray:
    """Return a row of `pools`.

    Raises:
        OverflowError: a number that its limbs do not hold.
    """
    whole = [tick, tick_spacing, fee_pips, amount_bits, ticks_from, ticks_to, *known]
    limbs = [sqrt_price_x96.to_bytes(24, "little"), liquidity.to_bytes(16, "little")]
    limbs += [(number % 2**64).to_bytes(8, "little") for number in whole]
    return np.frombuffer(bytearray(b"".join(limbs)), np.uint64)


# ---- the walk ----------------------------------------------------------------------------------


@borrowing
def fits_bits(amount, bits):
    """Tell whether an amount fits the 127 or 255 bits that a contract's type holds."""
    if bits == 127:
        return (amount[3] | amount[2] | (amount[1] >> _63)) == ZERO
    return bits == 255 and (amount[3] >> _63) == ZERO


@borrowing
def is_pool(pool, ticks):
    """Tell whether a row's single numbers are within the bounds of a pool."""
    price = (pool[SQRT_PRICE], pool[SQRT_PRICE + 1], pool[SQRT_PRICE + 2], ZERO)
    tick = int64(pool[TICK])
    return (
        not is_less(price, _PRICE_FIRST)
        and not is_less(_PRICE_LAST, price)
        and TICK_MIN <= tick < TICK_MAX
        and 0 < int64(pool[TICK_SPACING]) <= 32767
        and pool[FEE_PIPS] < PIPS
        and 0 <= int64(pool[TICKS_FROM]) <= int64(pool[TICKS_TO]) <= ticks.shape[0]
        and TICK_MIN <= int64(pool[KNOWN_MIN]) <= int64(pool[KNOWN_MAX]) <= TICK_MAX
    )


@borrowing
def last_at_or_below(ticks, first, end, tick):
    """Return the last row of first..end - 1 whose tick is at most the given one, else first - 1."""
    low, high = first - 1, end
    while high - low > 1:
        middle = (low + high) >> 1
        if int64(ticks[middle, TICK_INDEX]) <= tick:
            low = middle
        else:
            high = middle
    return low


@borrowing
def cross(liquidity, low, high, falls):
    """Return liquidity after crossing a tick with net (low, high), and whether it can be so."""
    net = (low, high)
    after = subtract(liquidity, net) if falls else add(liquidity, net)
    is_negative = (high >> _63) != ZERO
    has_grown = is_negative if falls else not is_negative
    is_sound = not is_less(after, liquidity) if has_grown else not is_less(liquidity, after)
    return after, is_sound


@borrowing
def _next(ticks, first, end, below, tick, spacing, falls):
    """Return the tick to step to, and the row of it, -1 for the end of a word of the bitmap."""
    word_ticks = _WORD_BITS * spacing
    if falls:
        # shifts and floor division agree on negative ticks
        start = ((tick // spacing) >> 8) * word_ticks
        if below >= first and int64(ticks[below, TICK_INDEX]) >= start:
            return int64(ticks[below, TICK_INDEX]), below
        return max(start, TICK_MIN), -1
    stop = (((tick // spacing + 1) >> 8) * _WORD_BITS + _WORD_BITS - 1) * spacing
    if below + 1 < end and int64(ticks[below + 1, TICK_INDEX]) <= stop:
        return int64(ticks[below + 1, TICK_INDEX]), below + 1
    return min(stop, TICK_MAX), -1


@borrowing
def exact_swap(pool, ticks, token_in, is_exact_in, amount, limit):
    """Swap an exact input or output until a price limit.

    Returns:
        The outcome, what was paid and given, and the root of the price, the liquidity, the tick
        and the number of steps after it. Only the amounts count if the tick is not asked for.
    """
    price = (pool[SQRT_PRICE], pool[SQRT_PRICE + 1], pool[SQRT_PRICE + 2], ZERO)
    liquidity = (pool[LIQUIDITY], pool[LIQUIDITY + 1])
    tick, spacing, fee = int64(pool[TICK]), int64(pool[TICK_SPACING]), pool[FEE_PIPS]
    first, end = int64(pool[TICKS_FROM]), int64(pool[TICKS_TO])
    known_min, known_max = int64(pool[KNOWN_MIN]), int64(pool[KNOWN_MAX])
    falls = token_in == 0
    paid, got, left, steps = WORD_ZERO, WORD_ZERO, amount, 0
    is_sound = is_pool(pool, ticks) and 0 <= token_in <= 1
    is_sound = is_sound and not is_zero(amount) and fits_bits(amount, 255)
    if falls:
        is_sound = is_sound and is_less(_PRICE_FIRST, limit) and is_less(limit, price)
    else:
        is_sound = is_sound and is_less(price, limit) and not is_less(_PRICE_LAST, limit)
    if not is_sound:
        return REFUSED, paid, got, price, liquidity, tick, steps
    below = last_at_or_below(ticks, first, end, tick)
    edge = sqrt_ratio(known_min if falls else known_max)
    steps_max = end - first + _WORDS_MAX
    is_whole = known_min == TICK_MIN if falls else known_max == TICK_MAX
    while not is_zero(left) and not is_equal(price, limit):
        has_more = below >= first if falls else below + 1 < end
        if is_whole and not has_more and (liquidity[0] | liquidity[1]) != ZERO:
            # behind the last tick of a whole table there is no liquidity: it is out of order
            return REFUSED, WORD_ZERO, WORD_ZERO, price, liquidity, tick, steps
        following, row = _next(ticks, first, end, below, tick, spacing, falls)
        if row >= 0:
            next_price = (
                ticks[row, SQRT_RATIO],
                ticks[row, SQRT_RATIO + 1],
                ticks[row, SQRT_RATIO + 2],
                ZERO,
            )
        else:
            next_price = sqrt_ratio(following)
        target = next_price
        if falls:
            if is_less(target, limit):
                target = limit
            is_sound = not is_less(price, target)
        else:
            if is_less(limit, target):
                target = limit
            is_sound = not is_less(target, price)
        if not is_sound or steps >= steps_max:
            return REFUSED, WORD_ZERO, WORD_ZERO, price, liquidity, tick, steps
        before = price
        if is_exact_in:
            price, taken, given = step_in(price, target, liquidity, left, fee, falls)
            left = subtract(left, taken)
        else:
            price, taken, given = step_out(price, target, liquidity, left, fee, falls)
            left = subtract(left, given)
        if is_less(price, edge) if falls else is_less(edge, price):
            return REFUSED, WORD_ZERO, WORD_ZERO, price, liquidity, tick, steps
        paid = add(paid, taken)
        got = add(got, given)
        steps += 1
        if is_equal(price, next_price):
            if row >= 0:
                liquidity, is_sound = cross(liquidity, ticks[row, NET], ticks[row, NET + 1], falls)
                if not is_sound:
                    return REFUSED, WORD_ZERO, WORD_ZERO, price, liquidity, tick, steps
                below = row - 1 if falls else row
            tick = following - 1 if falls else following
        elif not is_equal(price, before):
            tick = TICK_MAX  # not found out here: the loop ends, and few ask for it
    if not (fits_bits(paid, pool[AMOUNT_BITS]) and fits_bits(got, pool[AMOUNT_BITS])):
        return REFUSED, WORD_ZERO, WORD_ZERO, price, liquidity, tick, steps
    return (DONE if is_zero(left) else PARTIAL), paid, got, price, liquidity, tick, steps


@borrowing
def furthest_limit(token_in):
    """Return the price limit that is none: the last price that a swap may reach."""
    return increment(_PRICE_FIRST) if token_in == 0 else _PRICE_LAST


@borrowing
def exact_out(pool, ticks, token_in, amount):
    """Return what a pool gives for an input of four limbs, and whether it takes all of that."""
    found = exact_swap(pool, ticks, token_in, True, amount, furthest_limit(token_in))
    return found[2], found[0] == DONE


@borrowing
def exact_in(pool, ticks, token_in, amount):
    """Return what a pool asks for an output of four limbs, and whether it gives all of that."""
    found = exact_swap(pool, ticks, token_in, False, amount, furthest_limit(token_in))
    return found[1], found[0] == DONE


_ROWS = uint64[:, ::1]
_WORDS = uint64[::1]
_HOPS = int64[:, ::1]


@kernel(int64(_WORDS, _ROWS, int64, int64, _WORDS, _WORDS, _WORDS))
def swap(pool, ticks, token_in, is_exact_in, amount, limit, out):
    """Swap in one pool, exactly, and tell all about it.

    Args:
        pool, ticks: one row of `pools`, and `ticks`.
        token_in: index of the token that is sold.
        is_exact_in: 1 if `amount` is the input, 0 if it is the output.
        amount: four limbs.
        limit: the root of the price to stop at, four limbs; 0 for none.
        out: uint64 (OUT_COLUMNS), filled unless the swap is refused.

    Returns:
        DONE, PARTIAL or REFUSED.
    """
    stop = load(limit)
    if is_zero(stop):
        stop = furthest_limit(token_in)
    outcome, paid, got, price, liquidity, tick, steps = exact_swap(
        pool, ticks, token_in, is_exact_in == 1, load(amount), stop
    )
    if outcome == REFUSED:
        return REFUSED
    if tick == TICK_MAX:
        tick = tick_at(price)
    store(paid, out[OUT_PAID : OUT_PAID + 4])
    store(got, out[OUT_GOT : OUT_GOT + 4])
    for limb in range(3):
        out[OUT_SQRT_PRICE + limb] = price[limb]
    out[OUT_LIQUIDITY], out[OUT_LIQUIDITY + 1] = liquidity
    out[OUT_TICK] = uint64(tick)
    out[OUT_STEPS] = uint64(steps)
    return outcome


@kernel(int64(_ROWS, _ROWS, _HOPS, _ROWS))
def confirm_path(pools, ticks, hops, amounts):
    """Carry an input through pools, exactly.

    Args:
        pools, ticks: see the module.
        hops: int64 (m, HOP_COLUMNS), in the order of the path.
        amounts: uint64 (m + 1, 4); row 0 is the input, the other rows are filled.

    Returns:
        The number of hops done: m, or fewer if a pool does not take all of what reaches it.
    """
    amount = load(amounts[0])
    for i in range(hops.shape[0]):
        token_in = hops[i, HOP_TOKEN_IN]
        if not (0 <= hops[i, HOP_POOL] < pools.shape[0] and 0 <= token_in <= 1):
            return i
        amount, is_taken = exact_out(pools[hops[i, HOP_POOL]], ticks, token_in, amount)
        if not is_taken:
            return i
        store(amount, amounts[i + 1])
    return hops.shape[0]
