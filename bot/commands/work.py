"""Commands /agents /tasks /task /resources: what works in the background, and what it takes."""

from typing import Final

from bot.answer import Answer, Button, Confirmation
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_unknown
from bot.grammar import Argument, Arguments, Form
from bot.menus import TASKS as TASKS_BUTTON
from bot.render.safety import render_declined
from bot.render.screen import brief
from bot.render.use import make_trend, render_use
from bot.render.work import (
    in_order,
    make_memory_bars,
    make_panels,
    render_agents,
    render_ask_on,
    render_done,
    render_resources,
    render_task,
    render_tasks,
)
from engine.bus.reports import Declined, Unknown
from engine.bus.work_reports import TaskReport, TaskState, WorkDone
from engine.requests.health import GetUse
from engine.requests.work import GetResources, GetTask, GetWork, RunTask, SwitchTask

_RUN: Final = "run"
_OFF: Final = "off"
_ON: Final = "on"
_CHART: Final = "chart"
_USED: Final = "use"
_TREND: Final = "trend"
_LABEL_MAX: Final = 24

_AGENTS = Button(label="Agents", line="/agents")
_RESOURCES = Button(label="Resources", line="/resources")
_USE = Button(label="Use", line=f"/resources {_USED}")
_TREND_BUTTON = Button(label="Trend", line=f"/resources {_TREND}")


async def agents(call: Call) -> Answer:
    """Show who learns what."""
    report = await call.ask(GetWork())
    names = list(dict.fromkeys(task.agent for task in report.tasks))
    rows = tuple((Button(label=_short(name), line=f"/tasks {name}", key=name),) for name in names)
    screen = render_agents(report, now_ns=call.now_ns)
    return Answer(screen=screen, buttons=(*rows, (TASKS_BUTTON, _RESOURCES)))


AGENTS = CommandEntry(
    name="agents",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="who learns what in the background",
    long_help=(
        (
            "Shows each agent with its tasks, what its last run came to, and what is quarantined:"
            " begun no more, as it failed too often."
        ),
    ),
    handler=agents,
)


async def tasks(call: Call) -> Answer:
    """Show what runs, what waits, and what is due next."""
    report = await call.ask(GetWork())
    agent = (call.arguments.text("agent") or "").lower()
    shown = in_order(report, agent=agent)
    if agent and not shown:
        return answer_unknown("/tasks", "agent", agent, [task.agent for task in report.tasks])
    rows = tuple(
        (Button(label=_short(task.name), line=f"/task {task.name}", key=task.name),)
        for task in shown
    )
    return Answer(
        screen=render_tasks(report, agent=agent, now_ns=call.now_ns),
        buttons=(*rows, (_AGENTS, _RESOURCES)),
    )


TASKS = CommandEntry(
    name="tasks",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="background tasks: running, due, held",
    long_help=(
        (
            "Shows what runs, what is due and what it waits for, what is quarantined or off, and"
            " when the others are due; how much of the processor time that was there was used, and"
            " how fast all of it is pushed aside when there is something to trade."
        ),
        "With an agent: only its tasks.",
    ),
    handler=tasks,
    parent="agents",
    grammar=(Argument(name="agent", form=Form.WORD),),
)


async def task(call: Call) -> Answer:
    """Show one task, run it now, or switch it."""
    name, wanted = call.arguments.text("name"), call.arguments.text("what")
    if name is None:
        return await tasks(call)
    name = name.lower()
    if wanted in {_RUN, _OFF}:
        command = RunTask(name=name) if wanted == _RUN else SwitchTask(name=name, is_on=False)
        return _answered(name, await call.ask(call.seal(command)))
    report = await call.ask(GetTask(name=name))
    if isinstance(report, Unknown):
        known = [one.name for one in (await call.ask(GetWork())).tasks]
        return answer_unknown("/task", "background task", name, known)
    if wanted == _ON:
        asked = call.seal(SwitchTask(name=name, is_on=True), at_ns=call.now_ns)
        return Answer(
            screen=render_ask_on(report),
            confirmation=Confirmation(action=f"Switch {_short(name)} on", command=asked),
        )
    screen = render_task(report, now_ns=call.now_ns)
    if wanted == _CHART and (panels := make_panels(report)) is not None:
        return Answer(screen=brief(screen), buttons=_buttons(report), chart=panels)
    return Answer(screen=screen, buttons=_buttons(report))


