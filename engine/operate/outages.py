"""Tells of venues that are out for long: once, after a while, and of their end with their length.

Decisions do not wait for any of this: a venue that is lost is out of them at once. What is told is
a state that has lasted, so that a book that is quiet now and then, a moment's fault or the closing
of all connections at a stop make no notice.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.bus.notices import Notice, VenueBack, VenueLost
from engine.domain.faults import Fault
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_MS
from engine.market.board import Board
from engine.market.freshness import Freshness

TOLD_AFTER_NS: Final = 10_000_000_000
"""An outage is told when it has lasted this long ..."""

TOLD_AFTER_START_NS: Final = 30_000_000_000
"""... and that of a venue which was not live yet in this run, after this."""

STEADY_NS: Final = 30_000_000_000
"""A venue that was told to be out is back when it has been live for this long on end."""


@dataclass(slots=True)
class _Watch:
    """What is known of one venue; 0 stands for no such instant."""

    out_at_ns: int
    told_after_ns: int = TOLD_AFTER_START_NS
    back_at_ns: int = 0
    is_told: bool = False


class Outages:
    """Watches the venues of a run.

    Args:
        books_of: the rows of each venue now; they may change.
        tell: takes a notice.
    """

    def __init__(
        self,
        board: Board,
        freshness: Freshness,
        books_of: Mapping[VenueId, list[int]],
        *,
        basis: Basis,
        tell: Callable[[Notice], None],
        at_ns: int,
    ) -> None:
        self._board = board
        self._freshness = freshness
        self._books_of = books_of
        self._basis = basis
        self._tell = tell
        self._watches = {venue: _Watch(at_ns) for venue in books_of}

    def update(self, at_ns: int) -> None:
        """Update every venue, as on each tick."""
        for venue, watch in self._watches.items():
            if self._freshness.fresh_books(venue):
                self._live(venue, watch, at_ns)
            else:
                self._out(venue, watch, at_ns)

    def step_clock(self, step_ns: int) -> None:
        """Keep outages as long as they are, whatever the clock was set by."""
        for watch in self._watches.values():
            watch.out_at_ns += step_ns if watch.out_at_ns else 0
            watch.back_at_ns += step_ns if watch.back_at_ns else 0

    def _live(self, venue: VenueId, watch: _Watch, at_ns: int) -> None:
        watch.told_after_ns = TOLD_AFTER_NS
        if not watch.is_told:
            watch.out_at_ns = 0
            return
        watch.back_at_ns = watch.back_at_ns or at_ns
        if at_ns - watch.back_at_ns >= STEADY_NS:
            lost_ms = (watch.back_at_ns - watch.out_at_ns) // NS_PER_MS
            self._tell(VenueBack(at_ns=at_ns, basis=self._basis, venue=venue, lost_ms=lost_ms))
            watch.is_told = False
            watch.out_at_ns = watch.back_at_ns = 0

    def _out(self, venue: VenueId, watch: _Watch, at_ns: int) -> None:
        watch.out_at_ns = watch.out_at_ns or at_ns
        watch.back_at_ns = 0
        if watch.is_told or at_ns - watch.out_at_ns < watch.told_after_ns:
            return
        watch.is_told = True
        books = self._books_of[venue]
        self._tell(
            VenueLost(
                at_ns=at_ns,
                basis=self._basis,
                venue=venue,
                fault=self._fault(books),
                books=len(books),
            )
        )

    def _fault(self, books: list[int]) -> Fault:
        """Return why most of these books are out; one that is live is out by its age alone."""
        faults = Counter(
            Fault.STALLED
            if self._board.is_live(book)
            else self._board.stale_reasons[book] or Fault.DISCONNECTED
            for book in books
        )
        return faults.most_common(1)[0][0] if faults else Fault.DISCONNECTED
