"""Episodes: opened once, followed while they last, closed when they vanish."""

import gc
import sys
from decimal import Decimal

import pytest

from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.screen_terms import Screen
from engine.detect.screening.episodes import Closed
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode
from engine.market.board import Board
from engine.portfolio.costs import Costs
from tests.reference.world import AGE_NS_MAX, Setup, World, make_instrument

NEAR = ([("100.00", "1")], [("100.10", "1")])
HIGH = ([("101.00", "1")], [("101.20", "1")])
FLAT = ([("100.00", "1")], [("100.20", "1")])


def watch() -> World:
    return World(Setup(mode=Mode.OBSERVE))


def test_an_opportunity_keeps_its_id_and_peak_while_it_lasts() -> None:
    world = watch()
    world.show(0, *NEAR)
    world.show(1, *HIGH)
    (episode,) = world.detector.open_episodes
    opened_profit = episode.profit_quote

    world.wait(100)
    world.change(1, [("101.50", "1")], [("101.20", "0"), ("101.60", "1")])
    peak = episode.profit_quote
    world.wait(100)
    world.change(1, [("101.50", "0")], [])

    assert world.detector.open_episodes == (episode,)
    assert episode.opportunity_id == "r1-1"
    assert episode.profit_quote == pytest.approx(opened_profit)
    assert episode.peak_profit_quote == peak > opened_profit


def test_an_opportunity_that_vanishes_is_closed_and_the_next_one_has_a_new_id() -> None:
    world = watch()
    world.show(0, *NEAR)
    world.show(1, *HIGH)
    world.wait(250)

    world.show(1, *FLAT)
    world.show(1, *HIGH)

    (closed,) = world.journal.closed
    assert (closed.opportunity_id, closed.is_stale) == ("r1-1", False)
    assert closed.lasted_ns == 250_000_000
    assert [one.opportunity_id for one in world.journal.found] == ["r1-1", "r1-2"]
    assert (world.detector.found, world.detector.closed) == (2, 1)


def test_an_opportunity_ends_when_a_book_is_lost() -> None:
    world = watch()
    world.show(0, *NEAR)
    world.show(1, *HIGH)

    world.lose(0)

    assert [closed.is_stale for closed in world.journal.closed] == [True]


def test_an_opportunity_ends_when_a_book_grows_too_old_without_any_frame() -> None:
    world = watch()
    world.show(0, *NEAR)
    world.show(1, *HIGH)

    world.wait(AGE_NS_MAX / 1e6)
    world.tick()
    assert world.journal.closed == []
    world.wait(1e-6)
    world.tick()

    assert [closed.is_stale for closed in world.journal.closed] == [True]


def test_a_younger_book_keeps_an_opportunity_open_past_its_first_deadline() -> None:
    world = watch()
    world.show(0, *NEAR)
    world.show(1, *HIGH)

    for _ in range(5):
        world.wait(4_000)
        world.change(0, [("99.00", "1")], [])
        world.change(1, [("99.00", "1")], [])

    assert len(world.detector.open_episodes) == 1


def test_a_crossed_book_is_never_screened_even_before_its_feed_invalidates_it() -> None:
    world = watch()
    world.show(0, *NEAR)
    world.show(1, *FLAT)

    world.change(1, [("150.00", "1")], [])

    assert world.detector.found == 0


def test_every_peer_venue_is_a_route_of_its_own() -> None:
    instruments = [make_instrument(name) for name in ("a", "b", "c")]
    world = World(Setup(instruments=instruments, mode=Mode.OBSERVE))
    world.show(0, *HIGH)
    world.show(1, *HIGH)

    world.show(2, *NEAR)

    routes = {(one.buy_venue, one.sell_venue) for one in world.journal.found}
    assert routes == {("c", "a"), ("c", "b")}


def test_a_frame_without_a_hit_allocates_nothing() -> None:
    world = watch()
    world.show(0, *NEAR)
    world.show(1, *FLAT)
    now_ns = world.now_ns
    on_change = world.detector.on_change
    for _ in range(100):
        on_change(1, now_ns)
    gc.collect()

    before = sys.getallocatedblocks()
    for _ in range(1_000):
        on_change(1, now_ns)
    grown = sys.getallocatedblocks() - before

    assert grown < 20


def test_a_venue_without_a_fee_is_refused_rather_than_taken_as_free() -> None:
    instruments = [make_instrument("here"), make_instrument("there")]
    costs = Costs(fee_bps_taker={VenueId("here"): Decimal(1)})
    screen = Screen(edge_bps_min=Decimal(0), age_ns_max=1)

    with pytest.raises(BadValueError, match="no taker fee is configured for venue there"):
        LiveGraph(Board(instruments), costs, screen)


@pytest.mark.parametrize(
    ("better_usd", "gain"), [(424.1, "424.10"), (0.0412, "0.0412"), (0.0000013072, "0.000001307")]
)
def test_the_end_of_a_displaced_route_tells_the_better_gain_without_an_exponent(
    better_usd: float, gain: str
) -> None:
    ended = Closed(
        opportunity_id="r1-1",
        closed_at_ns=1,
        lasted_ns=1,
        peak_profit_quote=1.0,
        is_stale=False,
        gave_way_to="r1-2",
        better_usd=better_usd,
    )

    assert ended.reason == f"gave way to r1-2, which gains {gain} USD"
