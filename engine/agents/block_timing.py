"""When a chain's blocks come and reach us: how long apart, how late, how surely.

The time between blocks is that of many of them. When the next is heard
is foretold from the beat of all before; that counts only while it beats "as long after the last as
usual". What varies about the better of both is the jitter. The rule of the base fee is found anew
from the blocks, as a check on the one that the chain's row has.
"""

import math
from collections.abc import Generator
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.agents.learning.covering import SLOW_PACE, Bound
from engine.agents.learning.fee_rule import FeeLine
from engine.agents.learning.stepping import OF_GIVEN, begins_anew, through, told
from engine.agents.learning.wager import Wager
from engine.background.ports import Discovery, Given, Outcome, Task
from engine.background.wants import Blocks
from engine.domain.advice import BLOCK_MS_MAX, BlockTimeAdvice
from engine.domain.block_facts import BlockFact
from engine.domain.chains import CHAINS
from engine.domain.units import NS_PER_MS, NS_PER_S

CASES_MIN: Final = 30
SURE: Final = 200
"""So many blocks are half of being sure."""

HOLDS_S: Final = 1_800.0
BEAT_GAIN: Final = 0.1
"""Share of its error by which the beat is set right with each block."""

LATE: Final = 1.5
"""Times the usual: a block that comes later is a late one."""

AFRESH: Final = 16
"""Times the usual: after a longer silence the beat is taken up anew."""

_SECOND_MS: Final = 990.0
"""Blocks that are less apart are several in a second."""

_NORMAL: Final = 1.4826
"""Standard deviation over the median size of a deviation, where those are normal."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of when blocks come.

    Attributes:
        upto: number of the newest block that was looked at.
        first_number, first_made_ns, first_heard_ns: the first of an unbroken chain of them; -1 if
            there is none.
        made_ns, heard_ns: of the newest; 0 of one that was not heard when it came.
        beat_ns: when the newest was to be heard, by the beat of all before.
        beat_tells: whether the beat foretells better than the last block alone.
        beat_off, last_off: bounds of half of the errors of both, in ms.
        delay: bound of half of the delays from made to heard, in ms.
        made, late: blocks with one before, and those of them that were late.
        fee_gwei, fullness: of the newest block.
        fees: for the rule of the base fee.
    """

    upto: int = -1
    first_number: int = -1
    first_made_ns: int = 0
    first_heard_ns: int = 0
    made_ns: int = 0
    heard_ns: int = 0
    beat_ns: float = 0.0
    beat_tells: Wager = Wager()
    beat_off: Bound = Bound(beyond=0.5, pace=SLOW_PACE)
    last_off: Bound = Bound(beyond=0.5, pace=SLOW_PACE)
    delay: Bound = Bound(beyond=0.5, pace=SLOW_PACE)
    made: int = 0
    late: int = 0
    fee_gwei: float = 0.0
    fullness: float = 0.0
    full: float = 0.0
    fees: FeeLine = FeeLine()

    def block_ms(self, usual_ms: float) -> float:
        """Return the time between blocks; what is usual until enough of them came.

        By our clock where they were heard as they came: the chain's has whole seconds.
        """
        blocks = self.upto - self.first_number
        is_heard = self.first_heard_ns and self.heard_ns
        first_ns = self.first_heard_ns if is_heard else self.first_made_ns
        took_ns = (self.heard_ns if is_heard else self.made_ns) - first_ns
        if self.first_number < 0 or blocks < CASES_MIN or took_ns <= 0:
            return usual_ms
        return took_ns / blocks / NS_PER_MS


def _look(usual_ms: float, state: Timing, block: BlockFact) -> Timing:
    if block.number <= state.upto:
        return state
    is_next = state.upto >= 0 and block.number == state.upto + 1
    # An interval of more than this is a stop (of us or of the chain), and no time between blocks.
    is_going = is_next and block.made_at_ns - state.made_ns < AFRESH * max(
        usual_ms * NS_PER_MS, NS_PER_S
    )
    if is_next:
        state = _learn_fee(state, block)
    if is_going:
        state = _learn_times(state, block, state.block_ms(usual_ms))
    heard_ns = block.heard_at_ns
    if heard_ns and (not is_going or not state.heard_ns):
        state = replace(state, beat_ns=float(heard_ns))
    return replace(
        state,
        upto=block.number,
        first_number=state.first_number if is_going else block.number,
        first_made_ns=state.first_made_ns if is_going else block.made_at_ns,
        first_heard_ns=state.first_heard_ns if is_going else heard_ns,
        made_ns=block.made_at_ns,
        heard_ns=heard_ns,
        fee_gwei=block.base_fee_gwei,
        fullness=block.gas_used / block.gas_limit if block.gas_limit else 0.0,
    )


def _learn_fee(state: Timing, block: BlockFact) -> Timing:
    if state.fee_gwei <= 0 or block.base_fee_gwei <= 0 or state.fullness <= 0:
        return state
    change = block.base_fee_gwei / state.fee_gwei - 1
    return replace(
        state,
        fees=state.fees.learn(state.fullness, change),
        full=state.full + BEAT_GAIN * (state.fullness - state.full),
    )


