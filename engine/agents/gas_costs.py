"""What a transaction will cost when it lands, for a chain: bounds that hold, and a trend if any.

The cost of a route of two swaps, gas and bytes, is followed at steps as long as a transaction takes
to land. Its rise by then is bounded so that it holds for 19 of 20 (`learning/covering.py`): the
engine reckons with that. How far the bound is away follows the restlessness of the last steps only
while that foretells restless ones better than their usual share; and a foretold rise counts only
while it beats "as now". What is known of tips gives the least that got into nine blocks of ten.
"""

import math
from collections.abc import Generator
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.agents.learning.covering import SLOW_PACE, Bound
from engine.agents.learning.recursive import Recursive, unlearned
from engine.agents.learning.stepping import OF_GIVEN, begins_anew, through, told
from engine.agents.learning.wager import Wager
from engine.background.ports import Discovery, Given, Outcome, Priority, Task
from engine.background.wants import Blocks
from engine.domain.advice import GAS_RATIO_MAX, TIP_GWEI_MAX, GasAdvice, TipAdvice
from engine.domain.block_facts import BlockFact
from engine.domain.chains import CHAINS

BEYOND: Final = 0.05
TIP_BEYOND: Final = 0.1
LANDS_MS: Final = 3_000
"""From the decision until a transaction is in a block, about."""

ROUTE_GAS: Final = 300_000
"""Of a route of two swaps, about: it weighs gas against bytes."""

CASES_MIN: Final = 20
"""Of fewer, one of 20 is not told from none."""

SURE: Final = 200
"""So many steps are half of being sure."""

NOTABLE: Final = 1.001
"""A lower ratio changes nothing."""

HOLDS_S: Final = 300.0
FIRST: Final = 20
"""Steps until it is known what is usual."""

FAST, SLOW = 0.1, 0.01
"""What a step adds to how restless the last and all steps were."""

