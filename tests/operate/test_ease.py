"""Telemetry yields by steps on a short machine, after background work and before all else."""

from pathlib import Path

import pytest

from engine.background.pressure import Pressure, room_for
from engine.domain.recovery import RARER_LOOKS
from engine.operate.ease import LOOK_S, TIMES, Ease
from tests.recoveries import Since


class Machine:
    """What a system tells, in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now_s = 100.0
        (root / "proc/self").mkdir(parents=True)
        (root / "proc/pressure").mkdir()
        self.tell()

    def tell(self, *, free_mb: float = 4_000, stalled: float = 0.0, waited_s: float = 0.0) -> None:
        proc = self.root / "proc"
        (proc / "meminfo").write_text(f"MemAvailable: {free_mb * 1_024:.0f} kB\n")
        (proc / "pressure/memory").write_text(f"some avg10={stalled:.2f} avg60=0.00\n")
        (proc / "self/schedstat").write_text(f"1000 {waited_s * 1e9:.0f} 5\n")

    def ease(self) -> Ease:
        return Ease(root=self.root, steady=lambda: self.now_s)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("told", "times", "why"),
    [
        ({}, 1, ""),
        ({"free_mb": 128}, 1, ""),
        ({"free_mb": 127}, 2, "127 MB of memory left"),
        ({"free_mb": 63}, 4, "63 MB of memory left"),
        ({"free_mb": 31}, 8, "31 MB of memory left"),
        ({"stalled": 40.0}, 1, ""),
        ({"stalled": 41.0}, 2, "41 % waiting for memory"),
        ({"stalled": 81.0}, 8, "81 % waiting for memory"),
        ({"waited_s": 1.0}, 1, ""),
        ({"waited_s": 1.1}, 2, "11% waiting for a processor"),
        ({"waited_s": 5.0, "free_mb": 127}, 8, "50% waiting for a processor"),
    ],
)
def test_the_shorter_the_machine_is_the_longer_telemetry_waits(
    machine: Machine, told: dict[str, float], times: int, why: str
) -> None:
    ease, since = machine.ease(), Since(RARER_LOOKS)
    machine.tell(**told)
    machine.now_s += LOOK_S

    assert ease.eased(15.0) == 15.0 * times
    assert ease.why == why
    assert since.came_to[0] == (times > 1)


def test_it_is_as_before_once_there_is_enough_again(machine: Machine) -> None:
    ease = machine.ease()
    machine.tell(free_mb=10, waited_s=9.0)
    machine.now_s += LOOK_S
    assert ease.eased(2.0) == 2.0 * TIMES[-1]
    machine.tell(waited_s=9.0)  # it waited no more
    machine.now_s += LOOK_S

    assert ease.eased(2.0) == 2.0
    assert ease.why == ""


def test_the_system_is_not_read_at_each_wait(machine: Machine) -> None:
    ease = machine.ease()
    machine.tell(free_mb=10)
    machine.now_s += LOOK_S - 0.1

    assert ease.eased(2.0) == 2.0


@pytest.mark.parametrize("stalled", [0.0, 39.0, 41.0, 100.0])
@pytest.mark.parametrize("free_mb", [10, 100, 127, 129, 255, 1_000])
def test_telemetry_yields_only_where_background_work_was_stopped_for_it(
    machine: Machine, free_mb: float, stalled: float
) -> None:
    ease = machine.ease()
    machine.tell(free_mb=free_mb, stalled=stalled)
    machine.now_s += LOOK_S

    if ease.eased(1.0) > 1.0:
        room = room_for(Pressure(free_mb, stalled, cores_left=2.0), at_once=5)
        assert (room.runs, room.is_yielding) == (0, True)


def test_a_system_that_tells_nothing_slows_nothing(tmp_path: Path) -> None:
    now_s = [0.0]
    ease = Ease(root=tmp_path, steady=lambda: now_s[0])
    now_s[0] = LOOK_S

    assert ease.eased(3.0) == 3.0
