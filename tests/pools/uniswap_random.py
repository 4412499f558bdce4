"""Random pools for property tests and campaigns: every shape a contract can hold, from a seed."""

import math
import random
from fractions import Fraction

from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import UINT128_MAX
from engine.pools.tick_math import TICK_MAX, TICK_MIN, sqrt_ratio_at_tick
from engine.pools.tick_table import TickTable

SPACINGS = (1, 1, 10, 60, 60, 200, 2000)
FEES_PIPS = (0, 1, 100, 500, 2500, 3000, 10_000)
FEES = (Fraction(3, 1000), Fraction(25, 10_000), Fraction(0), Fraction(1, 100), Fraction(1, 3))
POSITIONS_MAX = 12
WIDTH_MAX = 4_000


def of_bits(rng: random.Random, low: int, high: int) -> int:
    """Return a whole number of a random length in bits; its top bit is set."""
    bits = rng.randint(low, high)
    return 1 << (bits - 1) | rng.getrandbits(bits - 1) if bits > 1 else 1


def random_pair(rng: random.Random) -> ConstantProductState:
    return ConstantProductState.of(
        reserve0_raw=of_bits(rng, 1, 112),
        reserve1_raw=of_bits(rng, 1, 112),
        fee0=rng.choice(FEES),
        fee1=rng.choice(FEES),
    )


def random_table(rng: random.Random, *, spacing: int, centre: int) -> TickTable:
    edge = TICK_MAX // spacing * spacing
    nets: dict[int, int] = {}
    for _ in range(rng.randint(1, POSITIONS_MAX)):
        width = int(math.exp(rng.random() * math.log(WIDTH_MAX)))
        lower = centre // spacing - rng.randint(0, 2 * width) + width // 2
        low, high = max(lower * spacing, -edge), min((lower + width) * spacing, edge)
        if rng.random() < 0.05:
            low, high = -edge, edge
        if low < high:
            liquidity = of_bits(rng, 3, 110)
            nets[low] = nets.get(low, 0) + liquidity
            nets[high] = nets.get(high, 0) - liquidity
    ticks = sorted(nets)
    return TickTable.of(
        tick_spacing=spacing, ticks=ticks, liquidity_nets=[nets[tick] for tick in ticks]
    )


def random_concentrated(rng: random.Random) -> ConcentratedState:
    spacing = rng.choice(SPACINGS)
    reach = TICK_MAX if rng.random() < 0.1 else rng.randint(0, 300_000)
    centre = rng.randint(-reach, reach)
    table = random_table(rng, spacing=spacing, centre=centre)
    tick = rng.choice(table.ticks) if table.ticks and rng.random() < 0.15 else centre
    tick = min(max(tick, TICK_MIN + 1), TICK_MAX - 2)
    low, high = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)
    price = low
    chance = rng.random()
    if chance < 0.75:
        price = rng.randrange(low, high)
    elif chance < 0.85:
        tick -= 1  # the price fell exactly onto the tick
    liquidity = sum(
        net for at, net in zip(table.ticks, table.liquidity_nets, strict=True) if at <= tick
    )
    assert liquidity <= UINT128_MAX
    fee = rng.choice(FEES_PIPS) if rng.random() < 0.8 else rng.randrange(1_000_000)
    return ConcentratedState(
        sqrt_price_x96=price, tick=tick, liquidity=liquidity, fee_pips=fee, table=table
    )
