"""Screening of Balancer weighted pools in floats: output, marginal rate and curvature of a swap.

``out = balance_out * (1 - (balance_in / (balance_in + a)) ** w)``, a the input net of fee and w the
ratio of weights. The contract keeps 10**-14 of the power against its own error: small swaps from
large balances pay visibly less, so this is part of the formula here.
"""

import math

from engine.kernels.jit import borrowing

# Columns of a row, which is one direction through a pool; balances and amounts are raw units.
BALANCE_IN = 0
BALANCE_OUT = 1
EXPONENT = 2
FEE_RATIO = 3
POWER_ERROR_RATIO = 4

TRADE_RATIO_MAX = 0.3
"""The contract takes no more of a balance in one swap."""


@borrowing
def weighted_quote(row, amount_in):
    """Return (output, d output / d input, second derivative); zeros for what no pool could do."""
    balance_in = row[BALANCE_IN]
    balance_out = row[BALANCE_OUT]
    exponent = row[EXPONENT]
    share = 1.0 - row[FEE_RATIO]
    error = row[POWER_ERROR_RATIO]
    if not (
        0.0 < balance_in < 1e60
        and 0.0 < balance_out < 1e60
        and 0.001 <= exponent <= 1000.0
        and 0.0 < share <= 1.0
        and 0.0 <= error < 1.0
        and 0.0 <= amount_in < 1e60
    ):
        return 0.0, 0.0, 0.0
    net = amount_in * share
    if net > TRADE_RATIO_MAX * balance_in:
        return 0.0, 0.0, 0.0
    after = balance_in + net
    given = -math.expm1(-exponent * math.log1p(net / balance_in))
    kept = 1.0 - given
    rate = balance_out * exponent * kept * (1.0 + error) * share / after
    out = balance_out * (given - kept * error)
    return max(out, 0.0), rate, -rate * (exponent + 1.0) * share / after
