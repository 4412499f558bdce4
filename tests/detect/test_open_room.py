"""Who is open when there is less room than routes."""

import pytest

from engine.detect.screening.open_room import AGAIN_NS, OPEN_MAX_BY_LEGS, OpenRoom
from engine.kernels.screen_layout import SCREENED, SCREENED_COLUMNS
from tests.detect.deep_worlds import PairMarket
from tests.detect.test_deep_routes import open_and_paying_usd

CROWD = 20


def row(legs: int, usd: float) -> list[float]:
    values = [0.0] * SCREENED_COLUMNS
    values[SCREENED.LEGS], values[SCREENED.PROFIT_USD] = legs, usd
    return values


def full_room() -> OpenRoom:
    """A room in which a sweep has just begun, and a route of three legs found no place since."""
    room = OpenRoom()
    room.open_by_legs.update(OPEN_MAX_BY_LEGS)
    room.left_out(row(3, 5.0))
    assert room.take_due(1)
    room.left_out(row(3, 5.0))
    return room


def test_a_route_without_room_is_looked_for_as_soon_as_one_of_its_legs_closes() -> None:
    room = full_room()
    assert not room.take_due(2)

    room.remove(3, is_displaced=False)

    assert room.take_due(3)
    assert not room.take_due(4), "it is forgotten until it is left out again"


@pytest.mark.parametrize(("legs", "is_displaced"), [(3, True), (4, False)])
def test_a_place_that_is_taken_or_of_other_legs_is_no_reason_to_look(
    legs: int, *, is_displaced: bool
) -> None:
    room = full_room()

    room.remove(legs, is_displaced=is_displaced)

    assert not room.take_due(AGAIN_NS)
    assert room.take_due(AGAIN_NS + 1)


def test_of_many_routes_that_open_at_once_the_best_have_the_room() -> None:
    pools: list[tuple[str, str, tuple[float, float]]] = [
        ("ETH", "USDT", (10_000.0, 20_000_000.0)),
    ]
    usd = {"ETH": 2_000.0, "USDT": 1.0}
    for number in range(CROWD):
        pools.append(("ETH", f"D{number}", (0.005, 1_000.0)))
        pools.append((f"D{number}", "USDT", (1_000.0, 10.0 + 0.0005 * (number * 7 % CROWD))))
        usd[f"D{number}"] = 0.01
    market = PairMarket(pools, gwei="0", usd=usd, legs_max=3)
    market.sweep()
    assert market.open_usd() == {}

    market.move(0, (10_150.0, 19_700_000.0))

    assert market.world.detector.screens.unsized == 0
    open_usd, best_usd = open_and_paying_usd(market, 3)
    assert len(open_usd) == OPEN_MAX_BY_LEGS[3] < CROWD
    assert best_usd[-1] * 1.1 > best_usd[0], "none is better by enough to displace another"
    assert open_usd == pytest.approx(best_usd, rel=1e-6)
