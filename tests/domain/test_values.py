from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.assets import Amount, AssetCode
from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.domain.modes import Mode, is_upward

DECIMALS = st.decimals(
    min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=8
)


@given(first=DECIMALS, second=DECIMALS)
def test_amounts_of_one_asset_add_up_exactly(first: Decimal, second: Decimal) -> None:
    one, other = Amount.of(first, "BTC"), Amount.of(second, "BTC")

    assert (one + other) - other == one
    assert (one < other) == (first < second)
    assert one + -one == Amount.of(0, "BTC")


def test_amounts_of_two_assets_do_not_mix() -> None:
    with pytest.raises(BadValueError, match=r"1 BTC.*1 ETH.*different"):
        Amount.of(1, "BTC") + Amount.of(1, "ETH")
    with pytest.raises(BadValueError):
        assert Amount.of(1, "BTC") <= Amount.of(1, "ETH")


@pytest.mark.parametrize("text", ["", "1,5", "NaN", "inf", "1e", "0x1"])
def test_what_is_no_finite_number_is_no_amount(text: str) -> None:
    with pytest.raises(BadValueError, match="BTC"):
        Amount.of(text, "BTC")


@pytest.mark.parametrize("text", ["BTCUSD", "btc-usd", "BTC-BTC", "-USD", "BTC-", "B C-USD"])
def test_a_pair_is_two_codes_and_a_hyphen(text: str) -> None:
    with pytest.raises(BadValueError, match="BASE-QUOTE"):
        Pair.parse(text)


def instrument(**changes: object) -> Instrument:
    values: dict[str, object] = {
        "venue": VenueId("here"),
        "pair": Pair.parse("BTC-USD"),
        "wire_name": "BTCUSD",
        "price_decimals": 2,
        "size_decimals": 8,
        "tick_quote": Decimal("0.05"),
        "lot_base": Decimal("0.001"),
    }
    return Instrument(**(values | changes))  # type: ignore[arg-type]


@given(size=st.decimals(min_value=0, max_value=10**6, places=8))
def test_rounding_to_lots_and_ticks_never_favours_us(size: Decimal) -> None:
    rules = instrument()
    lot, low, high = rules.floor_to_lot(size), rules.floor_to_tick(size), rules.ceil_to_tick(size)

    assert 0 <= size - lot < rules.lot_base
    assert lot % rules.lot_base == 0
    assert low <= size <= high
    assert high - low in (0, rules.tick_quote)


@pytest.mark.parametrize(
    "changes",
    [
        {"price_decimals": 19},
        {"size_decimals": -1},
        {"tick_quote": Decimal(0)},
        {"tick_quote": Decimal("0.001")},
        {"lot_base": Decimal(-1)},
        {"notional_min_quote": Decimal(-1)},
    ],
)
def test_rules_that_cannot_be_kept_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadValueError, match="BTC-USD at here"):
        instrument(**changes)


def test_steps_of_a_book_are_exact_prices_and_sizes() -> None:
    rules = instrument()

    assert rules.price_of(6_183_764) == Decimal("61837.64")
    assert rules.size_of(1) == Decimal("0.00000001")


def test_only_paper_is_above_observe() -> None:
    assert is_upward(current=Mode.OBSERVE, wanted=Mode.PAPER)
    assert not is_upward(current=Mode.PAPER, wanted=Mode.OBSERVE)
    assert not is_upward(current=Mode.PAPER, wanted=Mode.PAPER)
    assert AssetCode("BTC") == "BTC"
