"""Routes in whole numbers: the best input among the neighbours of the optimum in floats.

Rounding makes the gain a staircase: every amount on the way is worth the least input that reaches
it. So the neighbours are not only inputs: at each stage of the route the amount there, and those a
few units beside it, are carried back to the least input and forward to the output.
"""

import numpy as np
from numba import int64, uint64

from engine.kernels import concentrated_exact, constant_product
from engine.kernels.jit import borrowing, kernel
from engine.kernels.u256 import WORD_ZERO, ZERO, load, mul_div_up, store
from engine.kernels.wide import add, is_less, subtract

# Columns of `hops`.
HOP_FORM = 0
HOP_POOL = 1
HOP_TOKEN_IN = 2
HOP_COLUMNS = 3

FORM_PAIR = 0  # a row of `pairs`, see `constant_product`
FORM_CONCENTRATED = 1  # a row of `pools`, see `concentrated_exact`

HOPS_MAX = 8
REACH_MAX = 16
FLASH_FEE_PIPS_MAX = 1_000_000
PAID_BITS_MAX = 250  # what is paid and its fee add up within a word

_PIPS = (np.uint64(1_000_000), ZERO, ZERO, ZERO)

# Rows of the result.
OUT_PAID = 0
OUT_GOT = 1
OUT_ROWS = 2


@borrowing
def _forward(pairs, pools, ticks, hops, first, amount):
    """Carry an amount through the hops from `first` on; (0, False) if a pool does not take it."""
    for h in range(first, hops.shape[0]):
        pool, token = hops[h, HOP_POOL], hops[h, HOP_TOKEN_IN]
        if hops[h, HOP_FORM] == FORM_PAIR:
            amount, is_taken = constant_product.exact_out(pairs[pool], token, amount)
        else:
            amount, is_taken = concentrated_exact.exact_out(pools[pool], ticks, token, amount)
        if not is_taken:
            return WORD_ZERO, False
    return amount, True


@borrowing
def _backward(pairs, pools, ticks, hops, end, amount):
    """Find what the hops before `end` ask for an amount; (0, False) if they cannot give it."""
    for back in range(end):
        h = end - 1 - back
        pool, token = hops[h, HOP_POOL], hops[h, HOP_TOKEN_IN]
        if hops[h, HOP_FORM] == FORM_PAIR:
            amount, is_taken = constant_product.exact_in(pairs[pool], token, amount)
        else:
            amount, is_taken = concentrated_exact.exact_in(pools[pool], ticks, token, amount)
        if not is_taken:
            return WORD_ZERO, False
    return amount, True


@borrowing
def _are_sound(pairs, pools, hops):
    if not 1 <= hops.shape[0] <= HOPS_MAX:
        return False
    for h in range(hops.shape[0]):
        rows = pairs.shape[0] if hops[h, HOP_FORM] == FORM_PAIR else pools.shape[0]
        if not (
            0 <= hops[h, HOP_FORM] <= FORM_CONCENTRATED
            and 0 <= hops[h, HOP_POOL] < rows
            and 0 <= hops[h, HOP_TOKEN_IN] <= 1
        ):
            return False
    return True


@borrowing
def _moved(amount, steps):
    """Return an amount some units up or down, and whether it is still over 0 and in range."""
    if steps < 0:
        by = (np.uint64(-steps), ZERO, ZERO, ZERO)
        return subtract(amount, by), is_less(by, amount)
    after = add(amount, (np.uint64(steps), ZERO, ZERO, ZERO))
    return after, not is_less(after, amount)


@borrowing
def _cost(paid, flash_fee_pips):
    """Return what is paid with the loan's fee on it, rounded up, and whether a word holds it."""
    if paid[3] >> np.uint64(PAID_BITS_MAX - 192) != ZERO:
        return WORD_ZERO, False
    if flash_fee_pips == 0:
        return paid, True
    fee, is_sound = mul_div_up(paid, (np.uint64(flash_fee_pips), ZERO, ZERO, ZERO), _PIPS)
    return add(paid, fee), is_sound


_ROWS = uint64[:, ::1]


@kernel(int64(_ROWS, _ROWS, _ROWS, int64[:, ::1], uint64[::1], int64, int64, _ROWS))
def confirm_best(pairs, pools, ticks, hops, amount, reach, flash_fee_pips, out):
    """Find the best whole input near a given one.

    Args:
        pairs: rows of `constant_product`.
        pools, ticks: rows of `concentrated_exact`.
        hops: int64 (legs, HOP_COLUMNS).
        amount: the input to start from, four limbs.
        reach: how many units to either side are tried at each stage, REACH_MAX at most.
        flash_fee_pips: paid on the input in millionths, rounded up; counts in the gain compared.
        out: uint64 (OUT_ROWS, 4), overwritten: what is paid (without the fee) and got at the best
            input; zeros if none can be swapped.

    Returns:
        1 if more is got than paid and the fee, -1 if not, 0 if the route does not take such
        amounts.
    """
    out[:] = ZERO
    if not (
        _are_sound(pairs, pools, hops)
        and 0 <= reach <= REACH_MAX
        and 0 <= flash_fee_pips <= FLASH_FEE_PIPS_MAX
    ):
        return 0
    best_paid, best_cost, best_got = WORD_ZERO, WORD_ZERO, WORD_ZERO
    has_best = False
    stage_amount = load(amount)
    count = hops.shape[0]
    for stage in range(count + 1):
        if stage > 0:
            stage_amount, is_taken = _forward(
                pairs, pools, ticks, hops[stage - 1 : stage], 0, stage_amount
            )
            if not is_taken:
                break
        for steps in range(-reach, reach + 1):
            tried, is_sound = _moved(stage_amount, steps)
            if not is_sound:
                continue
            paid, is_given = _backward(pairs, pools, ticks, hops, stage, tried)
            if not is_given:
                continue
            cost, is_sound = _cost(paid, flash_fee_pips)
            if not is_sound:
                continue
            # Rounded up, the input may reach more than the amount that it was asked for.
            got, is_taken = _forward(pairs, pools, ticks, hops, 0, paid)
            if not is_taken:
                continue
            # got - cost > best_got - best_cost, without signs
            if not has_best or is_less(add(best_got, cost), add(got, best_cost)):
                best_paid, best_cost, best_got = paid, cost, got
                has_best = True
    if not has_best:
        return 0
    store(best_paid, out[OUT_PAID])
    store(best_got, out[OUT_GOT])
    return 1 if is_less(best_cost, best_got) else -1
