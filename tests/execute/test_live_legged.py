"""Live orders leave together and once; whatever is told of them, the books are what was traded."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from engine.domain.opportunities import Side
from engine.domain.orders import Execution, Order, OrderState, Purpose
from engine.domain.orders_told import FillTold, OrderFate, OrderNews
from engine.domain.plans import LeggedPlan, decode_plan, is_live
from engine.execute.executor_list import kind_of
from engine.execute.live_way import RESUMED_S_MAX
from engine.execute.unwinding import UnwindRules
from engine.portfolio.inventory import Inventory
from engine.portfolio.positions import Positions
from engine.portfolio.settle import settle
from tests.effort import examples
from tests.execute.live_books import (
    BNB,
    BNB_USD,
    MS,
    Desk,
    Installation,
    end_of,
    fill_told,
    news_of,
)
from tests.execute.test_conformance import TWO

PLAN = msgspec.structs.replace(TWO, is_live=True)
Changes = dict[tuple[str, str], Fraction]


def installation(seed: int = 0) -> Installation:
    return Installation(PLAN, Desk(Random(seed)))


def silent() -> Installation:
    """One whose orders nothing is told of but by the test."""
    return installation(1)


def orders_of(one: Installation) -> list[str]:
    return [name for request in one.desk.requests for name in request]


def truth(one: Installation) -> Changes:
    """What the venues' accounts changed by, by all that counts in the end."""
    total: Changes = defaultdict(Fraction)
    for send in one.desk.sends:
        order = send.order
        news = max(one.desk.news[order.client_order_id], key=lambda said: said.version)
        for told in news.fills:
            instrument = order.instrument  # type: ignore[union-attr]
            venue, pair = instrument.venue, instrument.pair
            sign = 1 if order.side is Side.BUY else -1  # type: ignore[union-attr]
            size, price = Fraction(told.size_base), Fraction(told.price)
            total[venue, pair.base] += sign * size
            total[venue, pair.quote] -= sign * size * price
            total[venue, told.fee_asset] -= Fraction(told.fee)
    return {place: amount for place, amount in total.items() if amount}


def is_taken_of(one: Installation) -> bool:
    """Say whether anything of the book at which the first leg buys counts as taken."""
    return one.world.taken.has_any(PLAN.opportunity.hops[0].row)


def held(executions: Sequence[Execution]) -> Changes:
    inventory = Inventory()
    inventory.add(executions)
    return {one.place: Fraction(one.held.value) for one in inventory.holdings if one.held.value}


def test_all_orders_of_a_plan_leave_in_one_request_and_none_before_its_intent_is_durable() -> None:
    one = silent()

    one.executor.start(PLAN, one.at_ns)
    before = list(one.desk.requests)
    first, second = one.executor.waiting
    one.executor.stored(first, one.at_ns)
    half = list(one.desk.requests)
    one.executor.stored(second, one.at_ns)

    assert (before, half) == ([], [])
    assert one.desk.requests == [[first, second]]
    assert [len(intent.orders) for intent in one.intents] == [2]


def test_a_kill_between_the_looks_at_two_legs_lets_none_of_them_leave_alone() -> None:
    one = silent()

    one.executor.start(PLAN, one.at_ns)
    assert is_taken_of(one)
    first, second = one.executor.waiting
    one.executor.stored(first, one.at_ns)
    one.is_killed = True
    one.executor.stored(second, one.at_ns)
    one.book()

    assert one.desk.requests == []
    assert not is_taken_of(one)
    (execution,) = one.booked
    assert not execution.is_traded
    assert {order.state for order in execution.orders} == {
        OrderState.CANCELLED,
        OrderState.REJECTED,
    }


