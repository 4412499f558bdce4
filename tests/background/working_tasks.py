"""A list of tasks for the role `workers`, as its processes find it."""

from collections.abc import Generator
from typing import Any, Final

import msgspec

from engine.background.ports import Bounds, Discovery, Given, Outcome, Task
from engine.background.wants import Executions
from engine.domain.advice import TipAdvice

TRADES: Final = Executions(hours=1)
STEPS: Final = 20


class Count(msgspec.Struct, frozen=True, kw_only=True):
    step: int = 0
    runs: int = 0


def _count(
    given: Given, held: Count | None, learned: Count | None
) -> Generator[Count, None, Outcome[Count]]:
    state = held or Count()
    runs = (learned or Count()).runs + 1
    while state.step < STEPS:
        state = Count(step=state.step + 1, runs=runs)
        yield state
    tip = Discovery(
        kind="tip_model",
        subject="base",
        says=f"a place costs little, as {runs} runs say",
        figures={"tip_gwei": 0.5 + runs},
        score=0.9,
        holds_s=3_600.0,
        advice=TipAdvice(chain="base", tip_gwei=0.5),
    )
    trades = len(given.of(TRADES).closed_at_ns)
    return Outcome(
        found=(tip,), learned=Count(runs=runs), measured={"runs": float(runs), "trades": trades}
    )


TASKS: Final[tuple[Task[Any], ...]] = (
    Task(
        name="counting",
        agent="tester",
        does="counts to twenty",
        state=Count,
        run=_count,
        wants=(TRADES,),
        every_s=3_600.0,
        bounds=Bounds(memory_mb=80),
    ),
)
TASKS_AT: Final = "tests.background.working_tasks:TASKS"
