"""Constant product pools: floats for screening, 256-bit whole numbers for confirming.

With reserves X of the input and Y of the output, and g what is left of an input after the fee, an
input x gives ``g Y x / (g x + X)``: the Moebius map (A, B, C, D) = (g Y, 0, g, X). At the margin
it gives ``A D / (C x + D)**2``. Whatever no pool can have (a reserve or fee that is not a number,
zero, infinite) gives nothing: 0, never an error.

Rows of the float array `sides` describe one direction of a pool each, rows of the whole-number
array `pools` one pool each.
"""

from collections.abc import Sequence

import numpy as np
from numba import float64, int64, types, uint64

from engine.kernels.jit import borrowing, kernel
from engine.kernels.u256 import ONE, ZERO, divide, increment, load
from engine.kernels.wide import add, multiply

# Columns of `sides`.
RESERVE_IN = 0  # raw units
RESERVE_OUT = 1
KEEP_RATIO = 2  # 1 - fee
SIDE_COLUMNS = 3

# Columns of `pools`; reserves are two limbs, the least one first.
RESERVE0 = 0
RESERVE1 = 2
KEEP0 = 4  # fee denominator - fee numerator, for an input of token 0; for token 1 in the next one
FEE_DENOMINATOR = 6
POOL_COLUMNS = 7

# Columns of `hops`.
HOP_POOL = 0
HOP_TOKEN_IN = 1
HOP_COLUMNS = 2

_DENOMINATOR_MAX = np.uint64(10**9)
_UINT112_TOP = np.uint64(2**48 - 1)
_ROOT_MAX = 1e150  # squares stay finite


def pack_pool(
    *, reserves_raw: Sequence[int], keep_numerators: Sequence[int], fee_denominator: int
) -> np.ndarray:
    """Return a row of `pools`.

    Raises:
        OverflowError: a reserve over 128 bits, or another number over 64.
    """
    limbs = [reserve.to_bytes(16, "little") for reserve in reserves_raw]
    limbs += [number.to_bytes(8, "little") for number in (*keep_numerators, fee_denominator)]
    return np.frombuffer(bytearray(b"".join(limbs)), np.uint64)


# ---- floats ------------------------------------------------------------------------------------


@borrowing
def is_side(reserve_in, reserve_out, keep_ratio):
    """Tell whether the numbers can be a pool's: false for any that is not a number."""
    return (
        0.0 < reserve_in <= _ROOT_MAX and 0.0 < reserve_out <= _ROOT_MAX and 0.0 < keep_ratio <= 1.0
    )


@borrowing
def float_out(reserve_in, reserve_out, keep_ratio, amount_in):
    """Return the output for an input, 0 if one of the numbers is none."""
    if not (is_side(reserve_in, reserve_out, keep_ratio) and 0.0 < amount_in <= _ROOT_MAX):
        return 0.0
    kept = keep_ratio * amount_in
    return reserve_out * (kept / (reserve_in + kept))


@borrowing
def float_in(reserve_in, reserve_out, keep_ratio, amount_out):
    """Return the input for an output; infinite if the pool cannot give it."""
    if not (is_side(reserve_in, reserve_out, keep_ratio) and 0.0 < amount_out < reserve_out):
        return np.inf
    return reserve_in * (amount_out / (reserve_out - amount_out)) / keep_ratio


@borrowing
def marginal_out(reserve_in, reserve_out, keep_ratio, amount_in):
    """Return what the next unit after an input gives, 0 if one of the numbers is none."""
    if not (is_side(reserve_in, reserve_out, keep_ratio) and 0.0 <= amount_in <= _ROOT_MAX):
        return 0.0
    share = reserve_in / (reserve_in + keep_ratio * amount_in)
    return keep_ratio * (reserve_out / reserve_in) * share * share


@borrowing
def moebius(reserve_in, reserve_out, keep_ratio):
    """Return (A, B, C, D) of the map from input to output; one that gives 0 if it is no pool."""
    if not is_side(reserve_in, reserve_out, keep_ratio):
        return 0.0, 0.0, 0.0, 1.0
    return keep_ratio * reserve_out, 0.0, keep_ratio, reserve_in


@kernel(types.void(float64[:, ::1], float64[::1], float64[::1]))
def quote_sides(sides, amounts_in, out):
    """Fill `out` with the output of every side for its input (all three n long)."""
    for i in range(sides.shape[0]):
        out[i] = float_out(
            sides[i, RESERVE_IN], sides[i, RESERVE_OUT], sides[i, KEEP_RATIO], amounts_in[i]
        )


@kernel(types.void(float64[:, ::1], float64[::1], float64[::1]))
def charge_sides(sides, amounts_out, out):
    """Fill `out` with the input of every side for its output (all three n long)."""
    for i in range(sides.shape[0]):
        out[i] = float_in(
            sides[i, RESERVE_IN], sides[i, RESERVE_OUT], sides[i, KEEP_RATIO], amounts_out[i]
        )


@kernel(types.void(float64[:, ::1], float64[::1], float64[::1]))
def marginal_sides(sides, amounts_in, out):
    """Fill `out` with the marginal rate of every side after its input (all three n long)."""
    for i in range(sides.shape[0]):
        out[i] = marginal_out(
            sides[i, RESERVE_IN], sides[i, RESERVE_OUT], sides[i, KEEP_RATIO], amounts_in[i]
        )


