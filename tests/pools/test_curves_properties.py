"""Rules that hold for every pool of Solidly, Curve, Balancer and Whirlpool."""

from decimal import Decimal, localcontext
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from tests.effort import examples
from tests.pools.curve_states import PROTOCOLS, RELATIVE, Pair, random_amount, random_pair
from tests.reference.solidly import DIGITS, derivatives

seeds = st.integers(0, 2**32)
protocols = st.sampled_from(list(PROTOCOLS))
SEARCHED = ("solidly", "curve", "curve_off_peg")
WEIGHTED_FORMS_RATIO = 1e-14 * 64
"""The power's error times the greatest ratio of weights that is drawn, both ways."""


def draw(protocol: str, seed: int) -> tuple[Pair, int]:
    random = Random(seed)
    pair = random_pair(protocol, random)
    return pair, random_amount(random, pair.reserve_in_raw)


def exact_or_none(pair: Pair, amount: int) -> int | None:
    try:
        return pair.exact(amount)
    except BadValueError:
        return None


def slack_of(pair: Pair, amount: int) -> float:
    inputs = np.array([amount], np.float64)
    return float(pair.slack_raw(inputs, pair.floats(inputs))[0])


@settings(max_examples=examples(300), deadline=None)
@given(protocols, seeds)
def test_floats_stay_within_the_stated_bound_of_the_exact_output(protocol: str, seed: int) -> None:
    pair, amount = draw(protocol, seed)
    exact = exact_or_none(pair, amount)
    found = pair.floats(np.array([amount], np.float64))[0, 0]

    if exact is not None:
        assert abs(found - exact) <= RELATIVE * exact + slack_of(pair, amount)


@settings(max_examples=examples(120), deadline=None)
@given(protocols, seeds)
def test_floats_and_derivatives_are_those_of_the_unrounded_formula(
    protocol: str, seed: int
) -> None:
    pair, amount = draw(protocol, seed)
    with localcontext() as context:
        context.prec = DIGITS
        amount = max(amount, 10)
        wanted = pair.twin(Decimal(amount))
        if wanted is None or pair.twin(Decimal(amount) * 2) is None or wanted <= 0:
            return
        out, rate, bend = pair.floats(np.array([amount], np.float64))[0]
        blur = 1e-9 * slack_of(pair, amount) if protocol != "whirlpool" else slack_of(pair, amount)
        first, second = derivatives(lambda one: pair.twin(one) or Decimal(0), Decimal(amount))

        assert abs(float(wanted) - out) <= 1e-12 * out + blur
        assert abs(float(first) / rate - 1) <= 1e-9
        # Where a stable curve is flat its curvature is a difference of two much larger terms.
        assert abs(float(second) - bend) <= 1e-6 * abs(bend) + 1e-12 * rate / amount


@settings(max_examples=examples(200), deadline=None)
@given(protocols, seeds, st.integers(1, 10**6))
def test_more_input_never_pays_less_but_for_units_of_rounding(
    protocol: str, seed: int, millionths: int
) -> None:
    pair, amount = draw(protocol, seed)
    more_input = amount + max(amount * millionths // 10**6, 1)
    less, more = exact_or_none(pair, amount), exact_or_none(pair, more_input)

    if less is not None and more is not None:
        assert more >= less - slack_of(pair, amount)


@settings(max_examples=examples(300), deadline=None)
@given(protocols, seeds)
def test_a_round_trip_gains_nothing(protocol: str, seed: int) -> None:
    pair, amount = draw(protocol, seed)
    paid = exact_or_none(pair, amount)
    if not paid:
        return
    try:
        regained = pair.back(amount, paid)
    except BadValueError:
        return

    assert regained <= amount


@settings(max_examples=examples(200), deadline=None)
@given(protocols, seeds)
def test_exact_output_costs_what_exact_input_pays(protocol: str, seed: int) -> None:
    pair, amount = draw(protocol, seed)
    wanted = exact_or_none(pair, amount)
    if not wanted:
        return
    try:
        cost = pair.exact_in(wanted)
    except BadValueError:
        return  # more than 30 % of a weighted balance
    paid = exact_or_none(pair, cost)

    assert paid is not None
    if protocol in SEARCHED:
        assert paid >= wanted
        assert cost == 1 or (exact_or_none(pair, cost - 1) or 0) < wanted
    else:
        blur = RELATIVE * wanted + 2 * slack_of(pair, cost)
        if protocol == "weighted":
            # A power may be multiplied one way and, with its error, be raised the other way.
            blur += WEIGHTED_FORMS_RATIO * pair.reserve_out_raw
        assert abs(paid - wanted) <= blur


@settings(max_examples=examples(100), deadline=None)
@given(protocols, seeds)
def test_no_output_exceeds_the_reserve(protocol: str, seed: int) -> None:
    pair, amount = draw(protocol, seed)
    for tried in (amount, amount * 10**6):
        paid = exact_or_none(pair, tried)
        if paid is not None and protocol != "whirlpool":
            assert 0 <= paid < pair.reserve_out_raw
