"""A thread that asks for short slices has them, alone, and is scheduled as before otherwise."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from engine.operate import short_slice
from engine.operate.short_slice import SLICE_NS, ask_for_short_slices, slice_ns_now

T = TypeVar("T")


def in_a_thread(call: Callable[[], T]) -> T:
    """Call something in a thread of its own, which no other test runs in."""
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture(autouse=True)
def _knows_slices() -> None:
    def asked() -> bool:
        return ask_for_short_slices() == "" and slice_ns_now() == SLICE_NS

    if not in_a_thread(asked):
        pytest.skip("this kernel has no slices by thread")


def test_slices_are_as_short_as_asked_and_the_systems_own_again() -> None:
    def asked() -> tuple[int, int, int, int, int]:
        own, nice = slice_ns_now(), os.getpriority(os.PRIO_PROCESS, 0)
        ask_for_short_slices()
        short = slice_ns_now()
        is_same = nice == os.getpriority(os.PRIO_PROCESS, 0)
        ask_for_short_slices(0)
        return own, short, slice_ns_now(), os.sched_getscheduler(0), is_same

    own, short, again, policy, is_same = in_a_thread(asked)

    assert short == SLICE_NS < own == again
    assert (policy & ~os.SCHED_RESET_ON_FORK, is_same) == (os.SCHED_OTHER, True)


def test_what_a_thread_starts_has_the_systems_own_slices() -> None:
    tell = "from engine.operate.short_slice import *; print(slice_ns_now())"

    def started() -> tuple[int, int]:
        ask_for_short_slices()
        done = subprocess.run([sys.executable, "-c", tell], capture_output=True, check=True)
        return int(done.stdout), slice_ns_now()

    of_child, own = in_a_thread(started)

    assert own == SLICE_NS < of_child


def test_who_is_scheduled_as_idle_stays_so_and_is_told() -> None:
    def asked() -> tuple[str, int]:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        return ask_for_short_slices(), os.sched_getscheduler(0)

    why, policy = in_a_thread(asked)

    assert why == "this thread is scheduled otherwise already"
    assert policy == os.SCHED_IDLE


def test_a_machine_of_which_nothing_is_known_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(short_slice, "_SET", {})

    assert ask_for_short_slices() == "this system has no slices by thread"