@pytest.mark.parametrize(
    ("fate", "filled", "is_taken"),
    [
        (OrderFate.REFUSED, [], False),
        (OrderFate.NEVER, [], False),
        (OrderFate.EXPIRED, [], False),
        (OrderFate.UNKNOWN, [], True),
        (OrderFate.EXPIRED, [fill_told(0, "0.2", price="100")], True),
    ],
)
def test_what_an_order_did_not_take_is_there_for_the_next_plan_once_it_has_ended(
    fate: OrderFate, filled: list[FillTold], *, is_taken: bool
) -> None:
    one = silent()
    one.start()
    assert is_taken_of(one)

    one.tell(news_of(one.desk.sends[0].order, 1, fate, filled))  # type: ignore[arg-type]

    assert is_taken_of(one) is is_taken


def test_what_one_leg_filled_alone_is_traded_back_with_a_real_order() -> None:
    one = silent()
    one.start()

    one.tell(end_of(one, 0, 1, fill_told(0, "0.5", price="100")))
    one.tell(end_of(one, 1, 1))

    assert [len(request) for request in one.desk.requests] == [2, 1]
    unwinding = one.desk.sends[-1].order
    assert unwinding.purpose is Purpose.UNWIND
    assert unwinding.side is Side.SELL  # type: ignore[union-attr]


@pytest.mark.parametrize("ends_it", ["a kill", "a restart too long ago", "a clock set back"])
def test_killed_or_long_after_a_restart_nothing_is_traded_back_and_what_is_left_over_is_kept(
    ends_it: str,
) -> None:
    one = silent()
    one.start()
    if ends_it == "a kill":
        one.is_killed = True
    else:
        one.at_ns += (RESUMED_S_MAX * 1_000 if ends_it.startswith("a restart") else -1_000) * MS
        one.restart()
        show(one)

    fill_one_leg(one)

    assert len(one.desk.requests) == 1
    assert left_over(one) == Decimal("0.5")


def fill_one_leg(one: Installation) -> None:
    """Let the first leg be filled by half, and the second not at all."""
    one.tell(end_of(one, 0, 1, fill_told(0, "0.5", price="100")))
    one.tell(end_of(one, 1, 1))


def left_over(one: Installation) -> Decimal:
    (execution,) = one.booked
    (residual,) = execution.residuals
    return residual.held.value


def show(one: Installation) -> None:
    """Let both books be live now, with no gap between them; more is bid at the second."""
    one.world.now_ns = one.at_ns
    one.world.show(0, [("90.00", "1")], [("130.00", "1")])
    one.world.show(1, [("110.00", "1")], [("140.00", "1")])


def unwinding(one: Installation) -> list[Order]:
    orders = [one.order for one in one.desk.sends if isinstance(one.order, Order)]
    return [one for one in orders if one.purpose is Purpose.UNWIND]


def test_after_a_restart_what_one_leg_filled_alone_is_traded_back_by_an_order_of_its_own() -> None:
    one = silent()
    one.start()
    one.restart()
    show(one)

    fill_one_leg(one)
    (order,) = unwinding(one)
    assert (order.side, order.size_base) == (Side.SELL, Decimal("0.5"))
    assert order.client_order_id == f"{PLAN.plan_id}-o3"
    sold = fill_told(1, "0.5", price="90")
    one.tell(news_of(order, 1, OrderFate.FILLED, [sold]))

    (execution,) = one.booked
    assert execution.residuals == ()


def test_it_waits_for_its_book_without_a_try_and_ends_once_its_time_is_over() -> None:
    one, other = silent(), silent()
    for each in (one, other):
        each.start()
        each.at_ns += 60_000 * MS  # the books of before are stale by then
        each.restart()
        fill_one_leg(each)
        for _ in range(10):
            each.at_ns += 1_000 * MS
            each.book()
        assert (unwinding(each), each.booked) == ([], [])

    show(one)
    one.at_ns += 1_000 * MS
    show(one)
    one.book()
    one.store()
    assert len(unwinding(one)) == 1

    other.at_ns += RESUMED_S_MAX * 1_000 * MS
    other.book()
    assert unwinding(other) == []
    assert left_over(other) == Decimal("0.5")


