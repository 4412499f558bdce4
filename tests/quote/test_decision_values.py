"""Decision values: what is expected, what is the worst within bounds, and what kills the gain."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from engine.quote.decision_values import Confidence, DecisionValues, RouteCosts, values_of
from tests.reference.sizing import pair

AMOUNTS = st.decimals(min_value=1, max_value=10**6, places=6)
BOUNDS = st.lists(st.decimals(min_value=0, max_value=500, places=2), min_size=1, max_size=4)
GAS = RouteCosts(
    gas_units=250_000, gas_price_gwei=Decimal(20), native_price=Decimal(2_500),
    flash_fee_ratio=Decimal("0.0005"), fixed_cost=Decimal(1),
)  # fmt: skip


def values(
    amount_in: Decimal, amount_out: Decimal, costs: RouteCosts, *bounds: Decimal
) -> DecisionValues:
    return values_of(
        amount_in=amount_in, amount_out=amount_out, costs=costs, slippage_bps=bounds or [Decimal(0)]
    )


def test_the_expected_gain_is_net_of_gas_flash_fee_and_fixed_costs() -> None:
    found = values(Decimal(10_000), Decimal(10_100), GAS)

    assert found.profit_expected == Decimal(100) - Decimal("12.5") - Decimal(5) - Decimal(1)


@given(amount_in=AMOUNTS, amount_out=AMOUNTS)
def test_at_the_break_even_gas_price_nothing_is_gained(
    amount_in: Decimal, amount_out: Decimal
) -> None:
    found = values(amount_in, amount_out, GAS)
    price = found.gas_price_break_even_gwei
    assert price is not None

    there = values(
        amount_in,
        amount_out,
        RouteCosts(
            gas_units=GAS.gas_units, gas_price_gwei=price, native_price=GAS.native_price,
            flash_fee_ratio=GAS.flash_fee_ratio, fixed_cost=GAS.fixed_cost,
        ),
    )  # fmt: skip

    if price > 0:
        assert abs(there.profit_expected) < Decimal("1e-30")
    else:
        assert there.profit_expected <= 0


@given(amount_in=AMOUNTS, amount_out=AMOUNTS)
def test_after_the_killing_move_nothing_is_gained(amount_in: Decimal, amount_out: Decimal) -> None:
    found = values(amount_in, amount_out, GAS)

    after = values(amount_in, amount_out * (1 - found.kill_move_ratio), GAS)

    if found.profit_expected > 0:
        assert abs(after.profit_expected) < Decimal("1e-15")
    else:
        assert found.kill_move_ratio == 0


@given(amount_in=AMOUNTS, amount_out=AMOUNTS, bounds=BOUNDS)
def test_the_worst_is_never_better_than_expected_and_falls_with_the_bounds(
    amount_in: Decimal, amount_out: Decimal, bounds: list[Decimal]
) -> None:
    found = values(amount_in, amount_out, GAS, *bounds)
    wider = values(amount_in, amount_out, GAS, *(bound + 1 for bound in bounds))

    assert found.profit_worst <= found.profit_expected
    assert wider.profit_worst < found.profit_worst


@given(st.floats(1.0, 500.0), st.floats(0.0, 0.05), st.floats(0.0, 0.05))
def test_no_slip_within_the_bounds_of_concave_legs_is_worse_than_the_worst(
    amount: float, first_slip: float, second_slip: float
) -> None:
    first, second = pair(1_000.0, 2_100.0, 0.997), pair(2_000.0, 1_000.0, 0.997)
    expected = second(first(amount))
    slipped = second(first(amount) * (1 - first_slip)) * (1 - second_slip)

    found = values(
        Decimal(amount), Decimal(expected), RouteCosts(),
        *(Decimal(slip) * 10_000 for slip in (first_slip, second_slip)),
    )  # fmt: skip

    assert slipped - amount >= float(found.profit_worst) - 1e-9


def test_routes_without_gas_have_no_break_even_gas_price() -> None:
    assert values(Decimal(1), Decimal(2), RouteCosts()).gas_price_break_even_gwei is None


def test_confidence_is_said_to_be_uncalibrated() -> None:
    found = values(Decimal(1), Decimal(2), RouteCosts())

    assert found.confidence == Confidence(value=None, basis="uncalibrated")
    with pytest.raises(BadValueError, match="uncalibrated"):
        Confidence(value=Decimal("0.9"), basis="uncalibrated")
    with pytest.raises(BadValueError, match="calibrated"):
        Confidence(value=Decimal("0.9"), basis="a model that nobody judged")
    assert Confidence(value=Decimal("0.4"), basis="inclusion_2023").value == Decimal("0.4")


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("Infinity"), Decimal(0), Decimal(-1)])
def test_amounts_that_are_none_are_refused_by_name(bad: Decimal) -> None:
    with pytest.raises(BadValueError, match="amount_out"):
        values(Decimal(1), bad, RouteCosts())
    with pytest.raises(BadValueError, match="slippage_bps"):
        values(Decimal(1), Decimal(1), RouteCosts(), Decimal(-1))
    with pytest.raises(BadValueError, match="gas_price_gwei"):
        RouteCosts(gas_price_gwei=Decimal("NaN"))
    with pytest.raises(BadValueError, match="native token"):
        RouteCosts(gas_units=1)
