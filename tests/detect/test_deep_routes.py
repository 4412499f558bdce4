"""What pays after gas is found: beside dust, with more depth, among many open routes."""

import random

import pytest

from engine.detect.graph import start_sweep
from engine.detect.screening.open_room import AGAIN_NS, DISPLACES_RATIO, OPEN_MAX_BY_LEGS
from engine.detect.screening.screens import OPEN_MAX
from engine.kernels.screen_layout import SCREENED
from tests.detect.deep_worlds import PairMarket, dust_market, random_event, random_market

HUB_MOVED = (10_150.0, 19_700_000.0)


@pytest.mark.parametrize("dust_count", [0, 60, 64, 65, 300])
def test_dust_hides_no_route_that_pays_after_gas(dust_count: int) -> None:
    market = dust_market(dust_count)

    market.move(0, HUB_MOVED)

    best_usd, best = market.best()
    assert best is not None
    assert 400 < best_usd < 450
    assert market.best_open_usd() == pytest.approx(best_usd, rel=1e-6)
    assert market.world.detector.screens.unsized == market.world.detector.screens.unweighed == 0


def make_ask_beside_a_pool() -> PairMarket:
    market = PairMarket(
        [("ETH", "USDT", (10_000.0, 20_400_000.0))],
        ["ETH-USDT"],
        gwei="20",
        usd={"ETH": 2_000.0, "USDT": 1.0},
    )
    market.show(0, [("1990", "1")], [("2000", "0.01")])
    assert market.open_usd() == {}
    return market


def test_more_depth_at_the_same_best_price_opens_what_then_pays_its_gas() -> None:
    market = make_ask_beside_a_pool()

    market.show(0, [("1990", "1")], [("2000", "100")])

    assert market.best_open_usd() == pytest.approx(market.best()[0], rel=1e-6)
    assert market.best_open_usd() > 500


def test_more_depth_behind_the_best_price_opens_it_as_well() -> None:
    market = make_ask_beside_a_pool()

    market.show(0, [("1990", "1")], [("2000", "0.01"), ("2001", "100")])

    assert market.best_open_usd() == pytest.approx(market.best()[0], rel=1e-6)
    assert market.best_open_usd() > 500


def test_depth_at_a_worse_price_that_pays_more_after_gas_opens_it_as_well() -> None:
    market = make_ask_beside_a_pool()

    market.show(0, [("1990", "1")], [("2000.5", "100")])

    assert market.best_open_usd() == pytest.approx(market.best()[0], rel=1e-6)
    assert market.best_open_usd() > 500


def test_a_pool_that_only_becomes_deeper_opens_what_then_pays_its_gas() -> None:
    market = PairMarket(
        [("ETH", "USDT", (1.0, 2_000.0)), ("ETH", "USDT", (10_000.0, 20_400_000.0))],
        gwei="20",
        usd={"ETH": 2_000.0, "USDT": 1.0},
    )
    market.sweep()
    assert market.open_usd() == {}

    market.move(0, (10_000.0, 20_000_000.0))

    assert market.best_open_usd() == pytest.approx(market.best()[0], rel=1e-6)
    assert market.best_open_usd() > 0


def test_two_legs_too_shallow_for_gas_open_the_route_when_both_have_become_deeper() -> None:
    market = PairMarket(
        [("ETH", "USDT", (1.0, 2_000.0)), ("ETH", "USDT", (1.0, 2_040.0))],
        gwei="20",
        usd={"ETH": 2_000.0, "USDT": 1.0},
    )
    market.sweep()

    market.move(1, (10_000.0, 20_400_000.0))
    assert market.open_usd() == {}
    market.move(0, (10_000.0, 20_000_000.0))

    assert market.best_open_usd() == pytest.approx(market.best()[0], rel=1e-6)
    assert market.best_open_usd() > 0


def make_crowd(shallow_count: int = 20) -> PairMarket:
    """Shallow triangles and a deep one through one hub, all of them paying once it has moved."""
    pools: list[tuple[str, str, tuple[float, float]]] = [
        ("ETH", "USDT", (10_000.0, 20_000_000.0)),
        ("ETH", "RRR", (5_000.0, 1_000_000.0)),
        ("RRR", "USDT", (1_000_000.0, 10_000_000.0)),
    ]
    usd = {"ETH": 2_000.0, "USDT": 1.0, "RRR": 10.0}
    for number in range(shallow_count):
        pools.append(("ETH", f"D{number}", (0.005, 1_000.0)))
        pools.append((f"D{number}", "USDT", (1_000.0, 12.0)))
        usd[f"D{number}"] = 0.01
    return PairMarket(pools, gwei="0", usd=usd, legs_max=3)