_WEI_A_GWEI: Final = 1e9


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a chain's costs.

    Attributes:
        upto: number of the newest block that was looked at.
        at: number of the last step's block.
        log_cost: of that step, the log of the cost in wei.
        signs: what the next change is foretold from, in units of `unit`.
        unit: about the usual size of a change when they were seen.
        fast, slow: how large changes were lately and on the whole, squared.
        level: about the usual log of the cost.
        trend, trend_tells: what foretells changes, and whether it beats "as now".
        restless, restless_tells: what foretells restless steps, and whether it beats their share.
        middle: bound of half of all changes by their size.
        flat, scaled: bounds of changes, in themselves and in units of the lately usual.
        used: the bound that was advised, as it came out.
        tip: bound of the tips that blocks took.
        data_ratio: share of bytes in the cost.
    """

    upto: int = -1
    at: int = -1
    log_cost: float = 0.0
    signs: tuple[float, ...] = (0.0, 0.0, 0.0)
    unit: float = 0.0
    fast: float = 0.0
    slow: float = 0.0
    level: float = 0.0
    trend: Recursive = unlearned(3)
    trend_tells: Wager = Wager()
    restless: Recursive = unlearned(2)
    restless_tells: Wager = Wager()
    middle: Bound = Bound(beyond=0.5, pace=SLOW_PACE)
    flat: Bound = Bound(beyond=BEYOND)
    scaled: Bound = Bound(beyond=BEYOND)
    used: Bound = Bound(beyond=BEYOND)
    tip: Bound = Bound(beyond=TIP_BEYOND)
    data_ratio: float = 0.0

    @property
    def rise(self) -> float:
        """Return the foretold change of the log of the cost; 0 while that beats nothing."""
        return self.foretold if self.trend_tells.is_open else 0.0

    @property
    def foretold(self) -> float:
        """Return the foretold change, whether or not that is to be believed."""
        return self.unit * self.trend.foretell(self.signs)

    @property
    def bound(self) -> float:
        """Return what the next change stays within, 19 times of 20."""
        if self.restless_tells.is_open and self.fast > 0:
            return self.rise + self.scaled.at * math.sqrt(self.fast)
        return self.flat.at

    @property
    def restlessness(self) -> float:
        """Return how restless the last steps were against all, from -1 to 1."""
        if self.fast <= 0 or self.slow <= 0:
            return 0.0
        return math.tanh(math.log(self.fast / self.slow) / 2)


def steps_of(chain: str) -> int:
    """Return how many blocks a transaction takes to land."""
    return max(2, round(LANDS_MS / CHAINS[chain].block_ms))


def _look(steps: int, state: Costs, block: BlockFact) -> Costs:
    if block.number <= state.upto:
        return state
    state = replace(state, upto=block.number)
    if block.tips_gwei:
        state = replace(state, tip=state.tip.learn(block.tips_gwei[0]))
    tip_gwei = block.tips_gwei[0] if block.tips_gwei else 0.0
    gas_wei = (block.base_fee_gwei + tip_gwei) * _WEI_A_GWEI * ROUTE_GAS
    if block.number % steps or gas_wei <= 0:
        return state
    log_cost = math.log(gas_wei + block.data_raw)
    fullness = block.gas_used / block.gas_limit - 0.5 if block.gas_limit else 0.0
    change = log_cost - state.log_cost
    is_next = state.at >= 0 and block.number - state.at == steps
    if is_next:
        state = _learn(state, change)
    level = state.level + SLOW * (log_cost - state.level) if state.at >= 0 else log_cost
    unit = math.sqrt(state.slow) if state.flat.cases >= FIRST else 0.0
    signs = (change if is_next else 0.0, log_cost - level)
    return replace(
        state,
        at=block.number,
        log_cost=log_cost,
        level=level,
        signs=(*(sign / unit for sign in signs), fullness) if unit else (0.0, 0.0, fullness),
        unit=unit,
        data_ratio=block.data_raw / (gas_wei + block.data_raw),
    )


def _learn(state: Costs, change: float) -> Costs:
    """Judge what was foretold of a change, then learn from it."""
    feel = (1.0, state.restlessness)
    chance = min(0.98, max(0.02, state.restless.foretell(feel)))
    was_restless = float(abs(change) > state.middle.at)
    used = replace(state.used, at=state.bound)
    scale = math.sqrt(state.fast)
    steps = state.flat.cases + 1
    scaled = state.scaled.learn((change - state.rise) / scale) if scale > 0 else state.scaled
    return replace(
        state,
        trend_tells=state.trend_tells.judge(
            model_loss=(change - state.foretold) ** 2, naive_loss=change**2
        ),
        restless_tells=state.restless_tells.judge_bounded(
            model_loss=(was_restless - chance) ** 2, naive_loss=(was_restless - 0.5) ** 2
        ),
        trend=state.trend.learn(state.signs, change / state.unit) if state.unit else state.trend,
        restless=state.restless.learn(feel, was_restless),
        middle=state.middle.learn(abs(change)),
        flat=state.flat.learn(change),
        scaled=scaled,
        used=used.learn(change),
        fast=state.fast + (change**2 - state.fast) * max(FAST, 1 / steps),
        slow=state.slow + (change**2 - state.slow) * max(SLOW, 1 / steps),
    )


def _run(
    row: "Row", want: Blocks, given: Given, held: Costs | None, learned: Costs | None
) -> Generator[Costs, None, Outcome[Costs]]:
    blocks = given.of(want).blocks
    state = held or learned or Costs()
    if begins_anew(blocks, state.upto):
        state = replace(state, upto=-1, at=-1)
    look = partial(_look, steps_of(row.chain))
    state = yield from through(state, blocks, look)
    return Outcome(
        found=(*_gas(row, state), *_tip(row, state)),
        learned=state,
        measured={
            "steps": float(state.flat.cases),
            "covered_ratio": told(state.used.covered),
            "trend_skill_ratio": told(state.trend_tells.skill),
            "restless_skill_ratio": told(state.restless_tells.skill),
        },
    )


def _gas(row: "Row", state: Costs) -> tuple[Discovery, ...]:
    if state.flat.cases < CASES_MIN:
        return ()
    ratio = min(GAS_RATIO_MAX, 1 + told(math.expm1(min(10.0, max(0.0, state.bound)))))
    how = "its restlessness tells" if state.restless_tells.is_open else "as at all times"
    figures = {
        "gas_ratio": ratio,
        "covered_ratio": told(state.used.covered),
        "data_ratio": told(state.data_ratio, 2),
        "steps": told(state.flat.cases, 2),
        "trend_skill_ratio": told(state.trend_tells.skill, 2),
        "restless_skill_ratio": told(state.restless_tells.skill, 2),
    }
    return (
        Discovery(
            kind=row.kind,
            subject=row.chain,
            says=f"{row.chain}: gas rises to at most {ratio:.4g} x until it lands; {how}",
            figures=figures,
            score=told(state.flat.cases / (state.flat.cases + SURE), 2),
            holds_s=HOLDS_S,
            evidence=(f"{state.flat.cases} steps up to block {state.at} of {row.chain}",),
            advice=GasAdvice(chain=row.chain, ratio=ratio) if ratio >= NOTABLE else None,
        ),
    )


def _tip(row: "Row", state: Costs) -> tuple[Discovery, ...]:
    if state.tip.cases < CASES_MIN:
        return ()
    tip_gwei = told(min(TIP_GWEI_MAX, max(0.0, state.tip.at)))
    return (
        Discovery(
            kind="tip_model",
            subject=row.chain,
            says=f"{row.chain}: a tip of {tip_gwei:.3g} gwei was enough in nine blocks of ten",
            figures={"tip_gwei": tip_gwei, "covered_ratio": told(state.tip.covered)},
            score=told(state.tip.cases / (state.tip.cases + SURE), 2),
            holds_s=HOLDS_S,
            evidence=(f"{state.tip.cases} blocks of {row.chain} up to {state.upto}",),
            advice=TipAdvice(chain=row.chain, tip_gwei=tip_gwei),
        ),
    )


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A chain whose costs are followed: what the task of it is called, and whose it is."""

    chain: str
    name: str
    agent: str
    kind: str


def gas_costs(row: Row) -> Task[Costs]:
    """Make the task of a chain."""
    want = Blocks(chain=row.chain, blocks=2_000)
    return Task(
        name=row.name,
        agent=row.agent,
        does=f"learns what transactions on {row.chain} cost when they land",
        state=Costs,
        run=partial(_run, row, want),
        wants=(want,),
        bounds=OF_GIVEN,
        every_s=60.0,
        priority=Priority.HIGH,
    )
