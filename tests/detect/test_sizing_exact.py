"""The float optimum is confirmed in whole numbers, neighbours included."""

import random
from fractions import Fraction

import numpy as np
import pytest

from engine.detect.sizing.exact import confirm_exact, leg_of
from engine.detect.sizing.pieces import pieces_of_pair
from engine.detect.sizing.routes import RouteTerms, SideTables, size
from engine.domain.errors import BadValueError
from engine.kernels.concentrated import fill_side
from engine.kernels.sizing_layout import PIECE_COLUMNS
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.tick_math import sqrt_ratio_at_tick
from engine.pools.tick_table import TickTable
from tests.pools.uniswap_states import pack_concentrated
from tests.reference import confirming as reference


def pair_of(
    reserve0: int, reserve1: int, fee: Fraction = Fraction(3, 1000)
) -> ConstantProductState:
    return ConstantProductState.of(reserve0_raw=reserve0, reserve1_raw=reserve1, fee0=fee)


def float_optimum(states: list[ConstantProductState]) -> int:
    """Sell token 0 of every pair, one after the other, at the best size in floats."""
    tables = SideTables()
    cycle = [
        tables.add_pieces(
            pieces_of_pair(
                reserve_in=state.reserve0_raw,
                reserve_out=state.reserve1_raw,
                keep_ratio=1 - state.fee0_numerator / state.fee_denominator,
            )
        )
        for state in states
    ]
    found = size(tables, cycle, RouteTerms())
    return 0 if found is None else int(found.input)


def random_pairs(rng: random.Random, *, scale: int) -> list[ConstantProductState]:
    count = rng.choice((2, 2, 3))
    reserves = [rng.randint(scale, 4 * scale) for _ in range(count)]
    return [
        pair_of(reserves[i], int(reserves[(i + 1) % count] * rng.uniform(1.01, 1.06)))
        for i in range(count)
    ]


def test_no_neighbour_of_the_confirmed_input_gains_more() -> None:
    rng = random.Random(1)
    for _ in range(60):
        states = random_pairs(rng, scale=10 ** rng.randint(5, 24))
        start = float_optimum(states)
        legs = [leg_of(state, token_in=0, token_out=1) for state in states]
        found = confirm_exact(legs, start)
        if found is None:
            continue
        swaps = [leg.amount_out for leg in legs]
        _, best = reference.best_in(swaps, start - 2, start + 2)
        assert found.gain_raw >= best
        assert found.gain_raw == reference.gain_of(swaps, found.input_raw)


def test_the_confirmed_gain_is_within_two_units_of_the_best_of_all_inputs() -> None:
    rng = random.Random(2)
    hits = 0
    for _ in range(40):
        states = random_pairs(rng, scale=20_000)
        start = float_optimum(states)
        legs = [leg_of(state, token_in=0, token_out=1) for state in states]
        found = confirm_exact(legs, start)
        _, best = reference.best_in([leg.amount_out for leg in legs], 1, 4_000)
        assert best - (found.gain_raw if found else 0) <= 2
        hits += found is not None
    assert hits > 5


def test_a_coarse_middle_token_is_paid_for_with_the_least_input() -> None:
    # Token 1 is so coarse that one unit of it is worth 10**12 of token 0.
    first = pair_of(10**24, 2_100 * 10**6)
    second = pair_of(2_000 * 10**6, 10**24)
    legs = [leg_of(state, token_in=0, token_out=1) for state in (first, second)]
    start = float_optimum([first, second])

    found = confirm_exact(legs, start)

    assert found is not None
    plain = legs[1].amount_out(legs[0].amount_out(start)) - start
    assert found.gain_raw > plain
    less = found.input_raw - 1
    assert legs[0].amount_out(less) < found.amounts_raw[1]


def concentrated_state(*, tick: int, liquidity: int) -> ConcentratedState:
    ticks = [-12_000, -600, -60, 0, 60, 600, 12_000]
    nets = [liquidity, liquidity // 3, liquidity // 2]
    nets = [*nets, 0, -nets[2], -nets[1], -nets[0]]
    kept = [(at, net) for at, net in zip(ticks, nets, strict=True) if net]
    low, high = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)
    return ConcentratedState(
        sqrt_price_x96=(low + high) // 2,
        tick=tick,
        liquidity=sum(net for at, net in kept if at <= tick),
        fee_pips=500,
        table=TickTable.of(
            tick_spacing=60, ticks=[at for at, _ in kept], liquidity_nets=[net for _, net in kept]
        ),
    )


def test_concentrated_pools_are_confirmed_too() -> None:
    liquidity = 10**22
    states = [concentrated_state(tick=at, liquidity=liquidity) for at in (150, 100, 90)]
    tables = SideTables()
    cycle = []
    for state in states:
        packed = pack_concentrated(state)
        pieces = np.zeros((20, PIECE_COLUMNS))
        count = fill_side(packed.pool, packed.ticks, 0, 1.0, 1.0, pieces)
        cycle.append(tables.add_pieces(pieces[:count]))
    sized = size(tables, cycle, RouteTerms())
    assert sized is not None
    start = int(sized.input)

    legs = [leg_of(state, token_in=0, token_out=1) for state in states]
    expected = confirm_exact(legs, start, reach=1)
    assert expected is not None
    assert expected.gain_raw == pytest.approx(sized.profit, rel=1e-9)


def test_an_input_limit_and_a_flash_fee_bind() -> None:
    states = [pair_of(10**21, 21 * 10**20), pair_of(2 * 10**21, 10**21)]
    legs = [leg_of(state, token_in=0, token_out=1) for state in states]
    start = float_optimum(states)

    free = confirm_exact(legs, start)
    assert free is not None
    limit = free.input_raw - 1
    limited = confirm_exact(legs, start, input_raw_max=limit)
    charged = confirm_exact(legs, start, flash_fee_pips=900_000)

    assert limited is not None
    assert limited.input_raw <= limit
    assert limited.gain_raw <= free.gain_raw
    assert charged is None


def test_amounts_that_no_pool_takes_are_no_route() -> None:
    states = [pair_of(10**6, 10**6), pair_of(10**6, 10**6)]
    legs = [leg_of(state, token_in=0, token_out=1) for state in states]

    assert confirm_exact(legs, 0) is None
    assert confirm_exact(legs, 2**200) is None
    with pytest.raises(BadValueError, match="itself"):
        leg_of(states[0], token_in=1, token_out=1)
