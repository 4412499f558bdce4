"""Routes sized in floats, split, and confirmed in whole numbers.

`python -m benchmarks.sizing` prints the table. Sizing is shown twice: in a batch, per route, and by
itself from Python, where handing over six arrays takes longer than the formula.
"""

import random
import time
from fractions import Fraction
from functools import partial

import numpy as np

from benchmarks.harness import Row, machine, measure, print_table, row
from engine.detect.pieces import Pieces, pieces_of_asks, pieces_of_pair, pieces_of_virtual_reserves
from engine.detect.sizing import RouteTerms, SideTables
from engine.detect.splitting import merge
from engine.kernels import concentrated, concentrated_exact, constant_product
from engine.kernels import sizing_layout as layout
from engine.kernels.confirming import (
    FORM_CONCENTRATED,
    FORM_PAIR,
    OUT_ROWS,
    confirm_best,
)
from engine.kernels.sizing import size_route, size_routes
from engine.kernels.splitting import split_input
from engine.kernels.u256 import to_limbs
from engine.pools.constant_product import ConstantProductState
from engine.pools.tick_math import sqrt_ratio_at_tick

ROUTES = 500
ROUNDS = 300
CALLS = 5_000
LEVELS = 50
TICKS = 60
SPACING = 10
LIQUIDITY = 3 * 10**22
MIXES = (("v2", "v2"), ("v2", "v3"), ("v3", "v3", "v3"), ("book", "v3"), ("book", "book"))


class _Concentrated:
    """Pools around price 1, packed for the exact kernels, and their pieces."""

    def __init__(self, rng: random.Random, count: int) -> None:
        self.ticks = concentrated_exact.pack_ticks(*self._table(rng))
        rows = []
        for _ in range(count):
            tick = rng.randint(20, 100)
            price = (sqrt_ratio_at_tick(tick) + sqrt_ratio_at_tick(tick + 1)) // 2
            rows.append(
                concentrated_exact.pack_pool(
                    sqrt_price_x96=price,
                    liquidity=sum(net for at, net in self._nets if at <= tick),
                    tick=tick,
                    tick_spacing=SPACING,
                    fee_pips=500,
                    ticks_from=0,
                    ticks_to=len(self.ticks),
                )
            )
        self.pools = np.stack(rows)

    def _table(self, rng: random.Random) -> tuple[list[int], list[int], list[int]]:
        nets: dict[int, int] = {}
        for _ in range(TICKS):
            low = -rng.randint(1, 40) * SPACING
            high = rng.randint(11, 40) * SPACING
            depth = LIQUIDITY // TICKS
            nets[low] = nets.get(low, 0) + depth
            nets[high] = nets.get(high, 0) - depth
        self._nets = sorted(nets.items())
        ticks = [at for at, _ in self._nets]
        return ticks, [net for _, net in self._nets], [sqrt_ratio_at_tick(at) for at in ticks]

    def pieces(self, index: int) -> Pieces:
        rows = np.zeros((2 * TICKS + 2, concentrated.PIECE_COLUMNS))
        count = concentrated.fill_pieces(self.pools[index], self.ticks, 0, rows)
        return pieces_of_virtual_reserves(rows[:count])


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
    terms, out = np.array(RouteTerms().as_row()), np.zeros(layout.OUT_COLUMNS)
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
    terms, out = np.array(RouteTerms().as_row()), np.zeros(layout.OUT_COLUMNS)
    many, best = np.tile(terms, (ROUTES, 1)), np.zeros((2, layout.OUT_COLUMNS))
    for kinds in MIXES:
        tables, cycles = _tables(rng, kinds, pools)
        arrays = tables.arrays
        durations = np.empty(ROUNDS)
        for index in range(ROUNDS):
            started = time.perf_counter_ns()
            size_routes(cycles, *arrays, many, best)
            durations[index] = (time.perf_counter_ns() - started) / ROUTES
        name = " x ".join(kinds)
        rows.append(row(f"size {name}, in a batch", durations))
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
    pools = _Concentrated(rng, 40)
    out = np.zeros((OUT_ROWS, 4), np.uint64)
    pair = ConstantProductState.of(
        reserve0_raw=2 * 10**22, reserve1_raw=2 * 10**22, fee0=Fraction(3, 1000)
    )
    pairs = np.stack(
        [
            constant_product.pack_pool(
                reserves_raw=(pair.reserve0_raw + bump * 10**19, pair.reserve1_raw),
                keep_numerators=(997, 997),
                fee_denominator=1_000,
            )
            for bump in range(40)
        ]
    )
    for form, name, legs in ((FORM_PAIR, "v2 x v2", 2), (FORM_CONCENTRATED, "v3 x v3 x v3", 3)):
        for reach in (0, 1):
            calls = []
            for _ in range(CALLS):
                hops = np.array(
                    [[form, rng.randrange(40), leg % 2] for leg in range(legs)], np.int64
                )
                amount = to_limbs(rng.randint(10**18, 10**20))
                calls.append(
                    partial(
                        confirm_best, pairs, pools.pools, pools.ticks, hops, amount, reach, 0, out
                    )
                )
            rows.append(measure(f"confirm {name}, neighbours within {reach}", calls))
    return rows


def measure_all() -> list[Row]:
    return measure_floats() + measure_splits() + measure_exact()


if __name__ == "__main__":
    print(f"machine: {machine()}")
    print_table(measure_all())
