"""Venues lost and back, and the time their books spend stale."""

import pytest

from engine.domain.faults import Fault
from engine.domain.instruments import VenueId
from engine.market.board import Board
from engine.market.freshness import Freshness, VenueBack, VenueLost
from engine.ports import LevelForm
from tests.reference.world import SECOND, START_NS, make_instrument

HERE = VenueId("here")
AGE_NS_MAX = 10 * SECOND


class Watched:
    def __init__(self) -> None:
        self.board = Board([make_instrument("here"), make_instrument("here", "ETH-USD")])
        self.freshness = Freshness(self.board, age_ns_max=AGE_NS_MAX)
        self.now_ns = START_NS

    def show(self, book: int) -> list[object]:
        self.board.replace(book, LevelForm.PAIRS, b"[[1,1]]", b"[[2,1]]", self.now_ns)
        return list(self.freshness.on_change(book, self.now_ns))

    def lose(self, book: int, fault: Fault) -> list[object]:
        self.board.invalidate(book, fault, self.now_ns)
        return list(self.freshness.on_change(book, self.now_ns))

    def stale_s(self) -> float:
        return self.freshness.stale_s(HERE, self.now_ns)


def test_a_venue_that_was_never_live_is_neither_lost_nor_back() -> None:
    watched = Watched()

    assert watched.freshness.update(watched.now_ns) == ()
    assert watched.show(0) == []
    assert watched.stale_s() == 0


def test_a_venue_is_lost_only_with_its_last_fresh_book_and_back_with_the_first() -> None:
    watched = Watched()
    watched.show(0)
    watched.show(1)

    assert watched.lose(0, Fault.GAP) == []
    watched.now_ns += SECOND
    lost = watched.lose(1, Fault.DISCONNECTED)
    watched.now_ns += 3 * SECOND
    back = watched.show(0)

    assert lost == [
        VenueLost(venue=HERE, at_ns=START_NS + SECOND, fault=Fault.DISCONNECTED, books=2)
    ]
    assert back == [VenueBack(venue=HERE, at_ns=START_NS + 4 * SECOND, lost_ms=3_000)]
    assert watched.stale_s() == pytest.approx(4 + 3)


def test_a_silent_book_is_stale_from_the_moment_its_age_limit_passed() -> None:
    watched = Watched()
    watched.show(0)

    watched.now_ns += AGE_NS_MAX
    assert watched.freshness.update(watched.now_ns) == ()
    watched.now_ns += 2 * SECOND
    (edge,) = watched.freshness.update(watched.now_ns)

    assert isinstance(edge, VenueLost)
    assert edge.fault is Fault.STALLED
    assert watched.stale_s() == pytest.approx(2)
    assert watched.freshness.is_lost(HERE)
    assert [type(one) for one in watched.show(0)] == [VenueBack]
    assert watched.freshness.venue_age_ns(HERE, watched.now_ns + 5) == 5
    assert watched.freshness.fresh_books(HERE) == 1


def test_a_book_that_never_changed_has_no_age() -> None:
    watched = Watched()

    assert watched.freshness.venue_age_ns(HERE, watched.now_ns) is None
