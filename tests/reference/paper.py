"""Slow twin of paper fills: replays a written market without any part of the executor.

A history is a list of (instant, book, bids, asks) snapshots. An order that arrives at an instant
meets the last snapshot strictly before it; what earlier orders took from a level is gone until a
snapshot shows that level with another size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from engine.domain.opportunities import Side
from engine.domain.orders import Order

Sides = tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]


@dataclass(frozen=True)
class Shown:
    at_ns: int
    book: int
    sides: Sides | None
    """Bids and asks; None while the book is lost."""


@dataclass
class History:
    age_ns_max: int
    shown: list[Shown] = field(default_factory=list)

    def fills(self, orders: Sequence[tuple[Order, int]]) -> list[list[tuple[Decimal, Decimal]]]:
        """Return (price, size) fills of orders with their books, in order of arrival."""
        taken: dict[tuple[int, int, Decimal], Decimal] = {}
        pending = list(self.shown)
        sides: dict[int, Shown] = {}
        result = []
        for order, book in orders:
            while pending and pending[0].at_ns < order.arrives_at_ns:
                self._show(pending.pop(0), sides, taken)
            result.append(self._fill(order, book, sides.get(book), taken))
        return result

    def _show(
        self,
        shown: Shown,
        sides: dict[int, Shown],
        taken: dict[tuple[int, int, Decimal], Decimal],
    ) -> None:
        before = sides.get(shown.book)
        sides[shown.book] = shown
        for side in (0, 1):
            old = before.sides[side] if before and before.sides else {}
            new = shown.sides[side] if shown.sides else {}
            for price in old.keys() | new.keys():
                if old.get(price) != new.get(price):
                    taken.pop((shown.book, side, price), None)

    def _fill(
        self,
        order: Order,
        book: int,
        shown: Shown | None,
        taken: dict[tuple[int, int, Decimal], Decimal],
    ) -> list[tuple[Decimal, Decimal]]:
        is_stale = (
            shown is None
            or shown.sides is None
            or order.arrives_at_ns - shown.at_ns > self.age_ns_max
        )
        if is_stale:
            return []
        assert shown is not None
        assert shown.sides is not None
        side = 1 if order.side is Side.BUY else 0
        left = order.size_base
        fills = []
        for price in sorted(shown.sides[side], reverse=side == 0):
            is_beyond = price > order.price_limit if side else price < order.price_limit
            if is_beyond or left == 0:
                break
            gone = taken.get((book, side, price), Decimal(0))
            take = min(shown.sides[side][price] - gone, left)
            if take > 0:
                taken[book, side, price] = gone + take
                left -= take
                fills.append((price, take))
        return fills


def profit_of(
    orders: Sequence[tuple[Order, list[tuple[Decimal, Decimal]]]],
    *,
    fee_bps: Decimal,
    base_fee_venues: Sequence[str] = (),
) -> Fraction:
    """Cash of replayed fills after a fee per order, rounded up to 1e-8."""
    cash = Fraction(0)
    for order, fills in orders:
        value = sum((Fraction(price * size) for price, size in fills), Fraction(0))
        takes_base = order.side is Side.BUY and order.instrument.venue in base_fee_venues
        fee = Fraction(0) if takes_base else ceil_share(value, fee_bps)
        cash += (-value if order.side is Side.BUY else value) - fee
    return cash


def ceil_share(amount: Fraction, fee_bps: Decimal) -> Fraction:
    return -(-(amount * Fraction(fee_bps) / 10_000 * 10**8) // 1) / Fraction(10**8)
