"""Constant product pools: exact forms against the pair's own rule, kernels against exact forms."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from engine.kernels import constant_product as kernel
from engine.kernels.u256 import from_limbs, to_limbs
from engine.pools.constant_product import (
    ConstantProductState,
    after_swap,
    amount_in,
    amount_out,
)
from engine.pools.impact import impact_of_pair_amounts, impact_of_reserves
from engine.pools.integers import UINT112_MAX
from tests.pools.uniswap_states import pack_pair
from tests.reference import constant_product as reference

fees = st.sampled_from(
    [Fraction(3, 1000), Fraction(25, 10_000), Fraction(30, 10_000), Fraction(0), Fraction(1, 3)]
)
reserves = st.one_of(st.integers(1, 10**6), st.integers(1, UINT112_MAX))
states = st.builds(
    ConstantProductState.of, reserve0_raw=reserves, reserve1_raw=reserves, fee0=fees, fee1=fees
)
tokens = st.sampled_from([0, 1])


def sides(state: ConstantProductState, token_in: int) -> tuple[int, int, Fraction]:
    numerator = (state.fee0_numerator, state.fee1_numerator)[token_in]
    both = (state.reserve0_raw, state.reserve1_raw)
    return both[token_in], both[1 - token_in], Fraction(numerator, state.fee_denominator)


@settings(max_examples=300, deadline=None)
@given(state=states, token_in=tokens, data=st.data())
def test_a_pair_gives_the_most_that_its_product_allows(
    state: ConstantProductState, token_in: int, data: st.DataObject
) -> None:
    reserve_in, reserve_out, fee = sides(state, token_in)
    room = UINT112_MAX - reserve_in
    if room == 0:
        return
    amount_raw = data.draw(st.integers(1, min(room, 10 * reserve_in)))

    found = amount_out(state, amount_raw, token_in=token_in)

    assert found == reference.most_out(reserve_in, reserve_out, fee, amount_raw)
    if 0 < found < reserve_out:
        after_swap(state, amount_in_raw=amount_raw, amount_out_raw=found, token_in=token_in)
    if found + 1 < reserve_out:
        with pytest.raises(BadValueError, match="product would fall"):
            after_swap(state, amount_in_raw=amount_raw, amount_out_raw=found + 1, token_in=token_in)


@settings(max_examples=300, deadline=None)
@given(state=states, token_in=tokens, data=st.data())
def test_a_library_asks_the_least_input_or_one_unit_more(
    state: ConstantProductState, token_in: int, data: st.DataObject
) -> None:
    reserve_in, reserve_out, fee = sides(state, token_in)
    if reserve_out == 1:
        return
    wanted_raw = data.draw(st.integers(1, reserve_out - 1))
    try:
        found = amount_in(state, wanted_raw, token_in=token_in)
    except BadValueError:
        assert reference.least_in(reserve_in, reserve_out, fee, wanted_raw) >= (
            UINT112_MAX - reserve_in
        )
        return

    least = reference.least_in(reserve_in, reserve_out, fee, wanted_raw)
    assert least <= found <= least + 1
    assert amount_out(state, found, token_in=token_in) >= wanted_raw


@settings(max_examples=200, deadline=None)
@given(state=states, token_in=tokens, share=st.integers(1, 10**7))
def test_float_kernels_are_right_to_the_last_places(
    state: ConstantProductState, token_in: int, share: int
) -> None:
    reserve_in, reserve_out, fee = sides(state, token_in)
    amount = Fraction(reserve_in * share, 10**6)
    real = reference.real_out(Fraction(reserve_in), Fraction(reserve_out), fee, amount)
    table = np.array([[float(reserve_in), float(reserve_out), float(1 - fee)]])
    x, out, four = np.array([float(amount)]), np.zeros(1), np.zeros((1, 4))

    kernel.quote_sides(table, x, out)
    assert out[0] == pytest.approx(float(real), rel=1e-14)
    kernel.moebius_sides(table, four)
    a, b, c, d = four[0]
    assert (a * x[0] + b) / (c * x[0] + d) == pytest.approx(float(real), rel=1e-14)
    kernel.marginal_sides(table, x, out)
    assert out[0] == pytest.approx((a * d - b * c) / (c * x[0] + d) ** 2, rel=1e-13)
    if share <= 10**6:
        kernel.charge_sides(table, np.array([float(real)]), out)
        assert out[0] == pytest.approx(x[0], rel=1e-13)


@settings(max_examples=300, deadline=None)
@given(state=states, token_in=tokens, amount=st.integers(1, 2**130))
def test_the_exact_kernel_takes_and_gives_what_the_exact_form_does(
    state: ConstantProductState, token_in: int, amount: int
) -> None:
    pools, hops = pack_pair(state).reshape(1, -1), np.array([[0, token_in]])

    for exact, run, start in (
        (amount_out, kernel.confirm_path, 0),
        (amount_in, kernel.charge_path, 1),
    ):
        amounts = np.zeros((2, 4), np.uint64)
        amounts[start] = to_limbs(amount)
        done = run(pools, hops, amounts)
        try:
            expected = exact(state, amount, token_in=token_in)
        except BadValueError:
            assert done == 0
        else:
            assert (done, from_limbs(amounts[1 - start])) == (1, expected)


def test_a_path_of_two_pairs_is_the_one_after_the_other() -> None:
    first = ConstantProductState.of(
        reserve0_raw=10**12, reserve1_raw=10**21, fee0=Fraction(3, 1000)
    )
    second = ConstantProductState.of(
        reserve0_raw=10**12, reserve1_raw=9 * 10**20, fee0=Fraction(1, 400)
    )
    # a common row layout, each with its own fee denominator
    pools = np.vstack([pack_pair(first), pack_pair(second)])
    amounts = np.zeros((3, 4), np.uint64)
    amounts[0] = to_limbs(10**9)

    assert kernel.confirm_path(pools, np.array([[0, 0], [1, 1]]), amounts) == 2

    middle = amount_out(first, 10**9, token_in=0)
    assert from_limbs(amounts[1]) == middle
    assert from_limbs(amounts[2]) == amount_out(second, middle, token_in=1)
    assert kernel.confirm_path(pools, np.array([[0, 0], [2, 1]]), amounts) == 1


# ---- bad input -----------------------------------------------------------------------------------

GOOD = {"reserve0_raw": 10**6, "reserve1_raw": 10**6, "fee0": Fraction(3, 1000)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reserve0_raw": 0}, "reserve0_raw is 0"),
        ({"reserve1_raw": -1}, "reserve1_raw is -1"),
        ({"reserve0_raw": 2**112}, "reserve0_raw is"),
        ({"reserve0_raw": float("nan")}, "reserve0_raw is no whole number: nan"),
        ({"reserve1_raw": float("inf")}, "reserve1_raw is no whole number: inf"),
        ({"reserve1_raw": True}, "reserve1_raw is no whole number: True"),
        ({"fee0": Fraction(1)}, "fee0_numerator is 1"),
        ({"fee0": Fraction(-1, 1000)}, "fee0_numerator is -1"),
        ({"fee1": Fraction(3, 2)}, "fee1_numerator"),
        ({"fee0": Fraction(1, 10**10)}, "fee_denominator"),
    ],
)
def test_a_pair_that_cannot_be_is_refused_by_name(change: dict[str, object], words: str) -> None:
    with pytest.raises(BadValueError, match=words):
        ConstantProductState.of(**(GOOD | change))  # type: ignore[arg-type]


def test_amounts_that_no_pair_takes_are_refused_by_name() -> None:
    state = ConstantProductState.of(reserve0_raw=10**6, reserve1_raw=10**6, fee0=Fraction(0))

    for amount_raw in (0, -1, UINT112_MAX, 2**256):
        with pytest.raises(BadValueError, match="amount_in_raw"):
            amount_out(state, amount_raw, token_in=0)
    for amount_raw in (0, -1, 10**6, 2**256):
        with pytest.raises(BadValueError, match="amount_out_raw"):
            amount_in(state, amount_raw, token_in=0)
    with pytest.raises(BadValueError, match="index of the token"):
        amount_out(state, 1, token_in=2)


def test_kernels_give_nothing_for_numbers_that_are_none() -> None:
    spoils = [np.nan, np.inf, -np.inf, -1.0, 0.0]
    table = np.array(
        [
            [spoil if column == at else 1.0 for column in range(3)]
            for spoil in spoils
            for at in range(3)
        ]
        + [[1.0, 1.0, 1.1], [1e308, 1.0, 1.0]]
    )
    ones, out, four = np.ones(len(table)), np.ones(len(table)), np.ones((len(table), 4))

    kernel.quote_sides(table, ones, out)
    assert not out.any()
    kernel.marginal_sides(table, ones, out)
    assert not out.any()
    kernel.charge_sides(table, ones / 2, out)
    assert np.isinf(out).all()
    kernel.moebius_sides(table, four)
    assert (four == [0.0, 0.0, 0.0, 1.0]).all()
    sound, spoilt, few = np.ones((5, 3)), np.array(spoils), np.ones(5)
    kernel.quote_sides(sound, spoilt, few)
    assert not few.any()


# ---- price impact --------------------------------------------------------------------------------


def test_the_impact_of_a_pairs_swap_is_the_same_from_amounts_and_from_reserves() -> None:
    state = ConstantProductState.of(reserve0_raw=10**9, reserve1_raw=4 * 10**9, fee0=Fraction(0))
    out_raw = amount_out(state, 10**9, token_in=0)

    impact = impact_of_pair_amounts(state, amount_in_raw=10**9, amount_out_raw=out_raw, token_in=0)

    assert impact == impact_of_reserves(
        state, reserve0_after_raw=2 * 10**9, reserve1_after_raw=4 * 10**9 - out_raw
    )
    assert impact.price_before == 4
    assert impact.price_after == 1
    assert impact.change_ratio == Fraction(-3, 4)
    assert impact.change_bps_floor == 7_500


def test_equal_fees_of_a_fine_denominator_share_it() -> None:
    fee = Fraction(3, 100_003)

    state = ConstantProductState.of(reserve0_raw=10**9, reserve1_raw=10**9, fee0=fee, fee1=fee)

    assert state.fee_denominator == 100_003
    assert state.fee0_numerator == state.fee1_numerator == 3
