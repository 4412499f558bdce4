"""How soon the validators of a chain take what waits, and whether a larger tip makes them quicker.

From its blocks: which transactions each took that had been heard before, how long before, and what
they tipped. Whether one is in the first block after it was heard is foretold from whether it tips
more than half of all do, against one share for all. It advises nothing: which tip is enough is told
by the least that got in (`gas_costs`).
"""

from collections.abc import Generator
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.agents.learning.covering import SLOW_PACE, Bound
from engine.agents.learning.stepping import OF_GIVEN, begins_anew, through, told
from engine.agents.learning.wager import Wager
from engine.background.ports import Discovery, Given, Outcome, Task
from engine.background.wants import Blocks
from engine.domain.block_facts import BlockFact, Wait
from engine.domain.units import NS_PER_MS

CASES_MIN: Final = 30
SURE: Final = 200
"""So many transactions are half of being sure."""

HOLDS_S: Final = 3_600.0
SHARE_PACE: Final = 0.01


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many of some transactions were in the first block after they were heard."""

    ratio: float = 0.5
    cases: int = 0

    def learn(self, *, came: bool) -> "Share":
        """Return it after a case."""
        cases = self.cases + 1
        pace = max(SHARE_PACE, 1 / (cases + 1))
        return Share(ratio=self.ratio + (came - self.ratio) * pace, cases=cases)


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a chain.

    Attributes:
        upto: number of the newest block that was looked at.
        told_ns: when it was told; 0 of none.
        middle_ms, late_ms: bounds of half and of nine of ten waits.
        tip: bound of half of all tips, in gwei.
        all, large: shares of all, and of those that tip more than half do.
        small: share of the others.
        tells: whether the tip foretells who is in the first block.
    """

    upto: int = -1
    told_ns: int = 0
    middle_ms: Bound = Bound(beyond=0.5, pace=SLOW_PACE)
    late_ms: Bound = Bound(beyond=0.1)
    tip: Bound = Bound(beyond=0.5, pace=SLOW_PACE)
    all: Share = Share()
    large: Share = Share()
    small: Share = Share()
    tells: Wager = Wager()


def _look(state: Response, block: BlockFact) -> Response:
    if block.number <= state.upto:
        return state
    is_next = block.number == state.upto + 1 and state.told_ns > 0
    for wait in block.waits if is_next else ():
        state = _learn(state, wait, block)
    return replace(state, upto=block.number, told_ns=block.told_at_ns)


def _learn(state: Response, wait: Wait, block: BlockFact) -> Response:
    wait_ms = max(0, block.told_at_ns - wait.heard_at_ns) / NS_PER_MS
    was_first = wait.heard_at_ns > state.told_ns
    is_large = wait.tip_gwei > state.tip.at
    own = state.large if is_large else state.small
    judged = state.tells.judge_bounded(
        model_loss=(was_first - own.ratio) ** 2, naive_loss=(was_first - state.all.ratio) ** 2
    )
    own = own.learn(came=was_first)
    return replace(
        state,
        middle_ms=state.middle_ms.learn(wait_ms),
        late_ms=state.late_ms.learn(wait_ms),
        tip=state.tip.learn(wait.tip_gwei),
        all=state.all.learn(came=was_first),
        large=own if is_large else state.large,
        small=state.small if is_large else own,
        tells=judged,
    )


def _run(
    chain: str, want: Blocks, given: Given, held: Response | None, learned: Response | None
) -> Generator[Response, None, Outcome[Response]]:
    blocks = given.of(want).blocks
    state = held or learned or Response()
    if begins_anew(blocks, state.upto):
        state = replace(state, upto=-1, told_ns=0)
    state = yield from through(state, blocks, _look)
    return Outcome(
        found=_response(chain, state),
        learned=state,
        measured={
            "heard": float(state.all.cases),
            "tip_skill_ratio": told(state.tells.skill),
        },
    )


def _response(chain: str, state: Response) -> tuple[Discovery, ...]:
    if state.all.cases < CASES_MIN:
        return ()
    first, middle_ms = told(state.all.ratio, 2), told(max(0.0, state.middle_ms.at), 2)
    how = "whatever it tips"
    if state.tells.is_open:
        how = f"{state.large.ratio:.0%} of what tips above {state.tip.at:.3g} gwei"
    return (
        Discovery(
            kind="validator_response",
            subject=chain,
            says=f"{chain}: {first:.0%} of what waits is in the next block, {how}; half of it"
            f" within {middle_ms:.3g} ms",
            figures={
                "next_block_ratio": first,
                "wait_ms": middle_ms,
                "late_ms": told(max(0.0, state.late_ms.at), 2),
                "tip_skill_ratio": told(state.tells.skill, 2),
                "heard": told(state.all.cases, 2),
            },
            score=told(state.all.cases / (state.all.cases + SURE), 2),
            holds_s=HOLDS_S,
            evidence=(f"{state.all.cases} transactions of {chain} up to block {state.upto}",),
        ),
    )


def validator_response(chain: str, agent: str) -> Task[Response]:
    """Make the task of a chain."""
    want = Blocks(chain=chain, blocks=2_000)
    return Task(
        name=f"{chain}_validator_response",
        agent=agent,
        does=f"measures how soon {chain} takes what waits",
        state=Response,
        run=partial(_run, chain, want),
        wants=(want,),
        bounds=OF_GIVEN,
        every_s=300.0,
    )
