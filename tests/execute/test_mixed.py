"""Mixed routes trade on paper: one part, the other by what that came to, then what is left."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.opportunities import HopKind, Side
from engine.domain.orders import Execution, OrderState, Purpose
from engine.domain.plans import Part
from engine.domain.stories import Cause
from engine.execute.book_finished import MixedFinished
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from engine.portfolio import come_through
from tests.effort import examples
from tests.execute.mixed_worlds import (
    AROUND,
    BETWEEN,
    BLOCK_MS,
    BOOKS,
    CHEAP,
    DEAR,
    make_mixed_world,
    move_pool,
    open_plan,
    play_out,
    pool_of,
    show,
)
from tests.execute.test_blocks_of_transactions import price_gas
from tests.execute.test_stories import causes, check_sums
from tests.reference.world import World

SHAPES = {"order then swap": DEAR, "swap then order": CHEAP, "between orders": BETWEEN}
FEE = Fraction(10, 10_000)
GAS_USDT = Fraction(90_000 * 2_000, 10**9)
DUST_USD = Decimal(101)
"""What a lot of BTC is worth, and of ETH two."""

shapes = pytest.mark.parametrize("pool", SHAPES.values(), ids=SHAPES)


def swapped(reserve_in: int, reserve_out: int, amount_in: int) -> int:
    """The pair's own formula, from its contract."""
    with_fee = amount_in * 997
    return with_fee * reserve_out // (reserve_in * 1_000 + with_fee)


def prefer_orders(world: World) -> None:
    """Let the measured shares say that transactions land and orders rarely fill."""
    other = make_mixed_world(DEAR)
    open_plan(other)
    move_away = play_out(other, by_ratio=0.02)
    for _ in range(20):
        world.circumstances.come_through.add(move_away.execution)


def make_orders_first(pool: PoolSnapshot, **made: Any) -> World:
    return make_mixed_world(pool, prepare=prefer_orders, **made)


def all_changes(execution: Execution) -> dict[tuple[str, str], Fraction]:
    """Add fills, swaps and gas up by place and asset, as a person with the statements would."""
    total: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for order in execution.orders:
        venue, pair = order.instrument.venue, order.instrument.pair
        sign = 1 if order.side is Side.BUY else -1
        for fill in order.fills:
            size, price = Fraction(fill.size_base), Fraction(fill.price)
            total[venue, pair.base] += sign * size - Fraction(fill.fee_base)
            total[venue, pair.quote] -= sign * size * price + Fraction(fill.fee_quote)
    transaction = execution.transaction
    receipt = None if transaction is None else transaction.receipt
    if receipt is not None:
        total["ethereum", "ETH"] -= Fraction(receipt.gas)
        for swap in receipt.swaps:
            total["ethereum", swap.source] -= Fraction(swap.amount_in)
            total["ethereum", swap.target] += Fraction(swap.amount_out)
    return total


def check_books(
    world: World, finished: MixedFinished, before: dict[tuple[str, str], Decimal]
) -> None:
    """What it came to is what its parts say, place by place, and nothing is in no residual."""
    plan, execution = finished.plan, finished.execution
    changes = all_changes(execution)
    for place, held in {
        (one.venue, one.held.asset): one.held.value for one in world.inventory.holdings
    }.items():
        assert Fraction(held) - Fraction(before[place]) == changes.get(place, 0), place
    gas = Fraction(0)
    receipt = None if execution.transaction is None else execution.transaction.receipt
    if receipt is not None:
        gas = Fraction(receipt.gas)
    by_asset: dict[str, Fraction] = defaultdict(Fraction)
    for (_, asset), change in changes.items():
        by_asset[asset] += change
    by_asset["ETH"] += gas
    left = {one.held.asset: Fraction(one.held.value) for one in execution.residuals}
    quote = plan.opportunity.quote
    assert {asset: one for asset, one in by_asset.items() if one and asset != quote} == left
    worth = sum((Fraction(one.carry.value) for one in execution.residuals), Fraction(0))
    gas_quote = Fraction(0) if receipt is None else Fraction(receipt.gas_quote)
    transfer = Fraction(finished.settlement.transfer_quote)
    assert Fraction(execution.profit_quote) == by_asset[quote] + worth - transfer - gas_quote
    check_sums(finished.story())


