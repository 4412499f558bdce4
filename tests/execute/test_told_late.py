"""The paper venues can tell fills late: a plan and its corrections then come to the same."""

from fractions import Fraction

from engine.domain.orders import Execution
from engine.execute.late import LateFinished
from tests.reference.world import Setup, World


def play(ratio: float) -> World:
    world = World(Setup(late_fill_ratio=ratio))
    for number in range(2):
        world.show(0, [("100.00", "1")], [(f"100.1{number}", "1"), ("100.20", "1")])
        world.show(1, [(f"101.0{number}", "1"), ("100.95", "2")], [("101.20", "1")])
        for _ in range(30):
            world.wait(50)
            world.tick()
        world.show(1, [("99.00", "1")], [("100.50", "1")])
        for _ in range(140):
            world.wait(50)
            world.tick()
    return world


def executions_of(world: World) -> list[Execution]:
    return [one.execution for one in world.journal.ended]


def test_unless_it_is_asked_for_no_fill_is_told_late() -> None:
    world = play(0.0)

    assert executions_of(world)
    assert not any(one.corrects for one in executions_of(world))


def test_fills_that_are_told_late_are_booked_with_all_others() -> None:
    world = play(1.0)
    late = [one for one in world.journal.ended if isinstance(one, LateFinished)]
    assert len(late) > 1

    held: dict[tuple[str, str], Fraction] = {}
    fill_ids = []
    for one in executions_of(world):
        for venue, asset, change in one.changes:
            held[venue, asset] = held.get((venue, asset), Fraction(0)) + Fraction(change)
        fill_ids += [fill.fill_id for order in one.orders for fill in order.fills]
    assert len(fill_ids) == len(set(fill_ids))
    for place in world.inventory.holdings:
        changed = Fraction(place.held.value) - Fraction(place.started.value)
        assert changed == held.get((place.venue, place.held.asset), Fraction(0))
    assert len(world.circumstances.under_way) == 0
