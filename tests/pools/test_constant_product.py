"""Constant product pools: exact forms against the pair's own rule."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from engine.pools.constant_product import (
    ConstantProductState,
    after_swap,
    amount_in,
    amount_out,
)
from engine.pools.impact import impact_of_pair_amounts, impact_of_reserves
from engine.pools.integers import UINT112_MAX
from tests.effort import examples
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


@settings(max_examples=examples(300), deadline=None)
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


@settings(max_examples=examples(300), deadline=None)
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
