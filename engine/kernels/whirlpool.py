"""Screening of Orca Whirlpools in floats: a walk over ranges of constant liquidity.

Within a range of liquidity L, at square root of price p: input a of A gives
``a*p^2*L / (L + a*p)`` of B; input b of B moves p to ``p + b/L`` and gives ``b / (p*p')`` of A.
"""

from numba import float64, int64, types

from engine.kernels.jit import borrowing, kernel

# Columns of a pool's row; prices are raw B per raw A, amounts raw units.
SQRT_PRICE = 0
FEE_RATIO = 1
RANGE_INDEX = 2
COLUMNS = 3

# Columns of a range; ranges touch each other and rise.
SQRT_LOW = 0
SQRT_HIGH = 1
LIQUIDITY = 2
RANGE_COLUMNS = 3


@borrowing
def whirlpool_quote(row, ranges, token_in, amount_in):
    """Return (output, d output / d input, second derivative); zeros beyond the known ranges."""
    price = row[SQRT_PRICE]
    share = 1.0 - row[FEE_RATIO]
    if not (
        0.0 <= amount_in < 1e40
        and 0.0 < price < 1e15
        and 0.0 < share <= 1.0
        and 0.0 <= row[RANGE_INDEX] < ranges.shape[0]
    ):
        return 0.0, 0.0, 0.0
    r = int(row[RANGE_INDEX])
    left = amount_in * share
    out = 0.0
    while 0 <= r < ranges.shape[0]:
        low = ranges[r, SQRT_LOW]
        high = ranges[r, SQRT_HIGH]
        liquidity = ranges[r, LIQUIDITY]
        if not (0.0 < low <= price <= high < 1e15 and 0.0 <= liquidity < 1e40):
            return 0.0, 0.0, 0.0
        if token_in == 0:
            room = liquidity * (price - low) / (price * low)
            if left < room:
                bottom = liquidity + left * price
                after = price * (liquidity / bottom)
                out += left * price * after
                rate = after * after * share
                return out, rate, -2.0 * rate * after / liquidity * share
            out += liquidity * (price - low)
            price = low
            r -= 1
        else:
            room = liquidity * (high - price)
            if left < room:
                after = price + left / liquidity
                out += left / (price * after)
                rate = share / (after * after)
                return out, rate, -2.0 * rate / (after * liquidity) * share
            out += liquidity * (high - price) / (price * high)
            price = high
            r += 1
        left -= room
    return 0.0, 0.0, 0.0


@kernel(types.UniTuple(float64, 3)(float64[::1], float64[:, ::1], int64, float64))
def quote_whirlpool(row, ranges, token_in, amount_in):
    """Quote one swap; see `whirlpool_quote`.

    Args:
        row: float64 (COLUMNS,).
        ranges: float64 (ranges, RANGE_COLUMNS), rising.
        token_in: 0 for A, 1 for B.
        amount_in: raw units.
    """
    return whirlpool_quote(row, ranges, token_in, amount_in)


@kernel(types.void(float64[::1], float64[:, ::1], int64, float64[::1], float64[:, ::1]))
def quote_whirlpool_all(row, ranges, token_in, amounts_in, out):
    """Quote several inputs to one pool into `out`, float64 (inputs, 3)."""
    for k in range(amounts_in.shape[0]):
        out[k, 0], out[k, 1], out[k, 2] = whirlpool_quote(row, ranges, token_in, amounts_in[k])
