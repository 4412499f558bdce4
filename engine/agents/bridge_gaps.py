"""How far a chain's prices are from those of other chains, and how long they stay so.

Pools of the same assets on two chains are compared at each look. A gap that is larger than both
sides' fees and of the same sign in several looks running is told. It advises nothing: what a
transfer between chains costs and takes is not known here.
"""

import math
from collections.abc import Generator
from functools import partial
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace

from engine.agents.learning.stepping import OF_GIVEN, through, told
from engine.background.ports import Discovery, Given, Outcome, Priority, Task
from engine.background.wants import PricesGiven, PricesNow

WANT: Final = PricesNow()
LOOKS_MIN: Final = 3
GAPS_MAX: Final = 64
HOLDS_S: Final = 1_200.0


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A gap between two chains.

    Attributes:
        log_gap: of the last look, of the prices' logs; below zero if it is cheaper here.
        looks: how many looks running it was of this sign and beyond fees; 0 if it is not now.
        longest: most looks running that it ever was.
    """

    log_gap: float = 0.0
    looks: int = 0
    longest: int = 0


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """Gaps by pair and other chain; `done` are those of this look that were taken in."""

    at_ns: int = 0
    gaps: dict[str, Gap] = {}
    done: tuple[str, ...] = ()


def gaps_now(prices: PricesGiven, chain: str) -> dict[str, float]:
    """Return what is left of each gap beyond fees, by pair and other chain; 0 within them.

    A pool's bid and ask are after its fee, so that a gap pays only where a bid is above an ask.
    """
    sides: dict[tuple[str, str], tuple[float, float]] = {}
    rows = zip(prices.chain, prices.base, prices.quote, prices.bid, prices.ask, strict=True)
    for at, base, quote, bid, ask in rows:
        if at and 0 < bid <= ask < math.inf:
            most, least = sides.get((f"{base}-{quote}", at), (0.0, math.inf))
            sides[f"{base}-{quote}", at] = (max(most, bid), min(least, ask))
    gaps: dict[str, float] = {}
    for (pair, other), (bid, ask) in sides.items():
        here = sides.get((pair, chain))
        if other == chain or here is None:
            continue
        dearer, cheaper = math.log(here[0] / ask), math.log(here[1] / bid)
        gaps[f"{pair} {other}"] = dearer if dearer > 0 else min(0.0, cheaper)
    return dict(sorted(gaps.items())[:GAPS_MAX])


def _take(state: Gaps, named: tuple[str, float]) -> Gaps:
    name, now = named
    if name in state.done:
        return state
    gap = state.gaps.get(name, Gap())
    is_same = now * gap.log_gap > 0
    looks = 0 if not now else gap.looks + 1 if is_same else 1
    gap = Gap(log_gap=now, looks=looks, longest=max(gap.longest, looks))
    return replace(state, gaps={**state.gaps, name: gap}, done=(*state.done, name))


def _run(
    chain: str, given: Given, held: Gaps | None, learned: Gaps | None
) -> Generator[Gaps, None, Outcome[Gaps]]:
    now = gaps_now(given.of(WANT), chain)
    kept = {name: gap for name, gap in (learned or Gaps()).gaps.items() if name in now}
    state = held or Gaps(at_ns=given.at_ns, gaps=kept)
    if held is None:
        yield state
    state = yield from through(state, now.items(), _take, every=4)
    lasting = {name: gap for name, gap in state.gaps.items() if gap.looks >= LOOKS_MIN}
    sizes = [abs(gap.log_gap) for gap in state.gaps.values()]
    return Outcome(
        found=tuple(_discovery(chain, name, gap) for name, gap in lasting.items()),
        learned=replace(state, done=()),
        measured={
            "gaps": float(len(state.gaps)),
            "lasting": float(len(lasting)),
            "most_bps": told(float(np.max(sizes)) * 1e4) if sizes else 0.0,
        },
    )


def _discovery(chain: str, name: str, gap: Gap) -> Discovery:
    pair, _, other = name.partition(" ")
    than = "dearer" if gap.log_gap > 0 else "cheaper"
    bps = told(abs(gap.log_gap) * 1e4, 2)
    return Discovery(
        kind="bridge",
        subject=f"{chain} {name}"[:100],
        says=f"{pair} is {bps:g} bps {than} on {chain} than on {other}, beyond both sides' fees",
        figures={"gap_bps": bps, "looks": float(gap.looks), "longest": float(gap.longest)},
        score=told(gap.looks / (gap.looks + LOOKS_MIN), 2),
        holds_s=HOLDS_S,
    )


def bridge_gaps(chain: str, agent: str) -> Task[Gaps]:
    """Make the task of a chain."""
    return Task(
        name=f"{chain}_bridge_gaps",
        agent=agent,
        does=f"finds assets that stay dearer or cheaper on {chain} than on other chains",
        state=Gaps,
        run=partial(_run, chain),
        wants=(WANT,),
        bounds=OF_GIVEN,
        every_s=600.0,
        priority=Priority.LOW,
    )
