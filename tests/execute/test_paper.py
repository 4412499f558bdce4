"""Scenarios of paper execution: the book as it is when an order arrives decides."""

from decimal import Decimal

import msgspec
import pytest

from engine.domain.assets import Amount
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.orders import OrderState, Purpose
from engine.execute.latency import Latency, LatencyModel
from engine.execute.unwinding import UnwindRules
from engine.kernels import layout
from tests.reference.world import Setup, World, left_over, make_instrument

NEAR = ([("100.00", "1")], [("100.10", "1")])
HIGH = ([("101.00", "1")], [("101.20", "1")])
FLAT = ([("100.00", "1")], [("100.20", "1")])


def open_gap(world: World) -> None:
    """Buy at book 0 for 100.10, sell at book 1 for 101.00."""
    world.show(0, *NEAR)
    world.show(1, *HIGH)


def test_an_unchanged_market_fills_the_plan_as_it_was_confirmed() -> None:
    world = World()
    open_gap(world)
    (plan,) = world.journal.plans

    world.wait(50)
    world.tick()

    (finished,) = world.journal.finished
    execution = finished.execution
    assert [order.state for order in execution.orders] == [OrderState.FILLED] * 2
    assert execution.residuals == ()
    assert execution.profit_quote == plan.profit_quote
    # 1 x (101 - 100.1) less 10 bps of 101 and of 100.1
    assert execution.profit_quote == Decimal("0.9") - Decimal("0.101") - Decimal("0.1001")
    assert execution.execution_id == "r1-1-p-x"
    assert sorted(order.client_order_id for order in execution.orders) == ["r1-1-p-o1", "r1-1-p-o2"]
    assert world.positions.realised_usd(world.now_ns) == execution.profit_usd


def test_an_order_meets_the_book_as_it_was_just_before_the_next_input() -> None:
    world = World()
    open_gap(world)

    world.wait(20)  # both legs arrive exactly now, before this input is applied
    world.show(1, *FLAT)

    assert world.journal.finished[0].execution.residuals == ()
    assert world.journal.finished[0].execution.profit_quote > 0


def test_profit_is_what_the_market_gave_and_not_what_was_quoted() -> None:
    world = World()
    open_gap(world)
    (plan,) = world.journal.plans

    world.wait(10)
    world.show(1, [("100.98", "1")], [("101.20", "1")])
    world.wait(40)
    world.tick()

    execution = world.journal.finished[0].execution
    quoted, truth = plan.profit_quote, Decimal("0.88") - Decimal("0.10098") - Decimal("0.1001")
    assert execution.profit_quote == truth < quoted
    assert execution.expected_usd == quoted


def test_a_leg_beyond_its_limit_price_is_not_filled_and_the_other_is_unwound() -> None:
    world = World()
    open_gap(world)

    world.wait(10)
    world.show(1, *FLAT)
    for _ in range(4):
        world.wait(30)
        world.tick()

    execution = world.journal.finished[0].execution
    buy = next(order for order in execution.orders if order.side is Side.BUY)
    unwind = next(order for order in execution.orders if order.purpose is Purpose.UNWIND)
    assert buy.filled_base == 1
    assert unwind.instrument == buy.instrument
    assert unwind.sent_at_ns == buy.arrives_at_ns
    assert execution.residuals == ()
    assert execution.profit_quote == Decimal("-0.1") - Decimal("0.1001") - Decimal("0.1")
    assert world.positions.residuals == ()


def test_a_partly_filled_leg_leaves_only_its_excess_to_unwind() -> None:
    world = World()
    open_gap(world)

    world.wait(10)
    world.show(1, [("101.00", "0.4")], [("101.20", "1")])
    for _ in range(4):
        world.wait(30)
        world.tick()

    execution = world.journal.finished[0].execution
    sell = next(order for order in execution.orders if order.instrument.venue == "there")
    unwind = next(order for order in execution.orders if order.purpose is Purpose.UNWIND)
    assert sell.state is OrderState.EXPIRED
    assert unwind.size_base == Decimal("0.6")
    assert execution.residuals == ()


