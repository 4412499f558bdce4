"""Exact marginal prices: what the next raw unit of one token is worth in another, before the fee.

They are slopes of each protocol's own curve, as fractions of whole numbers. Stable swap curves have
an invariant D that is no fraction: theirs is the slope at the D that the contract computes, a unit
off at most.
"""

from fractions import Fraction
from math import prod

from engine.domain.errors import BadValueError
from engine.pools import balancer_stable, curve, solidly
from engine.pools.balancer_weighted import WeightedState
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import PoolState
from engine.pools.tick_math import Q96
from engine.pools.whirlpool import WhirlpoolState

_Q64 = 1 << 64


def token_count(state: PoolState) -> int:
    """Return how many tokens a pool holds."""
    match state:
        case curve.CurveState() | balancer_stable.StableState() | WeightedState():
            return len(state.balances_raw)
        case _:
            return 2


def marginal_price(state: PoolState, *, token_in: int, token_out: int) -> Fraction:
    """Return raw units of `token_out` per raw unit of `token_in`.

    Raises:
        BadValueError: no two tokens of the pool, or a state that its contract cannot trade from.
    """
    count = token_count(state)
    if not (0 <= token_in < count and 0 <= token_out < count and token_in != token_out):
        raise BadValueError(f"tokens {token_in} and {token_out} are no two of a pool of {count}")
    match state:
        case ConstantProductState():
            reserves = (state.reserve0_raw, state.reserve1_raw)
            return Fraction(reserves[token_out], reserves[token_in])
        case ConcentratedState():
            return _of_root(state.sqrt_price_x96, Q96, token_in)
        case WhirlpoolState():
            return _of_root(state.sqrt_price_x64, _Q64, token_in)
        case WeightedState():
            balances, weights = state.balances_raw, state.weights_e18
            return Fraction(
                balances[token_out] * weights[token_in], balances[token_in] * weights[token_out]
            )
        case solidly.SolidlyState():
            return _of_solidly(state, token_in, token_out)
        case curve.CurveState() | balancer_stable.StableState():
            return _of_stable_swap(state, token_in, token_out)


def _of_root(sqrt_price: int, one: int, token_in: int) -> Fraction:
    root = (sqrt_price, one) if token_in == 0 else (one, sqrt_price)
    return Fraction(root[0] * root[0], root[1] * root[1])


def _of_solidly(state: solidly.SolidlyState, token_in: int, token_out: int) -> Fraction:
    if state.form is solidly.SolidlyForm.VOLATILE:
        return Fraction(state.reserves_raw[token_out], state.reserves_raw[token_in])
    # the slope of x**3 y + y**3 x
    x = Fraction(state.reserves_raw[token_in], state.scales[token_in])
    y = Fraction(state.reserves_raw[token_out], state.scales[token_out])
    slope = y * (3 * x * x + y * y) / (x * (x * x + 3 * y * y))
    return slope * Fraction(state.scales[token_out], state.scales[token_in])


def _of_stable_swap(
    state: curve.CurveState | balancer_stable.StableState, token_in: int, token_out: int
) -> Fraction:
    """Return the slope of ``ann S + D = ann D + D**(n+1) / (n**n P)``, S the sum, P the product."""
    count = len(state.balances_raw)
    if isinstance(state, curve.CurveState):
        balances_e18, factors = curve.scaled(state), state.rates_e18
        ann = Fraction(state.amp * count, state.amp_precision)
        d = curve.invariant_of(state)
    else:
        balances_e18, factors = balancer_stable.scaled(state), state.factors_e18
        ann = Fraction(state.amp * count, balancer_stable.AMP_PRECISION)
        d = balancer_stable.invariant(state.amp, balances_e18, form=state.form)
    share = Fraction(d ** (count + 1), count**count * prod(balances_e18))
    slope_in, slope_out = (ann + share / balances_e18[token] for token in (token_in, token_out))
    return slope_in / slope_out * Fraction(factors[token_in], factors[token_out])
