"""Slow twin of the screen: every route through a market of books, sized by plain search."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GOLDEN = 0.6180339887498949
ROUNDS = 200


@dataclass(frozen=True)
class Book:
    """Levels are (price, size), best first."""

    venue: str
    base: str
    quote: str
    bids: Sequence[tuple[float, float]]
    asks: Sequence[tuple[float, float]]
    fee: float


@dataclass(frozen=True)
class Leg:
    book: int
    is_buy: bool


Route = tuple[Leg, ...]


def give(book: Book, leg: Leg, amount: float) -> float:
    """What a leg gives for an amount, walking level by level; what finds no level is lost."""
    got = 0.0
    for price, size in book.asks if leg.is_buy else book.bids:
        if leg.is_buy:
            cost = price * (1 + book.fee)
            take = min(size, amount / cost)
            got += take
            amount -= take * cost
        else:
            take = min(size, amount)
            got += take * price * (1 - book.fee)
            amount -= take
        if amount <= 0:
            break
    return got


def routes(books: Sequence[Book], legs_max: int) -> Iterator[Route]:
    """Every cycle that visits no asset and no book twice, in each of its turns."""

    def ends(leg: Leg) -> tuple[str, str]:
        book = books[leg.book]
        return (book.quote, book.base) if leg.is_buy else (book.base, book.quote)

    all_legs = [Leg(i, is_buy) for i in range(len(books)) for is_buy in (True, False)]

    def extend(path: Route) -> Iterator[Route]:
        seen = {ends(leg)[0] for leg in path}
        for leg in all_legs:
            source, target = ends(leg)
            if source != ends(path[-1])[1] or any(leg.book == held.book for held in path):
                continue
            if target == ends(path[0])[0]:
                yield (*path, leg)
            elif target not in seen and len(path) + 1 < legs_max:
                yield from extend((*path, leg))

    for leg in all_legs:
        yield from extend((leg,))


def pays(books: Sequence[Book], route: Route, transfer: float) -> float:
    """What a unit of the input costs: itself, and half a transfer per change of the venue."""
    venues = [books[leg.book].venue for leg in route]
    changes = sum(a != b for a, b in zip(venues, [*venues[1:], venues[0]], strict=True))
    return 1 + transfer * changes / 2


def profit(books: Sequence[Book], route: Route, amount: float, unit_cost: float) -> float:
    got = amount
    for leg in route:
        got = give(books[leg.book], leg, got)
    return got - amount * unit_cost


def size(books: Sequence[Book], route: Route, *, edge_min: float, transfer: float) -> float:
    """The input at which each unit gains the least edge at the margin, by golden section."""
    unit_cost = pays(books, route, transfer) + edge_min
    first = books[route[0].book]
    levels = first.asks if route[0].is_buy else first.bids
    high = sum(
        size * (price * (1 + first.fee) if route[0].is_buy else 1.0) for price, size in levels
    )
    low = 0.0
    for _ in range(ROUNDS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if profit(books, route, left, unit_cost) < profit(books, route, right, unit_cost):
            low = left
        else:
            high = right
    return (low + high) / 2