def is_off(arguments: Arguments) -> bool:
    """Say whether a call switches a task off."""
    return arguments.text("what") == _OFF


def changes(arguments: Arguments) -> bool:
    """Say whether a call lets a task run."""
    return arguments.text("what") in {_ON, _RUN}


TASK = CommandEntry(
    name="task",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="one task: history, run now, off, on",
    long_help=(
        (
            "Shows how a task stands, what it may use, its last runs and what the last one"
            " measured; chart draws that over the runs."
        ),
        (
            "run begins it as soon as there is room, also one that is quarantined. off stops it at"
            " once, for good; on asks for a second step."
        ),
    ),
    handler=task,
    parent="tasks",
    grammar=(
        Argument(name="name", form=Form.WORD),
        Argument(name="what", form=Form.CHOICE, choices=(_RUN, _OFF, _ON, _CHART)),
    ),
    protective_when=is_off,
    changes_when=changes,
)


async def resources(call: Call) -> Answer:
    """Show what all roles use, as a picture; or what is used of all else."""
    wanted = call.arguments.text("what")
    if wanted is not None:
        used = await call.ask(GetUse())
        screen = render_use(used)
        if wanted == _TREND and (trend := make_trend(used)) is not None:
            return Answer(screen=brief(screen), buttons=((_USE, _RESOURCES),), chart=trend)
        return Answer(screen=screen, buttons=((_TREND_BUTTON, _RESOURCES),))
    report = await call.ask(GetResources())
    return Answer(
        screen=render_resources(report),
        buttons=((_USE, TASKS_BUTTON, Button(label="System", line="/system")),),
        chart=make_memory_bars(report),
    )


RESOURCES = CommandEntry(
    name="resources",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="processor, memory and files by role",
    long_help=(
        (
            "Draws each role's memory beside what it may take, and shows processor time, files,"
            " sockets, and by how much its memory grows in an hour once it has run long enough to"
            " say: it is called growing only if chance does not explain it."
        ),
        (
            "use shows what is used of each venue and provider against your budgets, of the disk"
            " with how long what is kept there, and what will be full or spent; trend draws what is"
            " nearest to its bound over a day."
        ),
    ),
    handler=resources,
    parent="system",
    grammar=(Argument(name="what", form=Form.CHOICE, choices=(_USED, _TREND)),),
)


def _answered(name: str, report: WorkDone | Declined) -> Answer:
    if isinstance(report, Declined):
        return Answer(screen=render_declined(report), buttons=((TASKS_BUTTON,),))
    buttons = ((Button(label=_short(name), line=f"/task {name}"), TASKS_BUTTON),)
    return Answer(screen=render_done(report), buttons=buttons)


def _buttons(report: TaskReport) -> tuple[tuple[Button, ...], ...]:
    name = report.line.name
    chart = Button(label="Chart", line=f"/task {name} {_CHART}")
    if report.line.state is TaskState.OFF:
        on = Button(label="On…", line=f"/task {name} {_ON}")
        return ((on, chart), (TASKS_BUTTON, _AGENTS))
    run = Button(label="Run now", line=f"/task {name} {_RUN}")
    off = Button(label="Off", line=f"/task {name} {_OFF}", is_alarming=True)
    return ((run, off, chart), (TASKS_BUTTON, _AGENTS))


def _short(name: str) -> str:
    return name if len(name) <= _LABEL_MAX else f"{name[: _LABEL_MAX - 1]}…"
