import os
from pathlib import Path

import pytest

from engine.operate.kill_latch import KillLatch
from engine.operate.kill_switch import KillSwitch


@pytest.fixture
def latch(tmp_path: Path) -> KillLatch:
    latch = KillLatch(tmp_path)
    latch.create()
    os.utime(latch.path, ns=(100, 100))
    return latch


def test_what_was_asked_before_the_latch_was_last_changed_is_void(latch: KillLatch) -> None:
    switch = KillSwitch(latch, lambda: 1_000, tightened_at_ns=0)
    assert switch.voids_unkill(100) is not None
    assert switch.voids_unkill(101) is None

    latch.path.write_text("stop\n")  # by hand, as a person with a shell does
    os.utime(latch.path, ns=(200, 200))

    assert switch.voids_unkill(200) is not None
    assert switch.voids_unkill(201) is None
    assert switch.voids_loosening(200) is not None


def test_a_latch_that_vanished_voids_what_was_asked_before_that_was_seen(latch: KillLatch) -> None:
    switch = KillSwitch(latch, lambda: 1_000, tightened_at_ns=0)
    latch.path.unlink()

    assert switch.voids_unkill(1_000) is not None
    assert switch.voids_unkill(1_001) is None, "the file may stay away, its loss is old by now"


def test_a_kill_that_reached_no_file_counts_too(latch: KillLatch) -> None:
    switch = KillSwitch(latch, lambda: 1_000, tightened_at_ns=0)

    switch.killed(700)

    assert switch.voids_unkill(700) is not None
    assert switch.voids_unkill(701) is None


def test_a_tightening_voids_second_steps_from_before_it_over_a_restart_too(
    latch: KillLatch,
) -> None:
    switch = KillSwitch(latch, lambda: 1_000, tightened_at_ns=300)
    assert switch.voids_loosening(300) is not None
    assert switch.voids_loosening(301) is None

    switch.tightened()

    assert switch.voids_loosening(1_000) is not None
    assert switch.voids_unkill(301) is None, "a pause says nothing about the latch"


def test_a_clock_that_was_set_back_locks_nobody_out(latch: KillLatch) -> None:
    now_ns = [10_000]
    os.utime(latch.path, ns=(9_000, 9_000))
    switch = KillSwitch(latch, lambda: now_ns[0], tightened_at_ns=8_000)
    switch.killed(9_500)

    now_ns[0] = 500
    switch.look()
    assert switch.voids_loosening(500) is not None
    assert switch.voids_loosening(501) is None