def test_a_venue_that_goes_stale_fills_nothing_and_leaves_a_residual() -> None:
    world = World(Setup(unwind=UnwindRules(attempts_max=2)))
    open_gap(world)

    world.wait(10)
    world.lose(1)
    world.wait(12)
    world.tick()  # the buy leg was filled; its unwinding is on the way
    world.lose(0)
    for _ in range(10):
        world.wait(30)
        world.tick()

    execution = world.journal.finished[0].execution
    assert left_over(execution) == 1
    (residual,) = world.positions.residuals
    assert (residual.venue, residual.held.value) == ("here", Decimal(1))
    assert residual.carry == Amount.of("100.1", "USD")
    assert execution.profit_quote == Decimal("-0.1001")
    assert len([o for o in execution.orders if o.purpose is Purpose.UNWIND]) <= 2


def test_an_order_that_arrives_at_a_book_grown_too_old_is_not_filled() -> None:
    world = World(Setup(unwind=UnwindRules(attempts_max=0)))
    world.show(0, *NEAR)
    world.wait(9_990)
    world.show(1, *HIGH)
    assert len(world.journal.plans) == 1

    world.wait(20)  # book 0 is now 10,010 ms old, and the limit is 10,000 ms
    world.tick()

    execution = world.journal.finished[0].execution
    states = {order.instrument.venue: order.state for order in execution.orders}
    assert states == {"here": OrderState.EXPIRED, "there": OrderState.FILLED}
    assert left_over(execution) == -1


def test_unwinding_never_trades_outside_its_band() -> None:
    world = World(Setup(unwind=UnwindRules(band_bps=Decimal(10), attempts_max=1)))
    open_gap(world)

    world.wait(10)
    world.show(1, *FLAT)
    world.wait(15)
    world.tick()
    world.show(0, [("99.80", "1")], [("100.10", "1")])
    world.wait(50)
    world.tick()

    execution = world.journal.finished[0].execution
    unwind = next(order for order in execution.orders if order.purpose is Purpose.UNWIND)
    assert unwind.price_limit == Decimal("99.90")
    assert unwind.state is OrderState.EXPIRED
    assert left_over(execution) == 1


def test_a_short_excess_is_bought_back_where_it_was_sold() -> None:
    world = World(Setup(latency_by_venue={"here": Latency(median_ms=60, p99_ms=60)}))
    open_gap(world)

    world.wait(30)
    world.show(0, [("100.90", "1")], [("101.10", "1")])
    for _ in range(4):
        world.wait(40)
        world.tick()

    execution = world.journal.finished[0].execution
    unwind = next(order for order in execution.orders if order.purpose is Purpose.UNWIND)
    assert (unwind.side, unwind.instrument.venue) == (Side.BUY, "there")
    assert execution.residuals == ()
    assert execution.profit_quote < 0


def test_the_same_resting_order_is_never_sold_twice() -> None:
    world = World()
    open_gap(world)
    world.wait(50)
    world.tick()

    world.lose(1)
    world.wait(10)
    world.show(1, *HIGH)  # the gap opens again with the very same orders

    assert len(world.journal.plans) == 1
    assert [reason.value for reason in world.journal.reasons] == ["liquidity_taken"]


def test_a_level_that_the_venue_changes_may_be_taken_again() -> None:
    world = World()
    open_gap(world)
    world.wait(50)
    world.tick()

    world.change(0, [], [("100.10", "0.5")])
    world.change(1, [("101.00", "0.5")], [])
    world.wait(1100)
    world.change(1, [("99.00", "1")], [])

    sizes = [plan.legs[0].size_base for plan in world.journal.plans]
    assert len(sizes) == 1, "one plan per episode"
    world.lose(1)
    world.show(1, [("101.00", "0.5")], [("101.20", "1")])
    assert [plan.legs[0].size_base for plan in world.journal.plans][1:] == [Decimal("0.5")]


