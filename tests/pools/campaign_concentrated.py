"""Random pools: float kernels against exact kernels, and these against the exact forms in Python.

`python -m tests.pools.campaign_concentrated --cases 10000000 --seed 1` prints one line of JSON and
ends with 1 if anything disagreed.
"""

import argparse
import json
import math
import random
import sys
import time
from dataclasses import asdict, dataclass

import numpy as np

from engine.domain.errors import BadValueError
from engine.kernels import concentrated, concentrated_exact, constant_product
from engine.kernels.u256 import from_limbs, to_limbs
from engine.pools.concentrated import ConcentratedState, Swap, swap_exact_in, swap_exact_out
from tests.pools import campaign_kernels as kernels
from tests.pools.uniswap_random import random_concentrated, random_pair
from tests.pools.uniswap_states import (
    PackedPool,
    pack_concentrated,
    pack_pair,
    swap_by_kernel,
)

AMOUNTS = 250
"""Amounts per direction of a pool; each is an exact input and an exact output."""

EXACT_AMOUNTS = 2
"""Amounts per pool that Python's integers are asked as well."""

CASES_MAX = 10**9


@dataclass(slots=True)
class Tally:
    cases: int = 0
    pools: int = 0
    compared: int = 0
    sharp: int = 0
    refused: int = 0
    outside_bound: int = 0
    worst_error_to_bound: float = 0.0
    exact_compared: int = 0
    exact_mismatches: int = 0
    garbage: int = 0
    garbage_trades: int = 0
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return self.outside_bound + self.exact_mismatches + self.garbage_trades == 0

    def add(self, result: np.ndarray) -> None:
        self.compared += int(result[kernels.COMPARED])
        self.sharp += int(result[kernels.SHARP])
        self.refused += int(result[kernels.REFUSED_COUNT])
        self.outside_bound += int(result[kernels.OUTSIDE])
        worst = float(result[kernels.WORST_RATIO])
        self.worst_error_to_bound = max(self.worst_error_to_bound, worst)


def random_amounts(rng: np.random.Generator, count: int, bits_max: int = 127) -> np.ndarray:
    """Whole numbers of 1 to `bits_max` bits, as many of each length; one in 64 of 127 bits."""
    amounts = np.zeros((count, 4), np.uint64)
    bits = np.where(np.arange(count) % 64 == 63, 127, rng.integers(1, bits_max + 1, count))
    limbs = rng.integers(0, 2**64 - 1, (count, 2), np.uint64, endpoint=True)
    is_short = bits <= 64
    amounts[:, 0] = np.where(
        is_short, limbs[:, 0] >> np.where(is_short, 64 - bits, 0).astype(np.uint64), limbs[:, 0]
    )
    amounts[:, 1] = np.where(
        is_short, 0, limbs[:, 1] >> np.where(is_short, 0, 128 - bits).astype(np.uint64)
    )
    return amounts


def is_same(state: ConcentratedState, packed: PackedPool, amount: int, token_in: int) -> bool:
    """Tell whether the exact kernel and Python's integers agree on both kinds of swap."""
    for is_exact_in in (True, False):
        found = swap_by_kernel(packed, amount, token_in=token_in, is_exact_in=is_exact_in)
        swap = swap_exact_in if is_exact_in else swap_exact_out
        try:
            exact = swap(state, amount, token_in=token_in)
        except BadValueError:
            if found.outcome != concentrated_exact.REFUSED:
                return False
            continue
        same = all(getattr(found, name) == getattr(exact, name) for name in Swap.__slots__)
        if found.outcome == concentrated_exact.REFUSED or not same:
            return False
    return True


