"""Routes sized in floats, split, and confirmed in whole numbers.

`python -m benchmarks.sizing` prints the table. Sizing is called from Python, where handing over six
arrays takes longer than the formula.
"""

import random
from collections.abc import Sequence
from fractions import Fraction
from functools import partial

import numpy as np

from benchmarks.harness import Row, machine, measure, print_table
from engine.detect.sizing.exact import confirm_exact, leg_of
from engine.detect.sizing.pieces import Pieces, check_pieces, pieces_of_asks, pieces_of_pair
from engine.detect.sizing.routes import RouteTerms, SideTables
from engine.detect.splitting.shares import merge
from engine.kernels.concentrated import fill_side
from engine.kernels.sizing import size_route
from engine.kernels.sizing_layout import PIECE_COLUMNS, SIZED_COLUMNS
from engine.kernels.splitting import split_input
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import PoolState
from engine.pools.tick_math import sqrt_ratio_at_tick
from tests.pools.uniswap_states import make_table, pack_concentrated

ROUTES = 500
CALLS = 5_000
SLOW_CALLS = 1_500
LEVELS = 50
TICKS = 60
SPACING = 10
LIQUIDITY = 3 * 10**22
MIXES = (("v2", "v2"), ("v2", "v3"), ("v3", "v3", "v3"), ("book", "v3"), ("book", "book"))


class _Concentrated:
    """Pools around price 1."""

    def __init__(self, rng: random.Random, count: int) -> None:
        nets: dict[int, int] = {}
        for _ in range(TICKS):
            low = -rng.randint(1, 40) * SPACING
            high = rng.randint(11, 40) * SPACING
            depth = LIQUIDITY // TICKS
            nets[low] = nets.get(low, 0) + depth
            nets[high] = nets.get(high, 0) - depth
        ordered = sorted(nets.items())
        table = make_table(ordered, tick_spacing=SPACING)
        self.pools = []
        for _ in range(count):
            tick = rng.randint(20, 100)
            self.pools.append(
                ConcentratedState(
                    sqrt_price_x96=(sqrt_ratio_at_tick(tick) + sqrt_ratio_at_tick(tick + 1)) // 2,
                    tick=tick,
                    liquidity=sum(net for at, net in ordered if at <= tick),
                    fee_pips=500,
                    table=table,
                )
            )

    def pieces(self, index: int) -> Pieces:
        packed = pack_concentrated(self.pools[index])
        rows = np.zeros((2 * TICKS + 2, PIECE_COLUMNS))
        count = fill_side(packed.pool, packed.ticks, 0, 1.0, 1.0, rows)
        return check_pieces(rows[:count], what="a pool")


def _pieces(rng: random.Random, kind: str, pools: _Concentrated) -> Pieces:
    if kind == "v3":
        return pools.pieces(rng.randrange(len(pools.pools)))
    edge = rng.uniform(1.005, 1.02)
    if kind == "v2":
        return pieces_of_pair(reserve_in=2e22, reserve_out=2e22 * edge, keep_ratio=0.997)
    levels, price = [], 1.0 / edge
    for _ in range(LEVELS):
        levels.append((price, rng.expovariate(1.0) * 1e19))
        price *= 1.0 + rng.expovariate(1.0) * 1e-4
    return pieces_of_asks(levels, fee_ratio=0.0005)


def _tables(
    rng: random.Random, kinds: tuple[str, ...], pools: _Concentrated
) -> tuple[SideTables, np.ndarray]:
    """Make routes that all gain something."""
    tables = SideTables()
    cycles: list[list[int]] = []
    terms, out = np.array(RouteTerms().as_row()), np.zeros(SIZED_COLUMNS)
    while len(cycles) < ROUTES:
        made = [_pieces(rng, kind, pools) for kind in kinds]
        tried = SideTables()
        legs = np.array([tried.add_pieces(one) for one in made])
        if size_route(legs, *tried.arrays, terms, out):
            cycles.append([tables.add_pieces(one) for one in made])
    return tables, np.array(cycles, np.int64)


def measure_floats() -> list[Row]:
    rng, rows = random.Random(1), []
    pools = _Concentrated(rng, 40)
    terms, out = np.array(RouteTerms().as_row()), np.zeros(SIZED_COLUMNS)
    for kinds in MIXES:
        tables, cycles = _tables(rng, kinds, pools)
        arrays = tables.arrays
        name = " x ".join(kinds)
        calls = [partial(size_route, cycles[i % ROUTES], *arrays, terms, out) for i in range(CALLS)]
        rows.append(measure(f"size {name}, from Python", calls))
    return rows


def measure_splits() -> list[Row]:
    rng, rows = random.Random(2), []
    pools = _Concentrated(rng, 8)
    tables = SideTables()
    members = [tables.add_pieces(_pieces(rng, kind, pools)) for kind in ("v2", "v3", "v3", "book")]
    sides, pieces, curves = tables.arrays
    shares = np.zeros(len(members))
    amounts = [10.0 ** rng.uniform(17, 20) for _ in range(CALLS)]
    calls = [partial(split_input, sides, 0, 4, pieces, curves, one, shares) for one in amounts]
    rows.append(measure("split v2 + v3 + v3 + book, from Python", calls))
    rows.append(measure("merge the same, checked", [partial(merge, tables, members)] * 2_000))
    return rows


def measure_exact() -> list[Row]:
    rng, rows = random.Random(3), []
    ranges = _Concentrated(rng, 40).pools
    pairs = [
        ConstantProductState.of(
            reserve0_raw=2 * 10**22 + bump * 10**19, reserve1_raw=2 * 10**22, fee0=Fraction(3, 1000)
        )
        for bump in range(40)
    ]
    pools: tuple[tuple[str, Sequence[PoolState], int], ...] = (
        ("v2 x v2", pairs, 2),
        ("v3 x v3 x v3", ranges, 3),
    )
    for name, states, count in pools:
        for reach in (0, 1):
            calls = []
            for _ in range(SLOW_CALLS):
                legs = [
                    leg_of(rng.choice(states), token_in=leg % 2, token_out=1 - leg % 2)
                    for leg in range(count)
                ]
                calls.append(partial(confirm_exact, legs, rng.randint(10**18, 10**20), reach=reach))
            rows.append(measure(f"confirm {name}, neighbours within {reach}", calls))
    return rows


def measure_all() -> list[Row]:
    return measure_floats() + measure_splits() + measure_exact()


if __name__ == "__main__":
    print(f"machine: {machine()}")
    print_table(measure_all())
