"""Routes that mix books, pairs, ranges and stable pools are confirmed in whole numbers."""

import random

import pytest

from engine.detect.sizing.exact import confirm_exact
from tests.detect.mixed_routes import KINDS, MixedRoute, float_optimum, random_route, swaps_of
from tests.reference import confirming as reference

WINDOW = 1_300
UNITS_OFF_MAX = 4
"""A step of every leg may lie beside what the neighbours of the stages reach; 4 legs at most."""


def random_kinds(rng: random.Random) -> tuple[str, ...]:
    return tuple(rng.choice(KINDS) for _ in range(rng.choice((2, 3, 4))))


def gains(route: MixedRoute, *, flash_fee_pips: int) -> tuple[int, int]:
    """Return the confirmed gain net of the fee, and the best of all inputs of the window."""
    start = float_optimum(route, pays=1.0 + flash_fee_pips / 1e6)
    found = confirm_exact(route.legs, start, flash_fee_pips=flash_fee_pips)
    net = 0
    if found is not None:
        net = found.gain_raw - -(-found.input_raw * flash_fee_pips // 1_000_000)
    swaps = swaps_of(route)
    best = 0
    for tried in range(1, WINDOW + 1):
        gain = reference.gain_of(swaps, tried)
        if gain is not None:
            best = max(best, gain - -(-tried * flash_fee_pips // 1_000_000))
    return net, best


@pytest.mark.parametrize("seed", range(4))
def test_the_gain_is_within_a_unit_per_leg_of_a_search_of_all_inputs(seed: int) -> None:
    rng = random.Random(seed)
    hits = exact = 0
    for _ in range(24):
        route = random_route(rng, random_kinds(rng), scale=300)
        net, best = gains(route, flash_fee_pips=0)
        assert best - net <= UNITS_OFF_MAX, route.kinds
        hits += best > 0
        exact += best > 0 and best <= net
    assert hits > 1
    assert exact > 0


def test_the_gain_is_never_below_that_of_the_floored_optimum_and_holds() -> None:
    rng = random.Random(9)
    hits = 0
    for _ in range(300):
        route = random_route(rng, random_kinds(rng), scale=10 ** rng.randint(3, 20))
        start = float_optimum(route)
        found = confirm_exact(route.legs, start)
        swaps = swaps_of(route)
        plain = reference.gain_of(swaps, start) if start > 0 else None
        if found is None:
            assert plain is None or plain <= 0, route.kinds
            continue
        assert found.gain_raw >= max(plain or 0, 1), route.kinds
        assert found.gain_raw == reference.gain_of(swaps, found.input_raw)
        hits += 1
    assert hits > 30


def test_a_flash_fee_moves_the_optimum_to_what_is_best_net_of_it() -> None:
    rng = random.Random(11)
    hits = 0
    for _ in range(20):
        route = random_route(rng, ("pair", "pair"), scale=20_000)
        free, _ = gains(route, flash_fee_pips=0)
        net, best = gains(route, flash_fee_pips=5_000)
        assert best - UNITS_OFF_MAX <= net <= free + UNITS_OFF_MAX
        hits += 0 < net < free
    assert hits > 0
