"""Background work on the phone: agents, tasks, one task and its switches, and resources."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.render.html import write_html
from bot.render.plain import write_plain
from bot.render.screen import WIDTH, Facts, Lines, Table, monospace_rows
from bot.render.work import (
    BUDGETS_MB,
    make_memory_bars,
    make_panels,
    render_agents,
    render_resources,
    render_task,
    render_tasks,
)
from engine.bus.work_reports import TaskReport
from tests.bot import samples, work_samples
from tests.bot.conftest import Chat

NOW_NS = samples.AT_NS


def test_what_runs_and_waits_stands_above_what_is_idle_and_says_why() -> None:
    text = write_plain(render_tasks(work_samples.work(), agent="", now_ns=NOW_NS))

    said = ("runs for 1", "waits: base_gas_trend", "it crashed 5 times")
    order = [text.index(one) for one in said]
    assert order == sorted(order)
    assert "switched off by telegram 42" in text
    assert "96.8% of processor" in text
    assert "1,204 times, stopped in" in text


def test_what_time_was_lost_to_and_how_much_of_it_nothing_was_due_in_is_told() -> None:
    spent = {"starting": 1.0, "around": 60.0, "failed": 0.0, "waiting": 30.0}
    report = replace(
        work_samples.work(), efficiency=0.09, available_s=100.0, allowed_s=400.0, lost_s=spent
    )
    text = " ".join(write_plain(render_tasks(report, agent="", now_ns=NOW_NS)).split())

    assert "9.0% of processor, goal 95%" in text
    assert "around 60%, waiting 30%" in text
    assert "starting" not in text
    assert "75% of the free time" in text


def test_an_agent_has_only_its_own_tasks() -> None:
    text = write_plain(render_tasks(work_samples.work(), agent="team", now_ns=NOW_NS))
    assert "team_performance" in text
    assert "base_gas_trend\n" not in text


def test_a_role_whose_memory_grows_is_the_title() -> None:
    calm = write_plain(render_resources(work_samples.resources()))
    leaking = write_plain(render_resources(work_samples.resources(leaks=True)))

    assert "Memory grows: workers" in leaking
    assert "+4.1" in leaking
    assert "Memory grows" not in calm


def test_telemetry_that_is_slowed_down_says_how_much_and_why() -> None:
    calm = work_samples.resources()
    short = replace(calm, telemetry_times=4, telemetry_why="63 MB of memory left")

    assert "Looks" not in write_plain(render_resources(calm))
    text = " ".join(write_plain(render_resources(short)).split())
    assert "4 times rarer, 63 MB of memory left" in text
    for block in render_resources(short).blocks:
        assert all(len(row) <= WIDTH for row in monospace_rows(block))  # type: ignore[arg-type]


def test_no_row_is_wider_than_a_phone_and_no_screen_fails_without_tasks() -> None:
    report = work_samples.task("base_gas_trend")
    assert isinstance(report, TaskReport)
    empty = work_samples.empty()
    for screen in (
        render_agents(work_samples.work(), now_ns=NOW_NS),
        render_tasks(work_samples.work(), agent="", now_ns=NOW_NS),
        render_task(report, now_ns=NOW_NS),
        render_resources(work_samples.resources()),
        render_agents(empty, now_ns=NOW_NS),
        render_tasks(empty, agent="", now_ns=NOW_NS),
    ):
        assert write_html(screen)
        for block in screen.blocks:
            if isinstance(block, Facts | Lines | Table):
                assert all(len(row) <= WIDTH for row in monospace_rows(block))


def test_what_runs_measured_is_drawn_and_their_durations_where_they_measured_nothing() -> None:
    report = work_samples.task("base_gas_trend")
    assert isinstance(report, TaskReport)
    panels = make_panels(report)
    assert panels is not None
    assert len(panels.panels) == 2
    assert all(len(points) == 20 for _, points in panels.panels)

    bare = work_samples.without_figures(report)
    durations = make_panels(bare)
    assert durations is not None
    assert durations.panels[0][0] == "seconds a run: 1.8"
    assert make_panels(work_samples.without_runs(report)) is None
    assert make_memory_bars(work_samples.resources()) is not None


def test_what_roles_may_take_is_as_the_architecture_has_it() -> None:
    text = (Path(__file__).resolve().parents[2] / "ARCHITECTURE.md").read_text()
    found = re.findall(r"^\| `(\w+)` \|.* (\d+) MB[^|]*\|$", text, re.MULTILINE)
    assert {role: int(mb) for role, mb in found} == BUDGETS_MB


async def test_switching_off_takes_one_step_and_on_takes_two(chat: Chat) -> None:
    async with chat.start():
        assert "Success_patterns is off" in await chat.say("/task success_patterns off")
        assert chat.facade.effects == ["success_patterns off"]

        asked = await chat.say("/task success_patterns on")
        assert "Switch success_patterns on?" in asked
        assert chat.facade.effects == ["success_patterns off"]

        await chat.tap("Switch success_patterns on")
        await chat.wait_until(lambda: len(chat.facade.effects) == 2)
        assert chat.facade.effects == ["success_patterns off", "success_patterns on"]


@pytest.mark.parametrize("line", ["/task nothing_such", "/task nothing_such on"])
async def test_a_task_that_is_none_is_said_with_the_nearest(chat: Chat, line: str) -> None:
    async with chat.start():
        assert "no background task nothing_such" in await chat.say(line)
        assert "did you mean team_performance" in await chat.say("/task team_performanc")


async def test_a_task_is_run_by_its_button(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/task base_gas_trend")
        await chat.tap("Run now")
        await chat.wait_until(lambda: bool(chat.facade.effects))
    assert chat.facade.effects == ["run base_gas_trend"]
