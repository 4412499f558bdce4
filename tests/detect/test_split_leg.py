"""A leg through several places in whole units never takes more than its input."""

import random
from decimal import Decimal

import pytest

from engine.detect.sizing.exact import ExactLeg, confirm_exact
from engine.detect.splitting.exact_leg import SplitLeg, plan_leg
from engine.domain.errors import BadValueError
from engine.domain.opportunities import Side
from engine.market.book_leg import OrderBookLeg, leg_of_book
from tests.detect.mixed_routes import KINDS, float_optimum, random_route
from tests.reference.world import make_instrument


def random_leg(rng: random.Random, scale: int) -> tuple[list[ExactLeg], SplitLeg, int]:
    """Return places, and the plan of an input about as large as they are deep."""
    kinds = tuple(rng.choice(KINDS) for _ in range(rng.randint(1, 4)))
    places = random_route(rng, kinds, scale=scale).legs
    amount_raw = rng.randint(scale // 10, scale)
    return places, plan_leg(places, [rng.random() for _ in places], amount_raw), amount_raw


def book(*, lot: str, size: int = 1_000) -> OrderBookLeg:
    """A book that sells at 2 quote a base, in raw units of base."""
    instrument = make_instrument("here", price_decimals=0, size_decimals=0, tick="1", lot=lot)
    return leg_of_book(
        instrument,
        Side.SELL,
        [(2, size)],
        fee_bps=Decimal(0),
        base_decimals=0,
        quote_decimals=0,
    )


@pytest.mark.parametrize("scale", [300, 10**9, 10**21])
def test_places_take_no_more_than_the_input_and_give_what_their_exact_forms_give(
    scale: int,
) -> None:
    rng = random.Random(scale)
    for _ in range(150):
        places, plan, planned_raw = random_leg(rng, scale)
        for amount_raw in (planned_raw, planned_raw + rng.randint(0, scale // 50)):
            try:
                parts = plan.parts(amount_raw)
            except BadValueError:
                continue  # a place takes no more
            assert sum(part.input_raw for part in parts) <= amount_raw
            given = sum(places[part.member].amount_out(part.input_raw) for part in parts)
            assert plan.amount_out(amount_raw) == given == sum(part.output_raw for part in parts)


def test_the_input_asked_for_the_planned_output_is_the_planned_one_or_less() -> None:
    rng = random.Random(4)
    for _ in range(300):
        try:
            places, plan, amount_raw = random_leg(rng, 10 ** rng.randint(3, 20))
        except BadValueError:
            continue  # one book, which holds less

        asked_raw = plan.amount_in(plan.amount_out(amount_raw))

        # A stable pool may ask for a little more than it needs.
        assert asked_raw <= amount_raw + amount_raw // 10**15 + len(places)


def test_what_makes_no_whole_lot_goes_to_the_finer_lots() -> None:
    plan = plan_leg([book(lot="1"), book(lot="10"), book(lot="7")], [5.0, 16.0, 13.0], 34)

    parts = {part.member: part.input_raw for part in plan.parts(34)}

    assert parts == {1: 10, 2: 14, 0: 10}


def test_a_place_that_takes_nothing_of_its_share_leaves_it_to_the_others() -> None:
    plan = plan_leg([book(lot="100"), book(lot="1")], [50.0, 50.0], 100)

    assert [(part.member, part.input_raw) for part in plan.parts(100)] == [(1, 100)]
    with pytest.raises(BadValueError, match="none of 1 places takes any of 99"):
        plan_leg([book(lot="100")], [1.0], 99)


def test_a_book_is_not_asked_for_more_than_it_holds_by_what_others_leave() -> None:
    books = [book(lot="10", size=1_000), book(lot="3", size=39), book(lot="1", size=1_000)]

    plan = plan_leg(books, [59.0, 39.0, 2.0], 100)

    parts = {part.member: part.input_raw for part in plan.parts(100)}
    assert parts == {0: 50, 1: 39, 2: 11}


def test_a_route_of_planned_legs_is_confirmed_as_any_other() -> None:
    rng = random.Random(6)
    hits = 0
    for _ in range(200):
        route = random_route(rng, ("pair", "buy", "ranges"), scale=10 ** rng.randint(4, 18))
        amount_raw = float_optimum(route)
        legs, given_raw = [], amount_raw
        try:
            for place in route.legs:
                legs.append(plan_leg([place], [1.0], given_raw))
                given_raw = legs[-1].amount_out(given_raw)
        except BadValueError:
            continue

        found = confirm_exact(legs, amount_raw)

        assert found == confirm_exact(route.legs, amount_raw)
        hits += found is not None
    assert hits > 20
