"""When the price of bytes on a rollup steps, which it does as its batches are posted.

Times between steps are kept. Whether a step comes within the next minute is foretold from how long
ago the last one was, against "as likely as at any time"; only while that is better by the steps
that came is it told when the next one is due. It advises nothing: the bound of costs (`gas_costs`)
holds bytes too.
"""

import math
from collections.abc import Generator
from functools import partial
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace

from engine.agents.learning.stepping import OF_GIVEN, begins_anew, through, told
from engine.agents.learning.wager import Wager
from engine.background.ports import Discovery, Given, Outcome, Priority, Task
from engine.background.wants import Blocks
from engine.domain.block_facts import BlockFact
from engine.domain.units import NS_PER_S

STEP_RATIO: Final = 0.005
"""A price that differs by less is the same."""

KEPT: Final = 64
CASES_MIN: Final = 20
WITHIN_S: Final = 60.0
AFRESH_S: Final = 900.0
"""Blocks that are further apart are no series: what lay between is not known."""

HOLDS_S: Final = 3_600.0


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a chain's steps.

    Attributes:
        upto: number of the newest block that was looked at.
        made_ns: when it was made.
        price_raw: what bytes cost in it.
        stepped_ns: when the last step was seen; 0 if none was since the series began.
        apart_s, sizes: times between steps, and logs of the ratios of prices, oldest first.
        asked_ns: when it was last foretold whether a step comes; 0 if nothing is foretold now.
        chance, usual: that it comes within the time, as foretold and as at any time.
        tells: whether how long ago the last was foretells the next one.
    """

    upto: int = -1
    made_ns: int = 0
    price_raw: int = 0
    stepped_ns: int = 0
    apart_s: tuple[float, ...] = ()
    sizes: tuple[float, ...] = ()
    asked_ns: int = 0
    chance: float = 0.0
    usual: float = 0.0
    tells: Wager = Wager()


def chance_within(apart_s: tuple[float, ...], age_s: float) -> float:
    """Return how often a step came within the time, of those that had not come at this age."""
    still = [apart for apart in apart_s if apart > age_s]
    came = sum(apart <= age_s + WITHIN_S for apart in still)
    usual = usual_chance(apart_s)
    return (came + usual) / (len(still) + 1)


def usual_chance(apart_s: tuple[float, ...]) -> float:
    """Return how probable a step is within the time if it is as likely at any."""
    return -math.expm1(-WITHIN_S / max(1e-9, float(np.mean(apart_s))))


def _look(state: Steps, block: BlockFact) -> Steps:
    if block.number <= state.upto:
        return state
    is_gap = block.made_at_ns - state.made_ns > AFRESH_S * NS_PER_S
    if not block.data_raw or not state.price_raw or is_gap:
        return replace(
            state,
            upto=block.number,
            made_ns=block.made_at_ns,
            price_raw=block.data_raw,
            stepped_ns=0,
            asked_ns=0,
        )
    size = math.log(block.data_raw / state.price_raw)
    is_step = abs(size) > STEP_RATIO
    state = _judge(state, block.made_at_ns, is_step=is_step)
    if is_step:
        state = _step(state, block, size)
    state = _ask(state, block.made_at_ns)
    return replace(state, upto=block.number, made_ns=block.made_at_ns)


def _judge(state: Steps, at_ns: int, *, is_step: bool) -> Steps:
    """Judge what was foretold, once it came or its time is over."""
    is_over = at_ns - state.asked_ns > WITHIN_S * NS_PER_S
    if not state.asked_ns or not (is_step or is_over):
        return state
    came = float(is_step and not is_over)
    tells = state.tells.judge_bounded(
        model_loss=(came - state.chance) ** 2, naive_loss=(came - state.usual) ** 2
    )
    return replace(state, tells=tells, asked_ns=0)


def _step(state: Steps, block: BlockFact, size: float) -> Steps:
    apart = ((block.made_at_ns - state.stepped_ns) / NS_PER_S,) if state.stepped_ns else ()
    return replace(
        state,
        price_raw=block.data_raw,
        stepped_ns=block.made_at_ns,
        apart_s=(*state.apart_s, *apart)[-KEPT:],
        sizes=(*state.sizes, size)[-KEPT:],
        asked_ns=0,
    )


def _ask(state: Steps, at_ns: int) -> Steps:
    if state.asked_ns or not state.stepped_ns or len(state.apart_s) < CASES_MIN:
        return state
    age_s = (at_ns - state.stepped_ns) / NS_PER_S
    return replace(
        state,
        asked_ns=at_ns,
        chance=chance_within(state.apart_s, age_s),
        usual=usual_chance(state.apart_s),
    )


def _run(
    chain: str, want: Blocks, given: Given, held: Steps | None, learned: Steps | None
) -> Generator[Steps, None, Outcome[Steps]]:
    blocks = given.of(want).blocks
    state = held or learned or Steps()
    if begins_anew(blocks, state.upto):
        state = replace(state, upto=-1, price_raw=0)
    state = yield from through(state, blocks, _look)
    return Outcome(
        found=_discovery(chain, state),
        learned=state,
        measured={
            "steps": float(len(state.apart_s)),
            "judged": float(state.tells.judged),
            "skill_ratio": told(state.tells.skill),
        },
    )


def _discovery(chain: str, state: Steps) -> tuple[Discovery, ...]:
    if len(state.apart_s) < CASES_MIN:
        return ()
    low, middle, high = np.quantile(state.apart_s, (0.1, 0.5, 0.9)).tolist()
    size = float(np.median(np.abs(state.sizes)))
    how = "as a clock" if state.tells.is_open else "at any time"
    return (
        Discovery(
            kind="batch_posting",
            subject=chain,
            says=f"bytes on {chain} change their price every {told(middle, 2):g} s, {how},"
            f" by {told(math.expm1(size), 2):.2%}",
            figures={
                "interval_s": told(middle, 2),
                "interval_low_s": told(low, 2),
                "interval_high_s": told(high, 2),
                "size_ratio": told(math.expm1(size), 2),
                "skill_ratio": told(state.tells.skill, 2),
            },
            score=told(len(state.apart_s) / (len(state.apart_s) + CASES_MIN), 2),
            holds_s=HOLDS_S,
            evidence=(f"{len(state.apart_s)} steps up to block {state.upto} of {chain}",),
        ),
    )


def batch_posting(chain: str, agent: str) -> Task[Steps]:
    """Make the task of a chain."""
    want = Blocks(chain=chain, blocks=2_000)
    return Task(
        name=f"{chain}_batch_posting",
        agent=agent,
        does=f"learns when bytes on {chain} change their price",
        state=Steps,
        run=partial(_run, chain, want),
        wants=(want,),
        bounds=OF_GIVEN,
        every_s=600.0,
        priority=Priority.LOW,
    )
