"""Reports of background work, as the role `workers` answers."""

from msgspec.structs import replace

from engine.bus.reports import Declined, Unknown
from engine.bus.work_reports import (
    ResourcesReport,
    RoleUse,
    SwitchFigures,
    TaskLine,
    TaskReport,
    TaskState,
    WorkDone,
    WorkReport,
)
from engine.domain.modes import Basis
from engine.domain.runs import How, RunLine
from tests.bot import samples

S = 1_000_000_000


def _run(ago_s: float, *, found: int = 0, **measured: float) -> RunLine:
    at_ns = samples.AT_NS - round(ago_s * S)
    return RunLine(
        begun_at_ns=at_ns - 2 * S,
        ended_at_ns=at_ns,
        how=How.DONE,
        wall_s=1.8,
        cpu_s=1.6,
        memory_mb=41.0,
        found=found,
        measured=measured,
    )


_GAS = TaskLine(
    name="base_gas_trend",
    agent="base_analyst",
    does="foretells what the next blocks of base ask for a place",
    priority="high",
    times="every 1 min",
    state=TaskState.RUNNING,
    next_at_ns=samples.AT_NS + 48 * S,
    running_s=1.2,
    last=_run(61, found=2, error_bps=31.5, baseline_bps=44.0, blocks=400.0),
    runs=200,
    well=199,
    mean_s=1.7,
)
_ALL = [
    _GAS,
    replace(
        _GAS,
        name="base_liquidity_map",
        does="says which pools of base are worth watching closely",
        priority="medium",
        times="every 10 min",
        state=TaskState.WAITING,
        why="base_gas_trend to end once",
        last=None,
        runs=0,
        well=0,
        mean_s=0.0,
    ),
    replace(
        _GAS,
        name="polygon_competing_bots",
        agent="polygon_specialist",
        does="finds who else takes opportunities on polygon",
        priority="low",
        times="every 5 min",
        state=TaskState.QUARANTINED,
        why="it crashed 5 times in a row",
        last=replace(_run(3_700), how=How.CRASHED, why="killed by SIGSEGV"),
        runs=12,
        well=7,
        mean_s=4.0,
    ),
    replace(
        _GAS,
        name="success_patterns",
        agent="team",
        does="says which pairs and hours pay",
        priority="medium",
        times="every 30 min",
        state=TaskState.OFF,
        why="switched off by telegram 42",
        last=_run(90_000, trades=31.0),
    ),
    replace(
        _GAS,
        name="team_performance",
        agent="team",
        does="says which agent's findings earn",
        priority="low",
        times="every 1 h",
        state=TaskState.IDLE,
        next_at_ns=samples.AT_NS + 1_900 * S,
        last=_run(1_700),
    ),
]


def work() -> WorkReport:
    return WorkReport(
        basis=Basis.SANDBOX,
        tasks=_ALL,
        efficiency=0.968,
        available_s=812.0,
        useful_s=786.0,
        room=3,
        room_why="the processor is busy",
        early=0,
        switches=SwitchFigures(
            count=1_204,
            stop_us_mean=38.0,
            stop_us_p99=92.0,
            stop_us_max=410.0,
            held_ms_mean=212.0,
            resume_us_mean=21.0,
            by_trigger={"opportunity": 1_190, "kill": 14},
        ),
        memory_mb=171.0,
        memory_mb_max=300,
        ended={"done": 1_911, "crashed": 5},
    )


def task(name: str) -> TaskReport | Unknown:
    for line in _ALL:
        if line.name == name:
            runs = [
                _run(61.0 * ago, found=ago % 3, error_bps=31.5 + ago % 4, baseline_bps=44.0)
                for ago in range(20, 0, -1)
            ]
            return TaskReport(
                basis=Basis.SANDBOX,
                line=line,
                wall_s_max=60.0,
                cpu_s_max=20.0,
                memory_mb_max=80,
                after=(),
                off_by="telegram 42" if line.state is TaskState.OFF else "",
                runs=runs,
            )
    return Unknown(what=f"no background task is named {name!r}")


def run(name: str) -> WorkDone | Declined:
    if isinstance(task(name), Unknown):
        return Declined(why=f"no background task is named {name!r}")
    return WorkDone(text=f"{name} is next")


def switched(name: str, *, is_on: bool) -> WorkDone:
    return WorkDone(text=f"{name} is {'on' if is_on else 'off'}")


def resources(*, leaks: bool = False) -> ResourcesReport:
    uses = [
        RoleUse(role="engine", cores=0.31, memory_mb=187.0, files=41, sockets=17),
        RoleUse(
            role="sandbox",
            cores=0.12,
            memory_mb=81.0,
            files=33,
            sockets=14,
            leak_mb_h=0.2,
            leak_low=-0.4,
            leak_high=0.8,
            over_s=7_200.0,
        ),
        RoleUse(role="ledger", cores=0.02, memory_mb=69.0, files=22, sockets=9),
        RoleUse(
            role="workers",
            cores=0.84,
            memory_mb=61.0,
            files=24,
            sockets=8,
            leak_mb_h=4.1 if leaks else 0.3,
            leak_low=3.0 if leaks else -0.2,
            leak_high=5.2,
            over_s=7_200.0,
        ),
        RoleUse(role="chains", cores=0.03, memory_mb=57.0, files=31, sockets=12),
        RoleUse(role="bot", cores=0.01, memory_mb=48.0, files=19, sockets=6),
        RoleUse(role="supervisor", cores=0.0, memory_mb=33.0, files=18, sockets=2),
    ]
    return ResourcesReport(
        basis=Basis.SANDBOX,
        roles=uses,
        cores=2,
        machine_mb=4_096.0,
        free_mb=2_210.0,
        stalled=0.0,
        room=5,
        room_why="",
    )


def empty() -> WorkReport:
    return replace(work(), tasks=[], efficiency=None, switches=SwitchFigures(), ended={})


def without_figures(report: TaskReport) -> TaskReport:
    return replace(report, runs=[replace(run, measured={}) for run in report.runs])


def without_runs(report: TaskReport) -> TaskReport:
    return replace(report, runs=[])
