"""Every executor in the list, against a venue that answers late, twice, wrongly or never."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decide.order_rate import OrderRate
from engine.domain.opportunities import Side
from engine.domain.orders import OrderState, Purpose
from engine.domain.plans import LeggedPlan, MixedPlan, Part, Plan, sends_of
from engine.execute.atomic import AtomicExecutor
from engine.execute.book_executor import BookExecutor, Way
from engine.execute.executor import NEVER_NS, Act, Alarm, End, Executor, Store
from engine.execute.following import OutcomeRules
from engine.execute.legged import LeggedWay
from engine.execute.live_way import LiveWay
from engine.execute.mixed import MixedWay
from engine.execute.unwinding import UnwindRules
from engine.portfolio.costs import Costs
from tests.effort import examples
from tests.execute.conformance import SECOND, Play
from tests.execute.mixed_worlds import BETWEEN, CHEAP, DEAR, make_mixed_world, open_plan
from tests.execute.test_atomic import plan_of_a_transaction
from tests.execute.test_routes import make_world, open_triangle
from tests.reference.world import World

FEE_BPS = Decimal(10)


class FlatQuotes:
    """Books that stand still, and are stale now and then."""

    def __init__(self) -> None:
        self.asked = 0

    def best_price(
        self, plan: LeggedPlan | MixedPlan, leg: int, side: Side, at_ns: int
    ) -> Decimal | None:
        del side, at_ns
        self.asked += 1
        return plan.legs[leg].price_limit if self.asked % 3 else None


def make_legged(is_killed: Callable[[], bool]) -> BookExecutor:
    return BookExecutor(
        LeggedWay(),
        quotes=FlatQuotes(),
        costs=Costs(fee_bps_taker={leg.venue: FEE_BPS for leg in (*TWO.legs, *THREE.legs)}),
        unwinding=UnwindRules(),
        outcomes=OutcomeRules(answer_ms_max=3_000, absent_after_ms=20_000),
        order_rate=OrderRate(),
        is_killed=is_killed,
    )


def plan_of_two() -> LeggedPlan:
    world = World()
    world.show(0, [("100.00", "1")], [("100.10", "1")])
    world.show(1, [("101.00", "1")], [("101.20", "1")])
    (plan,) = world.journal.plans
    return plan


def make_atomic(is_killed: Callable[[], bool]) -> AtomicExecutor:
    outcomes = OutcomeRules(answer_ms_max=3_000, absent_after_ms=20_000)
    return AtomicExecutor(outcomes=outcomes, is_killed=is_killed)


def make_mixed(is_killed: Callable[[], bool]) -> BookExecutor:
    return BookExecutor(
        MixedWay(),
        quotes=FlatQuotes(),
        costs=Costs(fee_bps_taker={leg.venue: FEE_BPS for plan in MIXED for leg in plan.legs}),
        unwinding=UnwindRules(),
        outcomes=OutcomeRules(answer_ms_max=3_000, absent_after_ms=20_000),
        order_rate=OrderRate(),
        is_killed=is_killed,
    )


def make_live(is_killed: Callable[[], bool]) -> BookExecutor:
    return make_live_of(LeggedWay(), (TWO, THREE), is_killed)


def make_live_mixed(is_killed: Callable[[], bool]) -> BookExecutor:
    return make_live_of(MixedWay(), MIXED, is_killed)


def make_live_of(
    way: Way, plans: Sequence[LeggedPlan | MixedPlan], is_killed: Callable[[], bool]
) -> BookExecutor:
    return BookExecutor(
        LiveWay(way, is_killed, lambda _plan_id: False),
        quotes=FlatQuotes(),
        costs=Costs(fee_bps_taker={leg.venue: FEE_BPS for plan in plans for leg in plan.legs}),
        unwinding=UnwindRules(),
        outcomes=OutcomeRules(answer_ms_max=3_000, absent_after_ms=20_000),
        order_rate=OrderRate(),
        is_killed=is_killed,
    )


TWO, THREE = plan_of_two(), open_triangle(make_world())
LIVE = tuple(msgspec.structs.replace(one, is_live=True) for one in (TWO, THREE))
MIXED = tuple(
    msgspec.structs.replace(open_plan(make_mixed_world(pool)), first=first)
    for pool in (DEAR, CHEAP, BETWEEN)
    for first in Part
)
ATOMIC = plan_of_a_transaction()
Make = Callable[[Callable[[], bool]], Executor[Any]]
EXECUTORS: dict[str, tuple[Make, tuple[Plan, ...]]] = {
    "legged": (make_legged, (TWO, THREE)),
    "atomic": (make_atomic, (ATOMIC,)),
    "mixed": (make_mixed, MIXED),
    "live": (make_live, LIVE),
    "live mixed": (
        make_live_mixed,
        tuple(msgspec.structs.replace(one, is_live=True) for one in MIXED),
    ),
}


def sends(plan: Plan) -> int:
    """How much a plan intends before it has heard of anything."""
    return plan.sends_first if isinstance(plan, MixedPlan) else sends_of(plan)


@pytest.mark.parametrize("name", EXECUTORS)
@given(seed=st.integers(0, 2**32), killed_ms=st.none() | st.integers(0, 200))
@settings(max_examples=examples(200), deadline=None)
def test_every_order_ends_as_it_ended_at_the_venue(
    name: str, seed: int, killed_ms: int | None
) -> None:
    make, plans = EXECUTORS[name]
    for plan in plans:
        play = Play(make, seed, now_ns=plan.decided_at_ns)
        if killed_ms is not None:
            play.kill_at_ns = plan.decided_at_ns + killed_ms * SECOND // 1_000
        play.run(plan)
        play.check()


@pytest.mark.parametrize("name", EXECUTORS)
@given(seed=st.integers(0, 2**32), crash_ms=st.integers(0, 8_000))
@settings(max_examples=examples(200), deadline=None)
def test_after_a_restart_at_any_moment_every_order_ends_as_it_ended_at_the_venue(
    name: str, seed: int, crash_ms: int
) -> None:
    make, plans = EXECUTORS[name]
    for plan in plans:
        play = Play(make, seed, now_ns=plan.decided_at_ns)
        play.crash_ns = plan.decided_at_ns + crash_ms * SECOND // 1_000
        play.run(plan)
        play.check()


@pytest.mark.parametrize("name", EXECUTORS)
def test_nothing_is_sent_while_killed_but_what_unwinds(name: str) -> None:
    make, plans = EXECUTORS[name]
    for plan in plans:
        play = Play(make, 1, now_ns=plan.decided_at_ns, kill_at_ns=0)
        play.run(plan)
        assert play.sent == []
        assert len(play.stored) == sends(plan)
        play.check()


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_plan_past_its_deadline_sends_nothing(name: str) -> None:
    make, plans = EXECUTORS[name]
    for plan in plans:
        play = Play(make, 1, now_ns=plan.deadline_ns + 1)
        play.run(plan)
        assert play.sent == []
        play.check()


@pytest.mark.parametrize("name", EXECUTORS)
def test_an_intent_that_is_durable_only_after_the_deadline_is_not_sent(name: str) -> None:
    make, plans = EXECUTORS[name]
    for plan in plans:
        executor = make(lambda: False)
        intents = executor.start(plan, plan.decided_at_ns)
        acts = [
            act
            for intent in intents
            if isinstance(intent, Store)
            for act in executor.stored(intent.order.client_order_id, plan.deadline_ns + 1)
        ]
        (end,) = acts
        assert isinstance(end, End)
        assert [order.state for order in end.orders] == [OrderState.CANCELLED] * sends(plan)


@pytest.mark.parametrize("name", EXECUTORS)
def test_what_nobody_can_prove_is_told_and_never_given_up(name: str) -> None:
    make, plans = EXECUTORS[name]
    plan = plans[0]
    executor = make(lambda: False)
    acts = [act for act in executor.start(plan, plan.decided_at_ns) if isinstance(act, Store)]
    for act in acts:
        executor.stored(act.order.client_order_id, plan.decided_at_ns)

    told: list[Act] = []
    at_ns = plan.decided_at_ns
    while at_ns < plan.decided_at_ns + 600 * SECOND:
        at_ns = executor.next_at_ns
        assert at_ns < NEVER_NS
        told += executor.tick(at_ns)
        for leg_order in acts:
            executor.missed(leg_order.order.client_order_id, at_ns, has_gap=True)

    alarms = [act for act in told if isinstance(act, Alarm)]
    assert len(alarms) == sends(plan)
    assert not [act for act in told if isinstance(act, End)]
    assert {act.order.purpose for act in acts} == {Purpose.LEG}