def test_after_a_restart_a_book_is_found_by_what_is_traded_in_it_and_not_by_its_old_row() -> None:
    first, second = PLAN.opportunity.hops
    moved = (structs.replace(first, row=second.row), structs.replace(second, row=first.row))
    plan = structs.replace(PLAN, opportunity=structs.replace(PLAN.opportunity, hops=moved))
    one = Installation(plan, Desk(Random(1)))
    one.start()
    one.restart()
    show(one)

    fill_one_leg(one)

    (order,) = unwinding(one)
    assert order.price_limit < 90, "of the book where the leg was filled"
    one.executor._venue._board.instruments.clear()
    assert one.executor._venue.row_of(order.instrument) is None


def test_however_often_it_is_lost_no_more_is_traded_back_than_was_left_over_and_tries_count() -> (
    None
):
    one = silent()
    one.start()
    one.restart()
    show(one)
    fill_one_leg(one)
    for number in range(6):
        one.restart()
        show(one)
        one.tell(end_of(one, 0, 1, fill_told(0, "0.5", price="100")))
        one.tell(end_of(one, 1, 1))
        for version, order in enumerate(unwinding(one), 1):
            one.tell(news_of(order, version, OrderFate.EXPIRED))
        if number == 0:
            one.restart()  # of one that is on its way nothing is known: it is waited for
            show(one)
            before = len(unwinding(one))
            fill_one_leg(one)
            assert len(unwinding(one)) == before

    orders = unwinding(one)
    assert len(orders) == UnwindRules().attempts_max
    assert len({order.client_order_id for order in orders}) == len(orders)
    assert {order.size_base for order in orders} == {Decimal("0.5")}
    assert left_over(one) == Decimal("0.5")


def test_an_unknown_order_holds_its_plan_for_ever_and_is_asked_after() -> None:
    one = silent()
    one.start()
    one.tell(end_of(one, 0, 1, fill_told(0, "0.5")))
    one.tell(news_of(one.desk.sends[1].order, 1, OrderFate.UNKNOWN))  # type: ignore[arg-type]

    for _ in range(100):
        one.at_ns += 60_000 * MS
        one.book()

    assert one.booked == []
    assert set(one.desk.asked) == {orders_of(one)[1]}


def test_a_fee_in_a_third_asset_is_booked_exactly_and_taken_off_the_profit_at_its_price() -> None:
    one, plain = silent(), silent()
    for each, asset in ((one, "BNB"), (plain, "USD")):
        each.start()
        size, fee = "1", "0.0001" if asset == "BNB" else "0.06"
        each.tell(end_of(each, 0, 1, fill_told(0, size, fee=fee, asset=asset, price="100")))
        each.tell(end_of(each, 1, 1, fill_told(0, size, price="101")))
    (execution,), (same,) = one.booked, plain.booked

    assert held([execution])["here", BNB] == Fraction(-1, 10_000)
    assert held([execution])["here", "USD"] == Fraction(-100)
    assert Decimal("0.0001") * BNB_USD == Decimal("0.06")
    assert execution.profit_quote == same.profit_quote == Decimal("0.94")


def test_a_trade_that_is_taken_back_after_the_end_is_booked_as_a_correction_to_the_last_digit() -> (
    None
):
    one, never = silent(), silent()
    one.start()
    never.start()
    kept = fill_told(0, "0.4", fee="0.1")
    gone = fill_told(1, "0.6", fee="0.0007", asset="BNB", price="100.01")
    sold = fill_told(0, "0.4", price="101")

    one.tell(end_of(one, 0, 1, kept, gone))
    one.tell(end_of(one, 1, 1, sold))
    for send in one.desk.sends[2:]:
        one.tell(news_of(send.order, 1, OrderFate.EXPIRED))  # type: ignore[arg-type]
    while len(one.booked) == 0:
        one.tell(news_of(one.desk.sends[-1].order, 1, OrderFate.EXPIRED))  # type: ignore[arg-type]
    order = one.desk.sends[0].order
    one.tell(news_of(order, 2, OrderFate.REVERSED, [kept]))  # type: ignore[arg-type]
    never.tell(end_of(never, 0, 1, kept))
    never.tell(end_of(never, 1, 1, sold))

    first, correction = one.booked
    assert correction.corrects == first.execution_id
    assert held(one.booked) == held(never.booked)
    assert sum(execution.profit_quote for execution in one.booked) == sum(
        execution.profit_quote for execution in never.booked
    )


