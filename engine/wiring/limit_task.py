"""Measures what higher least edges would have earned, segment by recorded segment.

Each segment is played once as it was and once with each of them, as `effect_task` plays it without
what was advised. What is proven to earn more is proposed to a person.
"""

from collections.abc import Generator
from typing import Final

from engine.background.ports import EffectFound, Given, Outcome, Priority, Task
from engine.background.wants import RecordedGiven
from engine.domain.discoveries import Effect
from engine.wiring.effect_task import BOUNDS, WANT, Finds, Measuring, effect_of, measure
from engine.wiring.limit_trials import CONFIDENCE_OF_EACH, proposed, trials_of


def _run(
    given: Given, held: Measuring | None, learned: Measuring | None
) -> Generator[Measuring, None, Outcome[Measuring]]:
    state = held or learned or Measuring()
    if not trials_of(given.of(WANT).limits):
        yield state
        return Outcome(learned=state)  # no engine tells its limits: nothing is played for nothing
    return (yield from measure(given, state, turns=_turns, told=_told))


def _turns(state: Measuring, what: RecordedGiven) -> list[str]:
    return [one for one in trials_of(what.limits) if one not in state.done]


def _told(
    state: Measuring, what: RecordedGiven, at_ns: int
) -> tuple[tuple[EffectFound, ...], Finds]:
    known: dict[str, Effect] = {
        trial: effect_of(state, line, what, at_ns=at_ns, confidence=CONFIDENCE_OF_EACH)
        for trial in trials_of(what.limits)
        if (line := state.lines.get(trial)) is not None
    }
    return (), proposed(known)


LIMIT_EFFECTS: Final = Task(
    name="limit_effects",
    agent="coordinator",
    does="plays what was recorded with higher least edges: what would change?",
    state=Measuring,
    run=_run,
    wants=(WANT,),
    bounds=BOUNDS,
    every_s=60.0,
    priority=Priority.LOW,
)
