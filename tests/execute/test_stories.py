"""The story of a trade: its causes add up exactly, and each is named for what was done to it."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.stories import Cause, TradeStory, Worth
from engine.execute.finished import Found
from tests.effort import examples
from tests.execute.test_invariants import Inputs, fees_in_base, inputs, play
from tests.reference.world import Setup, World, limit_set

NEAR = ([("100.00", "1")], [("100.10", "1")])
HIGH = ([("101.00", "1")], [("101.20", "1")])


def causes(story: TradeStory) -> dict[Cause, Decimal]:
    return {one.cause: one.worth.quote for one in (*story.to_sized, *story.to_realised)}


def check_sums(story: TradeStory) -> None:
    for start, steps, end in (
        (story.found, story.to_sized, story.sized),
        (story.sized, story.to_realised, story.realised),
    ):
        total = start
        for step in steps:
            total += step.worth
        assert total == end
    assert story.gross - story.fee - story.transfer - story.gas == story.realised


@settings(max_examples=examples(150), deadline=None)
@given(
    steps=inputs,
    seed=st.integers(0, 5),
    base_fee_venues=fees_in_base,
    found=st.none() | st.floats(-10, 10),
)
def test_causes_add_up_to_expected_less_realised_exactly(
    steps: Inputs, seed: int, base_fee_venues: Sequence[str], found: float | None
) -> None:
    world, _ = play(steps, seed, base_fee_venues)

    for finished in world.journal.finished:
        first = None if found is None else Found(profit_quote=found, profit_usd=found)
        story = finished.story(first)
        check_sums(story)
        assert story.realised == Worth(
            quote=finished.execution.profit_quote, usd=finished.execution.profit_usd
        )
        assert story.sized.usd == finished.execution.expected_usd
        lots = causes(story).get(Cause.LOT_ROUNDING, Decimal(0))
        # A lot of 0.00001 at 101; the estimate leaves out that a fee in base shrinks the sale.
        assert abs(lots) < (Decimal("0.05") if base_fee_venues else Decimal("0.01"))
        stored = msgspec.json.encode(story)
        assert msgspec.json.decode(stored, type=TradeStory) == story


def story_of(world: World) -> TradeStory:
    for _ in range(4):
        world.wait(30)
        world.tick()
    return world.journal.finished[0].story()


def test_what_went_as_planned_has_no_cause_but_rounding() -> None:
    world = World()
    world.show(0, *NEAR)
    world.show(1, *HIGH)

    story = story_of(world)

    assert story.to_realised == ()
    assert story.sized == story.realised
    assert story.fee.quote == Decimal("0.101") + Decimal("0.1001")


def test_a_price_that_moved_on_the_way_is_latency_and_its_fee_is_told_apart() -> None:
    world = World()
    world.show(0, *NEAR)
    world.show(1, *HIGH)
    world.wait(10)
    world.show(1, [("100.98", "1")], [("101.20", "1")])

    told = {one.cause: one.worth.quote for one in story_of(world).to_realised}

    assert told == {Cause.LATENCY: Decimal("-0.02"), Cause.FEE: Decimal("0.00002")}


def test_what_lay_beyond_the_limit_and_its_unwinding_are_told() -> None:
    world = World()
    world.show(0, *NEAR)
    world.show(1, *HIGH)
    world.wait(10)
    world.show(1, [("100.00", "1")], [("100.20", "1")])

    told = causes(story_of(world))

    assert told[Cause.LATENCY] == Decimal("-1.00")
    assert told[Cause.PRICE_LIMIT] == Decimal("0.10")  # not sold at a loss
    assert told[Cause.UNWINDING] == Decimal("-0.10")


def test_a_venue_that_was_lost_is_told() -> None:
    world = World()
    world.show(0, *NEAR)
    world.show(1, *HIGH)
    world.wait(10)
    world.lose(1)

    assert causes(story_of(world))[Cause.UNREACHED] == Decimal("-0.90")


def test_depth_that_another_order_took_meanwhile_is_told() -> None:
    world = World()
    world.show(0, *NEAR)
    world.show(1, *HIGH)
    world.taken.take(1, 0, 10_100, 40_000_000)

    assert causes(story_of(world))[Cause.DEPTH_TAKEN] == -Decimal("0.9") * Decimal("0.4")


def test_a_limit_that_shrank_the_size_is_told_with_its_sentence() -> None:
    world = World(Setup(values=limit_set(position_usd=Decimal(50))))
    world.show(0, *NEAR)
    world.show(1, *HIGH)

    story = story_of(world)

    assert causes(story)[Cause.SIZE_LIMIT] < Decimal("-0.3")
    assert story.limit == "used 0.00 USD, limit 50 USD"
    assert story.sized.quote < story.found.quote / 2