def test_a_trade_that_is_there_again_after_it_was_taken_back_is_another_row_of_the_books() -> None:
    one = silent()
    one.start()
    bought, sold = fill_told(0, "1", price="100"), fill_told(0, "1", price="101")
    one.tell(end_of(one, 0, 1, bought))
    one.tell(end_of(one, 1, 1, sold))
    order = one.desk.sends[0].order
    assert isinstance(order, Order)

    one.tell(news_of(order, 2, OrderFate.REVERSED))
    one.restart()
    one.tell(news_of(order, 3, OrderFate.FILLED, [bought]))

    fills = [fill.fill_id for each in one.booked for part in each.orders for fill in part.fills]
    assert len(one.booked) == 3
    assert len(set(fills)) == len(fills)
    assert held(one.booked) == held(one.booked[:1])


def test_a_word_that_was_told_changes_nothing_when_it_comes_again_or_late() -> None:
    one = silent()
    one.start()
    words = [
        end_of(one, 0, 2, fill_told(0, "1", price="100")),
        news_of(one.desk.sends[0].order, 1, OrderFate.ACCEPTED),  # type: ignore[arg-type]
        end_of(one, 0, 2, fill_told(0, "1", price="100")),
        end_of(one, 1, 1, fill_told(0, "1", price="101")),
    ]
    for word in words:
        one.tell(word)
    for word in words:
        one.tell(word)

    (execution,) = one.booked
    assert [len(order.fills) for order in execution.orders] == [1, 1]


def test_a_plan_says_itself_that_its_orders_are_placed_and_paper_ones_are_as_ever() -> None:
    written = msgspec.json.encode(TWO)

    assert b"is_live" not in written
    assert not is_live(decode_plan(written.decode()))
    assert is_live(decode_plan(msgspec.json.encode(PLAN).decode()))
    assert kind_of(PLAN) == (LeggedPlan, True)


@given(seed=st.integers(0, 2**32), restarts=st.lists(st.integers(0, 40), max_size=3))
@settings(max_examples=examples(300), deadline=None)
def test_whatever_is_told_in_whichever_order_over_restarts_the_books_are_what_was_traded(
    seed: int, restarts: list[int]
) -> None:
    one = installation(seed)
    random = Random(seed + 1)
    one.start()
    words = 0

    def mix(news: list[OrderNews]) -> None:
        news += random.choices(news, k=len(news) // 2)
        random.shuffle(news)

    told = one.tell

    def tell(news: OrderNews) -> None:
        nonlocal words
        words += 1
        if words in restarts:
            one.restart()
        told(news)

    one.tell = tell  # type: ignore[method-assign]
    one.tell_all(mix)
    one.tell_all(lambda _news: None)

    assert held(one.booked) == truth(one)
    assert sorted(orders_of(one)) == sorted(set(orders_of(one)))
    base, *corrections = one.booked
    assert all(correction.corrects == base.execution_id for correction in corrections)
    assert len({execution.execution_id for execution in one.booked}) == len(one.booked)
    positions = Positions()
    for execution in one.booked:
        positions.add(PLAN, replace(execution, corrections_quote=()))
    whole = settle(PLAN, one.in_ledger.orders, transfer_bps=Decimal(0))
    assert sum((one.profit_quote for one in one.booked), Decimal(0)) == whole.profit_quote
    assert {held.place: held.held.value for held in positions.residuals} == {
        held.place: held.held.value for held in whole.residuals if held.held.value
    }
