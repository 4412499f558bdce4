"""A trader with table, desks, lines and comparisons at the sandbox's venues, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.engines import MAIN
from engine.domain.instruments import VenueId
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import OrderFate, VenueMatter
from engine.domain.units import BPS_PER_UNIT
from engine.domain.venue_orders import TimeInForce
from engine.gateways.asks import WIRE_NAMES_MAX
from engine.gateways.gateway_list import GATEWAYS
from engine.sandbox.exchange.model import Life, Ordered, State
from engine.trading.answers import TraderAnswers
from engine.trading.departure import Departure
from tests.sandbox.exchange.place import place_of
from tests.simulation.virtual_time import virtual_loop
from tests.trading.orders import order_of, plan_at
from tests.trading.work_world import World, in_virtual_time, make_world

of_each = pytest.mark.parametrize("venue", GATEWAYS)


def play(world: World, during: Callable[[World, TraderAnswers], Coroutine[Any, Any, None]]) -> None:
    """Live one life of a trader whose venues take orders on."""

    async def begun(world: World) -> None:
        assert world.answers is not None
        await during(world, world.answers)

    in_virtual_time(lambda: world.live(begun))


def other_than(venue: str) -> str:
    return "binance" if venue != "binance" else "gemini"


def legs(world: World, *venues: str, number: int = 1) -> tuple[HandedOrder, ...]:
    plan = plan_at(*venues, number=number)
    return tuple(order_of(plan, leg, at_ms=world.wall_ms()) for leg in range(len(venues)))


def fates(world: World, orders: tuple[HandedOrder, ...]) -> list[OrderFate]:
    return [news.fate for one in orders if (news := world.last(one)) is not None]


@of_each
def test_both_legs_of_a_plan_are_placed_filled_told_and_acknowledged(
    tmp_path: Path, venue: str
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue, other_than(venue))

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, venue, other_than(venue))
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))

        assert fates(world, orders) == [OrderFate.FILLED] * 2
        assert world.judge(orders) == []
        told = await answers.untold(MAIN, 0)
        answers.acknowledge(tuple(one.number for one in told.news))
        assert (await answers.untold(MAIN, told.newest)).news == ()
        await asyncio.sleep(60)
        assert world.differs() == []
        assert [one.why_not for one in answers.seen().seen] == ["", ""]
        assert {one.told for one in answers.seen().seen} <= {one.number for one in told.news}
        # Fees of our tier come with it, those of an instrument soon after its first order.
        taken = {one: place.exchange.terms.taker_ratio for one, place in world.venues.items()}
        assert {one.venue: one.taker_bps for one in answers.seen().seen} == {
            one: ratio * BPS_PER_UNIT for one, ratio in taken.items()
        }
        assert world.matters == []

    play(world, during)


@of_each
def test_an_answer_that_is_lost_is_found_out_and_the_order_made_once(
    tmp_path: Path, venue: str
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue)

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, venue)
        world.lose_answers = 1
        await answers.hand_over(orders)
        await world.until(lambda: bool(world.venues[venue].exchange.orders))
        await world.until(lambda: world.is_over(orders))

        assert world.judge(orders) == []
        told = [one.news.fate for one in (await answers.untold(MAIN, 0)).news]
        assert OrderFate.UNKNOWN in told
        assert told[-1] is OrderFate.FILLED
        assert list(world.network.creates.values()) == [1]

    play(world, during)


@of_each
def test_a_request_that_never_came_ends_as_never_by_proof(tmp_path: Path, venue: str) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue)

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, venue)
        world.lose_requests = 1
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))

        is_replayed = world.venues[venue].gateway.rules.is_replay_harmless
        assert fates(world, orders) == [OrderFate.FILLED if is_replayed else OrderFate.NEVER]
        assert world.judge(orders) == []

    play(world, during)


def test_no_leg_leaves_if_another_leg_is_not_signed(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance", "kraken")

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, "binance", "kraken")
        world.refuses[orders[1].client_order_id] = "the cap of the day is used"
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))

        assert fates(world, orders) == [OrderFate.NEVER] * 2
        assert all(place.exchange.orders == [] for place in world.venues.values())
        assert "cap of the day" in (world.last(orders[0]) or orders).why  # type: ignore[union-attr]

    play(world, during)


def test_no_leg_is_taken_on_if_the_venue_of_another_takes_none(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance", "kraken")

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, "binance", "kraken")
        world.at[VenueId("kraken")].standing.halted = "somebody has to look"
        refused = (await answers.hand_over(orders)).refused

        assert [one.client_order_id for one in refused] == [one.client_order_id for one in orders]
        assert fates(world, orders) == [OrderFate.NEVER] * 2

    play(world, during)


def test_nothing_leaves_while_the_signer_is_away(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance")

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        world.signer_away = True
        orders = legs(world, "binance")
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))
        assert fates(world, orders) == [OrderFate.NEVER]
        assert world.venues["binance"].exchange.orders == []

    play(world, during)


def test_an_order_does_not_leave_if_its_engine_is_killed_while_it_is_signed(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance")

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, "binance")
        world.signing = lambda: setattr(world, "killed", "killed: a person said so")
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))
        assert fates(world, orders) == [OrderFate.NEVER]
        assert world.venues["binance"].exchange.orders == []

    play(world, during)


async def test_lines_are_had_in_one_order_by_all_plans() -> None:
    binance, kraken = VenueId("binance"), VenueId("kraken")
    departure = Departure([kraken, binance])

    waiting = asyncio.create_task(departure.may_take_line(kraken))
    await asyncio.sleep(0)
    assert not waiting.done()
    await departure.may_take_line(binance)
    departure.has_line(binance)
    await waiting


def test_an_order_that_comes_too_late_to_leave_never_leaves(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance")

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, "binance")
        await asyncio.sleep(5.001)
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))
        assert fates(world, orders) == [OrderFate.NEVER]

    play(world, during)


def test_two_plans_that_cross_each_other_at_venues_with_one_line_both_leave(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "gemini", "kraken")

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        there = legs(world, "gemini", "kraken")
        back = legs(world, "kraken", "gemini", number=2)
        await answers.hand_over(there + back)
        began_s = virtual_loop().now_s
        await world.until(
            lambda: all(len(one.exchange.orders) == 2 for one in world.venues.values())
        )
        assert virtual_loop().now_s - began_s < 2
        await world.until(lambda: world.is_over(there + back))
        assert world.judge(there + back) == []

    play(world, during)


def test_while_killed_nothing_leaves_and_what_rests_is_cancelled(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance")

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        plan = plan_at("binance")
        resting = order_of(
            plan, 0, at_ms=world.wall_ms(), life=TimeInForce.POST_ONLY, limit="90.00"
        )
        await answers.hand_over((resting,))
        exchange = world.venues["binance"].exchange
        await world.until(lambda: bool(exchange.open_orders()))
        world.killed = "killed: a person said so"
        done = answers.cancel_all("", MAIN, world.killed)
        late = legs(world, "binance", number=2)
        await answers.hand_over(late)
        await world.until(lambda: world.is_over((resting, *late)))

        assert (done.withheld, done.cancelling) == (0, 1)
        assert fates(world, (resting, *late)) == [OrderFate.CANCELLED, OrderFate.NEVER]
        assert world.judge((resting, *late)) == []

    play(world, during)


@of_each
def test_a_switch_is_held_off_only_where_it_cancels_our_orders_alone(
    tmp_path: Path, venue: str
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue)
    switch = world.venues[venue].gateway.dead_man

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        await asyncio.sleep(60)
        assert world.asked["hold_off"] == 0  # nothing is under way
        resting = order_of(
            plan_at(venue), 0, at_ms=world.wall_ms(), life=TimeInForce.POST_ONLY, limit="90.00"
        )
        await answers.hand_over((resting,))
        await world.until(lambda: bool(world.venues[venue].exchange.open_orders()))
        await asyncio.sleep(60)
        is_held_off = switch is not None and not switch.is_of_account
        assert (world.asked["hold_off"] >= 60 // 20) == is_held_off
        assert (world.asked["hold_off"] == 0) != is_held_off

    play(world, during)


def test_what_somebody_else_rests_on_the_account_is_seen_and_never_touched(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "coinbase")
    exchange = world.venues["coinbase"].exchange

    async def during(world: World, answers: TraderAnswers) -> None:
        theirs = Ordered(
            client_id="theirs",
            wire_name=world.venues["coinbase"].books.wire_name,
            is_buy=True,
            size=Decimal(1),
            price=Decimal("90.00"),
            life=Life.UNTIL_CANCELLED,
        )
        order = exchange.place(theirs, world.wall_ms(), is_foreign=True)
        await world.until(world.is_open_for_orders)
        answers.cancel_all("", "", "all of ours")
        await asyncio.sleep(60)

        (line,) = answers.orders(5, "").venues
        assert line.others_count == 1
        assert order.state is State.OPEN  # type: ignore[union-attr]
        assert world.is_open_for_orders()

    play(world, during)


@of_each
def test_a_balance_that_nothing_explains_halts_the_venue_until_a_person_adopts_it(
    tmp_path: Path, venue: str
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue)
    exchange = world.venues[venue].exchange

    async def halted(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        exchange.balances["USD"].free -= Decimal("0.01")
        at = world.at[VenueId(venue)]
        await world.until(lambda: bool(at.standing.halted))
        refused = (await answers.hand_over(legs(world, venue))).refused
        assert "-0.01" in refused[0].why

    async def still_halted(world: World, answers: TraderAnswers) -> None:
        at = world.at[VenueId(venue)]
        await asyncio.sleep(60)
        assert "-0.01" in at.why_not
        answers.adopt(venue, "me")
        await world.until(world.is_open_for_orders)
        orders = legs(world, venue, number=2)
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))
        assert world.differs() == []

    play(world, halted)
    world.in_flight.clear()
    play(world, still_halted)
    assert [matter for matter, _ in world.matters] == [VenueMatter.HALTED]


def test_a_balance_that_is_off_in_one_reading_alone_halts_nothing(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance")
    usd = world.venues["binance"].exchange.balances["USD"]

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        at = world.at[VenueId("binance")]
        usd.free -= 1  # as a balance that is older than a fill
        at.check.soon.set()
        await world.until(lambda: bool(at.standing.unchecked))
        assert "looked at again" in (await answers.hand_over(legs(world, "binance"))).refused[0].why
        usd.free += 1
        await world.until(world.is_open_for_orders)
        assert at.standing.halted == ""

    play(world, during)
    assert world.matters == []


def test_fees_of_more_instruments_than_one_question_has_are_read(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "kraken", "binance")

    async def during(world: World, _answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        at = world.at[VenueId("kraken")]
        at.standing.asked_wire_names |= {f"A{number}USD" for number in range(WIRE_NAMES_MAX + 1)}
        await at.check.check()
        assert len({one.wire_name for one in at.standing.fees}) > WIRE_NAMES_MAX

    play(world, during)


def test_nothing_is_compared_while_an_order_is_under_way(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance")
    place = world.venues["binance"]

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        resting = order_of(
            plan_at("binance"), 0, at_ms=world.wall_ms(), life=TimeInForce.POST_ONLY, limit="90.00"
        )
        await answers.hand_over((resting,))
        await world.until(lambda: bool(place.exchange.open_orders()))
        place.exchange.balances["USD"].free -= 1
        (seen,) = answers.seen().seen
        await asyncio.sleep(120)
        assert world.at[VenueId("binance")].standing.halted == ""
        (again,) = answers.seen().seen
        assert (again.at_ns, again.held) == (seen.at_ns, seen.held)
        assert (seen.is_last, again.is_last) == (True, False), "it was told that it rests"

    play(world, during)


def test_a_fill_that_nobody_told_is_booked_when_the_account_is_read(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance")
    place = world.venues["binance"]

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        resting = order_of(
            plan_at("binance"),
            0,
            at_ms=world.wall_ms(),
            life=TimeInForce.POST_ONLY,
            limit="100.00",
        )
        await answers.hand_over((resting,))
        await world.until(lambda: bool(place.exchange.open_orders()))
        await asyncio.sleep(4)  # it was looked up, and is not for a while
        place.books.asks.insert(0, (Decimal("99.00"), Decimal("0.7")))
        place.exchange.advance(world.wall_ms())
        world.at[VenueId("binance")].check.soon.set()
        await world.until(lambda: world.is_over((resting,)))

        assert fates(world, (resting,)) == [OrderFate.FILLED]
        assert world.judge((resting,)) == []
        await asyncio.sleep(60)
        assert world.differs() == []

    play(world, during)
    # It only was read before it was told: no news to a person.
    assert world.matters == []


def test_a_person_is_told_of_a_fill_that_comes_after_its_order_had_ended(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance")
    exchange = world.venues["binance"].exchange

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, "binance")
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))
        (made,) = exchange.orders
        late = replace(made.fills[-1], number=made.fills[-1].number + 1)
        made.fills.append(late)
        exchange.fills.append(late)
        await world.until(lambda: bool(world.matters))

    play(world, during)
    assert world.matters[0][0] is VenueMatter.DIFFERENCE
    assert world.matters[0][1].endswith("that nobody told")


def test_a_key_that_may_withdraw_is_never_traded_with(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance")
    world.venues["binance"] = place_of("binance", may_withdraw=True)

    async def during(world: World, answers: TraderAnswers) -> None:
        at = world.at[VenueId("binance")]
        await world.until(lambda: bool(at.standing.key_trouble))
        refused = (await answers.hand_over(legs(world, "binance"))).refused
        assert "may withdraw" in refused[0].why
        await asyncio.sleep(60)
        assert "may withdraw" in at.why_not

    play(world, during)
    assert [matter for matter, _ in world.matters] == [VenueMatter.KEY]


def test_an_order_whose_engine_asks_before_it_came_never_leaves(tmp_path: Path) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance")

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        (one,) = legs(world, "binance")
        told = answers.ask_after(one.client_order_id, one.venue, MAIN)
        await answers.hand_over((one,))
        await asyncio.sleep(10)
        assert [each.news.fate for each in told.news] == [OrderFate.NEVER]
        assert world.venues["binance"].exchange.orders == []

    play(world, during)


def test_what_is_rehearsed_is_neither_kept_nor_signed_nor_sent_and_is_placed_once_after_it(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", "binance", "gemini")

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, "binance", "gemini")
        answers.rehearse(orders)
        await asyncio.sleep(10)
        assert world.rehearsals == [one.client_order_id for one in orders]
        assert world.signed == {}
        assert world.book is not None
        assert (world.book.count(), world.book.newest_number()) == (0, 0)
        assert not answers.engines()
        assert all(not place.exchange.orders for place in world.venues.values())

        await answers.hand_over(orders)
        answers.rehearse(orders)
        await world.until(lambda: world.is_over(orders))
        assert world.judge(orders) == []
        world.killed = "by hand"
        answers.rehearse(legs(world, "binance", number=2))
        await asyncio.sleep(1)
        assert len(world.rehearsals) <= 4

    play(world, during)
