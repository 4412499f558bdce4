"""Pool states out of recorded files, and the same states as arrays for kernels."""

import json
import lzma
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.detect.pool_sides import pack
from engine.kernels import concentrated_exact, constant_product
from engine.kernels.u256 import from_limbs, to_limbs
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import INT256_MAX
from engine.pools.tick_math import TICK_MAX, TICK_MIN
from engine.pools.tick_table import TickTable

FOLDER = Path(__file__).parents[1] / "data" / "pools" / "uniswap"

Json = Any


def load(name: str) -> Json:
    path = FOLDER / name
    text = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    return json.loads(text)


def make_table(
    nets: Iterable[tuple[int, int]],
    *,
    tick_spacing: int,
    known: tuple[int, int] = (TICK_MIN, TICK_MAX),
) -> TickTable:
    ordered = sorted(nets)
    return TickTable.of(
        tick_spacing=tick_spacing,
        ticks=[tick for tick, _ in ordered],
        liquidity_nets=[net for _, net in ordered],
        known_min=known[0],
        known_max=known[1],
    )


def make_state(
    recorded: Mapping[str, Any],
    nets: Iterable[tuple[int, int]],
    *,
    known: tuple[int, int] = (TICK_MIN, TICK_MAX),
    amount_raw_max: int = INT256_MAX,
) -> ConcentratedState:
    """Make a state from the names that degenbot's files use."""
    return ConcentratedState(
        sqrt_price_x96=int(recorded["sqrt_price_x96"]),
        tick=recorded["tick"],
        liquidity=int(recorded["liquidity"]),
        fee_pips=recorded["fee"],
        table=make_table(nets, tick_spacing=recorded["tick_spacing"], known=known),
        amount_raw_max=amount_raw_max,
    )


@dataclass(frozen=True, slots=True)
class PackedPool:
    """A concentrated pool as kernels take it: one row of `pools`, and its `ticks`."""

    pool: np.ndarray
    ticks: np.ndarray


def pack_concentrated(state: ConcentratedState, *, token_in: int = 0) -> PackedPool:
    table = state.table
    ticks = concentrated_exact.pack_ticks(table.ticks, table.liquidity_nets, table.sqrt_ratios_x96)
    return PackedPool(pack(state, len(ticks), token_in=token_in), ticks)


def pack_pair(state: ConstantProductState) -> np.ndarray:
    scale = state.fee_denominator
    return constant_product.pack_pool(
        reserves_raw=(state.reserve0_raw, state.reserve1_raw),
        keep_numerators=(scale - state.fee0_numerator, scale - state.fee1_numerator),
        fee_denominator=scale,
    )


@dataclass(frozen=True, slots=True)
class KernelSwap:
    """What the kernel says of a swap."""

    outcome: int
    amount_in_raw: int
    amount_out_raw: int
    sqrt_price_x96: int
    tick: int
    liquidity: int
    step_count: int


def swap_by_kernel(
    packed: PackedPool, amount_raw: int, *, token_in: int, is_exact_in: bool, limit_x96: int = 0
) -> KernelSwap:
    out = np.zeros(concentrated_exact.OUT_COLUMNS, np.uint64)
    outcome = concentrated_exact.swap(
        packed.pool,
        packed.ticks,
        token_in,
        int(is_exact_in),
        to_limbs(amount_raw),
        to_limbs(limit_x96),
        out,
    )

    def number(first: int, count: int) -> int:
        return from_limbs(out[first : first + count])

    return KernelSwap(
        outcome=outcome,
        amount_in_raw=number(concentrated_exact.OUT_PAID, 4),
        amount_out_raw=number(concentrated_exact.OUT_GOT, 4),
        sqrt_price_x96=number(concentrated_exact.OUT_SQRT_PRICE, 3),
        tick=int(out[concentrated_exact.OUT_TICK].astype(np.int64)),
        liquidity=number(concentrated_exact.OUT_LIQUIDITY, 2),
        step_count=int(out[concentrated_exact.OUT_STEPS]),
    )
