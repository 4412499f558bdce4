"""Which outages are told: a state that lasts, once, and its end with its length."""

import pytest

from bot.render.notices import render_notice
from engine.bus.notices import Notice, StampedNotice, VenueBack, VenueLost
from engine.domain.chains import BlockTerms
from engine.domain.faults import Fault
from engine.domain.health import Health, Sight
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.market.board import Board
from engine.market.freshness import Freshness
from engine.operate.outages import BooksOf, Outages, PoolsAt
from engine.operate.run_header import StreamSpec
from engine.ports import LevelForm
from engine.wiring.ticks import places_of
from tests.core.test_blocks import CHAIN, FIRST, STALE_MS, block, two_pools
from tests.detect.test_live_pools import pair_of
from tests.reference.run_core import make_run_core
from tests.reference.world import SECOND, START_NS, make_instrument

HERE, THERE = VenueId("here"), VenueId("there")
TICK = SECOND // 10


class Watched:
    """A board of two venues, ticked ten times a second."""

    def __init__(self) -> None:
        self.board = Board([make_instrument("here"), make_instrument("there")])
        self.freshness = Freshness(self.board, age_ns_max=10 * SECOND)
        self.told: list[Notice] = []
        self.now_ns = START_NS
        self.outages = Outages(
            {
                HERE: BooksOf(HERE, self.board, self.freshness, [0]),
                THERE: BooksOf(THERE, self.board, self.freshness, [1]),
            },
            basis=Basis.LIVE,
            tell=self.told.append,
            at_ns=START_NS,
        )

    def change(self, *books: int) -> None:
        for book in books:
            self.board.replace(book, LevelForm.PAIRS, b"[[1,1]]", b"[[2,1]]", self.now_ns)
            self.freshness.on_change(book, self.now_ns)

    def lose(self, book: int, fault: Fault = Fault.DISCONNECTED) -> None:
        self.board.invalidate(book, fault, self.now_ns)
        self.freshness.on_change(book, self.now_ns)

    def run(self, seconds: float, *, here_every_s: float = 1.0, there_every_s: float = 1.0) -> None:
        """Let time pass; a book whose interval is 0 does not change."""
        for tick in range(1, int(seconds * 10) + 1):
            self.now_ns += TICK
            for book, every_s in enumerate((here_every_s, there_every_s)):
                if every_s and tick % int(every_s * 10) == 0:
                    self.change(book)
            self.freshness.update(self.now_ns)
            self.outages.update(self.now_ns)


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    watched.change(0, 1)
    watched.run(60)
    return watched


def test_an_outage_is_told_once_and_its_end_with_its_length(watched: Watched) -> None:
    watched.lose(0, Fault.VENUE_ERROR)
    watched.run(9.9, here_every_s=0)
    assert watched.told == []
    watched.run(600, here_every_s=0)
    watched.run(120)

    lost, back = watched.told
    assert isinstance(lost, VenueLost)
    assert (lost.venue, lost.fault, lost.books) == (HERE, Fault.VENUE_ERROR, 1)
    assert isinstance(back, VenueBack)
    assert back.venue == HERE
    assert back.lost_ms == pytest.approx(610_900, abs=300)


@pytest.mark.parametrize("every_s", [11.0, 15.0, 19.0])
def test_an_hour_of_a_quiet_venue_is_no_notice(watched: Watched, every_s: float) -> None:
    watched.run(3_600, here_every_s=every_s)

    assert watched.told == []


@pytest.mark.parametrize("every_s", [25.0, 45.0, 120.0])
def test_an_hour_of_a_nearly_silent_venue_is_one_notice(watched: Watched, every_s: float) -> None:
    watched.run(3_600, here_every_s=every_s)

    assert [type(notice) for notice in watched.told] == [VenueLost]


def test_faults_that_heal_are_no_notice(watched: Watched) -> None:
    for number in range(60):
        watched.lose(number % 2, Fault.GAP)
        watched.run(0.5, here_every_s=0, there_every_s=0)
        watched.change(0, 1)
        watched.run(1)

    assert watched.told == []