def holdings(world: World) -> dict[tuple[str, str], Decimal]:
    return {(one.venue, one.held.asset): one.held.value for one in world.inventory.holdings}


def test_pools_on_both_sides_of_a_book_are_one_transaction_beside_its_order() -> None:
    world = make_mixed_world(AROUND[0], more=AROUND[1:])
    plan = open_plan(world)
    before = holdings(world)
    finished = play_out(world)

    assert [hop.kind for hop in plan.opportunity.hops] == [HopKind.POOL, HopKind.POOL, HopKind.BOOK]
    assert [(step.source, step.target) for step in plan.steps] == [
        ("USDT", "USDC"),
        ("USDC", "ETH"),
    ]
    assert [(leg.instrument.pair.base, leg.side) for leg in plan.legs] == [("ETH", Side.SELL)]
    assert (plan.opportunity.quote, plan.before) == ("USDT", 0)
    assert finished.execution.profit_usd is not None
    assert finished.execution.profit_usd > 100
    check_books(world, finished, before)


def test_an_order_and_a_swap_are_fitted_to_each_other_and_reckoned_exactly() -> None:
    plan = open_plan(make_mixed_world(DEAR))

    (leg,), (step,) = plan.legs, plan.steps
    assert (plan.before, leg.side, step.source) == (1, Side.BUY, "ETH")
    assert leg.size_base % leg.instrument.lot_base == 0
    assert step.amount_in == leg.size_base, "it swaps what is bought"
    got_raw = swapped(1_000 * 10**18, 2_060_000 * 10**6, int(step.amount_in.scaleb(18)))
    assert step.amount_out.scaleb(6) == got_raw
    paid = Fraction(leg.size_base) * Fraction("2000.01")
    gain = Fraction(got_raw, 10**6) - paid * (1 + FEE) - GAS_USDT
    assert abs(Fraction(plan.profit_quote) - gain) < Fraction(1, 10**6)
    assert Fraction(plan.profit_quote) <= gain
    assert abs(Fraction(plan.notional_usd) - paid) < paid / 10_000


def test_no_swap_gives_more_than_the_order_behind_it_sells_but_for_less_than_a_lot() -> None:
    plan = open_plan(make_mixed_world(BETWEEN))

    bought, sold = plan.legs
    (step,) = plan.steps
    assert 0 <= bought.size_base - step.amount_in < bought.instrument.lot_base
    assert 0 <= step.amount_out - sold.size_base < Decimal("0.00000002"), "a unit or two"


@shapes
def test_what_nobody_moves_comes_to_what_was_planned_to_the_last_unit(pool: PoolSnapshot) -> None:
    world = make_mixed_world(pool, transfer_bps="3")
    before = holdings(world)
    plan = open_plan(world)
    assert plan.transfer_quote > 0

    finished = play_out(world)

    execution = finished.execution
    assert [order.state for order in execution.orders] == [OrderState.FILLED] * len(plan.legs)
    assert execution.profit_quote == plan.profit_quote
    assert execution.profit_usd == execution.expected_usd
    assert finished.story().to_realised == ()
    check_books(world, finished, before)


def test_a_route_goes_from_a_venue_to_the_wallet_and_back_and_pays_for_that() -> None:
    free, dear = (open_plan(make_mixed_world(BETWEEN, transfer_bps=bps)) for bps in ("0", "8"))
    paid = dear.legs[0].notional_quote
    assert free.transfer_quote == 0
    assert abs(dear.transfer_quote - paid * 8 / 10_000) < paid / 10_000


def test_no_order_leaves_before_the_transaction_has_landed() -> None:
    world = make_mixed_world(CHEAP)
    plan = open_plan(world)
    assert plan.first is Part.TRANSACTION

    world.wait(BLOCK_MS - 1)
    world.tick()
    (intent,) = world.journal.intents
    assert (len(intent.orders), len(intent.transactions)) == (0, 1)

    world.wait(1)
    world.tick()
    _, second = world.journal.intents
    assert (len(second.orders), len(second.transactions)) == (1, 0)


