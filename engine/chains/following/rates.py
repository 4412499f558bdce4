"""What a swap through a pool gives at the margin, as an estimate for research."""

import math
from itertools import permutations

from engine.chains.following.held import AnyHeld
from engine.domain.errors import BadValueError
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.curve import FEE_ONE_E10, CurveState, fee_between, scaled
from engine.pools.integers import PIPS
from engine.pools.marginal_price import marginal_price

_LN_10 = math.log(10)


def log_rates(held: AnyHeld) -> tuple[tuple[str, str, float], ...]:
    """Return source, target and the log of target per source of each direction, after the fee.

    Directions that give nothing are left out.
    """
    pool, rates = held.pool, []
    for token_in, token_out in permutations(range(len(pool.tokens)), 2):
        try:
            price = marginal_price(held.state, token_in=token_in, token_out=token_out)
        except (BadValueError, ZeroDivisionError):
            continue
        kept = _share_kept(held, token_in, token_out)
        if price <= 0 or kept <= 0:
            continue
        (source, decimals_in), (target, decimals_out) = (
            pool.tokens[token_in],
            pool.tokens[token_out],
        )
        # Of whole numbers of any length: their quotient may be beyond what a float holds.
        log_price = math.log(price.numerator) - math.log(price.denominator)
        in_units = log_price + (decimals_in - decimals_out) * _LN_10
        rates.append((str(source), str(target), in_units + math.log(kept)))
    return tuple(rates)


def _share_kept(held: AnyHeld, token_in: int, token_out: int) -> float:
    state = held.state
    if isinstance(state, ConcentratedState):
        return 1.0 - state.swap_fee_pips(token_in) / PIPS
    if isinstance(state, ConstantProductState):
        fee = (state.fee0_numerator, state.fee1_numerator)[token_in]
        return 1.0 - fee / state.fee_denominator
    if isinstance(state, CurveState):
        balances_e18 = scaled(state)
        fee_e10 = fee_between(state, balances_e18[token_in], balances_e18[token_out])
        return 1.0 - fee_e10 / FEE_ONE_E10
    return 1.0 - float(held.pool.fee_ratio)