@kernel(types.void(float64[:, ::1], float64[:, ::1]))
def moebius_sides(sides, out):
    """Fill `out` (n, 4) with A, B, C, D of every side."""
    for i in range(sides.shape[0]):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = moebius(
            sides[i, RESERVE_IN], sides[i, RESERVE_OUT], sides[i, KEEP_RATIO]
        )


# ---- whole numbers -----------------------------------------------------------------------------


@borrowing
def _side(pool, token_in):
    """Return both reserves, what is left of the denominator by the fee, and whether all can be."""
    at_in, at_out = RESERVE0 + 2 * token_in, RESERVE1 - 2 * token_in
    reserve_in = (pool[at_in], pool[at_in + 1])
    reserve_out = (pool[at_out], pool[at_out + 1])
    keep, denominator = pool[KEEP0 + token_in], pool[FEE_DENOMINATOR]
    is_sound = (
        (reserve_in[0] | reserve_in[1]) != ZERO
        and (reserve_out[0] | reserve_out[1]) != ZERO
        and reserve_in[1] <= _UINT112_TOP
        and reserve_out[1] <= _UINT112_TOP
        and ZERO < keep <= denominator <= _DENOMINATOR_MAX
    )
    return reserve_in, reserve_out, keep, is_sound


@borrowing
def exact_out(pool, token_in, amount):
    """Return what a pool gives for an input of four limbs, and whether its contract takes it."""
    reserve_in, reserve_out, keep, is_sound = _side(pool, token_in)
    nothing = (ZERO, ZERO, ZERO, ZERO)
    if not is_sound or (amount[0] | amount[1]) == ZERO or (amount[2] | amount[3]) != ZERO:
        return nothing, False
    if amount[1] > _UINT112_TOP:
        return nothing, False
    after = add((amount[0], amount[1]), reserve_in)
    if after[1] > _UINT112_TOP:
        return nothing, False
    kept = multiply((amount[0], amount[1]), (keep,))
    product = multiply(kept, reserve_out)
    scaled = add(multiply(reserve_in, (pool[FEE_DENOMINATOR],)), kept)
    # kept is below 2**142 and a reserve below 2**112: four limbs hold the product
    return divide(
        (product[0], product[1], product[2], product[3]), (scaled[0], scaled[1], scaled[2], ZERO)
    ), True


@borrowing
def exact_in(pool, token_in, amount):
    """Return what the library asks for an output, and whether the contract takes it."""
    reserve_in, reserve_out, keep, is_sound = _side(pool, token_in)
    nothing = (ZERO, ZERO, ZERO, ZERO)
    if not is_sound or (amount[0] | amount[1]) == ZERO or (amount[2] | amount[3]) != ZERO:
        return nothing, False
    if amount[1] > reserve_out[1] or (amount[1] == reserve_out[1] and amount[0] >= reserve_out[0]):
        return nothing, False
    product = multiply(multiply(reserve_in, (amount[0], amount[1])), (pool[FEE_DENOMINATOR],))
    borrow = ONE if reserve_out[0] < amount[0] else ZERO
    left = (reserve_out[0] - amount[0], reserve_out[1] - amount[1] - borrow)
    scaled = multiply(left, (keep,))
    found = increment(
        divide(
            (product[0], product[1], product[2], product[3]),
            (scaled[0], scaled[1], scaled[2], ZERO),
        )
    )
    if (found[2] | found[3]) != ZERO or found[1] > _UINT112_TOP:
        return nothing, False
    after = add((found[0], found[1]), reserve_in)
    if after[1] > _UINT112_TOP:
        return nothing, False
    return found, True


_POOLS = uint64[:, ::1]
_HOPS = int64[:, ::1]


@kernel(int64(_POOLS, _HOPS, _POOLS))
def confirm_path(pools, hops, amounts):
    """Carry an input through pools, exactly.

    Args:
        pools: uint64 (n, POOL_COLUMNS).
        hops: int64 (m, HOP_COLUMNS), in the order of the path.
        amounts: uint64 (m + 1, 4); row 0 is the input, the other rows are filled.

    Returns:
        The number of hops done: m, or fewer if a pool does not take what reaches it.
    """
    amount = load(amounts[0])
    for i in range(hops.shape[0]):
        token_in = hops[i, HOP_TOKEN_IN]
        if not (0 <= hops[i, HOP_POOL] < pools.shape[0] and 0 <= token_in <= 1):
            return i
        amount, is_taken = exact_out(pools[hops[i, HOP_POOL]], token_in, amount)
        if not is_taken:
            return i
        for limb in range(4):
            amounts[i + 1, limb] = amount[limb]
    return hops.shape[0]


@kernel(int64(_POOLS, _HOPS, _POOLS))
def charge_path(pools, hops, amounts):
    """Find the inputs for an output, exactly, from the last hop to the first.

    Row m of `amounts` is the output wanted; otherwise as `confirm_path`.
    """
    count = hops.shape[0]
    amount = load(amounts[count])
    for done in range(count):
        i = count - 1 - done
        token_in = hops[i, HOP_TOKEN_IN]
        if not (0 <= hops[i, HOP_POOL] < pools.shape[0] and 0 <= token_in <= 1):
            return done
        amount, is_taken = exact_in(pools[hops[i, HOP_POOL]], token_in, amount)
        if not is_taken:
            return done
        for limb in range(4):
            amounts[i, limb] = amount[limb]
    return count