@shapes
def test_a_transaction_that_reverts_costs_its_gas_and_no_order_is_sent(pool: PoolSnapshot) -> None:
    world = make_mixed_world(pool)
    before = holdings(world)
    plan = open_plan(world)
    tokens = [str(asset) for asset, _ in pool.pool.tokens]
    move_pool(world, pool_of((tokens[0], 1_000), (tokens[1], 2 if tokens[1] == "BTC" else 1e5)))
    if pool is CHEAP:
        move_pool(world, pool_of(("ETH", 1_000), ("USDT", 1e7)))

    finished = play_out(world)

    execution = finished.execution
    assert execution.orders == ()
    assert execution.why_reverted
    assert execution.profit_quote == -plan.gas.quote
    assert not execution.is_traded
    assert causes(finished.story())[Cause.REVERTED] < 0
    check_books(world, finished, before)


def test_a_transaction_that_never_lands_costs_nothing() -> None:
    world = make_mixed_world(CHEAP)
    before = holdings(world)
    plan = open_plan(world)
    price_gas(world, "50")
    world.wait(5 * BLOCK_MS)
    world.tick()

    (finished,) = world.journal.mixed
    assert finished.execution.transaction is not None
    assert finished.execution.transaction.state is OrderState.REJECTED
    assert finished.execution.profit_quote == 0
    assert finished.execution.orders == ()
    made = causes(finished.story())
    assert made[Cause.NEVER_LANDED] < -plan.profit_quote
    assert made[Cause.FEE] == plan.legs[0].fee_quote
    assert made[Cause.GAS] == plan.gas.quote
    check_books(world, finished, before)


@shapes
def test_what_an_order_does_not_fill_is_closed_at_its_book_and_not_in_the_pool(
    pool: PoolSnapshot,
) -> None:
    world = make_mixed_world(pool)
    before = holdings(world)
    plan = open_plan(world)

    away = 0.002 if plan.legs[0].side is Side.BUY else -0.002
    finished = play_out(world, by_ratio=away)

    orders = finished.execution.orders
    missed = [one for one in orders if one.purpose is Purpose.LEG and not one.fills]
    closing = [one for one in orders if one.purpose is Purpose.UNWIND]
    assert missed, "the price is behind the limit of what was planned"
    assert {(one.instrument, one.side) for one in closing} == {
        (one.instrument, one.side) for one in missed
    }, "what was swapped is not swapped back: the order is made up for"
    assert causes(finished.story())[Cause.UNWINDING] != 0 or len(plan.legs) > 1
    left = sum(abs(one.carry.value) for one in finished.execution.residuals)
    assert left < DUST_USD
    check_books(world, finished, before)


def test_what_no_book_takes_is_held_on_the_chain_and_counts_in_the_limits() -> None:
    world = make_mixed_world(CHEAP)
    before = holdings(world)
    plan = open_plan(world)
    world.lose(0)

    world.wait(BLOCK_MS)
    for _ in range(40):
        world.tick()
        world.wait(25)
    (finished,) = world.journal.mixed

    (left,) = finished.execution.residuals
    assert (left.venue, left.held.asset) == ("ethereum", "ETH")
    assert left.held.value == plan.steps[-1].amount_out
    assert [one.state for one in finished.execution.orders] == [OrderState.EXPIRED]
    assert world.positions.residuals == (left,)
    check_books(world, finished, before)


def test_what_was_given_and_not_bought_again_is_owed_at_the_wallet() -> None:
    world = make_mixed_world(DEAR)
    plan = open_plan(world)
    world.lose(0)

    world.wait(BLOCK_MS)
    for _ in range(40):
        world.tick()
        world.wait(25)
    (finished,) = world.journal.mixed

    (left,) = finished.execution.residuals
    assert (left.venue, left.held.value) == ("ethereum", -plan.steps[0].amount_in)


