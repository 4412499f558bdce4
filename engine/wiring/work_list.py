"""All background tasks: those of agents, and what measures what they are worth.

The latter plays recordings with the whole core, which agents know nothing of.
"""

from dataclasses import replace
from typing import Any, Final

from engine.agents.task_list import TASKS as OF_AGENTS
from engine.background.ports import Task
from engine.wiring.effect_task import BOUNDS, DISCOVERY_EFFECTS
from engine.wiring.limit_task import LIMIT_EFFECTS

PLAYING: Final = (DISCOVERY_EFFECTS, LIMIT_EFFECTS)
TASKS: Final[tuple[Task[Any], ...]] = (*OF_AGENTS, *PLAYING)
TASKS_AT: Final = f"{__name__}:TASKS"


def tasks_of(*, measures_effects: bool, runs_mb: int) -> tuple[Task[Any], ...]:
    """Return the tasks that are to run.

    Args:
        measures_effects: whether recordings are played.
        runs_mb: what all runs together may take. What is beyond the least is for those that play a
            recording, as a core with many pools takes more.
    """
    if not measures_effects:
        return OF_AGENTS
    small_mb = max(task.bounds.memory_mb for task in OF_AGENTS)
    each_mb = max(BOUNDS.memory_mb, (runs_mb - small_mb) // len(PLAYING))
    bounds = replace(BOUNDS, memory_mb=each_mb)
    return (*OF_AGENTS, *(replace(task, bounds=bounds) for task in PLAYING))
