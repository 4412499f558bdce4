"""Freshness: which books may be acted on, when venues are lost and back, and time spent stale.

A book is fresh while it is live and its last change is no older than the age limit. A venue is
lost when none of its books is fresh any more. Both edges are values; nothing is hidden.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.domain.faults import Fault
from engine.domain.instruments import VenueId
from engine.domain.units import NS_PER_S
from engine.market.board import Board


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueLost:
    """A venue went out of every decision, for this reason."""

    venue: VenueId
    at_ns: int
    fault: Fault
    books: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueBack:
    """A lost venue has a fresh book again."""

    venue: VenueId
    at_ns: int
    lost_ms: int


VenueEdge = VenueLost | VenueBack
NO_EDGES: tuple[VenueEdge, ...] = ()


class Freshness:
    """Follows the freshness of every book of a board."""

    def __init__(self, board: Board, *, age_ns_max: int) -> None:
        self._board = board
        self._age_ns_max = age_ns_max
        self._is_fresh = bytearray(board.capacity)
        self._is_known = [False] * board.capacity
        self._stale_from_ns = [0] * board.capacity
        self._stale_ns = [0] * board.capacity
        self._fresh_count: Counter[VenueId] = Counter()
        self._lost_at_ns: dict[VenueId, int] = {}

    def on_change(self, book: int, at_ns: int) -> Sequence[VenueEdge]:
        """Update one book that changed; return the edges this caused."""
        if self._is_fresh[book] == self._board.is_live(book):
            return NO_EDGES
        return self._update(book, at_ns)

    def update(self, at_ns: int) -> Sequence[VenueEdge]:
        """Update every book by its age, as on each tick; return the edges found."""
        edges: list[VenueEdge] = []
        is_fresh = self._board.are_fresh(at_ns=at_ns, age_ns_max=self._age_ns_max)
        was_fresh = np.frombuffer(self._is_fresh, np.bool_, count=len(is_fresh))
        for book in np.flatnonzero(is_fresh != was_fresh).tolist():
            edges.extend(self._update(book, at_ns))
        return edges or NO_EDGES

    def age_ns(self, book: int, at_ns: int) -> int | None:
        """Return the time since the book's last change, None before the first."""
        changed_at_ns = self._board.changed_at_ns(book)
        return at_ns - changed_at_ns if changed_at_ns else None

    def venue_age_ns(self, venue: VenueId, at_ns: int) -> int | None:
        """Return the age of the venue's newest change, None before the first."""
        ages = [self.age_ns(book, at_ns) for book in self._books_of(venue)]
        return min((age for age in ages if age is not None), default=None)

    def fresh_books(self, venue: VenueId) -> int:
        """Return the number of the venue's books that may be acted on."""
        return self._fresh_count[venue]

    def is_lost(self, venue: VenueId) -> bool:
        """Say whether the venue was live once and has no fresh book now."""
        return venue in self._lost_at_ns

    def stale_s(self, venue: VenueId, at_ns: int) -> float:
        """Return the time its books spent stale after first being live, summed over books."""
        total_ns = 0
        for book in self._books_of(venue):
            total_ns += self._stale_ns[book]
            is_former = book in self._board.former
            if self._is_known[book] and not self._is_fresh[book] and not is_former:
                total_ns += max(at_ns - self._stale_from_ns[book], 0)
        return total_ns / NS_PER_S

    def step_clock(self, step_ns: int) -> None:
        """Keep what has lasted as long as it has, whatever the clock was set by."""
        self._stale_from_ns = [from_ns + step_ns for from_ns in self._stale_from_ns]
        for venue in self._lost_at_ns:
            self._lost_at_ns[venue] += step_ns

    def _books_of(self, venue: VenueId) -> list[int]:
        instruments = self._board.instruments
        return [book for book, instrument in enumerate(instruments) if instrument.venue == venue]

    def _update(self, book: int, at_ns: int) -> Sequence[VenueEdge]:
        is_fresh = self._board.is_fresh(book, at_ns=at_ns, age_ns_max=self._age_ns_max)
        if is_fresh == self._is_fresh[book]:
            return NO_EDGES
        self._is_fresh[book] = is_fresh
        return self._to_fresh(book, at_ns) if is_fresh else self._to_stale(book, at_ns)

    def _to_fresh(self, book: int, at_ns: int) -> Sequence[VenueEdge]:
        venue = self._board.instruments[book].venue
        if self._is_known[book]:
            # A change after an age-out may carry the very time it is seen at.
            self._stale_ns[book] += max(at_ns - self._stale_from_ns[book], 0)
        self._is_known[book] = True
        self._fresh_count[venue] += 1
        if self._fresh_count[venue] > 1 or venue not in self._lost_at_ns:
            return NO_EDGES
        lost_ms = max(at_ns - self._lost_at_ns.pop(venue), 0) // 1_000_000
        return (VenueBack(venue=venue, at_ns=at_ns, lost_ms=lost_ms),)

    def _to_stale(self, book: int, at_ns: int) -> Sequence[VenueEdge]:
        venue = self._board.instruments[book].venue
        is_aged = self._board.is_live(book)
        fault = None if is_aged else self._board.stale_reasons[book]
        aged_at_ns = self._board.changed_at_ns(book) + self._age_ns_max
        self._stale_from_ns[book] = min(aged_at_ns, at_ns) if is_aged else at_ns
        self._fresh_count[venue] -= 1
        if self._fresh_count[venue]:
            return NO_EDGES
        self._lost_at_ns[venue] = self._stale_from_ns[book]
        lost = VenueLost(
            venue=venue,
            at_ns=at_ns,
            fault=fault or Fault.STALLED,
            books=sum(book not in self._board.former for book in self._books_of(venue)),
        )
        return (lost,)
