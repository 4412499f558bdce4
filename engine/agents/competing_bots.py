"""Who else takes opportunities of a chain, and how soon: what it is worth to try.

From its blocks: which transactions took something (`learning/takes.py`), which trade had opened it,
and how many blocks lay between. The advice says how probable it is that nobody took an opportunity
by the end of a block. It says so by what an opportunity is worth only while that foretells better
than one share for all, out of sample.
"""

from collections.abc import Generator
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.agents.learning.inclusion_prior import EDGES_USD
from engine.agents.learning.lasting import Lasting, row_of
from engine.agents.learning.stepping import OF_BLOCKS, begins_anew, through, told
from engine.agents.learning.takes import Take, takes_in
from engine.agents.learning.wager import Wager
from engine.background.ports import Discovery, Given, Outcome, Priority, Task
from engine.background.wants import Blocks
from engine.domain.advice import InclusionAdvice
from engine.domain.block_facts import BlockFact

CASES_MIN: Final = 30
"""Fewer own cases advise nothing: elsewhere and in another year it may be otherwise."""

KEPT_A_BLOCK: Final = 0.9999
"""What a case counts after each block: half after some 7,000."""

BOTS_MAX: Final = 64
BOTS_TOLD: Final = 3
HOLDS_S: Final = 3_600.0


class Rivals(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of those who take opportunities of a chain.

    Attributes:
        upto: number of the newest block that was looked at.
        openers: in which block each pool was traded last.
        lasting: cases that were seen here, older ones as less.
        edge_tells: whether what an opportunity is worth foretells how long it lasts.
        bots: takes by who took, older ones as less; those who took least make room.
        whole: takes of all, likewise.
        takes, unopened: how many there were, and of how many nothing is known that opened them.
        gaps: how often blocks were missing before the next one.
    """

    upto: int = -1
    openers: dict[str, int] = {}
    lasting: Lasting = Lasting()
    edge_tells: Wager = Wager()
    bots: dict[str, float] = {}
    whole: float = 0.0
    takes: int = 0
    unopened: int = 0
    gaps: int = 0


def _look(state: Rivals, block: BlockFact) -> Rivals:
    if block.number <= state.upto:
        return state
    is_gap = state.upto >= 0 and block.number > state.upto + 1
    found, openers = takes_in(block, {} if is_gap else state.openers)
    state = replace(
        state,
        upto=block.number,
        openers=openers,
        gaps=state.gaps + is_gap,
        lasting=state.lasting.kept(KEPT_A_BLOCK),
        whole=state.whole * KEPT_A_BLOCK,
        bots={who: takes * KEPT_A_BLOCK for who, takes in state.bots.items()},
    )
    for take in found:
        state = _learn(state, take)
    return state


def _learn(state: Rivals, take: Take) -> Rivals:
    bots = dict(state.bots)
    if take.who:
        bots[take.who] = bots.get(take.who, 0.0) + 1
        if len(bots) > BOTS_MAX:
            del bots[min(bots, key=lambda who: (bots[who], who))]
    state = replace(state, bots=bots, whole=state.whole + 1, takes=state.takes + 1)
    if take.blocks < 0 or take.gain_usd <= 0:
        return replace(state, unopened=state.unopened + 1)
    outlived = float(take.blocks > 1)
    by_edge = state.lasting.by_edge()[row_of(take.gain_usd)][0]
    as_one = state.lasting.as_one()[0]
    judged = state.edge_tells.judge_bounded(
        model_loss=(outlived - by_edge) ** 2, naive_loss=(outlived - as_one) ** 2
    )
    return replace(
        state, lasting=state.lasting.learn(take.gain_usd, take.blocks), edge_tells=judged
    )


def _run(
    chain: str, want: Blocks, given: Given, held: Rivals | None, learned: Rivals | None
) -> Generator[Rivals, None, Outcome[Rivals]]:
    blocks = given.of(want).blocks
    state = held or learned or Rivals()
    if begins_anew(blocks, state.upto):
        state = replace(state, upto=-1, openers={})
    state = yield from through(state, blocks, _look)
    return Outcome(
        found=(*_inclusion(chain, state), *_bots(chain, state)),
        learned=state,
        measured={
            "blocks": float(len(blocks)),
            "takes": float(state.takes),
            "unopened": float(state.unopened),
            "edge_skill_ratio": told(state.edge_tells.skill),
        },
    )


def _inclusion(chain: str, state: Rivals) -> tuple[Discovery, ...]:
    cases = state.lasting.cases
    if cases < CASES_MIN:
        return ()
    by_edge = state.edge_tells.is_open
    rows = state.lasting.by_edge() if by_edge else (state.lasting.as_one(),)
    ratios = tuple(tuple(told(ratio) for ratio in row) for row in rows)
    one = told(state.lasting.as_one()[0], 2)
    how = "the richer the sooner" if by_edge else "whatever it is worth"
    return (
        Discovery(
            kind="inclusion",
            subject=chain,
            says=f"after a block {one:.0%} of what opens on {chain} is still there, {how}",
            figures={
                "still_there_ratio": one,
                "cases": told(cases, 2),
                "edge_skill_ratio": told(state.edge_tells.skill, 2),
            },
            score=told(cases / (cases + CASES_MIN), 2),
            holds_s=HOLDS_S,
            evidence=(f"{state.takes} takes in blocks of {chain} up to {state.upto}",),
            advice=InclusionAdvice(
                chain=chain, edges_usd=EDGES_USD if by_edge else (0.0,), ratios=ratios
            ),
        ),
    )


def _bots(chain: str, state: Rivals) -> tuple[Discovery, ...]:
    best = sorted(state.bots.items(), key=lambda item: (-item[1], item[0]))[:BOTS_TOLD]
    return tuple(
        Discovery(
            kind="competitor",
            subject=f"{chain} {who}",
            says=f"{who} takes {takes / state.whole:.0%} of what is taken on {chain}",
            figures={"share_ratio": told(takes / state.whole, 2), "takes": told(takes, 2)},
            score=told(takes / (takes + CASES_MIN), 2),
            holds_s=HOLDS_S,
            evidence=(f"{state.takes} takes in blocks of {chain} up to {state.upto}",),
        )
        for who, takes in best
        if state.whole >= CASES_MIN
    )


def competing_bots(chain: str, agent: str) -> Task[Rivals]:
    """Make the task of a chain."""
    want = Blocks(chain=chain, blocks=2_000)
    return Task(
        name=f"{chain}_competing_bots",
        agent=agent,
        does=f"finds who takes opportunities of {chain}, and how soon",
        state=Rivals,
        run=partial(_run, chain, want),
        wants=(want,),
        bounds=OF_BLOCKS,
        every_s=120.0,
        priority=Priority.HIGH,
    )
