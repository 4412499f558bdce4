"""What the machine leaves for background work, and how much of it is used."""

import math
from pathlib import Path

import pytest

from engine.background.efficiency import Efficiency, Look
from engine.background.pressure import Pressure, Room, read_idle_s, read_memory, room_for
from engine.background.share import SAVED_S, Share

PLENTY = Pressure(free_mb=4_000, stalled=0.0, cores_left=8.0)


@pytest.mark.parametrize(
    ("pressure", "room"),
    [
        (PLENTY, (5, False)),
        (PLENTY._replace(cores_left=1.6), (5, False)),
        (PLENTY._replace(cores_left=0.9), (3, False)),
        (PLENTY._replace(cores_left=0.1), (1, False)),
        (PLENTY._replace(free_mb=255), (0, False)),
        (PLENTY._replace(stalled=11.0), (0, False)),
        (PLENTY._replace(free_mb=127), (0, True)),
        (PLENTY._replace(stalled=50.0), (0, True)),
    ],
)
def test_the_less_is_left_the_fewer_run(pressure: Pressure, room: tuple[int, bool]) -> None:
    found = room_for(pressure, at_once=5)
    assert found[:2] == room
    assert bool(found.why) == (room[0] < 5)


def test_no_more_run_than_was_said_however_much_is_left() -> None:
    assert room_for(PLENTY, at_once=2) == Room(2)


