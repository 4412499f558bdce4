"""When an order is looked up, and how often what is left over is tried to be closed."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from msgspec import structs

from engine.decide.order_rate import OrderRate
from engine.domain.opportunities import Side
from engine.domain.orders import Fill, Order, Purpose
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.domain.units import NS_PER_MS
from engine.execute.book_executor import BookExecutor
from engine.execute.executor import Act, End, LookUp, Send, Store
from engine.execute.following import OutcomeRules
from engine.execute.legged import LeggedWay
from engine.execute.order_life import News, OrderEvent
from engine.execute.unwinding import UnwindRules
from engine.portfolio.costs import Costs
from tests.execute.test_conformance import FEE_BPS, THREE, TWO

ANSWER_MS, LOOK_UP_MS = 3_000, 500


class SteadyQuotes:
    """Books that stand still and are never stale."""

    def best_price(self, plan: LeggedPlan | MixedPlan, leg: int, side: Side, at_ns: int) -> Decimal:
        del side, at_ns
        return plan.legs[leg].price_limit


def make_executor(plan: LeggedPlan, *, attempts_max: int = 3) -> BookExecutor:
    return BookExecutor(
        LeggedWay(),
        quotes=SteadyQuotes(),
        costs=Costs(fee_bps_taker={leg.venue: FEE_BPS for leg in plan.legs}),
        unwinding=UnwindRules(attempts_max=attempts_max),
        outcomes=OutcomeRules(answer_ms_max=ANSWER_MS, look_up_ms=LOOK_UP_MS),
        order_rate=OrderRate(),
        is_killed=lambda: False,
    )


def send_all(executor: BookExecutor, acts: Sequence[Act], at_ns: int) -> list[Order]:
    """Store what is intended, and return what is sent."""
    sent = []
    for act in acts:
        if isinstance(act, Store):
            for then in executor.stored(act.order.client_order_id, at_ns):
                assert isinstance(then, Send)
                assert isinstance(then.order, Order)
                sent.append(then.order)
    return sent


def look_ups(acts: Sequence[Act]) -> list[str]:
    return [act.order.client_order_id for act in acts if isinstance(act, LookUp)]


def test_an_order_is_looked_up_once_it_is_unknown_and_then_again_and_again() -> None:
    executor, start_ns = make_executor(TWO), TWO.decided_at_ns
    first, second = send_all(executor, executor.start(TWO, start_ns), start_ns)

    opened = News(client_order_id=first.client_order_id, event=OrderEvent.ACCEPTED)
    assert executor.on_news(opened, start_ns + 1) == []
    assert look_ups(executor.tick(start_ns + 2)) == []
    unclear = News(client_order_id=second.client_order_id, event=OrderEvent.UNCLEAR)
    assert look_ups(executor.on_news(unclear, start_ns + 3)) == [second.client_order_id]
    again_ns = start_ns + 3 + LOOK_UP_MS * NS_PER_MS
    assert look_ups(executor.tick(again_ns - 1)) == []
    assert look_ups(executor.tick(again_ns)) == [second.client_order_id]


def test_an_order_was_sent_when_its_intent_was_durable_and_not_when_it_was_planned() -> None:
    executor, planned_ns = make_executor(TWO), TWO.decided_at_ns

    sent = send_all(executor, executor.start(TWO, planned_ns), planned_ns + 5)

    assert [order.sent_at_ns for order in sent] == [planned_ns + 5] * 2


@pytest.mark.parametrize("plan", [TWO, THREE], ids=["gap", "triangle"])
@pytest.mark.parametrize("attempts_max", [0, 1, 3])
def test_what_is_left_over_is_tried_to_be_closed_as_often_as_was_set(
    plan: LeggedPlan, attempts_max: int
) -> None:
    executor, at_ns = make_executor(plan, attempts_max=attempts_max), plan.decided_at_ns
    first, *others = send_all(executor, executor.start(plan, at_ns), at_ns)
    fill = Fill(
        fill_id="f1",
        client_order_id=first.client_order_id,
        filled_at_ns=at_ns,
        price=first.price_limit,
        size_base=first.size_base,
        fee_quote=Decimal(0),
        frame_seq=1,
    )
    acts = executor.on_news(
        News(client_order_id=first.client_order_id, event=OrderEvent.FILLED, fills=(fill,)), at_ns
    )
    for order in others:
        acts = executor.on_news(
            News(client_order_id=order.client_order_id, event=OrderEvent.EXPIRED), at_ns
        )
    tries = 0
    while unwinding := send_all(executor, acts, at_ns):
        (order,) = unwinding
        assert order.purpose is Purpose.UNWIND
        tries += 1
        acts = executor.on_news(
            News(client_order_id=order.client_order_id, event=OrderEvent.EXPIRED), at_ns
        )

    assert tries == attempts_max * (len(plan.legs) - 1)
    assert isinstance(acts[-1], End)


def test_one_look_up_that_misses_an_order_proves_nothing_and_a_second_one_does() -> None:
    executor, at_ns = make_executor(TWO), TWO.decided_at_ns
    first, second = send_all(executor, executor.start(TWO, at_ns), at_ns)
    for order in (first, second):
        unclear = News(client_order_id=order.client_order_id, event=OrderEvent.UNCLEAR)
        executor.on_news(unclear, at_ns)
    late_ns = at_ns + OutcomeRules().absent_after_ms * NS_PER_MS
    for order in (first, second):
        assert executor.missed(order.client_order_id, late_ns, has_gap=False) == ()

    assert not any(
        isinstance(act, End)
        for act in executor.missed(first.client_order_id, late_ns + 1, has_gap=False)
    )
    (*_, end) = executor.missed(second.client_order_id, late_ns + 1, has_gap=False)
    assert isinstance(end, End)


def test_of_several_plans_what_is_due_first_is_done_first() -> None:
    executor, at_ns = make_executor(TWO), TWO.decided_at_ns
    for number, started_ns in enumerate((at_ns + 7, at_ns)):
        plan = structs.replace(TWO, plan_id=f"p{number}")
        send_all(executor, executor.start(plan, started_ns), started_ns)

    assert executor.next_at_ns == at_ns + ANSWER_MS * NS_PER_MS


@pytest.mark.parametrize("late_ns", [0, 1])
def test_an_order_leaves_until_the_deadline_of_its_plan_and_not_after(late_ns: int) -> None:
    executor = make_executor(TWO)
    acts = executor.start(TWO, TWO.decided_at_ns)
    orders = [act.order.client_order_id for act in acts if isinstance(act, Store)]

    then = [executor.stored(name, TWO.deadline_ns + late_ns) for name in orders]

    assert [isinstance(act, Send) for acts in then for act in acts].count(True) == 2 * (not late_ns)
