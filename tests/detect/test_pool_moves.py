"""Moves of pools: the same as preparing anew, exact impacts, and bad moves that change nothing."""

import json
import math
import random
from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.detect.graph.moved_pair import KnownPool
from engine.detect.graph.pool_sides import PreparedPool, prepare_pool
from engine.detect.moving.pool_moves import impact_of, move_pool
from engine.domain.errors import BadValueError
from engine.pools.concentrated import ConcentratedState, swap_exact_in
from engine.pools.constant_product import ConstantProductState
from engine.pools.impact import impact_of_reserves, impact_of_sqrt_prices
from engine.pools.integers import UINT112_MAX, UINT128_MAX, UINT256_MAX
from engine.pools.moves import BalancesMove, Move, PairMove, PriceMove
from engine.pools.snapshot_rows import (
    ConcentratedRow,
    CurveRow,
    PairRow,
    SolidlyRow,
    StableRow,
    WeightedRow,
)
from engine.pools.snapshots import PoolSnapshot, parse
from engine.pools.solidly import SolidlyState
from engine.pools.tick_math import sqrt_ratio_at_tick
from engine.pools.whirlpool import WhirlpoolState
from engine.sandbox.pools import POOLS_PATH
from tests.effort import examples
from tests.pools.test_snapshots import OTHERS

RECORDED = [
    prepare_pool(snapshot)
    for snapshot in msgspec.json.decode(POOLS_PATH.read_bytes(), type=list[PoolSnapshot])
]
DEEP = max(RECORDED, key=lambda one: 0 if one.packed is None else len(one.packed[1]))
PAIR = next(one for one in RECORDED if isinstance(one.state, ConstantProductState))
CURVE = next(one for one in RECORDED if isinstance(one.snapshot.row, CurveRow))
POOLS = RECORDED + [
    prepare_pool(parse(json.dumps(text)))
    for name, (text, _) in OTHERS.items()
    if name != "whirlpool"
]
WHIRLPOOL = prepare_pool(parse(json.dumps(OTHERS["whirlpool"][0])))
BLOCK = 23_456_789


def random_move(prepared: KnownPool, rng: random.Random) -> Move:
    """A move as a swap makes one, by up to some tenths of the price."""
    state = prepared.state
    if isinstance(state, ConstantProductState):
        factor = 10.0 ** rng.uniform(-0.5, 0.5)
        return PairMove(
            reserve0_raw=int(state.reserve0_raw * factor),
            reserve1_raw=int(state.reserve1_raw / factor) + rng.randrange(3),
        )
    if isinstance(state, ConcentratedState):
        limit = int(state.sqrt_price_x96 * 1.3 ** rng.uniform(-1, 1))
        token_in = 0 if limit < state.sqrt_price_x96 else 1
        amount = int(10 ** rng.uniform(3, 30))
        after = swap_exact_in(state, amount, token_in=token_in, sqrt_price_limit_x96=limit)
        return PriceMove(
            sqrt_price_x96=after.sqrt_price_x96, tick=after.tick, liquidity=after.liquidity
        )
    assert not isinstance(state, WhirlpoolState)
    held = state.reserves_raw if isinstance(state, SolidlyState) else state.balances_raw
    return BalancesMove(balances_raw=tuple(int(one * 2 ** rng.uniform(-1, 1)) for one in held))


def with_move(snapshot: PoolSnapshot, move: Move) -> PoolSnapshot:
    """The snapshot that says what the move says, written out field by field."""
    row = snapshot.row
    fields: dict[str, object]
    match move:
        case PairMove():
            fields = {
                "reserve0_raw": str(move.reserve0_raw),
                "reserve1_raw": str(move.reserve1_raw),
            }
        case PriceMove():
            fields = {
                "sqrt_price_x96": str(move.sqrt_price_x96),
                "liquidity": str(move.liquidity),
                "tick": move.tick,
            }
        case BalancesMove():
            name = "reserves_raw" if isinstance(row, SolidlyRow) else "balances_raw"
            fields = {name: tuple(str(one) for one in move.balances_raw)}
    return msgspec.structs.replace(
        snapshot, row=msgspec.structs.replace(row, **fields), block=BLOCK
    )


def check_same(found: KnownPool, wanted: KnownPool) -> None:
    assert found.snapshot == wanted.snapshot
    assert found.state == wanted.state
    for side, expected in zip(found.sides, wanted.sides, strict=True):
        bare = (msgspec.structs.replace(one, pieces=None) for one in (side, expected))
        assert next(bare) == next(bare)
        assert (side.pieces is None) == (expected.pieces is None)
        if side.pieces is not None and expected.pieces is not None:
            assert np.array_equal(side.pieces, expected.pieces)
    assert (found.packed is None) == (wanted.packed is None)
    if found.packed is not None and wanted.packed is not None:
        assert all(map(np.array_equal, found.packed, wanted.packed))


@settings(max_examples=examples(120), deadline=None)
@given(pool=st.sampled_from(POOLS), seed=st.integers(0, 2**32))
def test_a_moved_pool_is_the_pool_prepared_from_a_snapshot_after_the_move(
    pool: PreparedPool, seed: int
) -> None:
    rng = random.Random(seed)
    moved = pool
    for _ in range(rng.randrange(1, 4)):
        move = random_move(moved, rng)
        wanted = with_move(moved.snapshot, move)
        moved = move_pool(moved, move, block=BLOCK)
        assert moved.snapshot == wanted

    check_same(moved, prepare_pool(wanted))


def test_the_samples_hold_every_form_that_moves() -> None:
    forms = {type(one.snapshot.row) for one in POOLS}
    assert forms == {PairRow, ConcentratedRow, CurveRow, SolidlyRow, WeightedRow, StableRow}