def system(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_containers_memory_counts_where_it_is_less_than_the_machines(tmp_path: Path) -> None:
    root = system(
        tmp_path,
        proc__meminfo="MemTotal: 8000000 kB\nMemAvailable: 2048000 kB\n",
        proc__pressure__memory="some avg10=0.50 avg60=0.00 avg300=0.00 total=1\nfull avg10=9.0\n",
        sys__fs__cgroup__memory_DOT_max=str(1_024 * 1_048_576),
        sys__fs__cgroup__memory_DOT_current=str(900 * 1_048_576),
        sys__fs__cgroup__memory_DOT_stat=f"anon 5\ninactive_file {100 * 1_048_576}\n",
        sys__fs__cgroup__memory_DOT_pressure="some avg10=12.25 avg60=0.00\n",
    )
    assert read_memory(root) == (224.0, 12.25)


def test_without_limits_or_pressure_the_machines_memory_counts(tmp_path: Path) -> None:
    root = system(
        tmp_path,
        proc__meminfo="MemAvailable: 2048000 kB\n",
        sys__fs__cgroup__memory_DOT_max="max",
        sys__fs__cgroup__memory_DOT_current="5",
    )
    assert read_memory(root) == (2_000.0, 0.0)


def test_a_system_that_tells_nothing_holds_nothing_back(tmp_path: Path) -> None:
    assert read_memory(tmp_path) == (math.inf, 0.0)
    assert read_idle_s(tmp_path, cores=frozenset({0}), ticks_per_s=100.0) == 0.0


def test_idle_time_is_of_the_cores_for_background_work(tmp_path: Path) -> None:
    stat = "cpu  9 9 9 9 9\ncpu0 1 1 1 500 20 0\ncpu1 1 1 1 300 0 0\ncpu10 0 0 0 7 0 0\nintr 5\n"
    root = system(tmp_path, proc__stat=stat)
    assert read_idle_s(root, cores=frozenset({0, 10}), ticks_per_s=100.0) == 5.27


def look(at_s: float, **told: float) -> Look:
    names = ("open_s", "idle_s", "cpu_s", "starting_s", "around_s", "failed_s", "held_s")
    nothing = dict.fromkeys(names, 0.0)
    return Look(steady_s=at_s, **{"waiting": 0} | nothing | told)  # type: ignore[arg-type]


def ratio(*looks: Look) -> float | None:
    efficiency = Efficiency()
    for one in looks:
        efficiency.take(one)
    return efficiency.ratio


def test_all_that_is_there_used_is_all() -> None:
    assert ratio(look(0), look(10, open_s=20.0, cpu_s=20.0)) == 1.0


def test_a_core_left_idle_while_two_runs_are_under_way_is_lost() -> None:
    assert ratio(look(0), look(10, open_s=20.0, idle_s=10.0, cpu_s=10.0)) == 0.5


def test_a_core_left_idle_while_a_run_waits_for_room_is_lost() -> None:
    assert ratio(look(0, waiting=1), look(10, open_s=10.0, idle_s=10.0, cpu_s=10.0)) == 0.5


def test_a_core_left_idle_that_nobody_wants_is_not_lost() -> None:
    assert ratio(look(0), look(10, open_s=10.0, idle_s=10.0, cpu_s=10.0)) == 1.0


def test_a_run_wants_a_core_only_from_its_order_to_its_end() -> None:
    assert ratio(look(0), look(10, open_s=2.0, idle_s=19.0, cpu_s=1.0)) == 0.5


def test_what_others_take_was_not_there() -> None:
    assert ratio(look(0), look(10, open_s=20.0, cpu_s=4.0)) == 1.0


def test_time_in_which_all_is_held_is_not_there() -> None:
    assert ratio(look(0), look(10, open_s=20.0, idle_s=10.0, cpu_s=10.0, held_s=5.0)) == 1.0


def test_cores_that_were_idle_while_all_was_held_were_not_there() -> None:
    found = ratio(look(0), look(10, open_s=40.0, idle_s=10.0, cpu_s=10.0, held_s=5.0))
    assert found == pytest.approx(10 / 15)


def test_what_failed_or_only_began_runs_was_no_use() -> None:
    went = {"starting_s": 1.0, "around_s": 1.5, "failed_s": 1.5}
    assert ratio(look(0), look(10, open_s=10.0, cpu_s=10.0, **went)) == 0.6


def test_all_of_the_time_that_was_there_is_told_by_what_it_went_to() -> None:
    efficiency = Efficiency()
    efficiency.take(look(0))
    went = {"starting_s": 0.5, "around_s": 1.5, "failed_s": 1.0}
    efficiency.take(look(10, open_s=6.0, idle_s=14.0, cpu_s=5.0, **went))

    assert efficiency.useful_s == 2.0
    assert efficiency.lost_s() == {"starting": 0.5, "around": 1.5, "failed": 1.0, "waiting": 1.0}
    assert efficiency.nothing_s == 13.0
    whole = efficiency.useful_s + sum(efficiency.lost_s().values()) + efficiency.nothing_s
    assert whole == efficiency.allowed_s == 19.0


def test_time_in_which_it_was_held_was_not_allowed() -> None:
    efficiency = Efficiency()
    efficiency.take(look(0))
    efficiency.take(look(10, idle_s=20.0, held_s=5.0))

    assert efficiency.allowed_s == 10.0


class Steady:
    at_s = 0.0

    def __call__(self) -> float:
        return self.at_s


def test_a_share_is_used_up_and_grows_again_but_not_for_ever() -> None:
    steady = Steady()
    share = Share(0.25, steady=steady)
    assert share.is_left()
    share.take(5.0)
    steady.at_s = 19.0
    assert not share.is_left()
    steady.at_s = 20.0
    assert share.is_left()
    steady.at_s = 1e6  # after a quiet night: five minutes' worth, and no more
    assert share.is_left()
    share.take(0.25 * SAVED_S + 0.1)
    assert not share.is_left()


def test_a_share_of_nothing_lets_nothing_begin() -> None:
    steady = Steady()
    share = Share(0.0, steady=steady)
    steady.at_s = 1e6
    assert not share.is_left()


def test_time_without_anything_due_says_nothing() -> None:
    assert ratio(look(0), look(1_000, idle_s=2_000.0)) is None


@pytest.mark.parametrize(
    "last", [look(-5, cpu_s=9.0), look(0), look(10, cpu_s=-50.0, open_s=-1.0, held_s=100.0)]
)
def test_looks_that_make_no_sense_add_nothing_bad(last: Look) -> None:
    efficiency = Efficiency()
    efficiency.take(look(0, waiting=2))
    efficiency.take(last)
    assert 0 <= efficiency.useful_s <= efficiency.available_s