def run_pool(
    rng: random.Random, many: np.random.Generator, amount_count: int, tally: Tally
) -> None:
    state = random_concentrated(rng)
    packed = pack_concentrated(state)
    pieces = np.zeros((len(state.table.ticks) + 2, concentrated.PIECE_COLUMNS))
    for token_in in (0, 1):
        count = concentrated.fill_pieces(packed.pool, packed.ticks, token_in, pieces)
        room = max(float(pieces[count - 1, concentrated.CIN]), 1.0)
        amounts = random_amounts(many, amount_count, min(math.frexp(room)[1] + 1, 127))
        result = np.zeros(kernels.RESULT_COLUMNS)
        kernels.compare_pool(packed.pool, packed.ticks, pieces, count, token_in, amounts, result)
        tally.add(result)
        for row in amounts[:EXACT_AMOUNTS]:
            amount = from_limbs(row)
            if amount > 0:
                tally.exact_compared += 1
                tally.exact_mismatches += not is_same(state, packed, amount, token_in)
        tally.cases += 2 * len(amounts)


def run_pair(
    rng: random.Random, many: np.random.Generator, amount_count: int, tally: Tally
) -> None:
    amounts = random_amounts(many, amount_count)
    state = random_pair(rng)
    pools = pack_pair(state).reshape(1, -1)
    reserves = [float(state.reserve0_raw), float(state.reserve1_raw)]
    fees = (state.fee0_numerator, state.fee1_numerator)
    for token_in in (0, 1):
        keep = (state.fee_denominator - fees[token_in]) / state.fee_denominator
        side = np.array([reserves[token_in], reserves[1 - token_in], keep])
        result = np.zeros(kernels.RESULT_COLUMNS)
        kernels.compare_pair(pools, side, token_in, amounts, result)
        tally.add(result)
        tally.cases += 2 * len(amounts)


def run_garbage(rng: np.random.Generator, tally: Tally) -> None:
    """Arrays of random words: kernels must refuse them or answer with finite numbers."""
    pool = rng.integers(0, 2**64 - 1, concentrated_exact.POOL_COLUMNS, np.uint64, endpoint=True)
    pool[5:] = rng.choice(np.array([0, 1, 60, 255, 2**63, 2**64 - 1], np.uint64), len(pool) - 5)
    ticks = rng.integers(0, 2**64 - 1, (3, concentrated_exact.TICK_COLUMNS), np.uint64)
    out = np.zeros(concentrated_exact.OUT_COLUMNS, np.uint64)
    pieces = np.zeros((5, concentrated.PIECE_COLUMNS))
    limit = to_limbs(0)
    amount = to_limbs(int(rng.integers(0, 2**62)))
    concentrated_exact.swap(pool, ticks, int(rng.integers(-1, 3)), 1, amount, limit, out)
    count = concentrated.fill_pieces(pool, ticks, 0, pieces)
    sides = rng.choice([np.nan, np.inf, -1.0, 0.0, 1e308, 1.0], (4, constant_product.SIDE_COLUMNS))
    amounts = rng.choice([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e308, 1.0], 4)
    found = np.zeros(4)
    constant_product.quote_sides(sides, amounts, found)
    spoiled = rng.choice([np.nan, np.inf, -1.0, 0.0, 1.0], (4, concentrated.PIECE_COLUMNS))
    quoted = np.zeros(4)
    concentrated.quote_pieces(spoiled, 0, 4, amounts, quoted)
    tally.garbage += 1
    is_finite = np.isfinite(found).all() and np.isfinite(quoted).all()
    is_finite = is_finite and np.isfinite(pieces[:count]).all()
    tally.garbage_trades += not (is_finite and (found >= 0).all() and (quoted >= 0).all())


def run(cases: int, seed: int) -> Tally:
    started = time.perf_counter()
    rng, many = random.Random(seed), np.random.default_rng(seed)
    tally = Tally()
    while tally.cases < cases:
        amount_count = min(AMOUNTS, max((cases - tally.cases) // 4, 1))
        (run_pair if tally.pools % 5 == 4 else run_pool)(rng, many, amount_count, tally)
        run_garbage(many, tally)
        tally.pools += 1
    tally.seconds = round(time.perf_counter() - started, 1)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if not 1 <= arguments.cases <= CASES_MAX:
        parser.error(f"cases is {arguments.cases}; it must be from 1 to {CASES_MAX}")
    tally = run(arguments.cases, arguments.seed)
    print(json.dumps(asdict(tally) | {"relative_max": kernels.RELATIVE_MAX}))
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
