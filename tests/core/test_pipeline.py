"""The order of things around an input, and when an open opportunity is decided on again."""

import math

from engine.domain.faults import Fault
from engine.domain.modes import Mode
from engine.domain.opportunities import Reason
from engine.domain.plans import LeggedPlan
from engine.market.freshness import VenueBack, VenueLost
from tests.reference.world import Setup, World

NEAR = ([("100.00", "1")], [("100.10", "1")])
HIGH = ([("101.00", "1")], [("101.20", "1")])


def open_gap(world: World) -> None:
    world.show(0, *NEAR)
    world.show(1, *HIGH)


def touch(world: World, number: int) -> None:
    """A change far from the touch: the book is screened again, its gap is the same."""
    world.change(1, [("50.00", str(number + 1))], [])


def test_an_opportunity_is_told_once_and_its_first_decision_names_the_frames() -> None:
    world = World()
    open_gap(world)
    touch(world, 1)

    assert len(world.journal.found) == 1
    (decided,) = world.journal.decided
    assert decided.is_first
    assert decided.frame_seqs == (2, 1, 2)
    assert isinstance(decided.decision, LeggedPlan)
    assert [leg.frame_seq for leg in decided.decision.legs] == [1, 2]


def test_an_opportunity_is_told_of_before_it_is_decided_on_and_decided_as_without() -> None:
    told: list[tuple[str, float, int]] = []

    def alarm(opportunity_id: str, profit_usd: float) -> None:
        told.append((opportunity_id, profit_usd, len(world.journal.decided)))

    world = World(Setup(alarm=alarm))
    open_gap(world)
    without = World()
    open_gap(without)

    (decided,) = world.journal.decided
    opportunity_id = decided.opportunity.opportunity_id
    profit_usd = told[0][1]
    # As it is found, and as its plan begins.
    assert told == [(opportunity_id, profit_usd, 0), (opportunity_id, math.inf, 0)]
    assert not math.isinf(profit_usd)
    assert world.journal.decided == without.journal.decided


def test_what_is_decided_on_again_without_being_better_is_not_told_of() -> None:
    told: list[str] = []
    world = World(Setup(mode=Mode.OBSERVE, alarm=lambda name, _profit: told.append(name)))
    open_gap(world)

    world.wait(1_100)
    touch(world, 1)
    assert len(world.journal.decided) == 2
    assert len(told) == 1
    world.change(1, [("101.15", "1")], [])
    assert len(told) == 2


def test_an_episode_that_was_planned_is_never_planned_again() -> None:
    world = World()
    open_gap(world)

    for number in range(5):
        world.wait(2_000)
        world.change(1, [("102.00", str(number + 1))], [("101.20", "0"), ("103.00", "1")])
        world.change(0, [("50.00", str(number + 1))], [])

    assert len(world.journal.plans) == 1


def test_a_refused_opportunity_is_decided_on_again_only_when_it_improved_enough() -> None:
    world = World(Setup(mode=Mode.OBSERVE))
    open_gap(world)

    world.wait(10)
    touch(world, 1)
    world.change(1, [("101.01", "1")], [])
    assert len(world.journal.decided) == 1
    world.change(1, [("101.15", "1")], [])

    assert [one.is_first for one in world.journal.decided] == [True, False]
    first, second = world.journal.decided
    assert second.opportunity.opportunity_id == first.opportunity.opportunity_id
    assert second.opportunity.profit_quote >= 1.1 * first.opportunity.profit_quote


def test_a_refused_opportunity_is_decided_on_again_after_a_while() -> None:
    world = World()
    world.switches.is_paused = True
    open_gap(world)
    world.switches.is_paused = False

    world.wait(999)
    touch(world, 1)
    assert world.journal.plans == []
    world.wait(1)
    touch(world, 2)

    assert world.journal.reasons == [Reason.PAUSED]
    assert len(world.journal.plans) == 1


def test_lost_and_returning_venues_are_told() -> None:
    world = World()
    open_gap(world)

    world.lose(1)
    world.wait(500)
    world.show(1, *HIGH)

    assert [type(edge) for edge in world.journal.edges] == [VenueLost, VenueBack]


def test_a_book_that_is_held_leaves_every_decision_until_it_is_released() -> None:
    world = World()
    world.show(1, *HIGH)
    world.board.hold(1, Fault.LATE, world.now_ns, "frames come 3.0 s late, limit 2 s")
    world.show(0, *NEAR)

    assert world.journal.found == []
    world.board.release(1)
    touch(world, 1)
    assert len(world.journal.found) == 1
    world.board.hold(1, Fault.LATE, world.now_ns, "frames come 3.0 s late, limit 2 s")
    world.change(0, [("50.00", "9")], [])

    assert len(world.journal.closed) == 1
    lost = world.journal.edges[-1]
    assert isinstance(lost, VenueLost)
    assert (lost.venue, lost.fault) == ("there", Fault.LATE)


def test_a_silent_venue_is_told_by_the_tick() -> None:
    world = World()
    open_gap(world)

    for _ in range(102):
        world.wait(100)
        world.tick()

    assert {edge.venue for edge in world.journal.edges} == {"here", "there"}


def test_what_is_kept_about_an_opportunity_goes_with_it() -> None:
    world = World(Setup(mode=Mode.OBSERVE))
    for _ in range(20):
        open_gap(world)
        world.lose(0)

    assert len(world.journal.closed) == 20
    assert world.pipeline._considered == {}


def test_a_plan_started_after_its_deadline_sends_nothing() -> None:
    world = World()
    open_gap(world)
    (plan,) = world.journal.plans
    world.wait(50)
    world.tick()

    world.executors.start(plan, plan.deadline_ns + 1)
    (finished,) = world.executors.advance(plan.deadline_ns + 1)

    assert finished.execution.orders == ()
    assert finished.execution.profit_quote == 0
