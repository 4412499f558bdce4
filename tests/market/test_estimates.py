"""Estimates are what `Valuation` says, as floats."""

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.assets import AssetCode
from engine.domain.faults import Fault
from engine.domain.instruments import Kind
from engine.market.board import Board
from engine.market.estimates import Estimates
from engine.market.valuation import Valuation
from engine.ports import LevelForm
from tests.effort import examples
from tests.reference.world import SECOND, START_NS, make_instrument, write_side

CODES = ("USD", "BTC", "ETH", "EUR", "SOL", "JPY")
ASSETS = [AssetCode(code) for code in (*CODES, "NOWHERE")]


def random_board(rng: random.Random) -> Board:
    """Books of any two assets, some of them perpetual, lost, old or never shown."""
    pairs = [rng.sample(CODES, 2) for _ in range(rng.randrange(1, 12))]
    board = Board(
        [
            make_instrument(
                f"v{number}",
                "-".join(pair),
                price_decimals=4,
                kind=rng.choice([Kind.SPOT, Kind.SPOT, Kind.SPOT, Kind.PERPETUAL]),
            )
            for number, pair in enumerate(pairs)
        ],
        levels_max=8,
    )
    for book in range(len(pairs)):
        if rng.random() < 0.2:
            continue
        bid = Decimal(rng.randrange(1, 10**8)).scaleb(-4)
        ask = bid + Decimal(rng.randrange(1, 100)).scaleb(-4)
        at_ns = START_NS - rng.choice([0, SECOND, SECOND + 1])
        bids, asks = write_side([(str(bid), "1")]), write_side([(str(ask), "1")])
        board.replace(book, LevelForm.PAIRS, bids, asks, at_ns)
        if rng.random() < 0.1:
            board.invalidate(book, Fault.GAP, START_NS)
    return board


@settings(max_examples=examples(200), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_an_estimate_is_the_exact_value_as_a_float(seed: int) -> None:
    board = random_board(random.Random(seed))
    valuation, made = Valuation(board, age_ns_max=SECOND), Estimates(board, age_ns_max=SECOND)
    beside = [(AssetCode(other), Decimal(rate)) for other, rate in (("BTC", 2), ("EUR", 3))]
    valuation.beside = made.beside = lambda asset: beside if asset in {"NOWHERE", "ETH"} else ()

    estimates = made.usd_per(ASSETS, START_NS)

    exact = {asset: valuation.usd_per(asset, START_NS) for asset in ASSETS}
    assert estimates == pytest.approx(
        {asset: float(usd) for asset, usd in exact.items() if usd is not None}, rel=1e-12
    )


def test_a_book_that_shows_no_price_estimates_nothing() -> None:
    board = Board([make_instrument("a", "BTC-USD")], levels_max=8)
    board.replace(
        0, LevelForm.PAIRS, write_side([("100", "1")]), write_side([("101", "1")]), START_NS
    )
    board.levels[:, 0, 0] = 0

    estimates = Estimates(board, age_ns_max=SECOND).usd_per([AssetCode("BTC")], START_NS)

    assert estimates == {}