def deep_move(**changed: object) -> PriceMove:
    state = DEEP.state
    assert isinstance(state, ConcentratedState)
    move = PriceMove(
        sqrt_price_x96=state.sqrt_price_x96, tick=state.tick, liquidity=state.liquidity
    )
    return msgspec.structs.replace(move, **changed)


def pair_move(reserve0: object, reserve1: object) -> PairMove:
    return PairMove(reserve0_raw=reserve0, reserve1_raw=reserve1)  # type: ignore[arg-type]


def balances(*values: object) -> BalancesMove:
    return BalancesMove(balances_raw=values)  # type: ignore[arg-type]


LIQUIDITY = deep_move().liquidity
TICK = deep_move().tick


@pytest.mark.parametrize(
    ("pool", "move", "said"),
    [
        (PAIR, pair_move(0, 10**18), "reserve0_raw is 0"),
        (PAIR, pair_move(10**18, -1), "reserve1_raw is -1"),
        (PAIR, pair_move(10**18, UINT112_MAX + 1), "reserve1_raw"),
        (PAIR, pair_move(1e18, 10**18), "reserve0_raw is no whole number"),
        (PAIR, pair_move(True, 10**18), "reserve0_raw is no whole number"),
        (PAIR, pair_move(999, 1_000), "liquidity is 999"),
        (PAIR, deep_move(), "PriceMove is no move of a uniswap_v2"),
        (PAIR, balances(10**18, 10**18), "BalancesMove is no move of a uniswap_v2"),
        (DEEP, pair_move(10**18, 10**18), "PairMove is no move of a uniswap_v3"),
        (DEEP, deep_move(tick=TICK + 2), "is not at tick"),
        (DEEP, deep_move(sqrt_price_x96=sqrt_ratio_at_tick(TICK + 1) + 1), "is not at tick"),
        (DEEP, deep_move(sqrt_price_x96=0), "sqrt_price_x96"),
        (DEEP, deep_move(sqrt_price_x96=float(2**96)), "sqrt_price_x96"),
        (DEEP, deep_move(tick=887_272), "tick"),
        (DEEP, deep_move(liquidity=LIQUIDITY + 1), "the ticks lead to"),
        (DEEP, deep_move(liquidity=0), "liquidity 0 at tick .* the ticks lead to"),
        (DEEP, deep_move(liquidity=-1), "liquidity is -1"),
        (DEEP, deep_move(liquidity=UINT128_MAX + 1), "liquidity"),
        (CURVE, balances(10**24, 10**12, 0), "balance of USDT"),
        (CURVE, balances(10**24, 10**12, UINT128_MAX + 1), "balance of USDT"),
        (CURVE, balances(10**24, 10**12, 10**5_000), "balance 2"),
        (CURVE, balances(10**24, 10**12, -1), "balance 2 is -1"),
        (CURVE, balances(10**24, 10**12, 1.5), "balance 2 is no whole number"),
        (CURVE, balances(10**24, 10**12), "2 balances of 3 tokens"),
        (CURVE, balances(UINT256_MAX, 1, 1), "balance of DAI"),
        (WHIRLPOOL, deep_move(), "PriceMove is no move of a whirlpool"),
    ],
)
def test_a_move_that_cannot_be_is_refused_with_the_pools_name(
    pool: PreparedPool, move: Move, said: str
) -> None:
    with pytest.raises(BadValueError, match=said) as caught:
        move_pool(pool, move)
    assert str(pool.pool.pool_id) in str(caught.value)


def test_a_pool_may_move_to_where_no_liquidity_is_and_trades_from_beside_it() -> None:
    text = {
        "form": "concentrated",
        "sqrt_price_x96": str(sqrt_ratio_at_tick(5)),
        "tick": 5,
        "liquidity": "1000",
        "tick_spacing": 10,
        "ticks": [[0, "1000"], [10, "-1000"], [50, "1000"], [60, "-1000"]],
    }
    pool = prepare_pool(
        msgspec.structs.replace(DEEP.snapshot, row=msgspec.convert(text, ConcentratedRow))
    )
    move = PriceMove(sqrt_price_x96=sqrt_ratio_at_tick(30), tick=30, liquidity=0)

    moved = move_pool(pool, move)

    # down from 10 and up from 50: there and back loses the gap and both fees
    there_and_back = math.exp(sum(side.log_rate for side in moved.sides))
    kept = (1 - float(pool.pool.fee_ratio)) ** 2
    assert there_and_back == pytest.approx(1.0001 ** (10 - 50) * kept, rel=1e-9)


def test_a_pairs_move_has_the_impact_of_its_reserves() -> None:
    state = PAIR.state
    assert isinstance(state, ConstantProductState)
    move = PairMove(reserve0_raw=state.reserve0_raw * 2, reserve1_raw=state.reserve1_raw)

    impact = impact_of(PAIR, move_pool(PAIR, move))

    assert impact.change_ratio == Fraction(-1, 2)
    assert impact == impact_of_reserves(
        state, reserve0_after_raw=move.reserve0_raw, reserve1_after_raw=move.reserve1_raw
    )


def test_a_concentrated_pools_move_has_the_impact_of_its_price() -> None:
    rng = random.Random(2)
    for _ in range(20):
        move = random_move(DEEP, rng)
        assert isinstance(move, PriceMove)

        impact = impact_of(DEEP, move_pool(DEEP, move))

        assert impact == impact_of_sqrt_prices(
            before_x96=deep_move().sqrt_price_x96, after_x96=move.sqrt_price_x96
        )


def test_pools_of_two_kinds_have_no_impact_between_them() -> None:
    with pytest.raises(BadValueError, match="no two states of one pool"):
        impact_of(PAIR, DEEP)