def test_transfer_cost_is_charged_on_what_both_legs_filled() -> None:
    world = World(Setup(transfer_bps="5"))
    open_gap(world)

    world.wait(10)
    world.show(1, [("101.00", "0.4")], [("101.20", "1")])
    for _ in range(4):
        world.wait(30)
        world.tick()

    finished = world.journal.finished[0]
    assert finished.settlement.transfer_quote == Decimal("0.4") * Decimal("100.1") * Decimal(
        "0.0005"
    )
    cash = sum(order.cash_quote for order in finished.execution.orders)
    assert finished.execution.profit_quote == cash - finished.settlement.transfer_quote


def test_the_same_seed_gives_the_same_execution_byte_for_byte() -> None:
    def run(seed: int) -> bytes:
        world = World(Setup(seed=seed, latency=Latency(median_ms=20, p99_ms=90)))
        open_gap(world)
        for step in range(40):
            world.wait(5)
            world.change(0, [("99.00", str(step + 1))], [])
        return msgspec.json.encode([one.execution for one in world.journal.finished])

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_latency_draws_have_the_configured_median_and_tail() -> None:
    model = LatencyModel({VenueId("v"): Latency(median_ms=20, p99_ms=80)}, seed=3)
    draws = sorted(
        model.draw_ns(VenueId("v"), plan_number=n, order_number=1) / 1e6 for n in range(4000)
    )

    assert draws[2000] == pytest.approx(20, rel=0.05)
    assert draws[3960] == pytest.approx(80, rel=0.15)
    assert len({draw % 1 for draw in draws}) > 3_900, "no draw is cut to a whole millisecond"


def test_an_order_goes_on_behind_a_level_that_others_have_taken_whole() -> None:
    world = World()
    world.show(0, [("100.00", "1")], [("100.10", "1"), ("100.20", "1")])
    world.taken.take(0, layout.ASK, 10_010, 10**8)
    world.show(1, [("101.00", "1")], [("101.20", "1")])
    for _ in range(3):
        world.wait(30)
        world.tick()

    execution = world.journal.finished[0].execution
    buy = next(order for order in execution.orders if order.side is Side.BUY)
    assert buy.state is OrderState.FILLED
    assert {fill.price for fill in buy.fills} == {Decimal("100.20")}


def test_lots_of_the_coarser_venue_bound_the_size() -> None:
    instruments = [make_instrument("here", lot="0.3"), make_instrument("there", lot="0.2")]
    world = World(Setup(instruments=instruments))
    open_gap(world)

    assert world.journal.plans[0].legs[0].size_base == Decimal("0.6")


def test_a_plan_whose_legs_are_all_withheld_by_the_latch_ends_and_frees_what_it_reserved() -> None:
    world = World()
    # Clear when the plan is begun and made, set before its first leg leaves.
    world.kill_answers = [False, False, True, True]
    open_gap(world)
    assert len(world.circumstances.under_way) == 1

    world.wait(1)
    world.tick()

    (finished,) = world.journal.finished
    assert [order.state for order in finished.execution.orders] == [OrderState.CANCELLED] * 2
    assert len(world.circumstances.under_way) == 0
    assert world.executors.next_at_ns > world.now_ns


@pytest.mark.parametrize("ticks", [0, 1])
def test_an_order_fills_at_exactly_its_limit_and_not_a_tick_beyond_it(ticks: int) -> None:
    world = World()
    open_gap(world)
    (plan,) = world.journal.plans
    bid = plan.legs[1].price_limit - ticks * Decimal("0.01")
    world.show(1, [(f"{bid}", "1")], [("101.20", "1")])

    world.wait(50)
    world.tick()

    sold = world.journal.finished[0].execution.orders[1]
    assert sold.filled_base == (0 if ticks else plan.legs[1].size_base)
