"""What the role `workers` is asked: how tasks stand, and to run one, or switch it."""

from typing import ClassVar, Protocol

from engine.bus.command import Command, Envelope
from engine.bus.reports import Declined, Unknown
from engine.bus.request import WorkersRequest
from engine.bus.work_reports import ResourcesReport, TaskReport, WorkDone, WorkReport


class GetWork(WorkersRequest[WorkReport], frozen=True, kw_only=True):
    """How all tasks stand."""

    async def answer(self, work: "Work", /) -> WorkReport:
        """See `Request.answer`."""
        return work.work()


class GetTask(WorkersRequest[TaskReport | Unknown], frozen=True, kw_only=True):
    """One task with its last runs."""

    name: str

    async def answer(self, work: "Work", /) -> TaskReport | Unknown:
        """See `Request.answer`."""
        return work.task(self.name)


class GetResources(WorkersRequest[ResourcesReport], frozen=True, kw_only=True):
    """What all roles use of the machine."""

    async def answer(self, work: "Work", /) -> ResourcesReport:
        """See `Request.answer`."""
        return work.resources()


class RunTask(Command[WorkDone], frozen=True, kw_only=True):
    """Run a task as soon as there is room, whenever it is due; also one in quarantine."""

    role: ClassVar[str] = "workers"

    name: str

    async def act(self, work: "Work", envelope: Envelope, /) -> WorkDone | Declined:
        """See `Command.act`."""
        return await work.run_task(self.name, envelope)


class SwitchTask(Command[WorkDone], frozen=True, kw_only=True):
    """Begin a task no more, or again; off stops it at once."""

    role: ClassVar[str] = "workers"

    name: str
    is_on: bool

    async def act(self, work: "Work", envelope: Envelope, /) -> WorkDone | Declined:
        """See `Command.act`."""
        return await work.switch_task(self.name, envelope, is_on=self.is_on)


class Work(Protocol):
    """What the role answers."""

    def work(self) -> WorkReport:
        """Return how all tasks stand."""
        ...

    def task(self, name: str) -> TaskReport | Unknown:
        """Return one task."""
        ...

    def resources(self) -> ResourcesReport:
        """Return what all roles use."""
        ...

    async def run_task(self, name: str, envelope: Envelope) -> WorkDone | Declined:
        """Have a task run."""
        ...

    async def switch_task(
        self, name: str, envelope: Envelope, *, is_on: bool
    ) -> WorkDone | Declined:
        """Switch a task; returns once that is durable and in the audit."""
        ...
