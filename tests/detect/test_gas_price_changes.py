"""Gas gets another price while a run goes on: what is open is judged by it, and what is not."""

from decimal import Decimal

import pytest

from engine.core.inputs.gas_priced import GasPriced
from engine.detect.screening.episodes import Episode
from engine.domain.errors import BadValueError
from engine.domain.gas import GasPrice
from tests.detect.test_live_pools import make_world, pair_of, value
from tests.reference.world import World


def price_gas(world: World, gwei: str) -> None:
    """One input: the gas of Ethereum."""
    world.now_ns += 1_000_000
    world.pipeline.before_input(world.now_ns)
    world.board.frame_seq += 1
    world.pools.price_gas("ethereum", GasPrice(gwei=Decimal(gwei)), world.now_ns)
    world.pipeline.after_block(world.now_ns)


def open_now(world: World) -> list[Episode]:
    return list(world.detector.open_episodes)


def sweep(world: World) -> None:
    for _ in range(30):
        world.wait(100)
        world.tick()


def test_a_route_that_gas_made_too_dear_ends_and_is_found_again_once_it_is_cheap() -> None:
    world = make_world(pair_of(1, 2_000), gas_price_gwei="0.01")
    value(world)
    world.show(0, [("2050", "5")], [("2051", "5")])
    (episode,) = open_now(world)
    cheap_quote = episode.profit_quote

    price_gas(world, "0.02")
    (episode,) = open_now(world)
    dearer_quote = episode.profit_quote
    assert 0 < dearer_quote < cheap_quote

    price_gas(world, "50")
    assert open_now(world) == []

    price_gas(world, "0.01")
    sweep(world)
    (episode,) = open_now(world)
    assert episode.profit_quote == pytest.approx(cheap_quote)


@pytest.mark.parametrize("gwei", ["-1", "NaN", "Infinity"])
def test_what_is_no_price_is_no_input(gwei: str) -> None:
    with pytest.raises(BadValueError, match="gas price is"):
        GasPriced(chain="ethereum", gwei=Decimal(gwei))
