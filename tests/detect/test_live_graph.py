"""The live graph: routes of 2 to 4 legs through changing books, against a plain search."""

import math
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.detect.graph.screen_terms import EDGE_MARGIN_BPS
from engine.domain.modes import Mode
from engine.domain.opportunities import Opportunity
from tests.effort import examples
from tests.reference import screen as twin
from tests.reference.world import AGE_NS_MAX, Levels, Setup, World, make_instrument

MID = {"BTC-USD": 100.0, "ETH-USD": 20.0, "ETH-BTC": 0.2, "BTC-USDT": 100.0, "ETH-USDT": 20.0}
TICK = {"BTC-USD": 0.5, "ETH-USD": 0.1, "ETH-BTC": 0.001, "BTC-USDT": 0.5, "ETH-USDT": 0.1}
VENUES = ("a", "b", "c")
FEE = 0.001
EDGE_MIN = (5.0 + EDGE_MARGIN_BPS) / 10_000
TRANSFER = 0.0002
LISTS = [(venue, pair) for venue in VENUES for pair in MID]


def make_world(listed: list[tuple[str, str]], legs_max: int) -> World:
    instruments = [make_instrument(venue, pair, price_decimals=4) for venue, pair in listed]
    return World(
        Setup(
            instruments=instruments,
            fee_bps="10",
            transfer_bps="2",
            edge_bps_min="5",
            legs_max=legs_max,
            mode=Mode.OBSERVE,
        )
    )


def make_sides(rng: random.Random, pair: str) -> tuple[Levels, Levels]:
    """A book whose middle is off by up to 1.5 ticks and which has one to four levels a side."""
    middle = MID[pair] + rng.uniform(-1.5, 1.5) * TICK[pair]
    bids, asks = [], []
    for depth in range(rng.randrange(1, 5)):
        step = TICK[pair] * (0.1 + 0.3 * depth)
        size = f"{rng.choice([0.1, 1.0, 3.0, 40.0]):.4f}"
        bids.append((f"{middle - step:.4f}", size))
        asks.append((f"{middle + step:.4f}", size))
    return bids, asks


class Mirror:
    """The twin's view of the world's books."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.books: dict[int, twin.Book] = {}

    def show(self, book: int, bids: Levels, asks: Levels) -> None:
        instrument = self.world.board.instruments[book]
        self.books[book] = twin.Book(
            venue=instrument.venue,
            base=instrument.pair.base,
            quote=instrument.pair.quote,
            bids=[(float(price), float(size)) for price, size in bids],
            asks=[(float(price), float(size)) for price, size in asks],
            fee=FEE,
        )
        self.world.show(book, bids, asks)

    def lose(self, book: int) -> None:
        del self.books[book]
        self.world.lose(book)

    def expected(self, legs_max: int) -> Iterator[tuple[twin.Route, float]]:
        """Every cycle in one of its turns, and what a first unit gains above its cost."""
        numbers = sorted(self.books)
        books = [self.books[number] for number in numbers]
        for route in twin.routes(books, legs_max):
            if route != least_turn(route):
                continue
            rate = 1.0
            for leg in route:
                of = books[leg.book]
                rate *= 1 / (of.asks[0][0] * (1 + FEE)) if leg.is_buy else of.bids[0][0] * (1 - FEE)
            over = rate / (twin.pays(books, route, TRANSFER) + EDGE_MIN) - 1
            yield tuple(replace(leg, book=numbers[leg.book]) for leg in route), over


def least_turn(route: twin.Route) -> twin.Route:
    turns = [route[i:] + route[:i] for i in range(len(route))]
    return min(turns, key=lambda turn: [(leg.book, leg.is_buy) for leg in turn])


def route_of(world: World, seen: Opportunity) -> twin.Route:
    return tuple(
        twin.Leg(hop.row, hop.source == world.board.instruments[hop.row].pair.quote)
        for hop in seen.hops
    )


def check(mirror: Mirror, legs_max: int) -> int:
    """Compare the open routes with the twin's; return how many there are."""
    world = mirror.world
    open_routes = {}
    for episode in world.detector.open_episodes:
        seen = world.detector.newest(episode)
        open_routes[least_turn(route_of(world, seen))] = seen
    sure = set()
    for route, over in mirror.expected(legs_max):
        if abs(over) > 1e-9:
            assert (route in open_routes) == (over > 0), (route, over)
        if over > 1e-9:
            sure.add(route)
    assert set(open_routes) >= sure
    numbers = sorted(mirror.books)
    books = [mirror.books[number] for number in numbers]
    for seen in open_routes.values():
        route = tuple(replace(leg, book=numbers.index(leg.book)) for leg in route_of(world, seen))
        best = twin.size(books, route, edge_min=EDGE_MIN, transfer=TRANSFER)
        unit_cost = twin.pays(books, route, TRANSFER)
        wanted = twin.profit(books, route, best, unit_cost + EDGE_MIN)
        amount = seen.hops[0].amount_in
        reached = twin.profit(books, route, amount, unit_cost + EDGE_MIN)
        assert reached >= wanted * (1 - 1e-4) - 1e-12
        assert seen.profit_quote == pytest.approx(
            twin.profit(books, route, amount, unit_cost), rel=1e-6, abs=1e-9
        )
    return len(open_routes)


