"""Screening of StableSwap pools (Curve, Balancer stable) in floats: output, rate and curvature.

The invariant ``Ann*S + D = Ann*D + D^(n+1) / (n^n * P)`` is, in the balance y of the output,
``y^2 + (b - D)*y = c``. With a the input in the common unit, the output o itself solves
``o^2 - (y + c/y + a)*o + a*(y + c/x') = 0``, x' = x + a: nothing cancels for small swaps.

Where the fee rises off the peg (StableSwap-NG) it is that of the coins' mean balances u and v over
the swap: with q = 4uv/(u+v)^2 = 1 - w^2, w = (u-v)/(u+v), it is ``M f / ((M-1) q + 1)``. A swap
that brings two coins nearer to one another pays less and less of it, so that what it gives would be
no concave function, as all that sizes and splits needs; it is screened at the fee that it starts
with, until the fee is above that. That promises less than the pool gives, never more.
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
OFFPEG = (
    RATE + COINS_MAX
)  # how many times the fee is far off the peg what it is at it; up to 1: once
COLUMNS = OFFPEG + 1

_OFFPEG_MAX = 1e10


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
    fee = row[FEE_OUT_RATIO]
    offpeg = row[OFFPEG]
    share_out = 1.0 - fee * max(offpeg, 1.0)
    if not (
        0.0 <= amount_in < 1e60
        and 0.0 < row[D] < 1e40
        and 1.0 <= row[ANN] < 1e15
        and 0.0 < share_in <= 1.0
        and 0.0 < share_out <= 1.0
        and 0.0 <= offpeg <= _OFFPEG_MAX
        and 1e-60 < row[RATE + token_in] < 1e60
        and 1e-60 < row[RATE + token_out] < 1e60
    ):
        return 0.0, 0.0, 0.0
    unit_in = share_in * row[RATE + token_in]
    unit_out = 1.0 / row[RATE + token_out]
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
    if not offpeg > 1.0:
        unit_out *= 1.0 - fee
        return out * unit_out, rate * unit_in * unit_out, bend * unit_in * unit_in * unit_out
    taken, rise, turn = _fee_off_peg(x, y, net, out, rate, bend, fee, offpeg)
    kept = 1.0 - taken
    second = bend * kept - 2.0 * rate * rise - out * turn
    rate = rate * kept - out * rise
    return out * kept * unit_out, rate * unit_in * unit_out, second * unit_in * unit_in * unit_out


@borrowing
def _fee_off_peg(x, y, net, out, rate, bend, fee, offpeg):
    """Return the fee of a swap and its first two derivatives by the input.

    Args:
        x, y: balances of the coin that comes in and of the one that goes out.
        net, out, rate, bend: input, output without the fee, and its derivatives.
        fee, offpeg: at the peg, and by how much it is multiplied far off it.
    """
    more = offpeg - 1.0
    apart = (x - y) / (x + y)
    u, v = x + 0.5 * net, y - 0.5 * out
    both = u + v
    w = (u - v) / both
    if not w >= abs(apart):
        return offpeg * fee / (more * (4.0 * x * y / (x + y) / (x + y)) + 1.0), 0.0, 0.0
    first = (v + u * rate) / both / both
    second = (u * bend / both - (1.0 - rate) * first) / both
    scale = more * (4.0 * u * v / both / both) + 1.0
    taken = offpeg * fee / scale
    slope = 2.0 * more * w * first / scale
    rise = taken * slope
    turn = 2.0 * taken * more * (first * first + w * second) / scale + 2.0 * rise * slope
    return taken, rise, turn