def test_a_better_route_takes_the_place_of_the_worst_open_one() -> None:
    market = make_crowd()
    market.sweep()
    detector = market.world.detector
    assert len(market.open_usd()[3]) == 16

    market.move(0, HUB_MOVED)

    assert market.best_open_usd() == pytest.approx(market.best()[0], rel=1e-6)
    assert len(market.open_usd()[3]) == 16
    closed = detector.take_closed()
    assert len(closed) == detector.displaced >= 1
    ids = {episode.opportunity_id: episode for episode in detector.open_episodes}
    for one in closed:
        gains = ids[one.gave_way_to].row[SCREENED.PROFIT_USD]
        assert gains == one.better_usd
        assert one.reason.startswith(f"gave way to {one.gave_way_to}, which gains ")
    assert f"which gains {market.best()[0]:.2f} USD" in closed[0].reason


def test_an_open_route_with_a_plan_under_way_keeps_its_place() -> None:
    market = make_crowd()
    market.sweep()
    detector = market.world.detector
    kept = {episode.opportunity_id for episode in detector.open_episodes}
    for opportunity_id in kept:
        detector.keep(opportunity_id)

    market.move(0, HUB_MOVED)
    still_open = {episode.opportunity_id for episode in detector.open_episodes}
    assert still_open == kept
    assert detector.displaced == 0

    for opportunity_id in kept:
        detector.release(opportunity_id)
    market.move(0, (10_151.0, 19_700_000.0))
    assert market.best_open_usd() == pytest.approx(market.best()[0], rel=1e-6)


def test_a_route_that_found_no_room_opens_once_there_is_some() -> None:
    market = make_crowd()
    market.sweep()
    market.move(0, HUB_MOVED)
    before = len(market.open_usd()[3])
    assert before == 16
    deep = next(
        one for one in market.world.detector.open_episodes if one.first.hops[0].source == "USDT"
    )
    number = next(hop.row for hop in deep.first.hops if hop.row != 0)

    market.world.detector.remove_pool(number, market.world.now_ns)
    market.sweep()

    assert len(market.open_usd()[3]) == 16


def open_and_paying_usd(market: PairMarket, legs: int) -> tuple[list[float], list[float]]:
    """What the open routes of so many legs gain, and as many of the best by a plain search."""
    paying_usd = sorted(market.profit_usd(c) for c in market.cycles() if len(c) == legs)[::-1]
    open_usd = [
        episode.row[SCREENED.PROFIT_USD]
        for episode in market.world.detector.open_episodes
        if len(episode.first.hops) == legs
    ]
    return sorted(open_usd)[::-1], paying_usd[: len(open_usd)]


def test_a_route_that_found_no_room_takes_it_when_open_ones_come_to_gain_less() -> None:
    market = make_crowd()
    market.sweep()
    detector = market.world.detector
    for episode in detector.open_episodes[:4]:
        first = min(hop.row for hop in episode.first.hops if hop.row)
        market.move(first, (0.0053, 1_000.0))

    market.sweep()

    open_usd, best_usd = open_and_paying_usd(market, 3)
    assert len(open_usd) == 16
    assert open_usd[-1] >= best_usd[-1] / DISPLACES_RATIO - 1e-9
    assert detector.displaced == 4


def test_a_route_that_gave_way_comes_back_when_the_better_one_comes_to_gain_less() -> None:
    market = make_crowd(16)
    market.sweep()
    market.move(0, HUB_MOVED)
    assert market.world.detector.displaced == 1
    market.sweep()

    market.move(2, (1.0, 10.0))
    market.sweep()

    open_usd, best_usd = open_and_paying_usd(market, 3)
    assert len(open_usd) == 16
    assert open_usd[-1] >= best_usd[-1] / DISPLACES_RATIO - 1e-9
    assert market.world.detector.displaced == 2


def test_a_route_without_room_that_only_becomes_deeper_is_open_within_a_second() -> None:
    market = make_crowd()
    market.sweep()
    held = {
        hop.row for episode in market.world.detector.open_episodes for hop in episode.first.hops
    }
    number = next(n for n in range(3, len(market.pools), 2) if n not in held)
    for place in (number, number + 1):
        first, second = market.pools[place][2]
        market.move(place, (first * 100, second * 100))
    market.sweep()

    market.world.now_ns += AGAIN_NS
    market.sweep()

    open_usd, best_usd = open_and_paying_usd(market, 3)
    assert open_usd[0] == pytest.approx(best_usd[0], rel=1e-6)


