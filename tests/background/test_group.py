"""A group is stopped and let go as one, and no other process is ever signalled for it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from engine.background.group import Group, started_of
from engine.domain.errors import BadValueError
from tests.background.busy_group import BusyGroup, busy_group, opened, until


@pytest.fixture(scope="module")
def busy() -> Iterator[BusyGroup]:
    with busy_group() as group:
        yield group


@pytest.mark.parametrize("way", ["by its handle", "by its number"])
def test_all_of_a_group_stop_and_go_on_together(
    busy: BusyGroup,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    if way == "by its number":  # as kernels before 6.9 do it
        monkeypatch.setattr(Group, "_flags_here", lambda _self: 0)
    group = opened(busy)

    assert group.stop()
    until(lambda: group.running() == [], "none runs")
    until(busy.is_stopped, "both stopped")
    until(group.is_stopped, "its leader too")

    assert group.resume()
    until(busy.is_running, "both run")
    until(lambda: not group.is_stopped(), "its leader too")
    assert {process for process, _ in group.running()} >= set(busy.children)
    assert set(group.members()) == {busy.leader, *busy.children}
    group.close()


@pytest.mark.parametrize(
    ("leader", "says"),
    [
        (0, "leads no group that may be stopped"),
        (-1, "leads no group that may be stopped"),
        (1, "leads no group that may be stopped"),
        (1 << 31, "leads no group that may be stopped"),
        (1 << 62, "leads no group that may be stopped"),
        ((1 << 22) + 1, "no process"),
    ],
)
def test_what_is_no_group_of_background_work_is_refused(leader: int, says: str) -> None:
    with pytest.raises(BadValueError, match=says):
        Group(leader, 1)


@pytest.mark.parametrize("whose", [os.getpid, os.getpgrp, os.getppid])
def test_what_asks_is_stopped_by_no_group_of_its_own(whose: Callable[[], int]) -> None:
    with pytest.raises(BadValueError, match="leads no group that may be stopped"):
        Group(whose(), 1)


def test_another_process_with_the_number_is_refused(busy: BusyGroup) -> None:
    with pytest.raises(BadValueError, match="another one than was announced"):
        Group(busy.leader, busy.started - 1)


def test_a_process_that_leads_no_group_is_refused(busy: BusyGroup) -> None:
    child = busy.children[0]

    with pytest.raises(BadValueError, match="leads no group of its own"):
        Group(child, started_of(child))


@pytest.mark.parametrize("way", ["by its handle", "by its number"])
def test_a_group_that_is_gone_is_not_signalled(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    if way == "by its number":
        monkeypatch.setattr(Group, "_flags_here", lambda _self: 0)
        # Whoever has the number now would be hit.
        monkeypatch.setattr(os, "killpg", lambda *_of: pytest.fail("signalled by number"))
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE, process_group=0
    )
    group = Group(process.pid, started_of(process.pid))
    process.communicate()

    assert not group.stop()
    assert not group.resume()
    assert not group.is_stopped()
    assert group.running() == []


def test_children_of_a_dead_leader_are_stopped_all_the_same() -> None:
    with busy_group() as busy:
        group = opened(busy)
        assert group.stop()
        until(busy.is_stopped, "both stopped")

        busy.kill(busy.leader)
        busy.process.wait()

        if group.resume():  # by its handle; before Linux 6.9 they cannot be told from strangers
            until(lambda: "T" not in busy.states(), "both went on")
