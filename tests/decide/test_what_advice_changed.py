"""A piece counts as having changed something only where something was otherwise because of it."""

from decimal import Decimal

import pytest

from engine.decide.limits import Finding
from engine.domain.advice import (
    BlockTimeAdvice,
    GasAdvice,
    PathAdvice,
    PriorityAdvice,
    TipAdvice,
)
from engine.domain.plans import AtomicPlan
from engine.market.advice_book import BID, CHANGED_MAX, DECISION, ORDER, SCHEDULE, WATCHED
from tests.decide.test_advised_decisions import (
    CYCLE,
    TIPS,
    atomic,
    inclusion,
    make_world,
    plan_now,
    price,
    seen_of,
    world_of_a_cycle,
)


def test_a_refusal_is_a_decision_that_was_otherwise_and_a_plan_is_not() -> None:
    world = make_world()
    world.advise(inclusion(0.99))
    assert isinstance(plan_now(world), AtomicPlan)
    assert world.advice.changed == {}

    world.advise(inclusion(0.01))
    assert isinstance(plan_now(world), Finding)

    assert world.advice.changed == {1: DECISION}


def test_a_schedule_is_one_once_a_plan_has_it() -> None:
    world = make_world()
    world.advise(BlockTimeAdvice(chain="ethereum", block_ms=12_000, heard_ms=100, jitter_ms=100))
    assert world.advice.changed == {}

    atomic(world)

    assert world.advice.changed == {1: SCHEDULE}


@pytest.mark.parametrize(
    ("advice", "changed"),
    [
        (TipAdvice(chain="ethereum", tip_gwei=1.0), {1: BID}),
        (TipAdvice(chain="ethereum", tip_gwei=float(TIPS.now)), {}),
        (GasAdvice(chain="ethereum", ratio=1.5), {1: BID}),
        (GasAdvice(chain="ethereum", ratio=1.0), {}),
        (GasAdvice(chain="base", ratio=1.5), {}),
    ],
)
def test_a_bid_is_otherwise_where_the_price_is_another(
    advice: TipAdvice | GasAdvice, changed: dict[int, str]
) -> None:
    world = make_world()
    price(world)
    world.advise(advice)

    assert atomic(world).gas.price_gwei >= Decimal(1)

    assert world.advice.changed == changed


def test_a_cycle_is_looked_at_once_all_of_it_is_followed() -> None:
    world = world_of_a_cycle()
    world.advise(
        PathAdvice(
            chain="ethereum", tokens=CYCLE, pools=tuple(f"0x{at}" for at in range(len(CYCLE)))
        ),
        PathAdvice(chain="ethereum", tokens=("USDT", "ETH"), pools=("0x0", "0xgone")),
    )
    for _ in range(3):
        world.wait(100)
        world.tick()

    assert world.advice.changed == {1: WATCHED}


def test_an_order_is_otherwise_only_for_routes_that_advice_bears_on() -> None:
    world = make_world()
    hops = seen_of(world).hops
    pair = f"{hops[0].target}-{hops[0].source}"
    world.advise(PriorityAdvice(pair=pair, ratio=0.5), PriorityAdvice(pair="A-B", ratio=0.5))

    world.advice.reorders(hops, world.now_ns)

    assert world.advice.changed == {1: ORDER}


def test_what_changed_is_told_after_its_piece_has_ended_and_is_bounded() -> None:
    world = make_world()
    world.advice.changed.update(dict.fromkeys(range(10, 10 + CHANGED_MAX), BID))
    world.advise(inclusion(0.01))
    plan_now(world)
    world.advise()

    assert len(world.advice.changed) == CHANGED_MAX
    assert 10 not in world.advice.changed
    assert world.advice.changed[1] == DECISION