def test_a_route_without_room_takes_that_of_a_worse_one_whose_plan_has_ended() -> None:
    market = make_crowd()
    market.sweep()
    detector = market.world.detector
    for episode in detector.open_episodes:
        detector.keep(episode.opportunity_id)
    market.move(0, HUB_MOVED)
    assert detector.displaced == 0

    for episode in detector.open_episodes:
        detector.release(episode.opportunity_id)
    market.sweep()

    assert market.best_open_usd() == pytest.approx(market.best()[0], rel=1e-6)


def test_a_clock_that_was_set_back_keeps_no_route_without_room_unseen() -> None:
    market = make_crowd()
    market.sweep()
    detector = market.world.detector
    market.world.now_ns += AGAIN_NS
    market.sweep()
    market.world.now_ns -= 3_600 * AGAIN_NS
    assert not market.world.graph.sweep.is_left

    detector.step_clock()

    detector.screen_starts(market.world.now_ns)
    held = {hop.row for episode in detector.open_episodes for hop in episode.first.hops}
    number = next(n for n in range(3, len(market.pools), 2) if n not in held)
    for place in (number, number + 1):
        first, second = market.pools[place][2]
        market.move(place, (first * 100, second * 100))
    market.world.now_ns += AGAIN_NS
    market.sweep()
    open_usd, best_usd = open_and_paying_usd(market, 3)
    assert open_usd[0] == pytest.approx(best_usd[0], rel=1e-6)


def test_pools_that_are_only_looked_at_again_are_not_said_to_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = make_crowd()
    market.sweep()
    monkeypatch.setattr(start_sweep, "SCANS_MAX", 1)

    market.world.now_ns += AGAIN_NS
    market.world.detector.screen_starts(market.world.now_ns)

    assert market.world.graph.sweep.is_left
    assert market.world.detector.pools_waiting == 0


def test_there_is_a_row_for_every_route_that_may_be_open() -> None:
    assert sum(OPEN_MAX_BY_LEGS.values()) <= OPEN_MAX


def test_a_random_market_that_shrinks_keeps_its_best_route_open() -> None:
    rng = random.Random(1_000_003 + 961)
    market = random_market(rng)
    market.sweep()

    for _ in range(6):
        random_event(rng, market)
        market.sweep()
        best_usd, best = market.best()
        assert market.best_open_usd() >= best_usd / DISPLACES_RATIO - 1e-6, best


def test_routes_that_are_about_as_good_do_not_take_turns() -> None:
    market = make_crowd()
    market.sweep()
    detector = market.world.detector

    for step in range(20):
        market.move(3 + 2 * step, (0.00501 if step % 2 else 0.00499, 1_000.0))

    assert DISPLACES_RATIO > 1
    assert detector.displaced == 0


@pytest.mark.parametrize("seed", range(25))
def test_the_best_route_of_a_random_market_is_open_after_every_change(seed: int) -> None:
    rng = random.Random(seed)
    market = random_market(rng)
    market.sweep()
    for _ in range(6):
        random_event(rng, market)
        market.sweep()
        best_usd, best = market.best()
        tolerance = 1e-6 + 1e-4 * best_usd
        assert market.best_open_usd() >= best_usd / DISPLACES_RATIO - tolerance, best


@pytest.mark.parametrize("rises", [1, -1])
@pytest.mark.parametrize(("count", "left_out_max"), [(1_024, 0), (1_025, 1), (1_100, 76)])
def test_no_cycle_is_left_unweighed_uncounted_whatever_their_order(
    count: int, left_out_max: int, rises: int
) -> None:
    """Of parallel pools each better (or worse) than the one before, by what a scan sees first."""
    shallow = [("D", "USDT", (1_000.0, 12.0 * (1 + rises * k * 1e-5))) for k in range(count)]
    market = PairMarket(
        [("ETH", "USDT", (10_000.0, 20_000_000.0)), ("ETH", "D", (0.005, 1_000.0)), *shallow],
        gwei="0",
        usd={"ETH": 2_000.0, "USDT": 1.0, "D": 0.01},
        legs_max=3,
    )

    market.move(0, HUB_MOVED)

    assert min(left_out_max, 1) <= market.world.detector.screens.unweighed <= left_out_max


def test_what_is_too_much_for_one_change_is_counted() -> None:
    market = dust_market(300, gwei="0")

    market.move(0, HUB_MOVED)

    assert market.best_open_usd() == pytest.approx(market.best()[0], rel=1e-6)
    through_hub = [c for c in market.cycles() if any(way.place[1] == 0 for way in c)]
    assert market.world.detector.unsized == len(through_hub) - 64
