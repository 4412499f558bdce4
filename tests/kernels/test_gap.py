"""The gap kernel against exact fractions and brute force."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels import gap, layout
from tests.reference.gap import Best, Level, Terms, find_best

AGE_NS_MAX = 10_000_000_000
BUY_DECIMALS = (2, 8)
SELL_DECIMALS = (1, 6)


@dataclass
class Arrays:
    state: np.ndarray
    levels: np.ndarray
    terms: np.ndarray
    routes: np.ndarray
    out: np.ndarray

    def find(self, book: int = 0, at_ns: int = 0) -> int:
        return int(
            gap.find_gaps(book, at_ns, self.state, self.levels, self.terms, self.routes, self.out)
        )


def make_arrays(asks: list[tuple[int, int]], bids: list[tuple[int, int]], terms: Terms) -> Arrays:
    """Book 0 is bought at `asks`, book 1 is sold at `bids`; their other sides are far away."""
    state = np.zeros((2, layout.STATE_COLUMNS), np.int64)
    levels = np.zeros((4, 16, 2), np.int64)
    table = np.zeros((2, layout.TERM_COLUMNS))
    routes = np.zeros((2, layout.ROUTE_COLUMNS))
    size_max = np.inf if terms.size_max is None else float(terms.size_max)
    far = {(0, layout.BID): [(1, 1)], (1, layout.ASK): [(10**12, 1)]}
    sides = far | {(0, layout.ASK): asks, (1, layout.BID): bids}
    for (book, side), held in sides.items():
        sign = 1 if side == layout.BID else -1
        rows = sorted((sign * price, size) for price, size in held)
        levels[2 * book + side, : len(rows)] = rows
        state[book, layout.COUNT + side] = len(rows)
    for book, (price_decimals, size_decimals) in enumerate((BUY_DECIMALS, SELL_DECIMALS)):
        state[book, layout.IS_LIVE] = 1
        table[book] = (
            10.0**-price_decimals,
            10.0**-size_decimals,
            float((terms.fee_buy, terms.fee_sell)[book]),
            AGE_NS_MAX,
            book,
            book + 1,
        )
        routes[book] = (0, 1, float(terms.transfer), float(terms.edge_min), size_max)
    return Arrays(state, levels, table, routes, np.zeros((4, layout.OUT_COLUMNS)))


def exact(side: list[tuple[int, int]], decimals: tuple[int, int]) -> list[Level]:
    return [
        (Fraction(price, 10 ** decimals[0]), Fraction(size, 10 ** decimals[1]))
        for price, size in side
    ]


def distinct(side: list[tuple[int, int]], *, is_ask: bool) -> list[tuple[int, int]]:
    return sorted(dict(side).items(), reverse=not is_ask)


def bps(low: int, high: int) -> st.SearchStrategy[Fraction]:
    return st.integers(low, high).map(lambda n: Fraction(n, 10_000))


# Prices of both books lie within 2 % of 1,000, so that most examples have a gap.
ask_sides = st.lists(
    st.tuples(st.integers(98_000, 101_000), st.integers(1, 10**9)), min_size=1, max_size=8
)
bid_sides = st.lists(
    st.tuples(st.integers(9_900, 10_200), st.integers(1, 10**7)), min_size=1, max_size=8
)
all_terms = st.builds(
    Terms,
    fee_buy=bps(0, 60),
    fee_sell=bps(0, 60),
    transfer=bps(0, 10),
    edge_min=bps(0, 100),
    size_max=st.one_of(st.none(), st.integers(1, 2000).map(lambda n: Fraction(n, 100))),
)


def compare(arrays: Arrays, found: int, best: Best, terms: Terms) -> None:
    row = arrays.out[0]
    assert found == 1
    assert row[layout.OUT_PROFIT_QUOTE] == pytest.approx(float(best.profit), rel=1e-6, abs=1e-9)
    assert row[layout.OUT_SIZE_BASE] <= float(best.size) * (1 + 1e-6)
    net_bps = row[layout.OUT_PROFIT_QUOTE] / row[layout.OUT_NOTIONAL_QUOTE] * 1e4
    assert row[layout.OUT_NET_BPS] == pytest.approx(net_bps)
    assert net_bps >= float(terms.edge_min) * 1e4 - 1e-6


@settings(max_examples=400, deadline=None)
@given(asks=ask_sides, bids=bid_sides, terms=all_terms)
def test_walk_finds_the_profit_of_the_exact_brute_force(
    asks: list[tuple[int, int]], bids: list[tuple[int, int]], terms: Terms
) -> None:
    asks, bids = distinct(asks, is_ask=True), distinct(bids, is_ask=False)
    best = find_best(exact(asks, BUY_DECIMALS), exact(bids, SELL_DECIMALS), terms)
    arrays = make_arrays(asks, bids, terms)

    found = arrays.find()

    if best is None or best.profit < Fraction(1, 10**6):
        assert found == 0 or arrays.out[0, layout.OUT_PROFIT_QUOTE] < 1e-6
    else:
        compare(arrays, found, best, terms)


FREE = Terms(Fraction(0), Fraction(0), Fraction(0), Fraction(0), None)
WIDE = ([(99_000, 10**8)], [(10_000, 10**6)])


def test_both_books_of_a_route_find_the_same_gap() -> None:
    arrays = make_arrays(*WIDE, FREE)

    assert arrays.find(book=0) == 1
    first = arrays.out[0].copy()
    assert arrays.find(book=1) == 1
    assert np.array_equal(first, arrays.out[0])
    assert tuple(first[:2]) == (0, 1)
    assert first[layout.OUT_SIZE_BASE] == pytest.approx(1.0)
    assert first[layout.OUT_PROFIT_QUOTE] == pytest.approx(10.0)
    assert first[layout.OUT_BUY_WORST] == pytest.approx(990.0)
    assert first[layout.OUT_SELL_WORST] == pytest.approx(1000.0)


@pytest.mark.parametrize("book", [0, 1])
@pytest.mark.parametrize("changed", [0, 1])
def test_a_stale_book_on_either_side_yields_nothing(book: int, changed: int) -> None:
    arrays = make_arrays(*WIDE, FREE)
    arrays.state[book, layout.IS_LIVE] = 0

    assert arrays.find(book=changed) == 0


@pytest.mark.parametrize("book", [0, 1])
def test_a_book_is_out_one_nanosecond_past_its_age_limit(book: int) -> None:
    arrays = make_arrays(*WIDE, FREE)
    arrays.state[:, layout.CHANGED_AT_NS] = 5
    arrays.state[1 - book, layout.CHANGED_AT_NS] = 1000

    assert arrays.find(at_ns=AGE_NS_MAX + 5) == 1
    assert arrays.find(at_ns=AGE_NS_MAX + 6) == 0


def test_fees_and_transfer_together_close_the_gap() -> None:
    part = Fraction(40, 10_000)
    open_terms = Terms(part, part, Fraction(0), Fraction(0), None)
    shut_terms = Terms(part, part, Fraction(25, 10_000), Fraction(0), None)

    assert make_arrays(*WIDE, open_terms).find() == 1
    assert make_arrays(*WIDE, shut_terms).find() == 0
