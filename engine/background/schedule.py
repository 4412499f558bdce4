"""The schedule: what is due stands in line, begins when there is room, and its end is noted.

APScheduler says when a task is due; who is next is `line.py`, how much room there is `pressure.py`.
A task runs once at a time and stands in line once, so a clock that jumps brings one run of each at
most; by the steady clock it begins no sooner than half of its interval after the last time.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from engine.background.efficiency import Efficiency, Look
from engine.background.history import History
from engine.background.line import Line, Place
from engine.background.ports import Priority, Task
from engine.background.pressure import Room
from engine.background.runs import Ended, Fetch, Machine, Runner, Take
from engine.background.share import Share
from engine.background.task_words import TaskWords
from engine.background.timetable import Due, is_overdue
from engine.domain.errors import SyndicateError
from engine.domain.runs import How, RunLine, Trigger
from engine.domain.units import NS_PER_S

LOOK_S: Final = 1.0
CLOCK_LOOK_S: Final = 30.0
"""Interval at which the times that are due are looked at for a clock that was set."""

WANT_RETRY_S: Final = 15.0
"""So long after something that a run wants was not to be had, it is asked for again."""

EARLY_RATIO: Final = 0.5

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    place: Place
    task: Task[Any]
    since_s: float
    doing: asyncio.Task[None] | None = None
    goes_on: bool = False
    """It was stopped for want of room, and goes on later."""
    has_more: bool = False
    """Its run said that another one could go on at once."""


@dataclass(slots=True, kw_only=True)
class Schedule:
    """Runs tasks when they are due.

    Attributes:
        clock: nanoseconds since 1970, for what is told and for instants that are due.
        steady: seconds that no set clock changes.
        at_once: most runs at the same time.
        memory_mb: what all runs together may take.
        share_cores: what runs that only have more to do may use of the cores, on average.
        first_s: what was missed is due so long after the start, which has more urgent things to do.
        efficiency: how much of what was there was used.
        ended: how many runs ended how.
        early: how often a task was due too soon by the steady clock, and nothing was begun.
    """

    tasks: Sequence[Task[Any]]
    runner: Runner
    fetch: Fetch
    take: Take
    history: History
    words: TaskWords
    machine: Machine
    clock: Callable[[], int]
    steady: Callable[[], float]
    seed: int
    memory_mb: int
    share_cores: float = 1.0
    first_s: float = 5.0
    efficiency: Efficiency = field(default_factory=Efficiency)
    early: int = 0
    ended: Counter[How] = field(default_factory=Counter)
    _by_name: Mapping[str, Task[Any]] = field(init=False)
    _due: dict[str, Due] = field(init=False)
    _line: Line = field(default_factory=Line, init=False)
    _running: dict[str, _Running] = field(default_factory=dict, init=False)
    _begun_s: dict[str, float] = field(default_factory=dict, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _scheduler: AsyncIOScheduler = field(init=False)
    _around_s: float = field(default=0.0, init=False)
    _failed_s: float = field(default=0.0, init=False)
    _share: Share = field(init=False)
    _room: Room = field(default=Room(0), init=False)

    def __post_init__(self) -> None:
        self._by_name = {task.name: task for task in self.tasks}
        self._due = {task.name: Due(task, seed=self.seed) for task in self.tasks}
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._share = Share(self.share_cores, steady=self.steady)

    async def run(self) -> None:
        """Run for ever; cancelled, it stops what runs, and the states stand."""
        self._set_up()
        self._scheduler.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch_clock())
                while True:
                    self._changed.clear()
                    self._look(group)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await self._changed.wait()
        finally:
            self._scheduler.shutdown(wait=False)

    # What a person asks for, and is told.

    def ask_for(self, name: str) -> str:
        """Have a task run as soon as there is room; return what is so then."""
        if name in self._running:
            return f"{name} runs already"
        self.runner.release(name)
        self._put(name, Trigger.ASKED)
        waits = "" if self._room.runs > len(self._running) else ", it waits for room"
        return f"{name} is next{waits}"

    def stop(self, name: str) -> None:
        """Begin a task no more, and stop it if it runs: it was switched off."""
        self._line.leave(name)
        if (running := self._running.get(name)) is not None and running.doing is not None:
            running.doing.cancel()

    def is_running(self, name: str) -> bool:
        """Say whether a task runs now."""
        return name in self._running

    def running_for_s(self, name: str) -> float:
        """Return how long a task has been running, 0 if it does not."""
        running = self._running.get(name)
        return 0.0 if running is None else self.steady() - running.since_s

    def waits_for(self, name: str) -> str | None:
        """Return what a task in line waits for; None if it is not in line."""
        place = self._line.get(name)
        if place is None:
            return None
        return place.why or self._why_not(place) or self._room.why or "room"

    def next_at_ns(self, name: str) -> int:
        """Return when a task is due next."""
        job = self._scheduler.get_job(name)
        if job is not None and getattr(job, "next_run_time", None) is not None:
            at: datetime = job.next_run_time
        else:
            at = self._due[name].after(self._now())
        return round(at.timestamp() * NS_PER_S)

    @property
    def room(self) -> Room:
        """How many runs there was room for at the last look."""
        return self._room

    # The work.

    def _set_up(self) -> None:
        now_ns, now = self.clock(), self._now()
        for task in self.tasks:
            due, last = self._due[task.name], self.history.last(task.name)
            begun_at_ns = None if last is None else last.begun_at_ns
            is_missed = is_overdue(
                due, begun_at_ns=begun_at_ns, now_ns=now_ns, is_cron=bool(task.cron)
            )
            self._scheduler.add_job(
                self._is_due,
                due,
                id=task.name,
                args=[task.name],
                next_run_time=now + timedelta(seconds=self.first_s)
                if is_missed
                else due.after(now),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        for name in self.runner.interrupted() & self._by_name.keys():
            if self.words.is_on(name):
                self._put(name, Trigger.RESUMED)

    async def _is_due(self, name: str) -> None:
        begun_s, every_s = self._begun_s.get(name), self._by_name[name].every_s
        if begun_s is not None and self.steady() - begun_s < EARLY_RATIO * every_s:
            self.early += 1
        elif self._may_stand(name) and name not in self._running:
            self._put(name, Trigger.DUE)

    def _may_stand(self, name: str) -> bool:
        return self.words.is_on(name) and name not in self.runner.quarantined()

    def _put(self, name: str, trigger: Trigger) -> None:
        task = self._by_name[name]
        self._line.put(
            Place(
                name=name,
                priority=_priority(task, trigger),
                memory_mb=task.bounds.memory_mb,
                trigger=trigger,
                since_s=self.steady(),
            )
        )
        self._changed.set()

    def _look(self, group: asyncio.TaskGroup) -> None:
        self._room = room = self.machine.room()
        if room.is_yielding:
            self._yield()
        while len(self._running) < room.runs:
            left = self.memory_mb - sum(one.place.memory_mb for one in self._running.values())
            place = self._line.next(self.steady(), memory_mb_left=left, why_not=self._why_not)
            if place is None:
                break
            self._begin(group, place)
        spent = self.runner.spent()
        self.efficiency.take(
            Look(
                steady_s=self.steady(),
                waiting=min(
                    max(room.runs - len(self._running), 0),
                    self._line.waiting(self.steady(), self._why_not),
                ),
                open_s=spent.open_s,
                idle_s=self.machine.idle_s(),
                cpu_s=spent.cpu_s,
                starting_s=spent.serving_s,
                around_s=self._around_s,
                failed_s=self._failed_s,
                held_s=self.machine.held_s(),
            )
        )

    def _begin(self, group: asyncio.TaskGroup, place: Place) -> None:
        self._line.leave(place.name)
        running = _Running(place, self._by_name[place.name], self.steady())
        self._running[place.name] = running
        running.doing = group.create_task(self._run(running))

    def _why_not(self, place: Place) -> str:
        if self.machine.is_held():
            return "what is more urgent"
        if place.trigger is Trigger.MORE and not self._share.is_left():
            return "its share of the processor"
        for other in self._by_name[place.name].after:
            if not self.history.has_ended_well(other):
                return f"{other} to end once"
        return self.runner.why_not(place.name)

    def _yield(self) -> None:
        """Stop the least urgent run; what it came to stands, and it goes on later."""
        stopping = [one for one in self._running.values() if one.doing and not one.goes_on]
        if stopping:
            least = min(stopping, key=lambda one: (one.task.priority, -one.since_s))
            least.goes_on = True
            assert least.doing is not None
            least.doing.cancel()

    async def _run(self, running: _Running) -> None:
        task, place = running.task, running.place
        try:
            given = None
            if task.name not in self.runner.interrupted():
                try:
                    given = await self.fetch(task)
                except SyndicateError as error:
                    place.why, place.not_before_s = str(error), self.steady() + WANT_RETRY_S
                    self._line.put(place)
                    return
            self._begun_s[task.name] = begun_s = self.steady()
            ended = await self.runner.run(task, given)
            how = await self._end(task, ended, place, waited_s=begun_s - place.since_s)
            running.has_more = (
                how is How.DONE and ended.outcome is not None and ended.outcome.has_more
            )
        except Exception as error:  # noqa: BLE001 - one task's fault must not end the others
            _log.exception("%s failed outside of its process", task.name)
            now_ns = self.clock()
            ended = Ended(how=How.RAISED, why=repr(error), begun_at_ns=now_ns, ended_at_ns=now_ns)
            await self._end(task, ended, place, waited_s=0.0)
        finally:
            del self._running[task.name]
            if running.goes_on:
                self._put(task.name, Trigger.RESUMED)
            elif running.has_more and self._may_stand(task.name):
                self._put(task.name, Trigger.MORE)
            self._changed.set()

    async def _end(self, task: Task[Any], ended: Ended, place: Place, *, waited_s: float) -> How:
        """Note how a run ended, once what it found is stored; return how that is called then."""
        how, why = ended.how, ended.why
        if ended.outcome is not None and how is How.DONE:
            try:
                await self.take(task, ended)
            except SyndicateError as error:
                how, why = How.RAISED, f"what it found is refused: {error}"
            await self.runner.settle(task.name)
        if how is How.DONE:
            self._around_s += ended.cpu_s - ended.own_s
        else:
            self._failed_s += ended.cpu_s
        if place.trigger is Trigger.MORE:
            self._share.take(ended.cpu_s)
        if how not in {How.DONE, How.STOPPED}:
            _log.warning("%s: %s, %s", task.name, how, why)
            if self._may_stand(task.name) and self.runner.why_not(task.name):
                self._put(task.name, Trigger.DUE)  # tried again, after its back-off
        self.ended[how] += 1
        found, measured = 0, {}
        if ended.outcome is not None:
            found, measured = len(ended.outcome.found), ended.outcome.measured
        self.history.note(
            task.name,
            RunLine(
                begun_at_ns=ended.begun_at_ns,
                ended_at_ns=ended.ended_at_ns,
                how=how,
                why=why,
                trigger=place.trigger,
                waited_s=waited_s,
                wall_s=ended.wall_s,
                held_s=ended.held_s,
                cpu_s=ended.cpu_s,
                memory_mb=ended.memory_mb,
                resumed=ended.resumed,
                found=found,
                measured=measured,
            ),
        )
        return how

    async def _watch_clock(self) -> None:
        """Let no task wait longer than its own times say.

        The scheduler waits by the wall clock: set back by a day, nothing would be due for a day;
        set forward, it would be noticed late.
        """
        while True:
            await asyncio.sleep(CLOCK_LOOK_S)
            self.bring_forward()

    def bring_forward(self) -> None:
        """Look at the clock once."""
        now = self._now()
        for name, due in self._due.items():
            job, right = self._scheduler.get_job(name), due.after(now)
            if job is not None and job.next_run_time > right:
                job.modify(next_run_time=right)
        self._scheduler.wakeup()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock() / NS_PER_S, UTC)


def _priority(task: Task[Any], trigger: Trigger) -> Priority:
    if trigger is Trigger.DUE:
        return task.priority
    return Priority.LOW if trigger is Trigger.MORE else Priority.CRITICAL
