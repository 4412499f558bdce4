"""What pays after gas is found: beside dust, with more depth, among many open routes."""

import random

import pytest

from engine.detect.detector import DISPLACES_RATIO
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
    assert market.world.graph.unsized == market.world.graph.unweighed == 0


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


def make_crowd() -> PairMarket:
    """Twenty shallow triangles and a deep one through one hub, all of them paying."""
    pools: list[tuple[str, str, tuple[float, float]]] = [
        ("ETH", "USDT", (10_000.0, 20_000_000.0)),
        ("ETH", "RRR", (5_000.0, 1_000_000.0)),
        ("RRR", "USDT", (1_000_000.0, 10_000_000.0)),
    ]
    usd = {"ETH": 2_000.0, "USDT": 1.0, "RRR": 10.0}
    for number in range(20):
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
    assert [one.is_displaced for one in closed] == [True] * detector.displaced
    assert detector.displaced >= 1


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


def test_what_is_too_much_for_one_change_is_counted() -> None:
    market = dust_market(300, gwei="0")

    market.move(0, HUB_MOVED)

    assert market.best_open_usd() == pytest.approx(market.best()[0], rel=1e-6)
    through_hub = [c for c in market.cycles() if any(way.place[1] == 0 for way in c)]
    assert market.world.detector.unsized == len(through_hub) - 64
