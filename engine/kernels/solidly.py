"""Screening of Solidly pools in floats: output, marginal rate and curvature of a swap.

Volatile: x*y = k. Stable: x^3*y + y^3*x = k, solved for the output itself, so that small swaps keep
their digits: with x the reserve in and a the input net of fee,
``a*y*(x^2 + x*x' + x'^2 + y^2) = o*(x'^3 + x'*(y^2 + y*y' + y'^2))``, x' = x + a, y' = y - o.
The right side is concave in o, so that Newton's steps from below never overshoot.
"""

from engine.kernels.jit import borrowing

# Columns of a row; amounts and reserves are raw units, a scale is 10**-decimals.
IS_STABLE = 0
FEE_RATIO = 1
RESERVE = 2  # two: of token 0, of token 1
SCALE = 4  # two

_STEPS_MAX = 64
_DONE_RATIO = 1e-15


@borrowing
def solidly_quote(row, token_in, amount_in):
    """Return (output, d output / d input, second derivative); zeros for what no pool could do."""
    if token_in != 0 and token_in != 1:
        return 0.0, 0.0, 0.0
    reserve_in = row[RESERVE + token_in]
    reserve_out = row[RESERVE + 1 - token_in]
    share = 1.0 - row[FEE_RATIO]
    if not (
        0.0 <= amount_in < 1e60
        and 0.0 < reserve_in < 1e60
        and 0.0 < reserve_out < 1e60
        and 0.0 < share <= 1.0
    ):
        return 0.0, 0.0, 0.0
    if row[IS_STABLE] == 0.0:
        net = amount_in * share
        after = reserve_in + net
        rate = share * (reserve_in / after) * (reserve_out / after)
        return net * reserve_out / after, rate, -2.0 * rate * share / after
    scale_in = row[SCALE + token_in]
    scale_out = row[SCALE + 1 - token_in]
    if not (0.0 < scale_in <= 1.0 and 0.0 < scale_out <= 1.0):
        return 0.0, 0.0, 0.0
    x = reserve_in * scale_in
    y = reserve_out * scale_out
    net = amount_in * share * scale_in
    after = x + net
    target = net * y * (x * x + x * after + after * after + y * y)
    out = target / (after * (after * after + 3.0 * y * y))
    for _ in range(_STEPS_MAX):
        left = y - out
        missing = target - out * after * (after * after + y * y + y * left + left * left)
        step = missing / (after * (after * after + 3.0 * left * left))
        out += step
        if not step > _DONE_RATIO * out:
            break
    left = y - out
    slope = after * (after * after + 3.0 * left * left)
    rate = left * (3.0 * after * after + left * left) / slope
    bend = 6.0 * (after * rate - left) * (left * rate - after) / slope
    unit = share * scale_in
    if not (0.0 <= out < y and 0.0 < rate < 1e60):
        return 0.0, 0.0, 0.0
    return out / scale_out, rate * unit / scale_out, bend * unit * unit / scale_out