def _learn_times(state: Timing, block: BlockFact, block_ms: float) -> Timing:
    """Take in a block that follows the newest one."""
    apart_ms = (block.made_at_ns - state.made_ns) / NS_PER_MS
    is_quick = block_ms < _SECOND_MS
    # The chain's clock has whole seconds.
    is_late = apart_ms > max(LATE * block_ms, block_ms + _SECOND_MS * is_quick)
    state = replace(state, made=state.made + 1, late=state.late + is_late)
    if not block.heard_at_ns:
        return state
    if not is_quick or block.made_at_ns > state.made_ns:
        # Of several blocks in a second, the first was made half their distance into it, on average.
        within_ms = block_ms / 2 if is_quick else 0.0
        delay_ms = (block.heard_at_ns - block.made_at_ns) / NS_PER_MS - within_ms
        state = replace(state, delay=state.delay.learn(delay_ms))
    if not state.heard_ns:
        return state
    by_last = (block.heard_at_ns - state.heard_ns) / NS_PER_MS - block_ms
    due_ns = state.beat_ns + block_ms * NS_PER_MS
    by_beat = (block.heard_at_ns - due_ns) / NS_PER_MS
    return replace(
        state,
        beat_ns=due_ns + BEAT_GAIN * by_beat * NS_PER_MS,
        beat_tells=state.beat_tells.judge(model_loss=by_beat**2, naive_loss=by_last**2),
        beat_off=state.beat_off.learn(abs(by_beat)),
        last_off=state.last_off.learn(abs(by_last)),
    )


def _run(
    row: "Row", want: Blocks, given: Given, held: Timing | None, learned: Timing | None
) -> Generator[Timing, None, Outcome[Timing]]:
    usual_ms = float(CHAINS[row.chain].block_ms)
    blocks = given.of(want).blocks
    state = held or learned or Timing()
    if begins_anew(blocks, state.upto):
        state = replace(state, upto=-1, first_number=-1, heard_ns=0)
    state = yield from through(state, blocks, partial(_look, usual_ms))
    return Outcome(
        found=(*_times(row, state, state.block_ms(usual_ms)), *_rule(row, state)),
        learned=state,
        measured={
            "blocks": float(state.made),
            "late": float(state.late),
            "beat_skill_ratio": told(state.beat_tells.skill),
        },
    )


def _times(row: "Row", state: Timing, block_ms: float) -> tuple[Discovery, ...]:
    if state.last_off.cases < CASES_MIN:
        return ()
    off = state.beat_off if state.beat_tells.is_open else state.last_off
    advice = BlockTimeAdvice(
        chain=row.chain,
        block_ms=told(min(BLOCK_MS_MAX, max(1.0, block_ms))),
        heard_ms=told(min(BLOCK_MS_MAX, max(0.0, state.delay.at))),
        jitter_ms=told(min(BLOCK_MS_MAX, _NORMAL * max(0.0, off.at))),
    )
    late = state.late / state.made
    return (
        Discovery(
            kind=row.kind,
            subject=row.chain,
            says=f"{row.chain}: a block every {advice.block_ms:.4g} ms, heard after"
            f" {advice.heard_ms:.3g} ms, give or take {advice.jitter_ms:.3g} ms",
            figures={
                "interval_s": advice.block_ms / 1_000,
                "delay_ms": advice.heard_ms,
                "jitter_ms": advice.jitter_ms,
                "late_ratio": told(late, 2),
                "full_ratio": told(state.full, 2),
                "beat_skill_ratio": told(state.beat_tells.skill, 2),
            },
            score=told(off.cases / (off.cases + SURE), 2),
            holds_s=HOLDS_S,
            evidence=(f"{state.made} blocks of {row.chain} up to {state.upto}",),
            advice=advice,
        ),
    )


def _rule(row: "Row", state: Timing) -> tuple[Discovery, ...]:
    rule = state.fees.rule() if row.has_rule else None
    if rule is None or not math.isfinite(rule.explained):
        return ()
    return (
        Discovery(
            kind="fee_rule",
            subject=row.chain,
            says=f"{row.chain}: the base fee follows a target of 1/{rule.elasticity:.3g} of the"
            f" limit and changes by 1/{rule.denominator:.3g}; that explains {rule.explained:.1%}",
            figures={
                "denominator": told(rule.denominator),
                "elasticity": told(rule.elasticity),
                "explained_ratio": told(max(0.0, rule.explained)),
                "full_ratio": told(state.full, 2),
            },
            score=told(min(1.0, max(0.0, rule.explained)), 2),
            holds_s=HOLDS_S,
            evidence=(f"{state.fees.cases} pairs of blocks of {row.chain} up to {state.upto}",),
        ),
    )


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A chain whose blocks are timed.

    Attributes:
        has_rule: the base fee follows how full blocks are.
    """

    chain: str
    name: str
    agent: str
    kind: str
    has_rule: bool


def block_timing(row: Row) -> Task[Timing]:
    """Make the task of a chain."""
    want = Blocks(chain=row.chain, blocks=2_000)
    return Task(
        name=row.name,
        agent=row.agent,
        does=f"times the blocks of {row.chain}",
        state=Timing,
        run=partial(_run, row, want),
        wants=(want,),
        bounds=OF_GIVEN,
        every_s=300.0,
    )