@settings(max_examples=examples(40), deadline=None)
@given(seed=st.integers(0, 2**32), legs_max=st.integers(2, 4))
def test_the_open_routes_are_those_that_a_plain_search_finds_profitable(
    seed: int, legs_max: int
) -> None:
    rng = random.Random(seed)
    listed = rng.sample(LISTS, rng.randrange(2, 7))
    mirror = Mirror(make_world(listed, legs_max))
    for _ in range(25):
        book = rng.randrange(len(listed))
        if rng.random() < 0.1 and book in mirror.books:
            mirror.lose(book)
        else:
            mirror.show(book, *make_sides(rng, listed[book][1]))
        check(mirror, legs_max)


def test_the_plain_search_of_these_markets_finds_routes_of_every_length() -> None:
    rng = random.Random(3)
    lengths = set()
    for _ in range(20):
        listed = rng.sample(LISTS, 6)
        mirror = Mirror(make_world(listed, 4))
        for book, (_, pair) in enumerate(listed):
            mirror.show(book, *make_sides(rng, pair))
        assert check(mirror, 4) == len(mirror.world.detector.open_episodes)
        lengths |= {len(one.first.hops) for one in mirror.world.detector.open_episodes}
    assert lengths == {2, 3, 4}


def triangle() -> World:
    """BTC-USD, ETH-BTC and ETH-USD at one venue, the last one too high."""
    world = make_world([("a", "BTC-USD"), ("a", "ETH-BTC"), ("a", "ETH-USD")], 4)
    world.show(0, [("99.9", "5")], [("100", "5")])
    world.show(1, [("0.1999", "50")], [("0.2", "50")])
    world.show(2, [("20.5", "10")], [("20.6", "10")])
    return world


def test_a_triangle_within_one_venue_starts_in_dollars_and_pays_no_transfer() -> None:
    world = triangle()

    (seen,) = world.journal.found

    assert [(hop.source, hop.target) for hop in seen.hops] == [
        ("USD", "BTC"),
        ("BTC", "ETH"),
        ("ETH", "USD"),
    ]
    assert {hop.venue for hop in seen.hops} == {"a"}
    rate = 20.5 * 0.999 / (0.2 * 1.001) / (100 * 1.001)
    assert seen.profit_quote / seen.hops[0].amount_in == pytest.approx(rate - 1, rel=1e-9)
    assert seen.gross_edge_bps == pytest.approx((20.5 / 0.2 / 100 - 1) * 1e4)
    assert seen.size_base == pytest.approx(seen.hops[0].amount_in / 100.1)


def test_a_route_ends_when_a_leg_in_its_middle_gets_worse() -> None:
    world = triangle()

    world.change(1, [], [("0.2", "0"), ("0.206", "50")])

    assert world.detector.open_episodes == ()
    assert [one.is_stale for one in world.journal.closed] == [False]


def test_a_route_through_a_book_grown_too_old_ends_and_returns_with_the_next_change() -> None:
    world = triangle()
    world.wait(AGE_NS_MAX / 1e6 - 1)
    world.change(0, [("99.8", "1")], [])
    world.change(2, [("20.4", "1")], [])
    world.wait(2)
    world.tick()
    assert [one.is_stale for one in world.journal.closed] == [True]

    world.change(1, [("0.1998", "1")], [])

    assert len(world.detector.open_episodes) == 1
    assert world.detector.found == 2


def test_depth_alone_gives_an_open_route_new_figures() -> None:
    world = triangle()
    (episode,) = world.detector.open_episodes
    before = episode.profit_quote

    world.change(2, [("20.45", "7")], [])

    assert episode.profit_quote > before
    assert world.detector.found == 1


def test_a_crossed_or_absurd_book_takes_part_in_no_route() -> None:
    world = triangle()
    world.board.levels[5, 0, 0] = 0  # an ask of nothing, past the board's edge
    world.board.changed.append(2)
    world.pipeline.after_input(world.now_ns)

    assert world.detector.open_episodes == ()
    assert math.isfinite(float(world.detector.screens.out.sum()))


def test_books_that_quote_each_other_upside_down_are_a_route_and_no_gap() -> None:
    instruments = [
        make_instrument("a", "BTC-USD"),
        make_instrument(
            "b", "USD-BTC", price_decimals=8, size_decimals=2, lot="0.01", tick="0.00001"
        ),
    ]
    world = World(Setup(instruments=instruments, mode=Mode.PAPER))
    world.show(0, [("99.9", "5")], [("100", "5")])

    world.show(1, [("0.00961", "900")], [("0.00962", "900")])

    world.change(0, [], [("99.95", "1")])
    (seen,) = world.journal.found
    assert [hop.place for hop in seen.hops] == ["BTC-USD", "USD-BTC"]
    assert seen.hops[1].amount_out == pytest.approx(
        seen.hops[1].amount_in / (0.00962 * (1 + FEE)), rel=1e-9
    )
    assert not seen.is_gap
    assert [plan.opportunity for plan in world.journal.plans] == [seen]
