"""What the schedule needs of whoever runs a task, gets what it wants and stores what it found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from engine.background.ports import Given, Outcome, Task
from engine.background.pressure import Room
from engine.domain.runs import How


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended; see `domain.runs.RunLine` for the figures.

    Attributes:
        begun_at_ns: when it began first, however often it was interrupted.
        run_id: stays the same over interruptions.
        own_s: processor time of the task's own code, in the attempt that came to the end; the rest
            began the run, kept its states, told its end, or went with attempts that were cut off.
    """

    how: How
    begun_at_ns: int
    ended_at_ns: int
    why: str = ""
    outcome: Outcome[Any] | None = None
    wall_s: float = 0.0
    held_s: float = 0.0
    cpu_s: float = 0.0
    memory_mb: float = 0.0
    resumed: int = 0
    run_id: str = ""
    own_s: float = 0.0


class Spent(NamedTuple):
    """What background work took so far.

    Attributes:
        cpu_s: processor time, of runs under way too, and of what begins runs.
        serving_s: the part of that which went into beginning runs.
        open_s: time in which runs were ordered and not over yet, summed over runs.
    """

    cpu_s: float
    serving_s: float
    open_s: float


class Runner(Protocol):
    """Runs tasks in processes of their own, keeps what they learned, and parts from bad ones."""

    async def run(self, task: Task[Any], given: Given | None) -> Ended:
        """Run a task to its end; whatever it does is told by how it ended, and never raised.

        Without `given` an interrupted run goes on, with what it was given. A cancelled call stops
        the run; its newest state stands.
        """
        ...

    async def settle(self, name: str) -> None:
        """Let what a run that is done learned stand, once what it found is stored.

        Until then the run counts as interrupted, and going on with it returns the same end.
        """
        ...

    def interrupted(self) -> frozenset[str]:
        """Return the names of tasks of which an interrupted run can go on."""
        ...

    def why_not(self, name: str) -> str:
        """Return why a task may not begin yet, such as its back-off; empty if it may."""
        ...

    def quarantined(self) -> Mapping[str, str]:
        """Return the tasks that are begun no more until a person says so, with the reason."""
        ...

    def release(self, name: str) -> None:
        """Let a task begin again whatever it did before."""
        ...

    def spent(self) -> Spent:
        """Return what all runs took so far."""
        ...


class Machine(Protocol):
    """What the machine, and what is more urgent, leave for background work."""

    def room(self) -> Room:
        """Return how many runs there is room for."""
        ...

    def idle_s(self) -> float:
        """Return how long the cores for background work were idle, since some beginning."""
        ...

    def held_s(self) -> float:
        """Return how long background work was held, since some beginning."""
        ...

    def is_held(self) -> bool:
        """Say whether it is held now."""
        ...


class Fetch(Protocol):
    """Gets what a task wants."""

    async def __call__(self, task: Task[Any], /) -> Given:
        """Return it; raises `SyndicateError` if something cannot be had."""
        ...


class Take(Protocol):
    """Stores what a run found, and has it acted on."""

    async def __call__(self, task: Task[Any], ended: Ended, /) -> None:
        """Return once it is stored; raises `SyndicateError` if that is refused."""
        ...
