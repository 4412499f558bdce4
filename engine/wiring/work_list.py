"""All background tasks: those of agents, and what measures what they are worth.

The latter plays recordings with the whole core, which agents know nothing of.
"""

from typing import Any, Final

from engine.agents.task_list import TASKS as OF_AGENTS
from engine.background.ports import Task
from engine.wiring.effect_task import DISCOVERY_EFFECTS

TASKS: Final[tuple[Task[Any], ...]] = (*OF_AGENTS, DISCOVERY_EFFECTS)
TASKS_AT: Final = f"{__name__}:TASKS"


def tasks_of(*, measures_effects: bool) -> tuple[Task[Any], ...]:
    """Return the tasks that are to run."""
    return TASKS if measures_effects else OF_AGENTS
