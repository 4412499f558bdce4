"""A plan that was under way when its engine ended is closed by proof; nothing is sent again."""

from engine.domain.orders import Intent, OrderState
from engine.domain.plans import Plan
from engine.execute.plan_executor import VOID
from tests.execute.test_atomic import make_world as make_pools
from tests.execute.test_routes import make_world as make_books
from tests.execute.test_routes import open_triangle
from tests.reference.world import World


def open_gap(world: World) -> None:
    world.show(0, [("100.00", "1")], [("100.10", "1")])
    world.show(1, [("101.00", "1")], [("101.20", "1")])


def test_what_a_plan_is_about_to_send_is_kept_with_the_plan() -> None:
    world = World()
    open_gap(world)

    (intent,) = world.journal.intents
    (plan,) = world.journal.plans
    assert intent.plan == plan
    assert [order.client_order_id for order in intent.orders] == ["r1-1-p-o1", "r1-1-p-o2"]
    assert {order.state for order in intent.orders} == {OrderState.PLANNED}


def test_orders_that_unwind_are_kept_too() -> None:
    world = World()
    open_gap(world)
    world.wait(5)
    world.show(0, [("100.50", "1")], [("100.60", "1")])
    for _ in range(10):
        world.wait(25)
        world.tick()

    (finished,) = world.journal.finished
    kept = [one.client_order_id for intent in world.journal.intents for one in intent.sendables]
    assert len(kept) > 2
    assert kept == [order.client_order_id for order in finished.execution.orders]


def check_taken_over(world: World, intent: Intent, plan: Plan) -> None:
    holdings, at_ns = world.inventory.holdings, world.now_ns

    world.pipeline.recover([intent], at_ns)
    assert len(world.circumstances.under_way) == 1, "it counts until there is proof"
    world.tick()

    (ended,) = world.journal.ended
    execution = ended.execution
    assert execution.void == VOID
    assert execution.plan_id == plan.plan_id
    assert execution.profit_quote == 0
    assert not execution.is_traded
    assert {order.state for order in execution.orders} <= {OrderState.REJECTED}
    assert world.inventory.holdings == holdings
    assert world.positions.residuals == ()
    assert world.journal.intents == [], "nothing is sent again"
    assert len(world.circumstances.under_way) == 0
    assert world.executors.next_at_ns > at_ns


def test_a_paper_gap_under_way_is_closed_as_void() -> None:
    world = World()
    open_gap(world)
    check_taken_over(World(), world.journal.intents[0], world.journal.plans[0])


def test_a_paper_route_under_way_is_closed_as_void() -> None:
    world = make_books()
    plan = open_triangle(world)
    check_taken_over(make_books(), world.journal.intents[0], plan)


def test_a_paper_transaction_under_way_is_closed_as_void() -> None:
    world = make_pools()
    check_taken_over(World(), world.journal.intents[0], world.journal.atomic_plans[0])
