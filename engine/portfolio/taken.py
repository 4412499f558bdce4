"""Liquidity that earlier paper trades have taken.

A paper trade leaves no mark on the real book, so the same resting order would seem to be there
for the next trade. What was taken is remembered per book, side and price, and counts until the
venue itself changes the size of that level. What a real order was expected to take and did not is
given back.
"""

from dataclasses import dataclass
from typing import Protocol


class Levels(Protocol):
    """The board, as far as it is needed here."""

    def size_at(self, book: int, side: int, price_steps: int) -> int:
        """Return the size in steps that rests at a price, 0 if there is none."""
        ...


@dataclass(slots=True)
class _Taken:
    number: int
    steps: int
    seen_steps: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one order took of a level, by the number under which that level was remembered."""

    book: int
    side: int
    price_steps: int
    number: int
    steps: int


LEVELS_MAX = 10_000
"""Most levels remembered per book; beyond it the oldest is forgotten."""


class Taken:
    """Taken size in steps by book, side and price."""

    def __init__(self, levels: Levels, *, levels_max: int = LEVELS_MAX) -> None:
        self._levels = levels
        self._levels_max = levels_max
        self._by_book: dict[int, dict[tuple[int, int], _Taken]] = {}
        self._count = 0

    def has_any(self, book: int) -> bool:
        """Say whether anything of this book is taken."""
        return book in self._by_book

    def steps_at(self, book: int, side: int, price_steps: int) -> int:
        """Return the size in steps that is taken from what rests at this price."""
        held = self._by_book.get(book)
        taken = held.get((side, price_steps)) if held else None
        return taken.steps if taken else 0

    def of_side(self, book: int, side: int) -> dict[int, int]:
        """Return what is taken of a side now, in steps by price."""
        held = self._by_book.get(book, {})
        return {price: taken.steps for (its_side, price), taken in held.items() if its_side == side}

    def take(self, book: int, side: int, price_steps: int, size_steps: int) -> Share:
        """Remember that a trade took this much from the level as it is now."""
        held = self._by_book.setdefault(book, {})
        taken = held.get((side, price_steps))
        if taken is not None:
            taken.steps += size_steps
            return Share(book, side, price_steps, taken.number, size_steps)
        if len(held) >= self._levels_max:
            del held[next(iter(held))]
        seen_steps = self._levels.size_at(book, side, price_steps)
        self._count += 1
        held[side, price_steps] = _Taken(self._count, size_steps, seen_steps)
        return Share(book, side, price_steps, self._count, size_steps)

    def give_back(self, share: Share) -> None:
        """Forget what was not taken after all, unless the venue has changed the level since."""
        held = self._by_book.get(share.book, {})
        level = (share.side, share.price_steps)
        taken = held.get(level)
        if taken is None or taken.number != share.number:
            return
        taken.steps -= share.steps
        if taken.steps <= 0:
            del held[level]
        if not held:
            del self._by_book[share.book]

    def on_change(self, book: int) -> None:
        """Forget levels whose size the venue has changed since they were taken from."""
        held = self._by_book.get(book)
        if held is None:
            return
        changed = [
            (side, price)
            for (side, price), taken in held.items()
            if self._levels.size_at(book, side, price) != taken.seen_steps
        ]
        for level in changed:
            del held[level]
        if not held:
            del self._by_book[book]