def test_killed_after_it_landed_the_orders_stay_and_what_it_left_is_closed() -> None:
    world = make_mixed_world(CHEAP)
    before = holdings(world)
    open_plan(world)
    world.wait(BLOCK_MS - 1_000)
    show(world, 0)
    world.is_killed = True
    world.wait(1_000)
    for _ in range(40):
        world.tick()
        world.wait(25)

    (finished,) = world.journal.mixed
    leg, *closing = finished.execution.orders
    assert (leg.purpose, leg.state, leg.fills) == (Purpose.LEG, OrderState.CANCELLED, ())
    assert [one.purpose for one in closing] == [Purpose.UNWIND]
    assert closing[0].state is OrderState.FILLED
    check_books(world, finished, before)


def test_killed_before_it_left_nothing_leaves() -> None:
    world = make_mixed_world(CHEAP, waits_for_intents=True)
    plan = open_plan(world)
    world.is_killed = True

    world.executors.stored(f"{plan.plan_id}-t", world.now_ns)
    world.tick()

    (finished,) = world.journal.mixed
    assert finished.execution.profit_quote == 0
    assert finished.execution.orders == ()


@pytest.mark.parametrize("lands", [True, False])
def test_pools_are_there_for_others_again_where_the_transaction_did_nothing(*, lands: bool) -> None:
    world = make_mixed_world(CHEAP)
    plan = open_plan(world)
    assert world.taken_pools.find_taken([0], "another") == 0, "from the decision on"
    if not lands:
        price_gas(world, "50")

    world.wait(5 * BLOCK_MS)
    for _ in range(20):
        world.tick()
        world.wait(25)

    (finished,) = world.journal.mixed
    assert finished.plan is plan
    assert world.taken_pools.find_taken([0], "another") == (0 if lands else None)


def test_an_order_sells_what_the_swap_gave_and_not_what_was_planned() -> None:
    world = make_mixed_world(CHEAP)
    before = holdings(world)
    plan = open_plan(world)
    move_pool(world, pool_of(("ETH", 1_000), ("USDT", 1_940_400)))

    finished = play_out(world)

    transaction, (order,) = finished.execution.transaction, finished.execution.orders
    assert transaction is not None
    assert transaction.receipt is not None
    gave = transaction.receipt.swaps[-1].amount_out
    assert gave < plan.steps[-1].amount_out
    assert order.size_base == plan.legs[0].instrument.floor_to_lot(gave) < plan.legs[0].size_base
    assert causes(finished.story())[Cause.POOL_MOVED] < 0
    check_books(world, finished, before)


@shapes
def test_where_transactions_are_surer_orders_go_first_and_the_swap_takes_what_they_came_to(
    pool: PoolSnapshot,
) -> None:
    world = make_orders_first(pool)
    before = holdings(world)
    plan = open_plan(world)
    assert plan.first is Part.ORDERS, plan.first_why
    (intent,) = world.journal.intents
    assert (len(intent.orders), len(intent.transactions)) == (len(plan.legs), 0)

    finished = play_out(world)

    assert finished.execution.profit_quote == plan.profit_quote
    check_books(world, finished, before)


@shapes
def test_an_order_that_fills_in_part_makes_the_swap_that_follows_smaller(
    pool: PoolSnapshot,
) -> None:
    world = make_orders_first(pool)
    before = holdings(world)
    plan = open_plan(world)
    book = BOOKS.index(str(plan.legs[0].instrument.pair))
    show(world, book, size="5")

    finished = play_out(world)

    transaction = finished.execution.transaction
    assert transaction is not None
    assert transaction.receipt is not None
    first = finished.execution.orders[0]
    assert first.filled_base == 5
    share = first.filled_base / plan.legs[0].size_base
    took = transaction.receipt.swaps[0].amount_in
    assert abs(took / plan.steps[0].amount_in - share) < Decimal("0.001")
    left = sum(abs(one.carry.value) for one in finished.execution.residuals)
    assert left < DUST_USD
    assert finished.execution.profit_quote > 0
    check_books(world, finished, before)


