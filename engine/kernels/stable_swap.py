"""Screening of StableSwap pools (Curve, Balancer stable) in floats: output, rate and curvature.

The invariant ``Ann*S + D = Ann*D + D^(n+1) / (n^n * P)`` is, in the balance y of the output,
``y^2 + (b - D)*y = c``. With a the input in the common unit, the output o itself solves
``o^2 - (y + c/y + a)*o + a*(y + c/x') = 0``, x' = x + a: nothing cancels for small swaps.
"""

import math

from engine.kernels.jit import borrowing

COINS_MAX = 5

# Columns of a row. Balances and D are in the common unit (whole tokens times rate); amounts are raw
# units, which a rate turns into the common unit. A is the whole factor A*n^n.
COUNT = 0
FEE_IN_RATIO = 1  # taken from the input (Balancer)
FEE_OUT_RATIO = 2  # taken from the output (Curve)
ANN = 3
D = 4
BALANCE = 5  # COINS_MAX
RATE = BALANCE + COINS_MAX  # COINS_MAX
COLUMNS = RATE + COINS_MAX


@borrowing
def stable_swap_quote(row, token_in, token_out, amount_in):
    """Return (output, d output / d input, second derivative); zeros for what no pool could do."""
    count = row[COUNT]
    if not (2.0 <= count <= COINS_MAX):
        return 0.0, 0.0, 0.0
    n = int(count)
    if not (0 <= token_in < n and 0 <= token_out < n) or token_in == token_out:
        return 0.0, 0.0, 0.0
    x = row[BALANCE + token_in]
    y = row[BALANCE + token_out]
    share_in = 1.0 - row[FEE_IN_RATIO]
    share_out = 1.0 - row[FEE_OUT_RATIO]
    if not (
        0.0 <= amount_in < 1e60
        and 0.0 < row[D] < 1e40
        and 1.0 <= row[ANN] < 1e15
        and 0.0 < share_in <= 1.0
        and 0.0 < share_out <= 1.0
        and 1e-60 < row[RATE + token_in] < 1e60
        and 1e-60 < row[RATE + token_out] < 1e60
    ):
        return 0.0, 0.0, 0.0
    unit_in = share_in * row[RATE + token_in]
    unit_out = share_out / row[RATE + token_out]
    c = row[D] / row[ANN] * row[D] / n
    for k in range(n):
        if not 0.0 < row[BALANCE + k] < 1e40:
            return 0.0, 0.0, 0.0
        if k != token_out:
            c *= row[D] / (n * row[BALANCE + k])
    net = amount_in * unit_in
    after = x + net
    half = 0.5 * (y + c / y + net)
    root = half * half - net * (y + c / after)
    if not root > 0.0:
        return 0.0, 0.0, 0.0
    out = net * (y + c / after) / (half + math.sqrt(root))
    left = y - out
    c_after = c * (x / after)
    if not (0.0 <= out < y and left > 0.0):
        return 0.0, 0.0, 0.0
    slope = left + c_after / left
    rate = (left + c_after / after) / slope
    bend = -2.0 * (c_after / after / after + rate * (1.0 - rate)) / slope
    return out * unit_out, rate * unit_in * unit_out, bend * unit_in * unit_in * unit_out
