"""A plan draws on what its venues hold, and no more."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decide.under_way import needs
from engine.domain.assets import AssetCode
from engine.domain.exact import exact_sum
from engine.domain.holdings import Capital, Place
from engine.domain.instruments import Instrument, VenueId
from engine.domain.opportunities import Reason, Refusal
from engine.domain.orders import Purpose
from engine.domain.plans import LeggedPlan, Plan
from engine.execute.latency import Latency
from engine.portfolio.inventory import Inventory
from tests.effort import examples
from tests.reference.world import Setup, World, make_holding, make_instrument

NEAR = ([("100.00", "1")], [("100.10", "1")])
HIGH = ([("101.00", "1")], [("101.20", "1")])
FAR = ([("90.00", "1")], [("110.00", "1")])
USD, BTC = AssetCode("USD"), AssetCode("BTC")
HERE, THERE = VenueId("here"), VenueId("there")


def having(usd_here: str, btc_there: str) -> Callable[[Sequence[Instrument]], Inventory]:
    return lambda _: Inventory(
        holdings=[make_holding("here", "USD", usd_here), make_holding("there", "BTC", btc_there)]
    )


def open_gap(world: World) -> None:
    """Show the same gap anew, so that its liquidity is there again."""
    for book in (0, 1):
        world.show(book, *FAR)
    world.show(1, *HIGH)
    world.show(0, *NEAR)


def trade(world: World) -> Plan | Refusal:
    """Show the gap, and let the orders arrive."""
    open_gap(world)
    decision = world.journal.decided[-1].decision
    world.wait(400)
    world.tick()
    return decision


def test_one_way_trades_run_out_of_dollars_and_say_so() -> None:
    world = World(Setup(inventory=having("1000", "1000")))

    decisions = [trade(world) for _ in range(20)]

    plans = [one for one in decisions if isinstance(one, LeggedPlan)]
    refusals = [one for one in decisions if isinstance(one, Refusal)]
    assert len(plans) == 10
    assert [one.reason for one in refusals] == [Reason.BALANCE_TOO_LOW] * 10
    assert refusals[0].detail == "Here holds 0.04 USD of the 100.26 needed"
    assert Decimal(0) <= world.inventory.held((HERE, USD)) < Decimal("0.10")
    lines = {line.name: line for line in world.decider.limit_lines(world.now_ns)}
    assert (lines["balance"].used, lines["balance"].refusals) == ("0% left: here USD", 10)


def test_a_sell_draws_on_the_base_at_its_venue() -> None:
    world = World(Setup(inventory=having("100000", "0.25")))

    plan, refusal = trade(world), trade(world)

    assert isinstance(plan, LeggedPlan)
    assert [leg.size_base for leg in plan.legs] == [Decimal("0.25")] * 2
    assert world.inventory.held((THERE, BTC)) == 0
    assert isinstance(refusal, Refusal)
    assert refusal.detail == "There holds 0.000 BTC of the 1.000 needed"


def test_a_plan_is_cut_to_what_is_there_with_its_fee() -> None:
    world = World(Setup(inventory=having("50.00", "1000")))

    plan = trade(world)

    assert isinstance(plan, LeggedPlan)
    ((_, needed), _) = needs(plan.legs)
    assert Decimal("49.90") < needed <= Decimal("50.00")


def test_what_plans_under_way_may_draw_on_is_reserved() -> None:
    slow = Latency(median_ms=500, p99_ms=500)
    world = World(Setup(inventory=having("150", "1000"), latency=slow))

    open_gap(world)
    world.wait(100)
    open_gap(world)
    world.wait(100)
    open_gap(world)

    first, second, third = (one.decision for one in world.journal.decided)
    assert isinstance(first, LeggedPlan)
    assert isinstance(second, LeggedPlan)
    assert second.notional_usd < 50
    assert isinstance(third, Refusal)
    assert third.detail == "Here holds 0.00 USD free (150.00 reserved) of the 100.26 needed"
    world.wait(1_500)
    world.tick()
    assert world.circumstances.under_way.reserved((HERE, USD)) == 0
    assert world.inventory.held((HERE, USD)) >= 0


def test_without_capital_nothing_is_traded_and_with_the_first_price_it_is_there() -> None:
    capital = [
        Capital(venue=venue, asset=asset, usd=Decimal(1_000))
        for venue in (HERE, THERE)
        for asset in (USD, BTC)
    ]
    world = World(Setup(inventory=lambda _: Inventory(capital)))

    before = trade(world)  # its tick is the first with a price
    after = trade(world)

    assert isinstance(before, Refusal)
    assert before.reason is Reason.BALANCE_TOO_LOW
    assert isinstance(after, LeggedPlan)
    assert {one.place for one in world.journal.deposits} == {one.place for one in capital}


def test_a_reset_lets_trading_go_on() -> None:
    capital = [
        Capital(venue=venue, asset=asset, usd=Decimal(300))
        for venue in (HERE, THERE)
        for asset in (USD, BTC)
    ]
    world = World(Setup(inventory=lambda _: Inventory(capital)))
    decisions = [trade(world) for _ in range(8)]
    assert isinstance(decisions[-1], Refusal)

    world.reset_balance()

    assert world.inventory.held((HERE, USD)) == 300
    assert isinstance(trade(world), LeggedPlan)


SHAPES = (("99.00", "99.10"), ("100.00", "100.10"), ("101.00", "101.20"))
steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 2),
        st.sampled_from([0, 3, 15, 40, 700]),
        st.integers(1, 12),
        st.integers(0, 9),
    ),
    max_size=40,
)


@settings(max_examples=examples(120), deadline=None)
@given(steps=steps)
def test_no_sequence_of_events_draws_more_than_there_is(
    steps: list[tuple[int, int, int, int, int]],
) -> None:
    both = [
        make_holding(venue, asset, held)
        for venue in ("here", "there")
        for asset, held in (("USD", "900"), ("BTC", "8"))
    ]
    world = World(Setup(inventory=lambda _: Inventory(holdings=both)))
    for book, shape, wait_ms, size, event in steps:
        world.wait(wait_ms)
        bid, ask = SHAPES[shape]
        if event == 0:
            world.lose(book)
        elif event == 1:
            world.tick()
        else:
            world.show(book, [(bid, str(size))], [(ask, str(size))])
        check(world)


def check(world: World) -> None:
    done = {one.plan.plan_id for one in world.journal.finished}
    reserved: dict[Place, list[Decimal]] = {}
    for plan in world.journal.plans:
        for place, amount in needs(plan.legs) if plan.plan_id not in done else ():
            reserved.setdefault(place, []).append(amount)
    bought_back = any(
        order.purpose is Purpose.UNWIND and order.fills
        for one in world.journal.finished
        for order in one.execution.orders
    )
    for one in world.inventory.holdings:
        taken = exact_sum(reserved.get(one.place, ()))
        assert world.circumstances.under_way.reserved(one.place) == taken
        # Buying back what only one leg sold may cost more than it brought; nothing else may.
        assert one.held.value >= taken or bought_back


@pytest.mark.parametrize("lot", ["0.00001", "1"])
def test_what_is_left_is_too_little_for_a_lot(lot: str) -> None:
    instruments = [make_instrument("here", lot=lot), make_instrument("there", lot=lot)]
    world = World(Setup(instruments=instruments, inventory=having("0.0001", "1000")))

    refusal = trade(world)

    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.BALANCE_TOO_LOW
    assert refusal.detail == "Here holds 0.00 USD of the 100.26 needed"