@shapes
def test_orders_whose_transaction_reverts_are_traded_back(pool: PoolSnapshot) -> None:
    world = make_orders_first(pool)
    before = holdings(world)
    plan = open_plan(world)
    tokens = [str(asset) for asset, _ in pool.pool.tokens]
    far = 1e7 if pool is CHEAP else (2 if tokens[1] == "BTC" else 1e5)
    move_pool(world, pool_of((tokens[0], 1_000), (tokens[1], far)))

    finished = play_out(world)

    orders = finished.execution.orders
    assert [one.purpose for one in orders] == [Purpose.LEG] * len(plan.legs) + [
        Purpose.UNWIND
    ] * len(plan.legs)
    assert all(
        back.side is not leg.side
        for leg, back in zip(orders, orders[len(plan.legs) :], strict=False)
    )
    assert finished.execution.is_traded
    assert finished.execution.why_reverted
    assert finished.execution.profit_quote < -plan.gas.quote
    assert causes(finished.story())[Cause.REVERTED] < 0
    check_books(world, finished, before)


def test_orders_that_fill_nothing_are_followed_by_nothing() -> None:
    world = make_orders_first(DEAR)
    open_plan(world)
    show(world, 0, by_ratio=0.02)

    finished = play_out(world, by_ratio=0.02)

    assert finished.execution.transaction is None
    assert finished.execution.profit_quote == 0
    assert finished.execution.residuals == ()


def test_orders_of_which_too_little_filled_for_the_gas_are_traded_back() -> None:
    world = make_orders_first(DEAR, gwei="100")
    before = holdings(world)
    plan = open_plan(world)
    show(world, 0, size="0.5")

    finished = play_out(world)

    assert finished.execution.transaction is None
    assert [one.side for one in finished.execution.orders] == [Side.BUY, Side.SELL]
    assert -plan.gas.quote < finished.execution.profit_quote < 0
    check_books(world, finished, before)


def test_what_comes_through_is_learned_from_each_trade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(come_through, "LEAST", 1)
    world = make_mixed_world(CHEAP)
    open_plan(world)
    learned = world.circumstances.come_through
    assert (learned.ratio("a"), learned.ratio("ethereum")) == (None, None)

    play_out(world, by_ratio=-0.02)

    assert (learned.ratio("a"), learned.ratio("ethereum")) == (0.0, 1.0)


def test_while_it_is_under_way_it_holds_what_both_parts_may_draw_on() -> None:
    world = make_mixed_world(CHEAP)
    plan = open_plan(world)
    under_way = world.circumstances.under_way
    (leg,) = plan.legs

    at_wallet = under_way.reserved((plan.wallet, plan.steps[0].source))
    assert at_wallet == plan.steps[0].amount_in
    assert under_way.reserved((plan.wallet, plan.gas.asset)) == plan.gas.amount
    assert under_way.reserved((leg.venue, leg.source)) == leg.size_base
    assert under_way.total_usd >= plan.notional_usd
    play_out(world)
    assert under_way.reserved((plan.wallet, plan.steps[0].source)) == 0
    assert under_way.total_usd == 0
    assert len(under_way) == 0


def test_a_wallet_that_holds_less_makes_it_smaller_and_gas_comes_first() -> None:
    whole = open_plan(make_mixed_world(DEAR))
    world = make_mixed_world(DEAR, held=(("ETH", "2"), ("USDT", "0")))
    plan = open_plan(world)

    assert plan.sizing is not None
    assert "Ethereum holds" in plan.sizing.limit
    assert plan.legs[0].size_base < whole.legs[0].size_base
    assert plan.steps[0].amount_in + 20 * plan.gas.amount <= 2, "gas for twenty is kept"
    assert plan.steps[0].amount_in > Decimal("1.99")


def test_a_wallet_without_gas_money_trades_nothing() -> None:
    world = make_mixed_world(CHEAP, held=(("ETH", "0.00001"), ("USDT", "100000")))

    assert world.journal.mixed_plans == []
    refusals = [one.decision for one in world.journal.decided]
    assert any("Ethereum holds 0.00" in getattr(one, "detail", "") for one in refusals)


