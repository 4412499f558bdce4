"""What is true of a world's chain: how rich openings are, who takes them, and what gas does.

Everything here is counted from data, or said to be chosen. The counts are of Arbitrum, April to
August 2023 (1,083 arbitrages; 5,503 of the openings have the blocks until they were taken):
Ferreira Torres and others, Rolling in the Shadows, 2024, MIT licence; see
`engine.agents.learning.inclusion_prior`. How gas moves from minute to minute is counted from 5,760
minutes of Polygon, August 2023 (zelos-alpha/demeter, MIT licence).
"""

import math
import random
from bisect import bisect
from dataclasses import dataclass
from typing import Final

from engine.agents.learning.inclusion_prior import BLOCKS, EDGES_USD, TAKEN

PAIRS: Final = {
    ("ETH", "USD"): (112, 0.62),
    ("BTC", "USD"): (79, 0.77),
    ("ETH", "BTC"): (17, 0.47),
}
"""How often arbitrages went through the couple, and which share of them within a block: of the
data's three most frequent groups, USDC and WETH, USDC and ARB, and all three of them."""

QUICK_RATIO: Final = 0.687
"""Share of all that was taken within a block."""

BOTS: Final = (213, 121, 89, 88, 84, 77, 69, 56, 41, 39, 206)
"""Arbitrages of the ten most frequent contracts, and of all others as one."""

GAINS_USD: Final = (
    (0.0, 0.05),
    (0.10, 0.139),
    (0.25, 0.199),
    (0.50, 0.332),
    (0.75, 0.810),
    (0.90, 3.077),
    (0.97, 16.08),
    (1.0, 16.08),
)
"""Quantiles of gains before gas. The richest three of a hundred count as the poorest of them, so
that no single one decides an hour."""

GAS_USD: Final = 0.257
"""Median of what a transaction paid."""

LEVEL_KEPT: Final = 0.965
LEVEL_SPREAD: Final = 0.484
"""How alike the logs of two minutes' prices are, and how far they are spread."""

WILD_RATIO, CALM_SPREAD, WILD_SPREAD = 0.1, 0.09, 0.3
"""A change from minute to minute is mostly small and sometimes large: together their spread is the
0.1275 that was counted, with its tails."""

GAS_STEP_S: Final = 10
"""Chosen: gas changes so often, each time by a sixth of a minute's change."""

OPENING_CHANCE: Final = 1 / 60
"""Chosen: of each block, that somebody's trade opens something; every 15 s."""

LATE_BLOCKS_MAX: Final = 40
"""Chosen: what is taken after more than the counted blocks is taken by then."""

STAYS_BLOCKS: Final = 8.0
"""Chosen: where nobody competes, other trades close what is open after so many on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What may be learned of a world.

    Attributes:
        has_rivals: others take what is open, by their habits.
        has_restless_gas: gas goes up and down; otherwise it stays.
        block_jitter_ms: by so much a block comes earlier or later.
        has_odd_shapes: some routes fail, or take more gas than is reckoned with (`odd_shapes`).
        book_fee_bps: what exchanges take; more than any gap, and nobody trades there.
        agent: whose tasks run alone; empty if everybody's do.
    """

    name: str
    has_rivals: bool
    has_restless_gas: bool
    block_jitter_ms: int
    has_odd_shapes: bool = False
    book_fee_bps: int = 15
    agent: str = ""


RIVALS: Final = Habits(name="rivals", has_rivals=True, has_restless_gas=True, block_jitter_ms=50)
CONTROL: Final = Habits(
    name="control", has_rivals=False, has_restless_gas=False, block_jitter_ms=50
)
"""The same openings, and nothing that could be learned of them: nobody takes any."""

FORKS: Final = Habits(
    name="forks",
    has_rivals=False,
    has_restless_gas=False,
    block_jitter_ms=50,
    has_odd_shapes=True,
    book_fee_bps=300,
    agent="flash_loan_executor",
)
"""The same as the control with a third pool of each pair, of whose routes forks know more. What
books would bring is seven times as much, and luck: nobody trades there."""

WORLDS: Final = {one.name: one for one in (RIVALS, CONTROL, FORKS)}


def draw_pair(rng: random.Random) -> tuple[str, str]:
    """Draw between which assets something opens."""
    return rng.choices(list(PAIRS), [count for count, _ in PAIRS.values()])[0]


def draw_gain_usd(rng: random.Random) -> float:
    """Draw what an opening gains before gas."""
    at = rng.random()
    upper = bisect([quantile for quantile, _ in GAINS_USD], at)
    (low, least), (high, most) = GAINS_USD[upper - 1], GAINS_USD[upper]
    part = (at - low) / (high - low)
    return math.exp(math.log(least) + part * math.log(most / least))


def draw_blocks(rng: random.Random, pair: tuple[str, str], gain_usd: float) -> int:
    """Draw after how many blocks rivals take an opening; 0 is its own block.

    By its gain as was counted, and within a block so much more or less likely as in its pair.
    """
    counts = list(TAKEN[bisect(EDGES_USD, gain_usd) - 1])
    quick = PAIRS[pair][1]
    odds = quick / (1 - quick) / (QUICK_RATIO / (1 - QUICK_RATIO))
    weights = [count * (odds if blocks < 2 else 1.0) for blocks, count in enumerate(counts)]
    blocks = rng.choices(range(len(weights)), weights)[0]
    return blocks if blocks <= BLOCKS else rng.randint(BLOCKS + 1, LATE_BLOCKS_MAX)


def draw_bot(rng: random.Random) -> str:
    """Draw whose contract takes an opening."""
    return f"0xbot{rng.choices(range(len(BOTS)), BOTS)[0]}"


class Gas:
    """What a unit of gas costs, in gwei, step by step.

    Args:
        gwei: about which it goes.
    """

    def __init__(self, rng: random.Random, gwei: float, *, is_restless: bool) -> None:
        self._rng = rng
        self._usual = gwei
        self._is_restless = is_restless
        self._level = rng.gauss(0.0, LEVEL_SPREAD) if is_restless else 0.0

    @property
    def gwei(self) -> float:
        """What it costs now."""
        return self._usual * math.exp(self._level)

    def step(self) -> None:
        """Go on by `GAS_STEP_S`."""
        if not self._is_restless:
            return
        share = GAS_STEP_S / 60
        spread = WILD_SPREAD if self._rng.random() < WILD_RATIO else CALM_SPREAD
        self._level = self._level * LEVEL_KEPT**share + self._rng.gauss(0, spread * share**0.5)
