"""Value of an asset in USD from live books: direct, or through one more book.

A stable coin is valued by a book like any other asset, never taken as one dollar. The coin of a
chain that no book can value is worth what the chain's pools say, beside assets that books value;
one whose books are stale is worth nothing, as any other asset.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from statistics import median

from engine.domain.assets import AssetCode
from engine.domain.instruments import Kind
from engine.kernels.layout import ASK, BID
from engine.market.board import Board

USD = AssetCode("USD")

Step = tuple[int, bool]
"""A book, and whether it is read upside down (quote valued in base)."""


Beside = Callable[[AssetCode], Sequence[tuple[AssetCode, Decimal]]]
"""Says what a whole unit of an asset is worth in others, as places that are no books have it."""


def nothing_beside(_asset: AssetCode) -> Sequence[tuple[AssetCode, Decimal]]:
    """Say that no such place is known."""
    return ()


class Valuation:
    """Values assets by the mid prices of fresh spot books.

    The first way that is live wins: direct books before ways through a second book, each in the
    order of the board's instruments, so that the same board always gives the same value.

    Attributes:
        beside: what stands beside assets that books value, for one that no book leads to USD from.
            The middle of all that it says counts, so that no single pool does.
    """

    def __init__(self, board: Board, *, age_ns_max: int, beside: Beside = nothing_beside) -> None:
        self._board = board
        self._age_ns_max = age_ns_max
        self._ways: dict[AssetCode, tuple[Sequence[Step], ...]] = {}
        self.beside = beside
        self.take_rows()

    def take_rows(self) -> None:
        """Find all ways over the rows that are there: it takes longer than a frame may."""
        steps = find_steps(self._board)
        self._ways = {asset: _find_ways(steps, asset) for asset in steps}

    def usd_per(self, asset: AssetCode, at_ns: int) -> Decimal | None:
        """Return the value of one unit in USD, None if no fresh books give one."""
        value = self._by_books(asset, at_ns)
        if value is not None or self._ways.get(asset):
            return value
        found = [
            rate * usd
            for other, rate in self.beside(asset)
            if (usd := self._by_books(other, at_ns)) is not None
        ]
        return median(found) if found else None

    def _by_books(self, asset: AssetCode, at_ns: int) -> Decimal | None:
        if asset == USD:
            return Decimal(1)
        for way in self._ways.get(asset, ()):
            value = self._value(way, at_ns)
            if value is not None:
                return value
        return None

    def _value(self, way: Sequence[Step], at_ns: int) -> Decimal | None:
        value = Decimal(1)
        for book, is_inverse in way:
            mid = self._mid(book, at_ns)
            if mid is None:
                return None
            value = value / mid if is_inverse else value * mid
        return value

    def _mid(self, book: int, at_ns: int) -> Decimal | None:
        if not self._board.is_fresh(book, at_ns=at_ns, age_ns_max=self._age_ns_max):
            return None
        bid, ask = self._board.best(book, BID), self._board.best(book, ASK)
        if bid is None or ask is None:
            return None
        return self._board.instruments[book].price_of(bid[0] + ask[0]) / 2


def find_steps(board: Board) -> dict[AssetCode, list[tuple[Step, AssetCode]]]:
    """Return the steps from each asset of a spot book and where they lead, in the books' order."""
    steps: dict[AssetCode, list[tuple[Step, AssetCode]]] = {}
    for book, instrument in enumerate(board.instruments):
        pair = instrument.pair
        if instrument.kind is Kind.SPOT and book not in board.former:
            steps.setdefault(pair.base, []).append(((book, False), pair.quote))
            steps.setdefault(pair.quote, []).append(((book, True), pair.base))
    return steps


def _find_ways(
    steps: dict[AssetCode, list[tuple[Step, AssetCode]]], asset: AssetCode
) -> tuple[Sequence[Step], ...]:
    direct = [(step,) for step, end in steps[asset] if end == USD]
    through = [
        (first, second)
        for first, between in steps[asset]
        if between != USD
        for second, end in steps[between]
        if end == USD
    ]
    return (*direct, *through)
