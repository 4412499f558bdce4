"""Screens of background work: agents, tasks, one task, and what all roles use."""

from collections.abc import Iterator, Sequence

from bot.answer import Bars, Panels
from bot.render import words
from bot.render.screen import Facts, Lines, Mark, Screen, Table, Text, wrapped
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
from engine.domain.runs import How, RunLine
from engine.domain.units import NS_PER_S

_ORDER = (
    TaskState.RUNNING,
    TaskState.WAITING,
    TaskState.QUARANTINED,
    TaskState.OFF,
    TaskState.IDLE,
)
MEASURED_MAX = 8
RUNS_MAX = 12
PANELS_MAX = 4
GOAL_RATIO = 0.95
LOST_SHOWN = 2
"""Causes of lost time that are named, the largest."""

LOST_RATIO_MIN = 0.01
"""Of the processor time that is there while work is due, so much is to be used."""

BUDGETS_MB = {
    "supervisor": 35,
    "engine": 200,
    "ledger": 80,
    "chains": 150,
    "bot": 90,
    "sandbox": 95,
    "workers": 300,
    "signer": 60,
    "sender": 100,
    "trader": 60,
    "ccxt": 160,
    "gateway": 75,
}
"""As ARCHITECTURE.md has them."""

_NONE = "No task is set up."


def render_agents(report: WorkReport, *, now_ns: int) -> Screen:
    """Show each agent: its tasks, what its last run came to, what is quarantined."""
    agents: dict[str, list[TaskLine]] = {}
    for task in report.tasks:
        agents.setdefault(task.agent, []).append(task)
    quarantined = sum(task.state is TaskState.QUARANTINED for task in report.tasks)
    rows = [row for name, tasks in agents.items() for row in _agent_rows(name, tasks, now_ns)]
    return Screen(
        title=f"Agents: {len(agents)} with {words.count(len(report.tasks))} tasks",
        mark=Mark.WARN if quarantined or not agents else Mark.GOOD,
        blocks=(wrapped(rows, keys=tuple(agents)),) if rows else (Text(_NONE),),
        note=words.BASIS_WORDS[report.basis],
    )


