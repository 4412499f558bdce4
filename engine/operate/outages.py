"""Tells of venues and chains that are out for long: once, after a while, and of their end.

Decisions do not wait for any of this: a venue that is lost is out of them at once. What is told is
a state that has lasted, so that a book that is quiet now and then, a moment's fault or the closing
of all connections at a stop make no notice.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from engine.bus.notices import Notice, VenueBack, VenueLost
from engine.detect.moving.moving_pools import MovingPools
from engine.detect.moving.pool_health import chain_of
from engine.domain.faults import Fault
from engine.domain.health import Health, Sight
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_MS
from engine.market.board import Board
from engine.market.freshness import Freshness

TOLD_AFTER_NS: Final = 10_000_000_000
"""An outage is told when it has lasted this long ..."""

TOLD_AFTER_START_NS: Final = 30_000_000_000
"""... and that of a venue which was not live yet in this run, after this."""

SEEN_AFTER_NS: Final = 3_000_000_000
"""An outage is one for whoever looks when it has lasted this long; resyncs are shorter."""

STEADY_NS: Final = 30_000_000_000
"""A venue that was told to be out is back when it has been live for this long on end."""


@dataclass(slots=True)
class _Watch:
    """What is known of one place; 0 stands for no such instant."""

    out_at_ns: int
    told_after_ns: int = TOLD_AFTER_START_NS
    back_at_ns: int = 0
    is_told: bool = False


class Place(Protocol):
    """What may be out: a venue with its books, or a chain with its pools."""

    is_chain: bool

    def is_live(self, at_ns: int) -> bool:
        """Say whether any of it may be acted on."""
        ...

    def count(self) -> int:
        """Return how many books or pools it has now."""
        ...

    def fault(self, at_ns: int) -> Fault:
        """Return why most of it is out."""
        ...


class Outages:
    """Watches the venues and chains of a run.

    Args:
        places: what is watched, by name.
        tell: takes a notice.
    """

    def __init__(
        self,
        places: Mapping[VenueId, Place],
        *,
        basis: Basis,
        tell: Callable[[Notice], None],
        at_ns: int,
    ) -> None:
        self._places = places
        self._basis = basis
        self._tell = tell
        self._watches = {name: _Watch(at_ns) for name in places}

    def update(self, at_ns: int) -> None:
        """Update every place, as on each tick."""
        for venue, watch in self._watches.items():
            if self._places[venue].is_live(at_ns):
                self._live(venue, watch, at_ns)
            else:
                self._out(venue, watch, at_ns)

    def sights(self, at_ns: int) -> list[Sight]:
        """Return how each place stands, for whoever watches health; see `health.component_list`.

        One that was not live yet in this run is unseen until an outage of it would be told.
        """
        return [self._sight(venue, watch, at_ns) for venue, watch in self._watches.items()]

    def step_clock(self, step_ns: int) -> None:
        """Keep outages as long as they are, whatever the clock was set by."""
        for watch in self._watches.values():
            watch.out_at_ns += step_ns if watch.out_at_ns else 0
            watch.back_at_ns += step_ns if watch.back_at_ns else 0

    def _sight(self, venue: VenueId, watch: _Watch, at_ns: int) -> Sight:
        place = self._places[venue]
        name = f"{'chain' if place.is_chain else 'feed'}/{venue}"
        is_new = watch.told_after_ns != TOLD_AFTER_NS
        lasts_ns = at_ns - watch.out_at_ns if watch.out_at_ns else 0
        if is_new and lasts_ns < watch.told_after_ns:
            return Sight(component=name, health=Health.UNSEEN, why="not live yet in this run")
        if watch.out_at_ns == 0 or watch.back_at_ns or lasts_ns < SEEN_AFTER_NS:
            return Sight(component=name, health=Health.WELL, since_ns=watch.back_at_ns)
        why = f"{place.fault(at_ns)}, {place.count()} {'pools' if place.is_chain else 'books'}"
        return Sight(component=name, health=Health.DOWN, why=why, since_ns=watch.out_at_ns)

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
        place = self._places[venue]
        self._tell(
            VenueLost(
                at_ns=at_ns,
                basis=self._basis,
                venue=venue,
                fault=place.fault(at_ns),
                books=place.count(),
                is_chain=place.is_chain,
            )
        )


class BooksOf:
    """The books of a venue; obeys `Place`.

    Args:
        books: its rows now; they may change.
    """

    is_chain = False

    def __init__(
        self, venue: VenueId, board: Board, freshness: Freshness, books: Sequence[int]
    ) -> None:
        self._venue = venue
        self._board = board
        self._freshness = freshness
        self._books = books

    def is_live(self, at_ns: int) -> bool:
        """See `Place.is_live`."""
        del at_ns
        return bool(self._freshness.fresh_books(self._venue))

    def count(self) -> int:
        """See `Place.count`."""
        return len(self._books)

    def fault(self, at_ns: int) -> Fault:
        """See `Place.fault`; a book that is live is out by its age alone."""
        del at_ns
        faults = Counter(
            Fault.STALLED
            if self._board.is_live(book)
            else self._board.stale_reasons[book] or Fault.DISCONNECTED
            for book in self._books
        )
        return faults.most_common(1)[0][0] if faults else Fault.DISCONNECTED


class PoolsAt:
    """The pools of a chain; obeys `Place`. One without any misses nothing."""

    is_chain = True

    def __init__(self, chain: str, pools: MovingPools) -> None:
        self._chain = chain
        self._pools = pools

    def is_live(self, at_ns: int) -> bool:
        """See `Place.is_live`."""
        counts = self._of_chain(self._pools.known_counts)
        is_followed = self._pools.is_fresh(self._chain, at_ns)
        return is_followed and (counts > 0 or not self.count())

    def count(self) -> int:
        """See `Place.count`."""
        return self._of_chain(self._pools.counts)

    def fault(self, at_ns: int) -> Fault:
        """See `Place.fault`."""
        is_followed = self._pools.is_fresh(self._chain, at_ns)
        return Fault.GAP if is_followed else Fault.STALLED

    def _of_chain(self, counts: Mapping[VenueId, int]) -> int:
        return sum(number for venue, number in counts.items() if chain_of(venue) == self._chain)
