"""Random routes of books and pools as exact legs, beside the same legs without any rounding."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from engine.detect.sizing.exact import ExactLeg, leg_of
from engine.domain.opportunities import Side
from engine.kernels import stable_swap
from engine.market.book_leg import leg_of_book
from engine.pools import curve
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.tick_math import Q96, tick_at_sqrt_ratio
from engine.pools.tick_table import TickTable
from tests.reference import sizing as reference
from tests.reference.world import make_instrument

KINDS = ("buy", "sell", "pair", "ranges", "stable")
PRICE_DECIMALS = 3


@dataclass(frozen=True)
class MixedRoute:
    """Legs in raw units; `smooth` are real functions that never give less than the exact ones."""

    kinds: tuple[str, ...]
    legs: list[ExactLeg]
    smooth: list[reference.Leg]
    depth: float


def random_route(rng: random.Random, kinds: tuple[str, ...], *, scale: int) -> MixedRoute:
    """Make a route whose amounts are of about `scale` raw units and whose rates end near 1."""
    worth = [rng.uniform(0.5, 2.0) for _ in kinds]
    edge = rng.uniform(0.99, 1.08) ** (1 / len(kinds))
    legs, smooth = [], []
    for index, kind in enumerate(kinds):
        rate = worth[index] / worth[(index + 1) % len(kinds)] * edge
        leg, real = _random_leg(rng, kind, rate=rate, depth=int(scale * rng.uniform(1, 4)))
        legs.append(leg)
        smooth.append(real)
    return MixedRoute(kinds=kinds, legs=legs, smooth=smooth, depth=float(scale))


def _random_leg(
    rng: random.Random, kind: str, *, rate: float, depth: int
) -> tuple[ExactLeg, reference.Leg]:
    if kind == "pair":
        out = int(depth * rate)
        state = ConstantProductState.of(
            reserve0_raw=depth, reserve1_raw=out, fee0=Fraction(3, 1000)
        )
        leg = leg_of(state, token_in=0, token_out=1)
        return leg, reference.pair(float(depth), float(out), 0.997)
    if kind == "ranges":
        return _ranges(rng, rate=rate, depth=depth)
    if kind == "stable":
        return _stable(rate=rate, depth=depth)
    return _book(rng, Side(kind), rate=rate, depth=depth)


def _ranges(rng: random.Random, *, rate: float, depth: int) -> tuple[ExactLeg, reference.Leg]:
    sqrt_x96 = int(rate**0.5 * Q96)
    tick = tick_at_sqrt_ratio(sqrt_x96)
    liquidity = int(depth * rate**0.5) * 4
    middle = (tick // 60 - rng.randint(1, 8)) * 60
    more = rng.randint(0, liquidity)
    nets = {-887_220: liquidity, middle: more, (tick // 60 + 9) * 60: -more, 887_220: -liquidity}
    state = ConcentratedState(
        sqrt_price_x96=sqrt_x96,
        tick=tick,
        liquidity=liquidity + more,
        fee_pips=500,
        table=TickTable.of(tick_spacing=60, ticks=list(nets), liquidity_nets=list(nets.values())),
    )
    steps = [
        (state.table.sqrt_ratios_x96[1] / Q96, float(liquidity + more)),
        (state.table.sqrt_ratios_x96[0] / Q96, float(liquidity)),
    ]
    real = reference.ranges(steps, sqrt_x96 / Q96, 1.0 - 500e-6)
    return leg_of(state, token_in=0, token_out=1), real


def _stable(*, rate: float, depth: int) -> tuple[ExactLeg, reference.Leg]:
    rate_e18 = int(10**18 / rate)
    state = curve.make_curve(
        pool="mixed",
        tokens=("A", "B"),
        balances_raw=(depth * 10, int(depth * 10 * rate)),
        decimals=(18, 18),
        amp=100,
        amp_precision=1,
        fee_e10=4_000_000,
        coin_rates_e18=(10**18, rate_e18),
    )
    row = np.array(curve.as_row(state))
    leg = leg_of(state, token_in=0, token_out=1)
    return leg, lambda x: float(stable_swap.stable_swap_quote(row, 0, 1, x)[0])


def _book(
    rng: random.Random, side: Side, *, rate: float, depth: int
) -> tuple[ExactLeg, reference.Leg]:
    """Make levels in steps of raw units of base (0 decimals), with lots of several of them."""
    lot = rng.choice((1, 1, 3, 10))
    fee_bps = rng.choice((0, 10, 25))
    price = rate if side is Side.SELL else 1.0 / rate
    levels: list[tuple[int, int]] = []
    for _ in range(rng.randint(1, 6)):
        steps = max(round(price * 10**PRICE_DECIMALS), 1)
        if not levels or steps != levels[-1][0]:
            levels.append((steps, rng.randint(1, depth)))
        price *= 1.0 + (1 if side is Side.BUY else -1) * rng.uniform(0.001, 0.02)
    leg = leg_of_book(
        make_instrument(
            "here",
            price_decimals=PRICE_DECIMALS,
            size_decimals=0,
            tick="0.001",
            lot=str(lot),
            size_min=str(rng.choice((0, lot * 5))),
        ),
        side,
        levels,
        fee_bps=Decimal(fee_bps),
        base_decimals=0,
        quote_decimals=0,
    )
    share = fee_bps / 10_000
    rows = []
    for steps, size in levels:
        paid = steps / 10**PRICE_DECIMALS
        if side is Side.SELL:
            rows.append((paid * (1.0 - share), float(size)))
        else:
            rows.append((1.0 / paid / (1.0 + share), size * paid * (1.0 + share)))
    return leg, reference.levels(rows)


def float_optimum(route: MixedRoute, *, pays: float = 1.0) -> int:
    """Return the best input of the smooth legs, floored; a unit of input costs `pays`."""
    return int(reference.best(route.smooth, pays=pays, most=1e30, hint=route.depth)[0])


def swaps_of(route: MixedRoute) -> list[Callable[[int], int]]:
    """Return the legs' exact answers."""
    return [leg.amount_out for leg in route.legs]
