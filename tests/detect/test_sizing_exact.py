"""The float optimum is confirmed in whole numbers, neighbours included."""

import random
from fractions import Fraction

import numpy as np
import pytest

from engine.detect.exact_sizing import confirm_exact, leg_of
from engine.detect.pieces import pieces_of_pair, pieces_of_virtual_reserves
from engine.detect.sizing import RouteTerms, SideTables, size
from engine.domain.errors import BadValueError
from engine.kernels import concentrated, concentrated_exact, constant_product
from engine.kernels.confirming import (
    FORM_CONCENTRATED,
    FORM_PAIR,
    OUT_GOT,
    OUT_PAID,
    OUT_ROWS,
    confirm_best,
)
from engine.kernels.u256 import from_limbs, to_limbs
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.tick_math import sqrt_ratio_at_tick
from engine.pools.tick_table import TickTable
from tests.reference import confirming as reference

NO_TICKS = np.zeros((0, concentrated_exact.TICK_COLUMNS), np.uint64)
NO_POOLS = np.zeros((0, concentrated_exact.POOL_COLUMNS), np.uint64)
NO_PAIRS = np.zeros((0, constant_product.POOL_COLUMNS), np.uint64)


def pair_of(
    reserve0: int, reserve1: int, fee: Fraction = Fraction(3, 1000)
) -> ConstantProductState:
    return ConstantProductState.of(reserve0_raw=reserve0, reserve1_raw=reserve1, fee0=fee)


def packed(state: ConstantProductState) -> np.ndarray:
    return constant_product.pack_pool(
        reserves_raw=(state.reserve0_raw, state.reserve1_raw),
        keep_numerators=(
            state.fee_denominator - state.fee0_numerator,
            state.fee_denominator - state.fee1_numerator,
        ),
        fee_denominator=state.fee_denominator,
    )


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


def test_kernel_and_whole_numbers_in_python_find_the_same() -> None:
    rng = random.Random(3)
    for _ in range(100):
        states = random_pairs(rng, scale=10 ** rng.randint(5, 24))
        start = float_optimum(states)
        if start < 1:
            continue
        hops = np.array([[FORM_PAIR, i, 0] for i in range(len(states))], np.int64)
        out = np.zeros((OUT_ROWS, 4), np.uint64)
        pairs = np.stack([packed(state) for state in states])

        answer = confirm_best(pairs, NO_POOLS, NO_TICKS, hops, to_limbs(start), 2, 0, out)

        legs = [leg_of(state, token_in=0, token_out=1) for state in states]
        expected = confirm_exact(legs, start)
        gain = from_limbs(out[OUT_GOT]) - from_limbs(out[OUT_PAID])
        assert (answer == 1) == (expected is not None)
        if expected is not None:
            assert gain == expected.gain_raw


@pytest.mark.parametrize("pips", [1, 499, 900, 5_000])
def test_the_kernel_weighs_the_flash_fee_as_whole_numbers_in_python_do(pips: int) -> None:
    rng = random.Random(pips)
    answers = set()
    for _ in range(60):
        states = random_pairs(rng, scale=10 ** rng.randint(5, 24))
        start = float_optimum(states)
        if start < 1:
            continue
        hops = np.array([[FORM_PAIR, i, 0] for i in range(len(states))], np.int64)
        out = np.zeros((OUT_ROWS, 4), np.uint64)
        pairs = np.stack([packed(state) for state in states])

        answer = confirm_best(pairs, NO_POOLS, NO_TICKS, hops, to_limbs(start), 2, pips, out)

        legs = [leg_of(state, token_in=0, token_out=1) for state in states]
        expected = confirm_exact(legs, start, flash_fee_pips=pips)
        answers.add(answer)
        assert (answer == 1) == (expected is not None)
        if expected is not None:
            paid, got = from_limbs(out[OUT_PAID]), from_limbs(out[OUT_GOT])
            fee = -(-expected.input_raw * pips // 1_000_000)
            assert got - paid - -(-paid * pips // 1_000_000) == expected.gain_raw - fee
    assert 1 in answers


def test_a_flash_fee_out_of_range_is_no_route() -> None:
    states = [pair_of(10**21, 21 * 10**20), pair_of(2 * 10**21, 10**21)]
    pairs = np.stack([packed(state) for state in states])
    hops = np.array([[FORM_PAIR, 0, 0], [FORM_PAIR, 1, 0]], np.int64)
    out = np.zeros((OUT_ROWS, 4), np.uint64)
    amount = to_limbs(10**18)

    assert confirm_best(pairs, NO_POOLS, NO_TICKS, hops, amount, 2, 0, out) == 1
    for pips in (-1, 1_000_001):
        assert confirm_best(pairs, NO_POOLS, NO_TICKS, hops, amount, 2, pips, out) == 0


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
    rows, cycle, tables = [], [], SideTables()
    ticks: list[np.ndarray] = []
    for state in states:
        first = sum(len(part) for part in ticks)
        table = state.table
        ticks.append(
            concentrated_exact.pack_ticks(table.ticks, table.liquidity_nets, table.sqrt_ratios_x96)
        )
        rows.append(
            concentrated_exact.pack_pool(
                sqrt_price_x96=state.sqrt_price_x96,
                liquidity=state.liquidity,
                tick=state.tick,
                tick_spacing=60,
                fee_pips=500,
                ticks_from=first,
                ticks_to=first + len(table.ticks),
            )
        )
    pools, all_ticks = np.stack(rows), np.concatenate(ticks)
    for row in pools:
        pieces = np.zeros((20, concentrated.PIECE_COLUMNS))
        count = concentrated.fill_pieces(row, all_ticks, 0, pieces)
        cycle.append(tables.add_pieces(pieces_of_virtual_reserves(pieces[:count])))
    sized = size(tables, cycle, RouteTerms())
    assert sized is not None
    start = int(sized.input)
    hops = np.array([[FORM_CONCENTRATED, i, 0] for i in range(3)], np.int64)
    out = np.zeros((OUT_ROWS, 4), np.uint64)

    answer = confirm_best(NO_PAIRS, pools, all_ticks, hops, to_limbs(start), 1, 0, out)

    legs = [leg_of(state, token_in=0, token_out=1) for state in states]
    expected = confirm_exact(legs, start, reach=1)
    assert answer == 1
    assert expected is not None
    assert from_limbs(out[OUT_GOT]) - from_limbs(out[OUT_PAID]) == expected.gain_raw
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
    pairs = np.stack([packed(state) for state in states])
    out = np.zeros((OUT_ROWS, 4), np.uint64)
    hops = np.array([[FORM_PAIR, 0, 0], [FORM_PAIR, 1, 0]], np.int64)

    assert confirm_exact(legs, 0) is None
    assert confirm_exact(legs, 2**200) is None
    assert confirm_best(pairs, NO_POOLS, NO_TICKS, hops, to_limbs(2**200), 2, 0, out) == 0
    for bad in ([[FORM_PAIR, 5, 0]], [[9, 0, 0]], [[FORM_PAIR, 0, 7]], [[FORM_PAIR, -1, 0]]):
        wrong = np.array(bad, np.int64)
        assert confirm_best(pairs, NO_POOLS, NO_TICKS, wrong, to_limbs(10), 2, 0, out) == 0
    with pytest.raises(BadValueError, match="itself"):
        leg_of(states[0], token_in=1, token_out=1)
