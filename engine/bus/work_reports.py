"""Reports of background work: tasks, their runs, and what all roles use."""

from enum import StrEnum

import msgspec

from engine.bus.reports import Report
from engine.domain.modes import Basis
from engine.domain.runs import RunLine


class TaskState(StrEnum):
    """How a task stands."""

    RUNNING = "running"
    WAITING = "waiting"
    """It is due, and waits for something."""
    IDLE = "idle"
    QUARANTINED = "quarantined"
    OFF = "off"


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """A task at a glance.

    Attributes:
        times: when it is due, in words.
        why: what it waits for, or why it is begun no more.
        running_s: since it began; 0 if it does not run.
        runs, well: runs that are kept, and those of them that ended as they should.
        mean_s: of the runs that ended so, without the time that they were held.
    """

    name: str
    agent: str
    does: str
    priority: str
    times: str
    state: TaskState
    why: str = ""
    next_at_ns: int = 0
    running_s: float = 0.0
    last: RunLine | None = None
    runs: int = 0
    well: int = 0
    mean_s: float = 0.0


class SwitchFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How background work was pushed aside and given back.

    Attributes:
        failed: switches after which something still ran.
        by_trigger: how often by what.
    """

    count: int = 0
    failed: int = 0
    stop_us_mean: float = 0.0
    stop_us_p99: float = 0.0
    stop_us_max: float = 0.0
    held_ms_mean: float = 0.0
    resume_us_mean: float = 0.0
    by_trigger: dict[str, int] = {}


class WorkReport(Report, frozen=True, kw_only=True):
    """All background work.

    Attributes:
        efficiency: share of the processor time that was there while work was due, and was used for
            something; None while nothing was due for long enough to say.
        available_s, useful_s: the two times.
        allowed_s: processor time that was there, whether or not anything was due.
        lost_s: what of the available was not of use, by what it went to; see `efficiency.Lost`.
        ended: runs since the role began, by how they ended.
        room: how many runs there is room for; `room_why` says why not more.
        early: how often a task was due too soon by the steady clock and nothing was begun.
        memory_mb: of the role and all its processes; `memory_mb_max` is what it may take.
        trouble: why work cannot be pushed aside, or what it advises is not passed on.
    """

    basis: Basis
    tasks: list[TaskLine]
    efficiency: float | None
    available_s: float
    useful_s: float
    room: int
    room_why: str
    early: int
    switches: SwitchFigures
    memory_mb: float
    memory_mb_max: int
    ended: dict[str, int]
    allowed_s: float = 0.0
    lost_s: dict[str, float] = msgspec.field(default_factory=dict)
    trouble: str = ""

    @property
    def running(self) -> int:
        """Return how many runs are under way."""
        return sum(task.state is TaskState.RUNNING for task in self.tasks)


class TaskReport(Report, frozen=True, kw_only=True):
    """One task with its last runs, oldest first."""

    basis: Basis
    line: TaskLine
    wall_s_max: float
    cpu_s_max: float
    memory_mb_max: int
    after: tuple[str, ...]
    off_by: str
    runs: list[RunLine]


class WorkDone(Report, frozen=True, kw_only=True):
    """What is so after a person asked something of a task."""

    text: str


class RoleUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a role's process uses.

    Attributes:
        cores: processor time per time, over the last look.
        leak_mb_h: slope of its memory, with an interval that holds the true one in 19 of 20 cases;
            None while it runs too short to say.
        over_s: time over which that was looked at.
    """

    role: str
    cores: float
    memory_mb: float
    files: int
    sockets: int
    leak_mb_h: float | None = None
    leak_low: float = 0.0
    leak_high: float = 0.0
    over_s: float = 0.0

    @property
    def is_leaking(self) -> bool:
        """Say whether its memory grows, beyond what chance explains and what matters."""
        return self.leak_mb_h is not None and self.leak_low > LEAK_MB_H


LEAK_MB_H = 1.0
"""Growth below this is no leak: a gigabyte in six weeks."""


class ResourcesReport(Report, frozen=True, kw_only=True):
    """What all roles of an installation use.

    Attributes:
        machine_mb, free_mb: memory of the machine, or container, and what is left of it.
        room, room_why: how many background runs that leaves room for.
        telemetry_times, telemetry_why: so many times less often than with nothing short the
            machine is looked at here, and why.
    """

    basis: Basis
    roles: list[RoleUse]
    cores: int
    machine_mb: float
    free_mb: float
    stalled: float
    room: int
    room_why: str
    telemetry_times: int = 1
    telemetry_why: str = ""
