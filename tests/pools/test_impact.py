"""Exact marginal prices and the impact of swaps on them, for every protocol's own curve."""

import json
from dataclasses import replace
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.detect.sizing.exact import leg_of
from engine.domain.errors import BadValueError
from engine.pools import curve
from engine.pools.concentrated import ConcentratedState, state_after, swap_exact_in
from engine.pools.constant_product import ConstantProductState
from engine.pools.impact import impact_of_states
from engine.pools.marginal_price import marginal_price, token_count
from engine.pools.snapshot_rows import PoolState
from engine.pools.snapshots import PoolSnapshot, parse, state_of
from engine.pools.solidly import SolidlyState
from engine.pools.whirlpool import WhirlpoolState
from engine.sandbox.pools import POOLS_PATH
from tests.effort import examples
from tests.pools.test_snapshots import OTHERS

HALF_PERCENT = Fraction(5, 1_000)
RECORDED = [
    state_of(one) for one in msgspec.json.decode(POOLS_PATH.read_bytes(), type=list[PoolSnapshot])
]
OTHER_STATES = {name: state_of(parse(json.dumps(text))) for name, (text, _) in OTHERS.items()}
CURVE = next(one for one in RECORDED if isinstance(one, curve.CurveState))
DEEP = next(one for one in RECORDED if isinstance(one, ConcentratedState))


def without_fee(state: PoolState) -> PoolState:
    match state:
        case ConstantProductState():
            return replace(state, fee0_numerator=0, fee1_numerator=0)
        case ConcentratedState():
            return replace(state, fee_pips=0)
        case curve.CurveState():
            return replace(state, fee_e10=0)
        case SolidlyState() | WhirlpoolState():
            return replace(state, fee_e6=0)
        case _:
            return replace(state, fee_e18=0)


def paid_per_unit(state: PoolState, token_in: int, token_out: int) -> float:
    """What the contract pays per unit, without its fee, for as little as it rounds well."""
    leg = leg_of(without_fee(state), token_in=token_in, token_out=token_out)
    all_held: tuple[int, ...] = getattr(
        state, "balances_raw", getattr(state, "reserves_raw", (0,) * 8)
    )
    held = all_held[token_out]
    for amount in (1 << 2 * k for k in range(100)):
        try:
            paid = leg.amount_out(amount)
        except BadValueError:  # some contracts revert on dust
            continue
        if paid >= max(10**7, held // 10**5):
            return paid / amount
    raise AssertionError("nothing is paid")


@pytest.mark.parametrize(
    "state", [*RECORDED, *(one for name, one in OTHER_STATES.items() if name != "whirlpool")]
)
def test_the_marginal_price_is_what_the_contract_pays_for_the_first_units(
    state: PoolState,
) -> None:
    count = token_count(state)
    for token_in in range(count):
        for token_out in set(range(count)) - {token_in}:
            price = marginal_price(state, token_in=token_in, token_out=token_out)
            paid = paid_per_unit(state, token_in, token_out)
            assert paid == pytest.approx(float(price), rel=2e-3)
            back = marginal_price(state, token_in=token_out, token_out=token_in)
            assert price * back == 1


def test_a_whirlpools_marginal_price_is_the_square_of_its_root() -> None:
    state = OTHER_STATES["whirlpool"]
    price = marginal_price(state, token_in=0, token_out=1)
    assert price == Fraction(state.sqrt_price_x64, 2**64) ** 2  # type: ignore[union-attr]


@pytest.mark.parametrize(("token_in", "token_out"), [(0, 0), (0, 3), (-1, 0)])
def test_a_price_between_tokens_that_are_no_two_is_refused(token_in: int, token_out: int) -> None:
    with pytest.raises(BadValueError, match="no two of a pool of 3"):
        marginal_price(CURVE, token_in=token_in, token_out=token_out)


def pair(reserve0: int, reserve1: int) -> ConstantProductState:
    return ConstantProductState.of(
        reserve0_raw=reserve0, reserve1_raw=reserve1, fee0=Fraction(3, 1_000)
    )


def test_a_pair_triggers_at_half_a_percent_and_not_a_unit_below() -> None:
    before = pair(10**24, 2 * 10**15)
    at, below = 2 * 10**15 * 1005 // 1000, 2 * 10**15 * 1005 // 1000 - 1

    assert impact_of_states(before, pair(10**24, at)).reaches(HALF_PERCENT)
    assert not impact_of_states(before, pair(10**24, below)).reaches(HALF_PERCENT)
    down = pair(10**24, 2 * 10**15 * 995 // 1000)
    assert impact_of_states(before, down).change_ratio == -HALF_PERCENT
    assert impact_of_states(before, down).reaches(HALF_PERCENT)


def test_a_concentrated_pool_triggers_at_the_root_of_half_a_percent() -> None:
    before = DEEP.sqrt_price_x96
    limit = int(before * Fraction(1_005, 1_000) ** 0.5)  # about; then to the unit
    while limit * limit * 1_000 < before * before * 1_005:
        limit += (before * before * 1_005 // 1_000 - limit * limit) // (2 * limit) + 1
    while (limit - 1) ** 2 * 1_000 >= before * before * 1_005:
        limit -= 1

    def moved_to(sqrt_price_x96: int) -> ConcentratedState:
        swap = swap_exact_in(DEEP, 10**40, token_in=1, sqrt_price_limit_x96=sqrt_price_x96)
        return state_after(DEEP, swap)

    assert impact_of_states(DEEP, moved_to(limit)).reaches(HALF_PERCENT)
    assert not impact_of_states(DEEP, moved_to(limit - 1)).reaches(HALF_PERCENT)


@settings(max_examples=examples(40), deadline=None)
@given(share=st.floats(0.001, 0.9), token_in=st.integers(0, 2), token_out=st.integers(0, 2))
def test_a_curve_pools_swap_moves_the_price_of_its_two_tokens_most(
    share: float, token_in: int, token_out: int
) -> None:
    if token_in == token_out:
        return
    amount = int(CURVE.balances_raw[token_in] * share)
    paid = curve.amount_out(CURVE, amount, token_in=token_in, token_out=token_out)
    balances = list(CURVE.balances_raw)
    balances[token_in] += amount
    balances[token_out] -= paid
    after = replace(CURVE, balances_raw=tuple(balances))

    impact = impact_of_states(CURVE, after)

    ends = (min(token_in, token_out), max(token_in, token_out))
    ends_impact = marginal_price(after, token_in=ends[0], token_out=ends[1]) / marginal_price(
        CURVE, token_in=ends[0], token_out=ends[1]
    )
    # what was sold is worth less, whichever of the two stands first
    assert (ends_impact < 1) == (token_in < token_out)
    assert abs(impact.change_ratio) >= abs(ends_impact - 1)
    assert impact.price_after / impact.price_before - 1 == impact.change_ratio
    assert 0 <= impact.tokens[0] < impact.tokens[1] <= 2
