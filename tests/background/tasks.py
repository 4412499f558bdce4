"""Tasks for tests, and a runner of them in this process whose runs end when the test says so."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.background.ports import Bounds, Discovery, Given, Outcome, Priority, Task
from engine.background.pressure import Room
from engine.background.runs import Ended, Spent
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.domain.runs import How


class Nothing(msgspec.Struct, frozen=True):
    pass


def _run(given: Given, _held: Any, _learned: Any) -> Any:
    yield Nothing()
    return Outcome(measured={"at": float(given.at_ns)})


def make_task(
    name: str = "one",
    *,
    every_s: float = 3_600.0,
    cron: str = "",
    priority: Priority = Priority.MEDIUM,
    memory_mb: int = 10,
    after: tuple[str, ...] = (),
) -> Task[Any]:
    return Task(
        name=name,
        agent="tester",
        does="nothing",
        state=Nothing,
        run=_run,
        wants=(),
        every_s=0.0 if cron else every_s,
        cron=cron,
        priority=priority,
        bounds=Bounds(memory_mb=memory_mb),
        after=after,
    )


@dataclass
class HandRunner:
    """Obeys `Runner`; a run ends when the test lets it."""

    running: dict[str, asyncio.Future[How]] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    bad: dict[str, str] = field(default_factory=dict)
    back_off: dict[str, str] = field(default_factory=dict)
    settled_early: set[str] = field(default_factory=set)
    """Names of runs that may not be settled yet."""
    found: tuple[Discovery, ...] = ()
    used_s: float = 0.0
    own_s: float = 1.0
    has_more: bool = False

    async def run(self, task: Task[Any], given: Given | None) -> Ended:
        assert (given is None) == (task.name in self.held)
        self.held.discard(task.name)
        self.begun.append(task.name)
        self.running[task.name] = asyncio.get_running_loop().create_future()
        try:
            how = await self.running[task.name]
        except asyncio.CancelledError:
            self.stopped.append(task.name)
            self.held.add(task.name)
            raise
        finally:
            del self.running[task.name]
        if how is How.DONE:
            self.held.add(task.name)
        outcome = None
        if how is How.DONE:
            outcome = Outcome[Any](found=self.found, has_more=self.has_more)
        return Ended(
            how=how, begun_at_ns=1, ended_at_ns=2, outcome=outcome, cpu_s=1.5, own_s=self.own_s
        )

    async def settle(self, name: str) -> None:
        assert name not in self.settled_early
        self.held.discard(name)

    def interrupted(self) -> frozenset[str]:
        return frozenset(self.held)

    def why_not(self, name: str) -> str:
        return self.back_off.get(name, "")

    def quarantined(self) -> Mapping[str, str]:
        return self.bad

    def release(self, name: str) -> None:
        self.bad.pop(name, None)
        self.back_off.pop(name, None)

    def spent(self) -> Spent:
        return Spent(self.used_s, 0.0, 0.0)


@dataclass
class Left:
    """Obeys `Machine`: what the test says is left."""

    runs: int = 5
    is_yielding: bool = False
    holds: bool = False

    def room(self) -> Room:
        return Room(self.runs, is_yielding=self.is_yielding)

    def idle_s(self) -> float:
        return 0.0

    def held_s(self) -> float:
        return 0.0

    def is_held(self) -> bool:
        return self.holds


@dataclass
class Shelf:
    """Obeys `Fetch`: gives nothing, or cannot."""

    lacks: dict[str, str] = field(default_factory=dict)

    async def __call__(self, task: Task[Any]) -> Given:
        if task.name in self.lacks:
            raise TransientError(self.lacks[task.name])
        return Given(at_ns=1, basis=Basis.SANDBOX, seed=1, answers={})