def test_a_plan_that_was_under_way_when_its_engine_ended_is_void_and_sends_nothing() -> None:
    first = make_mixed_world(CHEAP)
    plan = open_plan(first)
    (intent,) = first.journal.intents

    world = make_mixed_world(DEAR, is_paused=True)
    world.pipeline.recover([intent], world.now_ns)
    assert world.circumstances.under_way.reserved((plan.wallet, plan.steps[0].source)) > 0
    world.tick()

    (finished,) = world.journal.mixed
    assert finished.execution.void
    assert finished.execution.profit_quote == 0
    assert finished.execution.orders == ()
    assert len(world.circumstances.under_way) == 0
    assert world.journal.intents == []


Move = tuple[int, float, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happens while a plan is under way.

    Attributes:
        moves: of books, by a share of their price, and how much is there then.
        pool_by: by what share the pool's price moves.
        kills_at: before which of the moves the latch is set.
    """

    pool: PoolSnapshot
    is_orders_first: bool
    moves: tuple[Move, ...]
    pool_by: float
    late_fill_ratio: float
    base_fee_venues: tuple[str, ...]
    kills_at: int | None

    def begin(self) -> World:
        make = make_orders_first if self.is_orders_first else make_mixed_world
        return make(
            self.pool, late_fill_ratio=self.late_fill_ratio, base_fee_venues=self.base_fee_venues
        )

    def play(self, world: World) -> None:
        (base, amount), (quote, other) = reserves(self.pool)
        move_pool(world, pool_of((base, amount), (quote, other * (1 + self.pool_by))))
        for number, (book, by_ratio, size) in enumerate(self.moves):
            world.is_killed |= number == self.kills_at
            show(world, book, by_ratio=by_ratio, size=size)
            world.wait(7)
        world.wait(BLOCK_MS - 500)
        for number, (book, by_ratio, size) in enumerate(self.moves):
            show(world, book, by_ratio=-by_ratio, size=size)
            world.wait(250 + number)
        for _ in range(300):
            world.tick()
            world.wait(25)


courses = st.builds(
    Course,
    pool=st.sampled_from([DEAR, CHEAP, BETWEEN]),
    is_orders_first=st.booleans(),
    moves=st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from([-0.02, -0.002, -0.0002, 0.0, 0.0002, 0.002, 0.02]),
            st.sampled_from(["0.5", "5", "50"]),
        ),
        max_size=4,
    ).map(tuple),
    pool_by=st.sampled_from([-0.02, -0.0002, 0.0, 0.0002, 0.02]),
    late_fill_ratio=st.sampled_from([0.0, 0.7]),
    base_fee_venues=st.sampled_from([(), ("a",)]),
    kills_at=st.none() | st.integers(0, 4),
)


def reserves(pool: PoolSnapshot) -> list[tuple[str, float]]:
    assert isinstance(pool.row, PairRow)
    raw = (pool.row.reserve0_raw, pool.row.reserve1_raw)
    return [
        (str(asset), int(one) / 10**decimals)
        for one, (asset, decimals) in zip(raw, pool.pool.tokens, strict=True)
    ]


@settings(max_examples=examples(60), deadline=None)
@given(course=courses)
def test_whatever_moves_nothing_gets_lost_and_all_adds_up(course: Course) -> None:
    world = course.begin()
    before = holdings(world)
    plan = open_plan(world)
    course.play(world)

    ended = [one for one in world.journal.ended if one.plan is plan]
    assert ended, "it comes to its end"
    assert isinstance(ended[0], MixedFinished)
    assert len([one for one in ended if not one.execution.corrects]) == 1
    changes: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for one in ended:
        check_sums(one.story())
        for place, change in all_changes(one.execution).items():
            changes[place] += change
    for place, held in holdings(world).items():
        assert Fraction(held) - Fraction(before[place]) == changes.get(place, 0), place
    kept: dict[str, Fraction] = defaultdict(Fraction)
    for one in ended:
        for residual in one.execution.residuals:
            kept[residual.held.asset] += Fraction(residual.held.value)
    transaction = ended[0].execution.transaction
    gas = Fraction(0)
    if transaction is not None and transaction.receipt is not None:
        gas = Fraction(transaction.receipt.gas)
    for asset in ("ETH", "BTC"):
        total = sum(change for (_, of), change in changes.items() if of == asset)
        assert total + (gas if asset == "ETH" else 0) == kept[asset]
    assert len(world.circumstances.under_way) == 0
