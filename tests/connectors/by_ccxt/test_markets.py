"""Markets as ccxt describes them become instruments with exact steps, whatever it means by them."""

from decimal import Decimal
from typing import Any

import pytest

from engine.connectors.by_ccxt.instruments import instrument_of, parser_of
from engine.connectors.by_ccxt.markets import PrecisionMode, fee_bps, market_of
from engine.domain.errors import BadValueError
from tests.connectors.wire_frames import text_of

BTC = {
    "symbol": "BTC/USDT",
    "base": "BTC",
    "quote": "USDT",
    "spot": True,
    "active": True,
    "precision": {"price": 0.1, "amount": 1e-08},
    "limits": {"amount": {"min": 1e-05, "max": 9000.0}, "cost": {"min": 5.0, "max": None}},
}


def test_steps_and_least_amounts_are_exact() -> None:
    rules = instrument_of("kucoin", market_of(BTC, PrecisionMode.TICK_SIZE)).instrument

    assert (rules.venue, str(rules.pair), rules.wire_name) == (
        "ccxt-kucoin",
        "BTC-USDT",
        "BTC/USDT",
    )
    assert (rules.tick_quote, rules.lot_base) == (Decimal("0.1"), Decimal("1E-8"))
    assert (rules.size_min_base, rules.notional_min_quote) == (Decimal("0.00001"), Decimal(5))
    assert (rules.price_decimals, rules.size_decimals) == (3, 8)


@pytest.mark.parametrize(
    ("mode", "steps", "price", "tick", "lot"),
    [
        (PrecisionMode.TICK_SIZE, {"price": 0.05, "amount": 1.0}, None, "0.05", "1"),
        (PrecisionMode.TICK_SIZE, {"price": "0.0100", "amount": 5}, None, "0.01", "5"),
        (PrecisionMode.DECIMAL_PLACES, {"price": 2, "amount": 6}, None, "0.01", "0.000001"),
        (PrecisionMode.DECIMAL_PLACES, {"price": 0.0, "amount": -1}, None, "1", "10"),
        (PrecisionMode.SIGNIFICANT_DIGITS, {"price": 5, "amount": 8}, "61837", "1", "0.00000001"),
        (PrecisionMode.SIGNIFICANT_DIGITS, {"price": 5, "amount": 8}, "0.0312", "0.000001", "1E-8"),
    ],
)
def test_each_way_of_meaning_steps_is_understood(
    mode: PrecisionMode, steps: dict[str, Any], price: str | None, tick: str, lot: str
) -> None:
    told = BTC | {"precision": steps}

    market = market_of(told, mode, price=None if price is None else Decimal(price))

    assert (Decimal(market.tick_quote), Decimal(market.lot_base)) == (Decimal(tick), Decimal(lot))
    instrument_of("kucoin", market)


@pytest.mark.parametrize(
    "steps",
    [
        {"price": None, "amount": 1e-08},
        {"price": 0.1, "amount": None},
        {"price": 0.0, "amount": 1e-08},
        {"price": -0.1, "amount": 1e-08},
        {"price": 0.1 + 0.2, "amount": 1e-08},
        {},
        None,
    ],
)
def test_a_market_without_sound_steps_is_refused_by_name(steps: dict[str, Any] | None) -> None:
    with pytest.raises(BadValueError, match="BTC/USDT"):
        market_of(BTC | {"precision": steps}, PrecisionMode.TICK_SIZE)


def test_digits_of_a_price_that_is_not_known_are_no_step() -> None:
    told = BTC | {"precision": {"price": 5, "amount": 8}}

    with pytest.raises(BadValueError, match="not known"):
        market_of(told, PrecisionMode.SIGNIFICANT_DIGITS)


@pytest.mark.parametrize(("active", "closed"), [(False, "not active"), (None, ""), (True, "")])
def test_a_market_that_is_not_active_is_listed_as_closed(*, active: object, closed: str) -> None:
    listed = instrument_of("kucoin", market_of(BTC | {"active": active}, PrecisionMode.TICK_SIZE))

    assert listed.closed == closed


def test_what_the_exchange_does_not_say_of_least_orders_is_nothing() -> None:
    market = market_of(BTC | {"limits": {"amount": None}}, PrecisionMode.TICK_SIZE)

    assert (market.size_min_base, market.notional_min_quote) == ("0", "0")


@pytest.mark.parametrize(
    ("rate", "bps"), [(0.001, "10"), (0.0, "0"), (None, None), (-0.1, None), (1.5, None)]
)
def test_fees_are_shares_of_one(rate: float | None, bps: str | None) -> None:
    assert fee_bps(rate) == (None if bps is None else Decimal(bps))


def test_the_list_holds_the_pairs_that_were_asked_for_or_says_why_it_holds_none() -> None:
    payload = text_of([market_of(BTC, PrecisionMode.TICK_SIZE), {"symbol": "odd"}])

    (listed,) = parser_of("kucoin")(payload, ["ETH-USDT", "BTC-USDT"])

    assert str(listed.instrument.pair) == "BTC-USDT"
    with pytest.raises(BadValueError, match="down for maintenance"):
        parser_of("kucoin")(text_of("ccxt: down for maintenance"), ["BTC-USDT"])
