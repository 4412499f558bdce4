"""What is told of an order after its plan has ended is booked, once, in whatever order it comes."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decide.order_rate import OrderRate
from engine.domain.errors import BadValueError
from engine.domain.opportunities import Side
from engine.domain.orders import Execution, Fill, Order
from engine.domain.plans import LeggedPlan
from engine.execute.book_executor import BookExecutor
from engine.execute.executor import Act, End, Late, Store
from engine.execute.following import OutcomeRules
from engine.execute.late import LateFinished, correct
from engine.execute.legged import LeggedWay
from engine.execute.order_life import News, OrderEvent
from engine.execute.unwinding import UnwindRules
from engine.portfolio.costs import Costs
from engine.portfolio.inventory import Inventory
from engine.portfolio.positions import Positions
from engine.portfolio.settle import settle
from tests.effort import examples
from tests.execute.test_conformance import FEE_BPS, THREE, TWO, FlatQuotes
from tests.reference.world import World

TRANSFER_BPS = Decimal(2)


def make_executor(plan: LeggedPlan) -> BookExecutor:
    return BookExecutor(
        LeggedWay(),
        quotes=FlatQuotes(),
        costs=Costs(fee_bps_taker={leg.venue: FEE_BPS for leg in plan.legs}),
        unwinding=UnwindRules(attempts_max=0),
        outcomes=OutcomeRules(),
        order_rate=OrderRate(),
        is_killed=lambda: False,
    )


def fills_of(order: Order, parts: Sequence[int]) -> list[Fill]:
    """Fills of a tenth of the order each, so many of each price."""
    return [
        Fill(
            fill_id=f"{order.client_order_id}-t{number}",
            client_order_id=order.client_order_id,
            filled_at_ns=1,
            price=order.price_limit + Decimal(part) / 100,
            size_base=order.size_base / 10,
            fee_quote=Decimal("0.001"),
            frame_seq=1,
        )
        for number, part in enumerate(parts)
    ]


def told_in_any_order(
    plan: LeggedPlan, parts: Sequence[Sequence[int]], seed: int
) -> tuple[list[Execution], list[Fill]]:
    """Tell ends first and fills at any time, some before, some after, any of them twice."""
    random = Random(seed)
    executor = make_executor(plan)
    intents = [act.order for act in executor.start(plan, 0) if isinstance(act, Store)]
    orders = [order for order in intents if isinstance(order, Order)]
    for order in orders:
        executor.stored(order.client_order_id, 0)
    fills = [fill for order, of in zip(orders, parts, strict=True) for fill in fills_of(order, of)]
    news = [
        News(client_order_id=fill.client_order_id, event=OrderEvent.TRADED, fills=(fill,))
        for fill in fills
    ]
    news += [one for one in news if random.random() < 0.4]
    news += [
        News(client_order_id=order.client_order_id, event=OrderEvent.CANCELLED) for order in orders
    ]
    random.shuffle(news)
    acts: list[Act] = []
    for at_ns, one in enumerate(news):
        acts += executor.on_news(one, at_ns)
    return [_execution(plan, act, number) for number, act in enumerate(acts) if _ends(act)], fills


def _ends(act: Act) -> bool:
    return isinstance(act, (End, Late))


def _execution(plan: LeggedPlan, act: Act, number: int) -> Execution:
    if isinstance(act, Late):
        return correct(act, number=number, transfer_bps=TRANSFER_BPS).execution
    assert isinstance(act, End)
    orders = [one for one in act.orders if isinstance(one, Order)]
    settled = settle(plan, orders, transfer_bps=TRANSFER_BPS)
    return Execution(
        execution_id="x",
        plan_id=plan.plan_id,
        opportunity_id="r-1",
        closed_at_ns=act.at_ns,
        orders=tuple(orders),
        quote=plan.opportunity.quote,
        profit_quote=settled.profit_quote,
        profit_usd=settled.profit_quote,
        expected_usd=Decimal(0),
        residuals=settled.residuals,
    )


parts_of_a_leg = st.lists(st.integers(-5, 5), max_size=6)


@pytest.mark.parametrize("plan", [TWO, THREE], ids=["gap", "triangle"])
@settings(max_examples=examples(150), deadline=None)
@given(parts=st.lists(parts_of_a_leg, min_size=3, max_size=3), seed=st.integers(0, 2**32))
def test_positions_are_the_fold_of_all_fills_ever_told_in_whatever_order(
    plan: LeggedPlan, parts: list[list[int]], seed: int
) -> None:
    executions, fills = told_in_any_order(plan, parts[: len(plan.legs)], seed)

    positions, inventory = Positions(), Inventory()
    booked = [positions.add(plan, one) for one in executions]
    inventory.add(booked)

    told = sorted(fill.fill_id for fill in fills)
    assert sorted(f.fill_id for one in booked for o in one.orders for f in o.fills) == told
    sums: dict[str, Fraction] = {}
    by_id = {order.client_order_id: order for order in executions[0].orders}
    for fill in fills:
        order = by_id[fill.client_order_id]
        pair, sign = order.instrument.pair, 1 if order.side is Side.BUY else -1
        size, paid = Fraction(fill.size_base), Fraction(fill.size_base) * Fraction(fill.price)
        sums[pair.base] = sums.get(pair.base, Fraction(0)) + sign * size
        sums[pair.quote] = sums.get(pair.quote, Fraction(0)) - sign * paid
        sums[pair.quote] -= Fraction(fill.fee_quote)
    held: dict[str, Fraction] = {}
    for one in inventory.holdings:
        held[one.held.asset] = held.get(one.held.asset, Fraction(0)) + Fraction(one.held.value)
    assert {asset: amount for asset, amount in held.items() if amount} == {
        asset: amount for asset, amount in sums.items() if amount
    }
    between = {leg.target for leg, _ in pairwise(plan.legs)}
    left = {one.held.asset: Fraction(one.held.value) for one in positions.residuals}
    assert left == {asset: sums[asset] for asset in between if sums.get(asset)}
    at_once = settle(
        plan,
        [_whole(order, fills) for order in executions[0].orders],
        transfer_bps=TRANSFER_BPS,
    )
    assert sum(one.profit_quote for one in booked) == at_once.profit_quote
    carry = sum(one.carry.value for one in positions.residuals)
    realised = sum(one.profit_quote + one.correction_quote for one in booked)
    assert realised - carry == at_once.cash_quote - at_once.transfer_quote


def _whole(order: Order, fills: Sequence[Fill]) -> Order:
    return Order(
        **{
            **{name: getattr(order, name) for name in order.__slots__},
            "fills": tuple(one for one in fills if one.client_order_id == order.client_order_id),
        }
    )


def test_a_fill_told_after_the_end_is_booked_once_and_told_to_the_phone() -> None:
    world = World()
    world.show(0, [("100.00", "1")], [("100.10", "1")])
    world.show(1, [("101.00", "1")], [("101.20", "1")])
    world.wait(5)
    world.show(0, [("100.50", "1")], [("100.60", "1")])  # the purchase fills nothing
    for _ in range(10):
        world.wait(25)
        world.tick()
    (finished,) = world.journal.finished
    bought = finished.execution.orders[0]
    assert not bought.fills
    held = world.inventory.held((bought.instrument.venue, bought.instrument.pair.base))
    (fill,) = fills_of(bought, [0])
    news = News(client_order_id=bought.client_order_id, event=OrderEvent.TRADED, fills=(fill,))

    for _ in range(3):
        world.executors.on_news(news, world.now_ns)
        world.tick()

    (late,) = (one for one in world.journal.ended if isinstance(one, LateFinished))
    assert late.execution.corrects == finished.execution.execution_id
    assert world.inventory.held((bought.instrument.venue, bought.instrument.pair.base)) == (
        held + fill.size_base
    )
    assert sum(one.held.value for one in world.positions.residuals) == fill.size_base + sum(
        one.held.value for one in finished.execution.residuals
    )
    assert late.story().realised.quote == late.execution.profit_quote
    assert len(world.circumstances.under_way) == 0


def test_news_of_an_order_that_nobody_knows_is_refused_by_its_name() -> None:
    with pytest.raises(BadValueError, match="x-o1 is no order of ours: traded"):
        World().executors.on_news(News(client_order_id="x-o1", event=OrderEvent.TRADED), 0)


def test_only_so_many_ended_orders_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.execute.following.ENDED_MAX", 1)
    executor = make_executor(TWO)
    intents = [act.order for act in executor.start(TWO, 0) if isinstance(act, Store)]
    for order in intents:
        executor.stored(order.client_order_id, 0)
    for order in intents:
        executor.on_news(News(client_order_id=order.client_order_id, event=OrderEvent.CANCELLED), 0)

    assert [executor.knows(order.client_order_id) for order in intents] == [False, True]
