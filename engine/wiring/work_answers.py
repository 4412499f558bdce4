"""What the role `workers` answers; obeys `bus.request.Answerer` and `requests.work.Work`."""

import math
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from engine.background.history import History
from engine.background.machine import WorkMachine
from engine.background.ports import Task
from engine.background.runs import Runner
from engine.background.schedule import Schedule
from engine.background.task_words import TaskWords, Word
from engine.bus.command import Envelope
from engine.bus.records import TaskActRecord
from engine.bus.reports import Declined, Unknown
from engine.bus.request import Reply, Request
from engine.bus.work_reports import (
    ResourcesReport,
    SwitchFigures,
    TaskLine,
    TaskReport,
    TaskState,
    WorkDone,
    WorkReport,
)
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.domain.runs import How
from engine.operate.clock import Clock
from engine.operate.ease import Ease
from engine.operate.role_uses import MB, RoleUses
from engine.wiring.work_commands import WorkCommands

RUNS_SHOWN: Final = 60


@dataclass(kw_only=True)
class WorkAnswers:
    """Answers for the role.

    Attributes:
        store: has an act stored in the audit; raises `TransientError` while the ledger is away.
        store_later: has it stored once the ledger takes it.
        switches: figures of holds so far.
        trouble: see `WorkReport`.
    """

    tasks: Sequence[Task[Any]]
    schedule: Schedule
    runner: Runner
    history: History
    words: TaskWords
    machine: WorkMachine
    uses: RoleUses
    ease: Ease
    basis: Basis
    clock: Clock
    memory_mb_max: int
    store: Callable[[TaskActRecord], Awaitable[None]]
    store_later: Callable[[TaskActRecord], None]
    switches: Callable[[], SwitchFigures] = SwitchFigures
    trouble: Callable[[], str] = str
    once: WorkCommands = field(init=False)

    def __post_init__(self) -> None:
        self.once = WorkCommands(self.clock)
        self._by_name = {task.name: task for task in self.tasks}

    async def answer(self, request: Request[Reply], /) -> Reply:
        """See `Answerer.answer`."""
        return await request.answer(self)

    def work(self) -> WorkReport:
        """See `Work.work`."""
        schedule, efficiency = self.schedule, self.schedule.efficiency
        return WorkReport(
            basis=self.basis,
            tasks=[self._line(task) for task in self.tasks],
            efficiency=efficiency.ratio,
            available_s=efficiency.available_s,
            useful_s=efficiency.useful_s,
            allowed_s=efficiency.allowed_s,
            lost_s=efficiency.lost_s(),
            room=schedule.room.runs,
            room_why=schedule.room.why,
            early=schedule.early,
            switches=self.switches(),
            memory_mb=own_memory_mb(),
            memory_mb_max=self.memory_mb_max,
            ended={how.value: count for how, count in schedule.ended.items()},
            trouble=self.trouble(),
        )

    def task(self, name: str) -> TaskReport | Unknown:
        """See `Work.task`."""
        task = self._by_name.get(name)
        if task is None:
            return Unknown(what=f"no background task is named {name!r}")
        word = self.words.word(name)
        return TaskReport(
            basis=self.basis,
            line=self._line(task),
            wall_s_max=task.bounds.wall_s,
            cpu_s_max=task.bounds.cpu_s,
            memory_mb_max=task.bounds.memory_mb,
            after=task.after,
            off_by="" if word is None or word.is_on else word.by,
            runs=list(self.history.runs(name)[-RUNS_SHOWN:]),
        )

    def resources(self) -> ResourcesReport:
        """See `Work.resources`."""
        pressure, room = self.machine.pressure, self.schedule.room
        return ResourcesReport(
            basis=self.basis,
            roles=self.uses.uses,
            cores=os.cpu_count() or 1,
            machine_mb=psutil.virtual_memory().total / MB,
            free_mb=pressure.free_mb if math.isfinite(pressure.free_mb) else 0.0,
            stalled=pressure.stalled,
            room=room.runs,
            room_why=room.why,
            telemetry_times=self.ease.times,
            telemetry_why=self.ease.why,
        )

    async def run_task(self, name: str, envelope: Envelope) -> WorkDone | Declined:
        """See `Work.run_task`."""
        if name not in self._by_name:
            return _no_task(name)
        if not self.words.is_on(name):
            return Declined(why=f"{name} is switched off: /task {name} on")
        self.store_later(self._act(name, envelope, f"task {name} run now"))
        return WorkDone(text=self.schedule.ask_for(name))

    async def switch_task(
        self, name: str, envelope: Envelope, *, is_on: bool
    ) -> WorkDone | Declined:
        """See `Work.switch_task`; what makes less run acts before it is in the audit."""
        if name not in self._by_name:
            return _no_task(name)
        last, is_now_on = self.words.word(name), self.words.is_on(name)
        if is_on == is_now_on:
            return WorkDone(text=f"{name} is {_on(is_on)} already")
        if is_on and last is not None and last.asked_at_ns > envelope.at_ns:
            return Declined(why=f"{name} was switched off after that was asked; ask again")
        act = self._act(name, envelope, f"task {name} {_on(is_on)}")
        if is_on:
            try:
                await self.store(act)
            except TransientError:
                return Declined(why="the ledger is away: nothing was changed; ask again")
            newest = self.words.word(name)
            if newest != last:
                return Declined(why=f"{name} was switched again meanwhile; look at /task {name}")
        self.words.set(name, Word(is_on=is_on, by=envelope.by, asked_at_ns=envelope.at_ns))
        if not is_on:
            self.schedule.stop(name)
            self.store_later(act)
        return WorkDone(text=f"{name} is {_on(is_on)}")

    def _act(self, name: str, envelope: Envelope, action: str) -> TaskActRecord:
        return TaskActRecord(
            record_id=f"task-{envelope.id}",
            at_ns=self.clock(),
            by=envelope.by,
            task=name,
            action=action,
        )

    def _line(self, task: Task[Any]) -> TaskLine:
        state, why = self._state(task.name)
        runs = self.history.runs(task.name)
        well = [one.wall_s for one in runs if one.how is How.DONE]
        return TaskLine(
            name=task.name,
            agent=task.agent,
            does=task.does,
            priority=task.priority.name.lower(),
            times=times_of(task),
            state=state,
            why=why,
            next_at_ns=self.schedule.next_at_ns(task.name),
            running_s=self.schedule.running_for_s(task.name),
            last=self.history.last(task.name),
            runs=len(runs),
            well=len(well),
            mean_s=sum(well) / len(well) if well else 0.0,
        )

    def _state(self, name: str) -> tuple[TaskState, str]:
        if not self.words.is_on(name):
            word = self.words.word(name)
            return TaskState.OFF, "" if word is None else f"switched off by {word.by}"
        if self.schedule.is_running(name):
            return TaskState.RUNNING, "held" if self.machine.is_held() else ""
        if (why := self.runner.quarantined().get(name)) is not None:
            return TaskState.QUARANTINED, why
        if (why := self.schedule.waits_for(name)) is not None:
            return TaskState.WAITING, why
        return TaskState.IDLE, ""


def times_of(task: Task[Any]) -> str:
    """Say when a task is due."""
    if task.cron:
        return f"at {task.cron} (UTC)"
    every_s = task.every_s
    for seconds, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if every_s >= seconds:
            return f"every {every_s / seconds:g} {unit}"
    return f"every {every_s:g} s"


def own_memory_mb() -> float:
    """Return the memory of this process and all below it; what they share counts once in all."""
    process = psutil.Process()
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss / MB
        except psutil.Error:
            continue
    return total


def _no_task(name: str) -> Declined:
    return Declined(why=f"no background task is named {name!r}")


def _on(is_on: bool) -> str:  # noqa: FBT001 - it is the word itself
    return "on" if is_on else "off"
