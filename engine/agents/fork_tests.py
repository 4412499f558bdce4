"""Whether routes of each shape do on a fork what the detector says: a shape that does not is off.

A shape whose newest plan reverts on the very state that it was planned on, or gives something else
there, is advised off with its cause. It is on again as soon as it does: on the state of a newer
plan, or, as none is planned while it is off, by running through at the newest block. What nobody
can try any more is not said again, so that it is on again once what was said has ended.
"""

from collections.abc import Generator
from typing import Final

import msgspec

from engine.agents.learning.shapes import key_of, trials_in
from engine.agents.learning.stepping import OF_GIVEN, through
from engine.background.ports import Discovery, Given, Outcome, Priority, Task
from engine.background.wants import Trials
from engine.domain.advice import ShapeOffAdvice
from engine.domain.trials import Trial

TRIALS: Final = Trials()
SHAPES_MAX: Final = 128
HOLDS_S: Final = 1_800.0
CAUSE_CHARACTERS: Final = 100


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """How a shape stands.

    Attributes:
        block: of the newest trial.
        why: it fails, empty if it passes.
        tried, failed: how often.
    """

    block: int = -1
    why: str = ""
    plan_id: str = ""
    tried: int = 0
    failed: int = 0


class ForkTests(msgspec.Struct, frozen=True, kw_only=True):
    """How each shape stands, and the trials of this run that were looked at."""

    shapes: dict[str, Passed] = {}
    seen: tuple[str, ...] = ()


def _learn(state: ForkTests, trial: Trial) -> ForkTests:
    name = f"{trial.chain} {trial.plan_id} {trial.block} {bool(trial.why)} {trial.head_why}"
    if not trial.is_used or name in state.seen:
        return state
    key = key_of(trial)
    before = state.shapes.get(key, Passed())
    shapes = dict(state.shapes)
    if trial.block < before.block and trial.plan_id != before.plan_id:
        return ForkTests(shapes=shapes, seen=(*state.seen, name)[-512:])
    is_again = trial.plan_id == before.plan_id and before.block >= 0
    if trial.is_at_head_alone and not (is_again and before.why):
        return ForkTests(shapes=shapes, seen=(*state.seen, name)[-512:])
    # The same plan fails on its own state for ever: it is let off by running through elsewhere.
    why = before.why if trial.is_at_head_alone else trial.why
    if is_again and before.why and not trial.head_why:
        why = ""
    shapes[key] = Passed(
        block=trial.block,
        why=why,
        plan_id=trial.plan_id,
        tried=before.tried + 1,
        failed=before.failed + bool(why),
    )
    if len(shapes) > SHAPES_MAX:
        del shapes[min(shapes)]
    return ForkTests(shapes=shapes, seen=(*state.seen, name)[-512:])


def _run(
    given: Given, held: ForkTests | None, learned: ForkTests | None
) -> Generator[ForkTests, None, Outcome[ForkTests]]:
    state = held or ForkTests(shapes=(learned or ForkTests()).shapes)
    trials = list(trials_in(given.of(TRIALS)))
    state = yield from through(state, trials, _learn, every=1)
    tried = {key_of(trial) for trial in trials if trial.is_used}
    return Outcome(
        found=tuple(
            _told(key, one)
            for key, one in sorted(state.shapes.items())
            if key in tried or not one.why
        ),
        learned=ForkTests(shapes=state.shapes),
        measured={
            "shapes": float(len(state.shapes)),
            "off": float(sum(bool(one.why) for one in state.shapes.values())),
        },
    )


def _told(key: str, one: Passed) -> Discovery:
    chain, _, shape = key.partition(" ")
    how = f"fails on a fork: {one.why}" if one.why else "does on a fork what the detector says"
    advice = None
    if one.why:
        cause = "".join(sign if sign.isprintable() else " " for sign in one.why[:CAUSE_CHARACTERS])
        advice = ShapeOffAdvice(chain=chain, shape=shape, why=cause)
    return Discovery(
        kind="fork_test",
        subject=key[:100],
        says=f"{shape} on {chain} {how}"[:300],
        figures={"passes": float(not one.why), "failed": float(one.failed)},
        score=0.9 if one.why else 0.5,
        holds_s=HOLDS_S,
        evidence=(one.plan_id,),
        advice=advice,
    )


FORK_TESTS: Final[Task[ForkTests]] = Task(
    name="fork_tests",
    agent="flash_loan_executor",
    does="carries the newest plan of each shape out on a fork; a shape that fails is off",
    state=ForkTests,
    run=_run,
    wants=(TRIALS,),
    bounds=OF_GIVEN,
    every_s=300.0,
    priority=Priority.HIGH,
)
