"""Who else takes opportunities of a chain, and how soon: what it is worth to try.

From its blocks: which transactions took something (`learning/takes.py`), which trade had opened it,
and how many blocks lay between. The advice says how probable it is that nobody took an opportunity
by the end of a block. It says so by what an opportunity is worth only while that foretells better
than one share for all, out of sample. How ties within a block end, and whether what is seen of
others is true of us, is learned from how our own transactions ended (`learning/own_races.py`).
"""

from bisect import bisect_right
from collections.abc import Generator, Sequence
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.agents.learning.inclusion_prior import BLOCKS, EDGES_USD
from engine.agents.learning.lasting import Lasting, row_of
from engine.agents.learning.own_races import OwnRaces, corrected
from engine.agents.learning.stepping import OF_GIVEN, begins_anew, through, told
from engine.agents.learning.takes import Take, takes_in
from engine.agents.learning.wager import Wager
from engine.background.ports import Discovery, Given, Outcome, Priority, Task
from engine.background.wants import Blocks, Races, RacesGiven
from engine.domain.advice import InclusionAdvice
from engine.domain.block_facts import BlockFact

CASES_MIN: Final = 30
"""Fewer cases of the chain's own, takes of others or races of ours, advise nothing: elsewhere and
in another year it may be otherwise."""

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
        own: how our own races ended.
        bots: takes by who took, older ones as less; those who took least make room.
        whole: takes of all, likewise.
        takes, unopened: how many there were, and of how many nothing is known that opened them.
        gaps: how often blocks were missing before the next one.
    """

    upto: int = -1
    openers: dict[str, int] = {}
    lasting: Lasting = Lasting()
    edge_tells: Wager = Wager()
    own: OwnRaces = OwnRaces()
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
        own=state.own.kept(KEPT_A_BLOCK),
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


class Race(msgspec.Struct, frozen=True, kw_only=True):
    """One of our own transactions, and in which block after the decision it landed."""

    ended_at_ns: int
    profit_usd: float
    blocks: int
    came: bool


def races_of(given: RacesGiven, blocks: Sequence[BlockFact]) -> list[Race]:
    """Return our races that were decided on after one of these blocks was heard, and in one."""
    heard = [(block.heard_at_ns, block.number) for block in blocks if block.heard_at_ns]
    heard.sort()
    rows = zip(
        given.decided_at_ns,
        given.ended_at_ns,
        given.profit_usd,
        given.block,
        given.came,
        strict=True,
    )
    races = []
    for decided_at_ns, ended_at_ns, profit_usd, landed, came in rows:
        at = bisect_right(heard, (decided_at_ns, landed))
        if not at or profit_usd <= 0 or landed > blocks[-1].number:
            continue
        if landed > (newest := heard[at - 1][1]):
            races.append(
                Race(
                    ended_at_ns=ended_at_ns,
                    profit_usd=profit_usd,
                    blocks=landed - newest,
                    came=came,
                )
            )
    return sorted(races, key=lambda race: race.ended_at_ns)


def _race(state: Rivals, race: Race) -> Rivals:
    if race.ended_at_ns <= state.own.upto_ns:
        return state
    rows, by_edge = _rows(state)
    row = rows[row_of(race.profit_usd)] if by_edge else rows[0]
    own = state.own.learn(row, race.blocks, came=race.came, at_ns=race.ended_at_ns)
    return replace(state, own=own)


def _run(
    chain: str,
    wants: tuple[Blocks, Races],
    given: Given,
    held: Rivals | None,
    learned: Rivals | None,
) -> Generator[Rivals, None, Outcome[Rivals]]:
    blocks = given.of(wants[0]).blocks
    state = held or learned or Rivals()
    if begins_anew(blocks, state.upto):
        state = replace(state, upto=-1, openers={})
    state = yield from through(state, blocks, _look)
    state = yield from through(state, races_of(given.of(wants[1]), blocks), _race)
    return Outcome(
        found=(*_inclusion(chain, state), *_bots(chain, state)),
        learned=state,
        measured={
            "blocks": float(len(blocks)),
            "takes": float(state.takes),
            "unopened": float(state.unopened),
            "edge_skill_ratio": told(state.edge_tells.skill),
            "own_races": float(state.own.races),
            "own_won": float(state.own.won),
            "own_foretold": told(state.own.foretold),
            "own_value": state.own.value,
        },
    )


def _rows(state: Rivals) -> tuple[tuple[tuple[float, ...], ...], bool]:
    """Return what is still there after blocks as others are seen to take, and whether by edge."""
    by_edge = state.edge_tells.is_open
    return (state.lasting.by_edge() if by_edge else (state.lasting.as_one(),)), by_edge


def _inclusion(chain: str, state: Rivals) -> tuple[Discovery, ...]:
    cases = max(state.lasting.cases, state.own.weight)
    if cases < CASES_MIN:
        return ()
    rows, by_edge = _rows(state)
    value, as_one = state.own.value, state.lasting.as_one()
    how = "the richer the sooner" if by_edge else "whatever it is worth"
    if state.lasting.cases < CASES_MIN:  # what others do elsewhere says nothing of this chain
        as_one = (state.own.share,) * BLOCKS
        rows, by_edge, value = (as_one,), False, 0.0
    ratios = tuple(tuple(told(ratio) for ratio in corrected(row, value)) for row in rows)
    one = told(corrected(as_one, value)[0], 2)
    if state.own.races:
        how += f"; of {state.own.races} races of ours {state.own.won} were won"
    return (
        Discovery(
            kind="inclusion",
            subject=chain,
            says=f"after a block {one:.0%} of what opens on {chain} is still there, {how}",
            figures={
                "still_there_ratio": one,
                "cases": told(cases, 2),
                "edge_skill_ratio": told(state.edge_tells.skill, 2),
                "own_value": value,
            },
            score=told(cases / (cases + CASES_MIN), 2),
            holds_s=HOLDS_S,
            evidence=(
                f"{state.takes} takes in blocks of {chain} up to {state.upto}",
                f"{state.own.won} of {state.own.races} own races won",
            ),
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
    wants = (Blocks(chain=chain, blocks=2_000), Races(chain=chain))
    return Task(
        name=f"{chain}_competing_bots",
        agent=agent,
        does=f"finds who takes opportunities of {chain}, and how soon",
        state=Rivals,
        run=partial(_run, chain, wants),
        wants=wants,
        bounds=OF_GIVEN,
        every_s=120.0,
        priority=Priority.HIGH,
    )