def render_tasks(report: WorkReport, *, agent: str, now_ns: int) -> Screen:
    """Show what runs, what is due and waits, and all others; then how much of the machine."""
    tasks = in_order(report, agent=agent)
    counts = {state: sum(task.state is state for task in tasks) for state in TaskState}
    said = [
        f"{counts[state]} {word}"
        for state, word in (
            (TaskState.RUNNING, "run"),
            (TaskState.WAITING, "wait"),
            (TaskState.QUARANTINED, "quarantined"),
            (TaskState.OFF, "off"),
        )
        if counts[state]
    ]
    lines = [row for task in tasks for row in _task_rows(task, now_ns)]
    return Screen(
        title=f"Tasks: {', '.join(said) or f'{words.count(len(tasks))} wait for their time'}",
        mark=Mark.WARN if counts[TaskState.QUARANTINED] else Mark.GOOD,
        blocks=(
            Facts(tuple(_work_facts(report))),
            wrapped(lines, keys=tuple(task.name for task in tasks)) if lines else Text(_NONE),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def in_order(report: WorkReport, *, agent: str) -> list[TaskLine]:
    """Return tasks as they are shown: what runs first, and what is due next before the others."""
    return sorted(
        (task for task in report.tasks if agent in ("", task.agent)),
        key=lambda task: (_ORDER.index(task.state), task.next_at_ns, task.name),
    )


def render_task(report: TaskReport, *, now_ns: int) -> Screen:
    """Show one task: how it stands, what it may use, its last runs and figures."""
    line, last = report.line, report.line.last
    times = f"{report.wall_s_max:g} s, CPU {report.cpu_s_max:g} s"
    bounds = f"{times}, {report.memory_mb_max} MB"
    facts = [
        ("State", f"{line.state}{f': {line.why}' if line.why else ''}"),
        ("Due", f"{line.times}, next {_in(line.next_at_ns, now_ns)}"),
        ("Runs", f"{line.well} of {line.runs} well, {words.duration(line.mean_s)} each"),
        ("May use", bounds),
        ("Priority", line.priority),
    ]
    if report.after:
        facts.append(("After", ", ".join(report.after)))
    if last is not None:
        facts += [("Last", _run(last, now_ns))]
        facts += [
            (f"  {words.phrase(name)}", _figure(value))
            for name, value in sorted(last.measured.items())[:MEASURED_MAX]
        ]
    runs = tuple(_run_row(run) for run in reversed(report.runs[-RUNS_MAX:]))
    is_bad = line.state is TaskState.QUARANTINED or (
        last is not None and last.how not in {How.DONE, How.STOPPED}
    )
    return Screen(
        title=line.name,
        mark=Mark.WARN if is_bad else Mark.GOOD,
        blocks=(
            Text(f"{line.does[:1].upper()}{line.does[1:]}."),
            Facts(tuple(facts)),
            *((Lines(runs),) if runs else ()),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def make_panels(report: TaskReport) -> Panels | None:
    """Draw what the runs of a task measured; its durations where they measured nothing."""
    done = [run for run in report.runs if run.how is How.DONE]
    names = sorted({name for run in done for name in run.measured})[:PANELS_MAX]
    panels = tuple(
        (
            f"{words.phrase(name)}: {_figure(points[-1][1])}",
            points,
        )
        for name in names
        if (
            points := tuple(
                (run.ended_at_ns, run.measured[name]) for run in done if name in run.measured
            )
        )
    )
    if not panels and done:
        durations = tuple((run.ended_at_ns, run.wall_s) for run in done)
        panels = ((f"seconds a run: {_figure(durations[-1][1])}", durations),)
    if not panels:
        return None
    return Panels(
        name="task",
        title=report.line.name,
        panels=panels,
        until_ns=done[-1].ended_at_ns,
        hint=f"as {words.count(len(done))} runs measured it",
        basis_note=words.BASIS_WORDS[report.basis],
    )


def render_done(report: WorkDone) -> Screen:
    """Say what is so after something was asked of a task."""
    return Screen(title=f"{report.text[:1].upper()}{report.text[1:]}", mark=Mark.GOOD)


def render_ask_on(report: TaskReport) -> Screen:
    """Ask for the second step of switching a task on."""
    by = f", which {report.off_by} switched off" if report.off_by else ""
    return Screen(
        title=f"Switch {report.line.name} on?",
        blocks=(Text(f"{report.line.does[:1].upper()}{report.line.does[1:]}{by}."),),
        note=words.BASIS_WORDS[report.basis],
    )


def render_resources(report: ResourcesReport) -> Screen:
    """Show what each role uses, and whether one's memory grows."""
    leaking = [use.role for use in report.roles if use.is_leaking]
    total_mb = sum(use.memory_mb for use in report.roles)
    rows = tuple(
        (use.role, f"{use.cores:.2f}", str(use.files), str(use.sockets), _grows(use))
        for use in report.roles
    )
    free = f"{report.free_mb:,.0f} MB free" if report.free_mb else "free memory not known"
    waits = f", {report.stalled:.0f} % waits" if report.stalled else ""
    room = f"{report.room} runs{f', {report.room_why}' if report.room_why else ''}"
    rarer = f"{report.telemetry_times} times rarer, {report.telemetry_why}"
    eased = (("Looks", rarer),) if report.telemetry_times > 1 else ()
    return Screen(
        title=f"Memory grows: {', '.join(leaking)}"
        if leaking
        else f"Resources: {total_mb:,.0f} MB in {len(report.roles)} processes",
        mark=Mark.WARN if leaking else Mark.GOOD,
        blocks=(
            Facts(
                (("Machine", f"{report.cores} cores, {free}{waits}"), ("Room for", room), *eased)
            ),
            Table(("role", "cores", "files", "sockets", "MB/h"), rows),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def make_memory_bars(report: ResourcesReport) -> Bars | None:
    """Draw each role's memory beside what it may take."""
    rows = tuple(
        (
            use.role,
            float(BUDGETS_MB.get(use.role, 0)),
            use.memory_mb,
            f"{use.memory_mb:.0f} MB",
        )
        for use in report.roles
    )
    if not rows:
        return None
    return Bars(
        name="resources",
        title="What each role uses",
        rows=rows,
        legend=("may take", "takes now"),
        axis="MB of memory",
        hint=f"{report.cores} cores, {report.free_mb:,.0f} MB of memory free",
        basis_note=words.BASIS_WORDS[report.basis],
    )


def _agent_rows(name: str, tasks: Sequence[TaskLine], now_ns: int) -> Iterator[str]:
    bad = sum(task.state is TaskState.QUARANTINED for task in tasks)
    off = sum(task.state is TaskState.OFF for task in tasks)
    beside = f", {bad} quarantined" if bad else f", {off} off" if off else ""
    yield f"{name} {len(tasks)} task{'' if len(tasks) == 1 else 's'}{beside}"
    ended = [task for task in tasks if task.last is not None]
    if not ended:
        yield "  nothing has run yet"
        return
    newest = max(ended, key=lambda task: task.last.ended_at_ns if task.last else 0)
    assert newest.last is not None
    yield f"  {newest.name}"
    yield f"  {_run(newest.last, now_ns)}"


def _work_facts(report: WorkReport) -> Iterator[tuple[str, str]]:
    if report.efficiency is not None:
        is_short = "" if report.efficiency >= GOAL_RATIO else f", goal {GOAL_RATIO:.0%}"
        yield "Used", f"{report.efficiency:.1%} of processor{is_short}"
        if report.efficiency < GOAL_RATIO and (lost := _lost(report)):
            yield "Lost", lost
    if report.allowed_s:
        yield "Nothing due", f"{1 - report.available_s / report.allowed_s:.0%} of the free time"
    if report.room_why:
        yield "Room", f"{report.room} runs: {report.room_why}"
    if report.switches.count:
        yield "Aside", _switches(report.switches)
    yield "Memory", f"{report.memory_mb:.0f} of {report.memory_mb_max} MB"


def _lost(report: WorkReport) -> str:
    """Say what most of the rest went to."""
    most = sorted(report.lost_s.items(), key=lambda item: -item[1])[:LOST_SHOWN]
    shares = [(cause, lost_s / report.available_s) for cause, lost_s in most]
    return ", ".join(f"{cause} {ratio:.0%}" for cause, ratio in shares if ratio >= LOST_RATIO_MIN)


def _switches(figures: SwitchFigures) -> str:
    failed = f", {figures.failed} FAILED" if figures.failed else ""
    return (
        f"{words.count(figures.count)} times{failed}, stopped in"
        f" {figures.stop_us_mean:.0f} µs, p99 {figures.stop_us_p99:.0f}"
    )


def _task_rows(task: TaskLine, now_ns: int) -> Iterator[str]:
    yield task.name
    if task.state is TaskState.RUNNING:
        yield f"  runs for {words.duration(task.running_s)}{f', {task.why}' if task.why else ''}"
    elif task.state is TaskState.WAITING:
        yield f"  waits: {task.why}"
    elif task.state is TaskState.IDLE:
        last = "" if task.last is None else f"{_run(task.last, now_ns)}; "
        yield f"  {last}next {_in(task.next_at_ns, now_ns)}"
    else:
        yield f"  {task.state}: {task.why}" if task.why else f"  {task.state}"


def _run(run: RunLine, now_ns: int) -> str:
    ago_s = max(now_ns - run.ended_at_ns, 0) / NS_PER_S
    found = f", {run.found} found" if run.found else ""
    why = f": {run.why}" if run.why else ""
    return f"{run.how} {words.duration(ago_s)} ago{found}{why}"


def _run_row(run: RunLine) -> str:
    found = f", {run.found} found" if run.found else ""
    return f"{words.day_clock(run.ended_at_ns)} {run.how} {run.wall_s:.1f} s{found}"


def _in(at_ns: int, now_ns: int) -> str:
    wait_s = (at_ns - now_ns) / NS_PER_S
    return f"in {words.duration(wait_s)}" if wait_s > 0 else "now"


def _figure(value: float) -> str:
    return words.size(value)


def _grows(use: RoleUse) -> str:
    """Say by how much its memory grows in an hour, as soon as that can be said."""
    return "-" if use.leak_mb_h is None else f"{use.leak_mb_h:+.1f}"
