"""Balancer's logarithms, powers and roundings against many digits."""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.pools.balancer_math import ONE_E18, exp, ln_e36, pow_down, pow_up
from engine.pools.balancer_weighted import in_given_out, out_given_in
from tests.effort import examples

near_one = st.integers(ONE_E18 - 10**17 + 1, ONE_E18 + 10**17 - 1)
far = st.one_of(st.integers(1, ONE_E18 - 10**17), st.integers(ONE_E18 + 10**17, 10**58))


def _ln(x_e18: int) -> Decimal:
    with localcontext() as context:
        context.prec = 80
        return (Decimal(x_e18) / ONE_E18).ln()


@settings(max_examples=examples(200), deadline=None)
@given(near_one)
def test_logarithms_near_one_are_sound_to_23_places(x: int) -> None:
    # The first term that the contract leaves out is 2 * z**17 / 17 with z below 0.053.
    assert abs(Decimal(ln_e36(x)) / 10**36 - _ln(x)) < Decimal("1e-22")


@settings(max_examples=examples(200), deadline=None)
@given(far)
def test_logarithms_elsewhere_are_sound_to_18_places(x: int) -> None:
    if x >= ONE_E18:
        assert abs(Decimal(ln_e36(x)) / 10**36 - _ln(x)) < Decimal("2e-18")
    else:  # by the reciprocal, which has eighteen places itself
        reciprocal = ONE_E18**2 // x
        assert abs(Decimal(ln_e36(x)) / 10**36 + _ln(reciprocal)) < Decimal("2e-18")


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(-41 * ONE_E18, 130 * ONE_E18))
def test_exponentials_are_sound_to_a_unit_or_eighteen_digits(x: int) -> None:
    with localcontext() as context:
        context.prec = 120
        wanted = (Decimal(x) / ONE_E18).exp() * ONE_E18

    assert abs(Decimal(exp(x)) - wanted) <= 2 + wanted * Decimal("2e-18")


@settings(max_examples=examples(200), deadline=None)
@given(
    st.integers(ONE_E18 // 10**6, ONE_E18 * 10**6),
    st.integers(ONE_E18 // 50, 29 * 10**17),
    st.booleans(),
)
def test_powers_enclose_the_true_power(x: int, y: int, has_shortcuts: bool) -> None:  # noqa: FBT001
    with localcontext() as context:
        context.prec = 100
        wanted = (Decimal(x) / ONE_E18) ** (Decimal(y) / ONE_E18) * ONE_E18

    assert pow_down(x, y, has_shortcuts=has_shortcuts) <= wanted
    assert pow_up(x, y, has_shortcuts=has_shortcuts) >= wanted


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(10**18, 10**26), st.integers(10**18, 10**26), st.integers(1, 3 * 10**17))
def test_equal_weights_round_each_step_against_the_trader(
    balance_in: int, balance_out: int, part_e18: int
) -> None:
    taken = max(balance_out * part_e18 // ONE_E18, 1)
    grown = ceil(Fraction(balance_out * ONE_E18, balance_out - taken))
    added = max(balance_in * part_e18 // ONE_E18, 1)
    kept = ceil(Fraction(balance_in * ONE_E18, balance_in + added))
    terms = {
        "balance_in": balance_in,
        "weight_in": ONE_E18 // 2,
        "balance_out": balance_out,
        "weight_out": ONE_E18 // 2,
    }

    cost = in_given_out(**terms, amount_out_e18=taken, has_shortcuts=True)
    paid = out_given_in(**terms, amount_in_e18=added, has_shortcuts=True)

    assert cost == ceil(Fraction(balance_in * (grown - ONE_E18), ONE_E18))
    assert paid == balance_out * (ONE_E18 - kept) // ONE_E18
