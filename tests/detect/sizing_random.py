"""Random routes of any mix of legs, as tables for the kernels and as plain functions."""

import math
import random
from dataclasses import dataclass

import numpy as np

from engine.detect.sizing.pieces import (
    pieces_of_asks,
    pieces_of_bids,
    pieces_of_pair,
    pieces_of_ranges,
)
from engine.detect.sizing.routes import SideTables
from engine.kernels import solidly, stable_swap, weighted
from engine.kernels.sizing_layout import FORM_SOLIDLY, FORM_STABLE_SWAP, FORM_WEIGHTED
from tests.reference import sizing as reference
from tests.reference.stable_swap import float_invariant

KINDS = ("v2", "v3", "book", "stable", "weighted", "solidly")
MIXES = (
    ("v2", "v2"),
    ("v2", "v3"),
    ("v3", "v3"),
    ("v3", "v3", "v3"),
    ("book", "v2"),
    ("book", "v3"),
    ("book", "book"),
    ("stable", "v2"),
    ("weighted", "v2"),
    ("solidly", "v3"),
    ("v2", "v3", "book", "stable"),
    ("v3", "v3", "book", "v2"),
)


@dataclass(frozen=True)
class Problem:
    tables: SideTables
    cycle: list[int]
    legs: list[reference.Leg]
    depth: float
    """About as much of the first token as the route can take."""


def random_problem(rng: random.Random, kinds: tuple[str, ...]) -> Problem:
    """Make a route whose rates around multiply to about 1 and an edge."""
    tables = SideTables()
    scales = [10.0 ** rng.uniform(-3, 6) for _ in kinds]
    edge = math.exp(rng.uniform(-0.01, 0.06))
    depth = 10.0 ** rng.uniform(2, 7)
    cycle, legs, depths = [], [], []
    for index, kind in enumerate(kinds):
        price = scales[(index + 1) % len(kinds)] / scales[index] * edge ** (1 / len(kinds))
        here = depth * 10.0 ** rng.uniform(-1, 1)
        row, leg = random_side(rng, tables, kind, price=price, depth=here * scales[index])
        cycle.append(row)
        legs.append(leg)
        depths.append(here)
    return Problem(tables=tables, cycle=cycle, legs=legs, depth=min(depths) * scales[0])


def random_side(
    rng: random.Random, tables: SideTables, kind: str, *, price: float, depth: float
) -> tuple[int, reference.Leg]:
    """Add a side whose first unit gives about `price` and that takes about `depth` of input."""
    fee = rng.choice((0.0, 0.0001, 0.0005, 0.003))
    keep = 1.0 - fee
    if kind == "v2":
        pieces = pieces_of_pair(reserve_in=depth, reserve_out=depth * price, keep_ratio=keep)
        return tables.add_pieces(pieces), reference.pair(depth, depth * price, keep)
    if kind == "v3":
        return _ranges(rng, tables, price=price, depth=depth, fee=fee)
    if kind == "book":
        return _book(rng, tables, price=price, depth=depth, fee=fee)
    return _curve(rng, tables, kind, price=price, depth=depth, fee=fee)


def _ranges(
    rng: random.Random, tables: SideTables, *, price: float, depth: float, fee: float
) -> tuple[int, reference.Leg]:
    root = math.sqrt(price)
    spacing = rng.choice((10, 60, 200))
    count = rng.randint(1, 30)
    steps, start = [], root * 1.0001 ** (rng.random() * spacing / 2)
    high = start
    for _ in range(count):
        low = high * 1.0001 ** (-spacing / 2)
        liquidity = depth * root * 10.0 ** rng.uniform(-0.5, 1.0) * rng.choice((1, 1, 1, 1, 0))
        steps.append((low, high, liquidity))
        high = low
    steps[0] = (steps[0][0], start, max(steps[0][2], depth * root))
    at = max(root, steps[0][0] * (1.0 + 1e-9))
    pieces = pieces_of_ranges(
        steps[::-1], sqrt_price=at, range_index=count - 1, fee_ratio=fee, token_in=0
    )
    plain = [(low, liquidity or 1e-30) for low, _, liquidity in steps]
    return tables.add_pieces(pieces), reference.ranges(plain, at, 1.0 - fee)


def _book(
    rng: random.Random, tables: SideTables, *, price: float, depth: float, fee: float
) -> tuple[int, reference.Leg]:
    """Make bids, or asks seen from the quote's side."""
    is_asks = rng.random() < 0.5
    rate, rows, plain = price, [], []
    for _ in range(rng.randint(1, 50)):
        room = depth / 20 * rng.expovariate(1.0) + depth * 1e-4
        if is_asks:
            rows.append((1.0 / rate, room * rate))
            plain.append((rate / (1.0 + fee), room * (1.0 + fee)))
        else:
            rows.append((rate, room))
            plain.append((rate * (1.0 - fee), room))
        rate *= 1.0 - rng.expovariate(1.0) * 5e-4
    make = pieces_of_asks if is_asks else pieces_of_bids
    return tables.add_pieces(make(rows, fee_ratio=fee)), reference.levels(plain)


def _curve(
    rng: random.Random, tables: SideTables, kind: str, *, price: float, depth: float, fee: float
) -> tuple[int, reference.Leg]:
    if kind == "weighted":
        exponent = rng.choice((0.25, 0.5, 1.0, 2.0, 4.0))
        balance_out = depth * price / exponent
        row = np.array([depth, balance_out, exponent, fee, 0.0])
        most = weighted.TRADE_RATIO_MAX * depth / (1.0 - fee) * (1.0 - 1e-12)
        side = tables.add_curve(
            FORM_WEIGHTED, row.tolist(), token_in=0, token_out=1, input_max=most
        )
        leg = reference.limited(lambda x: weighted.weighted_quote(row, x)[0], most)
        return side, leg
    if kind == "stable":
        row = np.zeros(stable_swap.COLUMNS)
        row[stable_swap.COUNT] = 2
        row[stable_swap.FEE_OUT_RATIO] = fee
        row[stable_swap.ANN] = 2 * 10.0 ** rng.uniform(1, 3.3)
        row[stable_swap.BALANCE : stable_swap.BALANCE + 2] = depth, depth * rng.uniform(0.7, 1.3)
        row[stable_swap.RATE : stable_swap.RATE + 2] = 1.0, 1.0 / price
        balances = row[stable_swap.BALANCE : stable_swap.BALANCE + 2].tolist()
        row[stable_swap.D] = float_invariant(balances, row[stable_swap.ANN])
        side = tables.add_curve(FORM_STABLE_SWAP, row.tolist(), token_in=0, token_out=1)
        return side, lambda x: stable_swap.stable_swap_quote(row, 0, 1, x)[0]
    row = np.array([1.0, fee, depth, depth * price * rng.uniform(0.8, 1.2), 1.0, price])
    side = tables.add_curve(FORM_SOLIDLY, row.tolist(), token_in=0, token_out=1)
    return side, lambda x: solidly.solidly_quote(row, 0, x)[0]
