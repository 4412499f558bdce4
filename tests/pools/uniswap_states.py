"""Pool states out of recorded files, and the same states as arrays for kernels."""

import json
import lzma
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.detect.graph.pool_sides import pack
from engine.kernels import concentrated
from engine.pools.concentrated import ConcentratedState
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
    """A concentrated pool as its kernel takes it: a row, and its `ticks`."""

    pool: np.ndarray
    ticks: np.ndarray


def pack_concentrated(state: ConcentratedState, *, token_in: int = 0) -> PackedPool:
    table = state.table
    ticks = concentrated.pack_ticks(table.ticks, table.liquidity_nets, table.sqrt_ratios_x96)
    return PackedPool(pack(state, token_in=token_in), ticks)
