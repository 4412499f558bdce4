"""Instrument lists: recorded ones where there are any, and every odd entry on its own."""

from decimal import Decimal

import msgspec
import pytest

from engine.connectors.specs import all_specs
from engine.connectors.steps import SIZE_STEPS_MAX, parse_steps, wire_decimals
from engine.connectors.venues.binance.instruments import parse_instruments as parse_binance
from engine.connectors.venues.bitstamp.instruments import parse_instruments as parse_bitstamp
from engine.connectors.venues.coinbase.instruments import parse_instruments as parse_coinbase
from engine.connectors.venues.gemini.instruments import parse_instruments as parse_gemini
from engine.connectors.venues.kraken.instruments import parse_instruments as parse_kraken
from engine.domain.errors import BadValueError
from engine.kernels import number_text
from tests.connectors.recordings import FOLDER

VENUES = all_specs()

INT64_MAX = 2**63 - 1


def _product(product_id: str, **changes: object) -> dict[str, object]:
    base, quote = product_id.split("-")
    return {
        "product_id": product_id,
        "base_currency_id": base,
        "quote_currency_id": quote,
        "base_increment": "0.00000001",
        "quote_increment": "0.01",
        "price_increment": "0.01",
        "base_min_size": "0.00000001",
        "quote_min_size": "1",
        "status": "online",
        "product_type": "SPOT",
        "trading_disabled": False,
        "alias": "",
        **changes,
    }


def _products(*products: object) -> bytes:
    return msgspec.json.encode({"products": products, "num_products": len(products)})


def test_coinbase_products_become_instruments_in_the_order_asked() -> None:
    payload = _products(_product("BTC-USD"), _product("ETH-USD"), _product("SOL-USD"))

    found = parse_coinbase(payload, ["SOL-USD", "BTC-USD"])

    assert [each.instrument.wire_name for each in found] == ["SOL-USD", "BTC-USD"]
    assert found[1].instrument.tick_quote == Decimal("0.01")
    assert found[1].instrument.price_decimals == 4
    assert found[1].instrument.size_decimals == 8
    assert found[1].instrument.notional_min_quote == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "delisted"},
        {"trading_disabled": True},
        {"is_disabled": True},
        {"cancel_only": True},
        {"limit_only": True},
        {"post_only": True},
        {"auction_mode": True},
        {"view_only": True},
    ],
)
def test_a_coinbase_product_that_cannot_be_taken_from_is_closed_with_its_reason(
    changes: dict[str, object],
) -> None:
    payload = _products(_product("BTC-USDC", **changes), _product("ETH-USD"))

    (closed,) = parse_coinbase(payload, ["BTC-USDC"])

    (name,) = changes
    assert closed.closed.startswith(name.replace("_", " "))


@pytest.mark.parametrize("changes", [{"alias": "BTC-USD"}, {"product_type": "FUTURE"}])
def test_a_coinbase_product_that_is_never_traded_is_left_out(changes: dict[str, object]) -> None:
    payload = _products(_product("BTC-USDC", **changes), _product("ETH-USD"))

    assert parse_coinbase(payload, ["BTC-USDC"]) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"price_increment": "0"},
        {"price_increment": "NaN"},
        {"price_increment": "1e-30"},
        {"base_increment": "-1"},
        {"base_increment": None},
        {"base_currency_id": "B T C"},
        {"quote_currency_id": "BTC"},
    ],
)
def test_an_odd_entry_hides_only_itself(changes: dict[str, object]) -> None:
    payload = _products(_product("BTC-USD", **changes), 5, _product("ETH-USD"))

    found = parse_coinbase(payload, ["BTC-USD", "ETH-USD"])

    assert [each.instrument.wire_name for each in found] == ["ETH-USD"]


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize(
    "payload", [b"", b"<html>", b"null", b"5", b'{"products":5}', b'[{"symbol":1}]', b"\xff"]
)
def test_a_list_that_cannot_be_read_is_a_clear_error(venue: str, payload: bytes) -> None:
    spec = next(spec for spec in VENUES.values() if spec.venue == venue)

    with pytest.raises(BadValueError, match="read"):
        spec.parse_instruments(payload, ["BTC-USD"])


def test_a_pair_that_is_no_pair_is_a_clear_error() -> None:
    with pytest.raises(BadValueError, match="BASE-QUOTE"):
        parse_coinbase(_products(_product("BTC-USD")), ["BTCUSD"])


def test_recorded_binance_symbols_become_instruments() -> None:
    payload = (FOLDER / "binance-exchange-info.json").read_bytes()

    (nkn_listed,) = parse_binance(payload, ["NKN-USDT"])
    nkn = nkn_listed.instrument

    assert nkn.wire_name == "NKNUSDT"
    assert nkn.tick_quote == Decimal("0.0001")
    assert nkn.lot_base == 1
    assert nkn.notional_min_quote == 10


