"""What agents tell each other: how soon opportunities are taken, where a chain's own cases lack.

A chain with too few own cases has no advice of how probable it is to be first. Where at least two
other chains have, the lowest share of theirs is lent to it, block by block, until its own speak:
that can only make the engine more careful.
"""

from collections.abc import Generator, Sequence
from functools import partial
from typing import Final

import msgspec

from engine.agents.learning.stepping import OF_GIVEN, told
from engine.background.ports import Discovery, Given, Outcome, Task
from engine.background.wants import InForce
from engine.domain.advice import InclusionAdvice

WANT: Final = InForce(kinds=("inclusion",))
LENDERS_MIN: Final = 2
HOLDS_S: Final = 600.0


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """It keeps nothing: each run looks at what is in force."""


def lent(own: Sequence[InclusionAdvice], chain: str) -> InclusionAdvice | None:
    """Return what others lend to a chain; None if it has its own or too few others have."""
    if len(own) < LENDERS_MIN or any(one.chain == chain for one in own):
        return None
    blocks = min(len(row) for one in own for row in one.ratios)
    edges = sorted({edge for one in own for edge in one.edges_usd})
    ratios = tuple(
        tuple(min(one.ratio(edge, block) for one in own) for block in range(1, blocks + 1))
        for edge in edges
    )
    return InclusionAdvice(chain=chain, edges_usd=tuple(edges), ratios=ratios)


def _run(
    chains: Sequence[str], given: Given, held: Nothing | None, learned: Nothing | None
) -> Generator[Nothing, None, Outcome[Nothing]]:
    if held is None:
        yield learned or Nothing()
    own = [
        one.advice for one in given.of(WANT).discoveries if isinstance(one.advice, InclusionAdvice)
    ]
    found = [_discovery(advice, len(own)) for chain in chains if (advice := lent(own, chain))]
    return Outcome(found=tuple(found), learned=Nothing(), measured={"lenders": float(len(own))})


def _discovery(advice: InclusionAdvice, lenders: int) -> Discovery:
    first = told(advice.ratios[0][0], 2)
    return Discovery(
        kind="shared",
        subject=advice.chain,
        says=f"{advice.chain} has too few own cases: as on the quickest of {lenders} other chains,"
        f" {first:.0%} is still there after a block",
        figures={"still_there_ratio": first, "lenders": float(lenders)},
        score=0.2,
        holds_s=HOLDS_S,
        advice=advice,
    )


def sharing(chains: Sequence[str]) -> Task[Nothing]:
    """Make the task for these chains."""
    return Task(
        name="sharing",
        agent="coordinator",
        does="lends a chain what others know, until it knows by itself",
        state=Nothing,
        run=partial(_run, tuple(chains)),
        wants=(WANT,),
        bounds=OF_GIVEN,
        every_s=300.0,
    )
