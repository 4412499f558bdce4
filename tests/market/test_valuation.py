"""Value in USD comes from live books or not at all."""

from decimal import Decimal

import pytest

from engine.domain.assets import AssetCode
from engine.domain.faults import Fault
from engine.domain.instruments import Kind
from engine.market.board import Board
from engine.market.estimates import Estimates
from engine.market.valuation import Valuation
from engine.ports import LevelForm
from tests.reference.world import SECOND, START_NS, make_instrument, write_side

PAIRS = ["BTC-USD", "BTC-EUR", "EUR-USD", "USD-JPY", "SOL-BTC", "USDT-USD", "ETH-BTC"]


def make_market(prices: dict[str, str]) -> tuple[Board, Valuation]:
    instruments = [make_instrument("a", pair) for pair in PAIRS]
    board = Board([*instruments, make_instrument("p", "XRP-USD", kind=Kind.PERPETUAL)])
    for pair, price in prices.items():
        book = PAIRS.index(pair) if pair in PAIRS else len(PAIRS)
        bid, ask = Decimal(price) - Decimal("0.01"), Decimal(price) + Decimal("0.01")
        board.replace(
            book,
            LevelForm.PAIRS,
            write_side([(str(bid), "1")]),
            write_side([(str(ask), "1")]),
            START_NS,
        )
    return board, Valuation(board, age_ns_max=SECOND)


@pytest.mark.parametrize(
    ("prices", "asset", "value"),
    [
        ({}, "USD", "1"),
        ({"BTC-USD": "60000"}, "BTC", "60000"),
        ({"BTC-USD": "60000", "BTC-EUR": "50000", "EUR-USD": "1.1"}, "BTC", "60000"),
        ({"BTC-EUR": "50000", "EUR-USD": "1.1"}, "BTC", "55000"),
        ({"USD-JPY": "160"}, "JPY", "0.00625"),
        ({"BTC-USD": "60000", "BTC-EUR": "50000"}, "EUR", "1.2"),
        ({"SOL-BTC": "0.02", "BTC-USD": "60000"}, "SOL", "1200"),
        ({"USDT-USD": "0.97"}, "USDT", "0.97"),
    ],
)
def test_an_asset_is_worth_what_live_books_say(
    prices: dict[str, str], asset: str, value: str
) -> None:
    _, valuation = make_market(prices)

    assert valuation.usd_per(AssetCode(asset), START_NS) == Decimal(value)


@pytest.mark.parametrize(
    ("prices", "asset"),
    [
        ({}, "BTC"),
        ({"BTC-USD": "60000"}, "USDT"),
        ({"BTC-EUR": "50000"}, "BTC"),
        ({"XRP-USD": "1"}, "XRP"),
        ({"SOL-BTC": "0.02", "BTC-EUR": "50000", "EUR-USD": "1.1"}, "SOL"),
    ],
)
def test_an_asset_without_a_live_way_of_two_spot_books_has_no_value(
    prices: dict[str, str], asset: str
) -> None:
    _, valuation = make_market(prices)

    assert valuation.usd_per(AssetCode(asset), START_NS) is None


def test_a_stale_book_values_nothing() -> None:
    board, valuation = make_market({"BTC-USD": "60000"})
    btc = AssetCode("BTC")

    assert valuation.usd_per(btc, START_NS + SECOND + 1) is None
    board.invalidate(0, Fault.GAP, START_NS)
    assert valuation.usd_per(btc, START_NS) is None


def test_what_no_book_values_is_worth_what_stands_beside_what_books_value() -> None:
    _, valuation = make_market({"BTC-USD": "60000", "USDT-USD": "0.98"})
    pol = AssetCode("POL")
    said = {
        pol: [
            (AssetCode("USDT"), Decimal("0.5")),
            (AssetCode("BTC"), Decimal("0.00001")),
            (AssetCode("USDT"), Decimal(7)),  # a pool that somebody moved away
            (AssetCode("NOWHERE"), Decimal(900)),
        ],
        AssetCode("BTC"): [(AssetCode("USDT"), Decimal(1))],
    }
    assert valuation.usd_per(pol, START_NS) is None

    valuation.beside = lambda asset: said.get(asset, ())

    assert valuation.usd_per(pol, START_NS) == Decimal("0.6")  # the middle of 0.49, 0.6, 6.86
    assert valuation.usd_per(AssetCode("BTC"), START_NS) == 60_000, "books come first"
    assert valuation.usd_per(pol, START_NS + 2 * SECOND) is None, "those books are old"


def test_a_coin_whose_books_are_stale_is_worth_nothing_whatever_stands_beside_it() -> None:
    board = Board([make_instrument("a", pair) for pair in ("ETH-USDT", "POL-ETH", "USDT-USD")])
    bids, asks = write_side([("0.99", "1")]), write_side([("1.01", "1")])
    board.replace(2, LevelForm.PAIRS, bids, asks, START_NS)
    valuation, estimates = Valuation(board, age_ns_max=SECOND), Estimates(board, age_ns_max=SECOND)
    valuation.beside = estimates.beside = lambda _asset: [(AssetCode("USDT"), Decimal(1_999))]
    eth, pol = AssetCode("ETH"), AssetCode("POL")

    assert valuation.usd_per(eth, START_NS) is None
    assert valuation.usd_per(pol, START_NS) == 1_999, "its book leads to no dollars"
    assert estimates.usd_per([eth, pol], START_NS) == {pol: 1_999}
