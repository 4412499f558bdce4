"""Floats of ccxt become the exchange's own numbers again, or are refused."""

from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.connectors.by_ccxt.exact import NO_NUMBER, exact, price_text, size_text
from engine.domain.errors import BadValueError
from tests.effort import examples

short = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(1, 10**15 - 1),
    st.integers(-18, 3),
)


@settings(max_examples=examples(400))
@given(short)
def test_a_number_of_fifteen_digits_comes_through_a_float_unchanged(number: Decimal) -> None:
    assert exact(float(str(number)), what="price") == number
    assert Decimal(price_text(float(str(number)))) == number


@pytest.mark.parametrize(
    "number", [0.1 + 0.2, 61_837.630000000005, 1234567.123456789, float("nan"), float("inf"), None]
)
def test_a_price_that_is_not_surely_the_exchanges_is_no_number(number: object) -> None:
    assert price_text(number) == NO_NUMBER
    with pytest.raises(BadValueError, match="best bid"):
        exact(number, what="best bid")


def test_text_is_taken_with_all_its_digits() -> None:
    assert exact("0.12345678901234567890", what="x") == Decimal("0.12345678901234567890")


def test_small_and_large_prices_are_written_without_exponents() -> None:
    assert price_text(1e-08) == "0.00000001"
    assert price_text(1e16) == "10000000000000000"
    assert price_text(100) == "100"


@settings(max_examples=examples(400))
@given(st.floats(0, 1e12, allow_nan=False), st.integers(0, 10))
def test_a_size_is_cut_to_its_steps_and_never_grows(size: float, decimals: int) -> None:
    text = size_text(size, decimals)

    assert Decimal(text) <= Decimal(repr(size))
    assert Decimal(text) == Decimal(repr(size)).quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN)


@pytest.mark.parametrize("size", [None, "x", float("nan"), float("inf")])
def test_a_size_that_is_none_is_no_number(size: object) -> None:
    assert size_text(size, 8) == NO_NUMBER