def test_recorded_bitstamp_pairs_become_instruments() -> None:
    payload = (FOLDER / "bitstamp-trading-pairs.json").read_bytes()

    (bat_listed,) = parse_bitstamp(payload, ["BAT-EUR"])
    bat = bat_listed.instrument

    assert bat.wire_name == "bateur"
    assert bat.tick_quote == Decimal("0.00001")
    assert bat.lot_base == Decimal("0.00000001")
    assert bat.notional_min_quote == 20


def test_bitstamp_markets_of_the_newer_list_become_instruments() -> None:
    market = {
        "name": "BTC/USD",
        "market_symbol": "btcusd",
        "base_currency": "BTC",
        "base_decimals": 8,
        "counter_currency": "USD",
        "counter_decimals": 0,
        "minimum_order_value": "10",
        "trading": "Enabled",
        "market_type": "SPOT",
    }
    perpetual = {**market, "name": "BTC/USD-PERP", "market_type": "PERPETUAL"}

    (btc_listed,) = parse_bitstamp(msgspec.json.encode([perpetual, market]), ["BTC-USD"])
    btc = btc_listed.instrument

    assert btc.wire_name == "btcusd"
    assert btc.tick_quote == 1
    assert btc.notional_min_quote == 10


def test_recorded_gemini_details_become_instruments_with_their_state() -> None:
    payload = (FOLDER / "gemini-symbol-details.json").read_bytes()

    found = parse_gemini(payload, ["FIL-USD", "BTC-GUSD", "BTC-GBP"])

    assert [each.instrument.wire_name for each in found] == ["filusd", "btcgusd", "btcgbp"]
    assert [bool(each.closed) for each in found] == [False, True, False]
    assert found[0].instrument.tick_quote == Decimal("0.0001")
    assert found[0].instrument.lot_base == Decimal("0.000001")


@pytest.mark.parametrize(
    ("step", "largest"),
    [("0.01", "9000000000000"), ("1", "90000000000000000"), ("0.00000001", "90000000000")],
)
def test_decimals_of_a_book_leave_room_for_its_largest_number(step: str, largest: str) -> None:
    steps = parse_steps(largest, wire_decimals(Decimal(step)))

    assert steps is not None
    assert steps <= INT64_MAX


@pytest.mark.parametrize("text", ["", "x", "NaN", "Infinity", "0.001", "1e400000000"])
def test_a_number_between_two_steps_or_no_number_has_no_steps(text: str) -> None:
    assert parse_steps(text, 2) is None


def test_each_venue_has_an_endpoint_for_each_of_its_feeds() -> None:
    for venue, spec in VENUES.items():
        assert spec.venue == venue
        assert spec.feeds.keys() == spec.websocket_urls.keys()
        assert all(url.startswith("wss://") for url in spec.websocket_urls.values())
        assert spec.rest_url.startswith("https://")
        assert spec.instruments_path.startswith("/")


def test_recorded_kraken_pairs_become_instruments_under_the_names_of_orders() -> None:
    payload = (FOLDER / "kraken-asset-pairs.json").read_bytes()

    listed = parse_kraken(payload, ["BTC-USD", "DOGE-BTC", "ETH-EUR", "BTC-XYZ"])

    by_pair = {str(one.instrument.pair): one.instrument for one in listed}
    assert set(by_pair) == {"BTC-USD", "DOGE-BTC", "ETH-EUR"}
    assert {one.wire_name for one in by_pair.values()} == {"XBTUSD", "XDGXBT", "ETHEUR"}
    btc = by_pair["BTC-USD"]
    assert (btc.price_decimals, btc.size_decimals) == (1, 8)
    assert (btc.tick_quote, btc.size_min_base) == (Decimal("0.1"), Decimal("0.0002"))
    assert [one.closed for one in listed] == ["", "", ""]


@pytest.mark.parametrize("status", ["cancel_only", "post_only", "limit_only", "reduce_only"])
def test_a_kraken_pair_that_may_not_be_traded_says_why(status: str) -> None:
    body = {
        "altname": "XBTUSD", "wsname": "XBT/USD", "pair_decimals": 2, "lot_decimals": 8,
        "ordermin": "0.00005", "costmin": "0.5", "tick_size": "0.1", "status": status,
    }  # fmt: skip
    payload = msgspec.json.encode({"error": [], "result": {"XXBTZUSD": body}})

    (listed,) = parse_kraken(payload, ["BTC-USD"])

    assert listed.closed == f"status {status}"
    assert listed.instrument.tick_quote == Decimal("0.1")
    assert listed.instrument.price_decimals == 2
    assert listed.instrument.notional_min_quote == Decimal("0.5")


def test_a_refused_list_of_kraken_is_an_error() -> None:
    with pytest.raises(BadValueError, match="Service"):
        parse_kraken(b'{"error":["EService:Unavailable"]}', ["BTC-USD"])


def test_audits_cut_a_size_where_the_board_does() -> None:
    assert SIZE_STEPS_MAX == number_text.SIZE_STEPS_MAX