def test_losing_every_connection_at_a_stop_is_no_notice(watched: Watched) -> None:
    watched.lose(0)
    watched.lose(1)
    watched.run(5, here_every_s=0, there_every_s=0)

    assert watched.told == []


def test_a_venue_that_does_not_come_up_is_told_after_half_a_minute() -> None:
    watched = Watched()
    watched.change(1)

    watched.run(29, here_every_s=0)
    assert watched.told == []
    watched.run(2, here_every_s=0)

    (lost,) = watched.told
    assert isinstance(lost, VenueLost)
    assert lost.venue == HERE


def test_a_chain_that_falls_silent_is_told_once_and_its_end_with_its_length() -> None:
    world = two_pools()
    told: list[Notice] = []
    chain = VenueId(CHAIN)
    outages = Outages(
        {chain: PoolsAt(CHAIN, world.moving)},
        basis=Basis.SANDBOX,
        tell=told.append,
        at_ns=world.now_ns,
    )

    def run(seconds: int, *, has_blocks: bool) -> None:
        for _ in range(seconds):
            world.now_ns += SECOND
            if has_blocks:
                numbers.append(numbers[-1] + 1)
                world.moving.take(block(numbers[-1]), world.now_ns)
            outages.update(world.now_ns)

    numbers = [FIRST]
    run(60, has_blocks=True)
    assert told == []
    run(STALE_MS // 1_000 + 600, has_blocks=False)
    run(60, has_blocks=True)

    lost, back = told
    assert isinstance(lost, VenueLost)
    assert (lost.venue, lost.fault, lost.books, lost.is_chain) == (chain, Fault.STALLED, 2, True)
    assert "2 pools left" in repr(render_notice(StampedNotice(seq=1, notice=lost)))
    assert isinstance(back, VenueBack)
    assert back.lost_ms == pytest.approx(600_000, abs=2_000)


def test_a_chain_without_pools_that_may_be_used_is_out_though_its_blocks_come() -> None:
    world = two_pools()
    place = PoolsAt(CHAIN, world.moving)
    assert place.is_live(world.now_ns)

    world.moving.lose(CHAIN, Fault.GAP)
    world.moving.take(block(FIRST + 1), world.now_ns)

    assert not place.is_live(world.now_ns)
    assert place.fault(world.now_ns) is Fault.GAP


def test_every_venue_and_every_chain_of_a_run_is_watched() -> None:
    core = make_run_core(
        [make_instrument("bitstamp")],
        [pair_of(1_000, 2_000_000)],
        [StreamSpec(venue=VenueId("bitstamp"), feed="diff", books=[0])],
        chains={CHAIN: BlockTerms(stale_ms=STALE_MS, undo_blocks=3)},
    )

    places = places_of(core)

    assert {name: place.is_chain for name, place in places.items()} == {
        "bitstamp": False,
        CHAIN: True,
    }
    assert [place.count() for place in places.values()] == [1, 1]


def test_whoever_looks_sees_an_outage_from_its_beginning_and_no_short_fault(
    watched: Watched,
) -> None:
    def here() -> Sight:
        return watched.outages.sights(watched.now_ns)[0]

    assert here() == Sight(component="feed/here", health=Health.WELL)
    watched.lose(0, Fault.GAP)
    watched.run(2.8, here_every_s=0)
    assert here().health is Health.WELL
    watched.run(0.4, here_every_s=0)
    lost_ns = watched.now_ns - 3_200_000_000

    assert here().health is Health.DOWN
    assert here().since_ns == pytest.approx(lost_ns, abs=3 * TICK)
    assert here().why == "gap, 1 books"
    watched.run(5)
    assert here().health is Health.WELL


def test_a_venue_that_was_not_live_yet_is_unseen_before_it_is_down() -> None:
    watched = Watched()
    watched.change(1)
    watched.run(29, here_every_s=0)
    assert watched.outages.sights(watched.now_ns)[0].health is Health.UNSEEN
    watched.run(2, here_every_s=0)

    assert watched.outages.sights(watched.now_ns)[0].health is Health.DOWN
