"""Nothing leaves before its intent is durable, on paper too."""

from engine.domain.orders import Order, OrderState, Purpose
from engine.execute.executor_list import Executors
from tests.reference.world import MS, Setup, World


def make_world() -> World:
    """A gap of one percent, on which a plan is made at once."""
    world = World(Setup(waits_for_intents=True))
    world.show(0, [("100.00", "1")], [("100.10", "1")])
    world.show(1, [("101.00", "1")], [("101.20", "1")])
    return world


def tell_stored(world: World, purpose: Purpose = Purpose.LEG) -> None:
    executors: Executors = world.executors
    for intent in world.journal.intents:
        for order in intent.orders:
            if order.purpose is purpose:
                executors.stored(order.client_order_id, world.now_ns)


def pass_time(world: World, ms: int) -> None:
    for _ in range(ms // 50):
        world.wait(50)
        world.tick()


def orders_of(world: World) -> tuple[Order, ...]:
    (finished,) = world.journal.finished
    return finished.execution.orders


def test_an_order_is_on_its_way_once_its_intent_is_durable_and_not_before() -> None:
    world = make_world()
    (intent,) = world.journal.intents
    pass_time(world, 400)
    assert world.journal.finished == []

    tell_stored(world)
    stored_ns = world.now_ns
    pass_time(world, 200)

    assert [one.sent_at_ns for one in orders_of(world)] == [stored_ns, stored_ns]
    assert [one.arrives_at_ns for one in orders_of(world)] == [stored_ns + 20 * MS] * 2
    assert all(one.fills for one in orders_of(world))
    assert len(intent.orders) == 2


def test_an_intent_that_comes_to_be_durable_after_the_deadline_lets_nothing_leave() -> None:
    world = make_world()
    pass_time(world, 1_100)

    tell_stored(world)
    pass_time(world, 200)

    assert {one.state for one in orders_of(world)} == {OrderState.CANCELLED}
    assert len(world.circumstances.under_way) == 0


def test_a_latch_that_is_set_meanwhile_lets_nothing_leave() -> None:
    world = make_world()
    world.is_killed = True

    tell_stored(world)
    pass_time(world, 200)

    assert {one.state for one in orders_of(world)} == {OrderState.CANCELLED}


def test_an_intent_that_is_refused_for_good_lets_nothing_leave_and_holds_nothing() -> None:
    world = make_world()
    (intent,) = world.journal.intents

    for order in intent.orders:
        world.pipeline.withhold(order.client_order_id, world.now_ns)
    pass_time(world, 200)

    assert {one.state for one in orders_of(world)} == {OrderState.CANCELLED}
    assert len(world.circumstances.under_way) == 0


def test_what_waits_as_the_clock_is_set_stays_unsent_and_is_not_sent_later() -> None:
    world = make_world()
    world.pipeline.finish_executions()
    assert {one.state for one in orders_of(world)} == {OrderState.CANCELLED}

    tell_stored(world)
    pass_time(world, 200)

    assert len(world.journal.finished) == 1
    assert len(world.circumstances.under_way) == 0


def test_unwinding_waits_for_its_intent_too() -> None:
    world = make_world()
    tell_stored(world)
    world.show(1, [("100.05", "1")], [("100.15", "1")])  # nobody pays as much any more
    pass_time(world, 400)
    assert world.journal.finished == []
    assert [one.purpose for one in world.journal.intents[-1].orders] == [Purpose.UNWIND]

    tell_stored(world, Purpose.UNWIND)
    stored_ns = world.now_ns
    pass_time(world, 200)

    unwinding = [one for one in orders_of(world) if one.purpose is Purpose.UNWIND]
    assert [one.sent_at_ns for one in unwinding] == [stored_ns]
    assert all(one.fills for one in unwinding)


def test_a_clock_that_is_set_ends_an_unwinding_that_waits() -> None:
    world = make_world()
    tell_stored(world)
    world.show(1, [("100.05", "1")], [("100.15", "1")])  # nobody pays as much any more
    pass_time(world, 400)

    world.pipeline.finish_executions()

    (finished,) = world.journal.finished
    assert finished.execution.residuals
    assert len(world.circumstances.under_way) == 0


def test_an_order_that_nobody_knows_any_more_holds_up_no_end() -> None:
    world = make_world()
    executors: Executors = world.executors
    executors._all[0].waiting["forgotten"] = world.now_ns

    finished = executors.finish()

    assert len(finished) == 1
    assert not any(one.waiting for one in executors._all)
