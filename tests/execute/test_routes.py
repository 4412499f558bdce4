"""Routes of any number of books trade on paper: three legs at one venue, two upside down, four."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decide.limit_set import LimitSet
from engine.decide.under_way import exposure_quote
from engine.domain.assets import AssetCode
from engine.domain.opportunities import Reason, Side
from engine.domain.orders import Order, OrderState, Purpose
from engine.domain.plans import LeggedPlan
from engine.execute.book_finished import LeggedFinished
from engine.execute.latency import Latency
from tests.effort import examples
from tests.execute.test_stories import check_sums
from tests.reference.world import Levels, Setup, World, limit_set, make_instrument

TRIANGLE = (("a", "BTC-USD"), ("a", "ETH-BTC"), ("a", "ETH-USD"))
WIDE = limit_set(position_usd=Decimal(100_000), net_edge_bps_min=Decimal(1))
Shown = tuple[Levels, Levels]
CHEAP: Shown = ([("99.90", "5")], [("100.00", "5")])
BETWEEN: Shown = ([("0.19990", "50")], [("0.20000", "50")])
DEAR: Shown = ([("20.50", "10")], [("20.60", "10")])
BACK: Shown = ([("19.90", "10")], [("20.10", "10")])


def make_world(
    places: Sequence[tuple[str, str]] = TRIANGLE,
    *,
    lot: str = "0.001",
    base_fee_venues: Sequence[str] = (),
    transfer_bps: str = "0",
    values: LimitSet = WIDE,
    latency: Latency | None = None,
    seed: int = 7,
) -> World:
    return World(
        Setup(
            instruments=[
                make_instrument(venue, pair, price_decimals=5, tick="0.00001", lot=lot)
                for venue, pair in places
            ],
            base_fee_venues=base_fee_venues,
            transfer_bps=transfer_bps,
            values=values,
            edge_bps_min="1",
            latency=latency or Latency(median_ms=20, p99_ms=20),
            seed=seed,
        )
    )


def open_triangle(world: World) -> LeggedPlan:
    for book, shown in enumerate((CHEAP, BETWEEN, DEAR)):
        world.show(book, *shown)
    (plan,) = world.journal.plans
    world.switches.is_paused = True  # what moves now opens other routes, which are not asked about
    return plan


def finish(world: World, rounds: int = 12) -> LeggedFinished:
    for _ in range(rounds):
        world.wait(25)
        world.tick()
    (finished,) = world.journal.finished
    return finished


def changes(orders: Sequence[Order]) -> dict[str, Fraction]:
    """Add the fills up by asset, as a person with the statement would."""
    total: dict[str, Fraction] = defaultdict(Fraction)
    for order in orders:
        pair, sign = order.instrument.pair, 1 if order.side is Side.BUY else -1
        for fill in order.fills:
            total[pair.base] += sign * Fraction(fill.size_base) - Fraction(fill.fee_base)
            total[pair.quote] -= sign * Fraction(fill.size_base) * Fraction(fill.price)
            total[pair.quote] -= Fraction(fill.fee_quote)
    return total


def test_a_triangle_fills_as_it_was_confirmed() -> None:
    world = make_world()
    plan = open_triangle(world)

    finished = finish(world, 2)

    execution = finished.execution
    assert [leg.source for leg in plan.legs] == ["USD", "BTC", "ETH"]
    assert {len(str(leg.size_base).partition(".")[2]) for leg in plan.legs} == {8}
    assert [order.state for order in execution.orders] == [OrderState.FILLED] * 3
    assert execution.profit_quote == plan.profit_quote
    assert execution.profit_usd == finished.execution.expected_usd
    came_to = changes(execution.orders)
    left = {one.held.asset: Fraction(one.held.value) for one in execution.residuals}
    assert {asset: held for asset, held in came_to.items() if held and asset != "USD"} == left
    # What is left makes no lot of the leg that would trade it.
    assert 0 <= left.get(AssetCode("BTC"), Fraction(0)) < Fraction(plan.legs[0].instrument.lot_base)
    assert 0 <= left.get(AssetCode("ETH"), Fraction(0)) < Fraction(plan.legs[1].instrument.lot_base)
    worth = sum(Fraction(one.carry.value) for one in execution.residuals)
    assert Fraction(execution.profit_quote) == came_to["USD"] + worth
    assert worth >= 0


def test_each_leg_is_worth_no_less_than_the_least_edge_at_its_limit_prices() -> None:
    plan = open_triangle(make_world())
    amount = Fraction(1)
    for leg in plan.legs:
        fee = 1 - Fraction(10, 10_000) if leg.side is Side.SELL else 1 / Fraction(10_010, 10_000)
        price = Fraction(leg.price_limit)
        amount *= fee * (price if leg.side is Side.SELL else 1 / price)
    assert amount >= 1 + Fraction(1, 10_000)
    walked = [leg.notional_quote / leg.size_base for leg in plan.legs]
    assert all(
        leg.price_limit >= price if leg.side is Side.BUY else leg.price_limit <= price
        for leg, price in zip(plan.legs, walked, strict=True)
    )


def test_a_middle_leg_that_does_not_fill_is_unwound_at_both_ends() -> None:
    world = make_world()
    plan = open_triangle(world)
    world.wait(5)
    world.show(1, [("0.20990", "50")], [("0.21000", "50")])
    world.wait(5)
    world.show(2, *BACK)
    finished = finish(world)

    bought, between, sold, *unwound = finished.execution.orders
    assert (bought.state, between.state) == (OrderState.FILLED, OrderState.EXPIRED)
    assert sold.state is OrderState.EXPIRED, "the price fell below its limit"
    assert [(one.instrument.pair.base, one.side) for one in unwound] == [("BTC", Side.SELL)]
    assert unwound[0].size_base == plan.legs[0].size_base
    assert finished.execution.residuals == ()
    assert finished.execution.profit_quote < 0


def test_what_the_last_leg_owes_is_bought_back_where_it_was_sold() -> None:
    world = make_world()
    open_triangle(world)
    world.wait(5)
    world.show(0, [("104.90", "5")], [("105.00", "5")])
    world.show(1, [("0.20990", "50")], [("0.21000", "50")])
    finished = finish(world)

    orders = finished.execution.orders
    assert [order.state for order in orders[:3]] == [
        OrderState.EXPIRED,
        OrderState.EXPIRED,
        OrderState.FILLED,
    ]
    unwound = [order for order in orders if order.purpose is Purpose.UNWIND]
    assert [(one.instrument.pair.base, one.side) for one in unwound] == [("ETH", Side.BUY)]
    assert finished.execution.residuals == ()


def test_a_middle_leg_alone_is_traded_back_into_the_asset_it_came_from() -> None:
    world = make_world()
    open_triangle(world)
    world.wait(5)
    world.show(0, [("104.90", "5")], [("105.00", "5")])
    world.wait(5)
    world.show(2, *BACK)
    finished = finish(world)

    orders = finished.execution.orders
    assert [order.state for order in orders[:3]] == [
        OrderState.EXPIRED,
        OrderState.FILLED,
        OrderState.EXPIRED,
    ]
    came_to = changes(orders)
    assert abs(came_to["ETH"]) < Fraction("0.001")
    # The price of BTC was 105 when it was owed; all of it is bought back at that.
    assert abs(came_to["BTC"]) < Fraction("0.001")
    assert finished.execution.profit_quote < 0


def test_books_that_quote_each_other_upside_down_trade() -> None:
    instruments = [
        make_instrument("a", "BTC-USD"),
        make_instrument(
            "b", "USD-BTC", price_decimals=8, size_decimals=2, lot="0.01", tick="0.00001"
        ),
    ]
    world = World(Setup(instruments=instruments, values=WIDE))
    world.show(0, [("99.9", "5")], [("100", "5")])
    world.show(1, [("0.00961", "900")], [("0.00962", "900")])
    (plan,) = world.journal.plans

    execution = finish(world).execution

    assert [order.side for order in execution.orders] == [Side.BUY, Side.BUY]
    assert execution.profit_quote == plan.profit_quote > 0


def test_a_route_draws_on_what_each_of_its_venues_holds() -> None:
    world = make_world()
    plan = open_triangle(world)
    finish(world, 2)

    usd, btc, eth = (
        world.inventory.held(("a", asset)) - 1_000_000_000_000  # type: ignore[arg-type]
        for asset in ("USD", "BTC", "ETH")
    )
    came_to = changes(world.journal.finished[0].execution.orders)
    assert (Fraction(usd), Fraction(btc), Fraction(eth)) == (
        came_to["USD"],
        came_to["BTC"],
        came_to["ETH"],
    )
    assert plan.notional_usd == plan.legs[0].notional_quote


def test_a_route_is_cut_to_the_position_limit_and_says_so() -> None:
    world = make_world(values=limit_set(position_usd=Decimal(50), net_edge_bps_min=Decimal(1)))
    plan = open_triangle(world)

    assert 24 < plan.notional_usd <= 25, "both assets between its legs may be left over"
    assert plan.sizing is not None
    assert "limit 50 USD" in plan.sizing.limit
    execution = finish(world).execution
    assert execution.profit_quote == plan.profit_quote


def test_no_legs_that_fill_without_the_others_leave_more_than_was_counted() -> None:
    plan = open_triangle(make_world())
    most = Decimal(0)
    for filled in product((0, 1), repeat=3):
        left = Decimal(0)
        for number, (before, after) in enumerate(pairwise(plan.legs)):
            got, gave = before.received * filled[number], after.given * filled[number + 1]
            usd_each = Decimal(100) if before.target == "BTC" else Decimal("20.5")
            left += abs(got - gave) * usd_each
        most = max(most, left)

    assert plan.notional_usd < most <= exposure_quote(plan.legs) * Decimal("1.03")
    assert exposure_quote(plan.legs) >= 2 * plan.notional_usd


def test_a_route_counts_all_of_its_orders_in_the_rate() -> None:
    values = limit_set(orders_per_minute_max=2, net_edge_bps_min=Decimal(1))
    world = make_world(values=values)
    for book, shown in enumerate((CHEAP, BETWEEN, DEAR)):
        world.show(book, *shown)

    assert world.journal.plans == []
    assert set(world.journal.reasons) == {Reason.ORDER_RATE_LIMIT}


def test_a_route_whose_lots_are_too_coarse_is_refused_with_the_numbers() -> None:
    world = make_world(lot="20")
    for book, shown in enumerate((CHEAP, BETWEEN, DEAR)):
        world.show(book, *shown)

    assert world.journal.plans == []
    details = [
        one.decision.detail for one in world.journal.decided if hasattr(one.decision, "detail")
    ]
    assert details
    assert all("lots" in detail or "nothing" in detail for detail in details)


SQUARE = (("a", "BTC-USD"), ("b", "ETH-BTC"), ("b", "ETH-EUR"), ("a", "EUR-USD"))
MIDS = {
    "BTC-USD": Decimal(100),
    "ETH-BTC": Decimal("0.2"),
    "ETH-USD": Decimal(20),
    "ETH-EUR": Decimal(16),
    "EUR-USD": Decimal("1.25"),
}
steps = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(-12, 12),
        st.lists(st.integers(1, 8), min_size=1, max_size=3),
        st.lists(st.integers(1, 8), min_size=1, max_size=3),
        st.sampled_from([1, 5, 12, 30, 200]),
        st.booleans(),
    ),
    min_size=4,
    max_size=30,
)


def play(
    places: Sequence[tuple[str, str]],
    inputs: list[tuple[int, int, list[int], list[int], int, bool]],
    seed: int,
    base_fee_venues: Sequence[str],
) -> World:
    """Books that wander by up to 1.2 % around prices that agree, now and then lost."""
    world = make_world(
        places,
        lot="0.01",
        base_fee_venues=base_fee_venues,
        transfer_bps="2",
        latency=Latency(median_ms=10, p99_ms=60),
        seed=seed,
    )
    for number, level, bids, asks, wait_ms, is_lost in inputs:
        book = number % len(places)
        world.wait(wait_ms)
        if is_lost and wait_ms > 100:
            world.lose(book)
            continue
        mid = MIDS[places[book][1]] * (1 + Decimal(level) / 1_000)
        step = mid / 2_000
        scale = 100 / MIDS[places[book][1]]

        def rows(sizes: list[int], sign: int) -> Levels:
            return [
                (f"{mid + sign * step * (at + 1):.5f}", f"{size * scale:.2f}")  # noqa: B023
                for at, size in enumerate(sizes)
            ]

        world.show(book, rows(bids, -1), rows(asks, 1))
    for _ in range(30):
        world.wait(200)
        world.tick()
    return world


@pytest.mark.parametrize("places", [TRIANGLE, SQUARE], ids=["triangle", "square"])
@settings(max_examples=examples(60), deadline=None)
@given(inputs=steps, seed=st.integers(0, 5), fees=st.sampled_from([(), ("a",), ("a", "b")]))
def test_every_asset_adds_up_and_every_cause_too(
    places: Sequence[tuple[str, str]],
    inputs: list[tuple[int, int, list[int], list[int], int, bool]],
    seed: int,
    fees: Sequence[str],
) -> None:
    world = play(places, inputs, seed, fees)

    total: dict[str, Fraction] = defaultdict(Fraction)
    for finished in world.journal.finished:
        execution, plan = finished.execution, finished.plan
        for order in execution.orders:
            assert order.state in (OrderState.FILLED, OrderState.EXPIRED)
            assert order.filled_base <= order.size_base
            for fill in order.fills:
                is_buy = order.side is Side.BUY
                assert fill.price <= order.price_limit or not is_buy
                assert fill.price >= order.price_limit or is_buy
        came_to = changes(execution.orders)
        for asset, change in came_to.items():
            total[asset] += change
        left = {one.held.asset: Fraction(one.held.value) for one in execution.residuals}
        between = {leg.target for leg in plan.legs[:-1]}
        assert {asset: came_to[asset] for asset in between if came_to[asset]} == left
        carry = sum(Fraction(one.carry.value) for one in execution.residuals)
        transfer = Fraction(finished.settlement.transfer_quote)
        assert Fraction(execution.profit_quote) == came_to[execution.quote] + carry - transfer
        check_sums(finished.story())
    assert world.circumstances.under_way.total_usd == 0
    assert len(world.circumstances.under_way) == 0
    held: dict[str, Fraction] = defaultdict(Fraction)
    for one in world.positions.residuals:
        held[one.held.asset] += Fraction(one.held.value)
    booked: dict[str, Fraction] = defaultdict(Fraction)
    for finished in world.journal.finished:
        for residual in finished.execution.residuals:
            booked[residual.held.asset] += Fraction(residual.held.value)
    assert {k: v for k, v in held.items() if v} == {k: v for k, v in booked.items() if v}


@settings(max_examples=10, deadline=None)
@given(inputs=steps, seed=st.integers(0, 5))
def test_the_same_inputs_give_the_same_executions_byte_for_byte(
    inputs: list[tuple[int, int, list[int], list[int], int, bool]], seed: int
) -> None:
    def run() -> bytes:
        world = play(TRIANGLE, inputs, seed, ())
        return msgspec.json.encode([one.execution for one in world.journal.finished])

    assert run() == run()
