"""Disk, files and budgets are told before they are full or spent, each once a day."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from engine.bus.notices import Notice, ResourceShort
from engine.domain.modes import Basis
from engine.domain.traffic import Used
from engine.health.uses import Uses
from engine.settings.schema import BudgetsSettings, DataSettings, Settings
from engine.wiring import use_desk
from engine.wiring.paths import Paths, prepare
from engine.wiring.use_desk import KEPT, UseMeasures
from tests.bot import work_samples

S = 1_000_000_000
START_NS = 1_790_000_000 * S
MB = 1_048_576
SETTINGS = replace(
    Settings(),
    budgets=BudgetsSettings(units_day={"gemini": Decimal(100)}),
    data=DataSettings(exports_days=10),
)


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@dataclass
class Place:
    """A machine of which the test decides how full it is.

    Attributes:
        free_mb: after so many minutes.
        shares: of open files, by role.
    """

    paths: Paths
    monkeypatch: pytest.MonkeyPatch
    free_mb: Callable[[int], float] = lambda _minute: 50_000.0
    shares: dict[str, float] = field(default_factory=dict)
    told: list[Notice] = field(default_factory=list)
    minute: int = 0

    def __post_init__(self) -> None:
        self.uses = Uses()
        self.measures = UseMeasures(
            SETTINGS,
            self.paths,
            self.uses,
            basis=Basis.SANDBOX,
            tell=self.told.append,
            files=lambda: self.shares,
        )

    @property
    def now_ns(self) -> int:
        return START_NS + self.minute * 60 * S

    def run(self, minutes: int) -> None:
        def usage(_path: Path) -> Disk:
            free = round(self.free_mb(self.minute) * MB)
            return Disk(100_000 * MB, 100_000 * MB - free, free)

        self.monkeypatch.setattr(shutil, "disk_usage", usage)
        for _ in range(minutes):
            self.minute += 1
            self.measures.sample(self.now_ns)
            self.measures.look(self.now_ns)

    def told_of(self) -> list[str]:
        return [one.what for one in self.told if isinstance(one, ResourceShort)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(prepare(str(tmp_path)), monkeypatch)


def test_a_disk_that_fills_is_told_days_before_it_is_full_once_a_day(place: Place) -> None:
    place.free_mb = lambda minute: 50_000 - 20 * minute
    place.run(30)
    assert place.told == []  # too little was seen to say anything
    place.run(170)

    assert place.told_of() == ["disk"]
    full_in_h = place.measures.full_in_h()
    assert full_in_h is not None
    assert full_in_h == pytest.approx((50_000 - 20 * 200) / 20 / 60, rel=0.02)
    place.run(24 * 60)
    assert place.told_of() == ["disk", "disk"]


def test_a_disk_that_wanders_is_not_told(place: Place) -> None:
    place.free_mb = lambda minute: 50_000 + 400 * (minute * 37 % 11)
    place.run(300)

    assert place.told == []
    assert place.measures.full_in_h() is None


def test_a_disk_with_little_left_is_told_at_once(place: Place) -> None:
    place.free_mb = lambda _minute: 900.0
    place.run(1)

    assert place.told_of() == ["disk"]


def test_a_budget_and_open_files_are_told_before_they_are_spent(place: Place) -> None:
    place.uses.take("engine", [Used(name="venue/gemini", units=79.0)], at_ns=place.now_ns)
    place.shares = {"engine": 0.79, "trader": 0.5}
    place.run(1)
    assert "files-engine" not in place.told_of()
    place.uses.take("engine", [Used(name="venue/gemini", units=81.0)], at_ns=place.now_ns)
    place.shares = {"engine": 0.81, "trader": 0.5}
    place.run(2)

    assert sorted(place.told_of()) == ["files-engine", "gemini-units-day"]
    assert len(place.measures.use().short) == 2


def test_what_is_nearest_to_its_bound_comes_first_with_its_trend(place: Place) -> None:
    place.free_mb = lambda minute: 20_000 - 10 * minute
    place.shares = {"engine": 0.3}
    place.run(120)

    bounds = {one.name: one for one in place.measures.use().bounds}
    assert {"disk", "memory", "processor", "files of engine"} <= set(bounds)
    assert bounds["disk"].ratio == pytest.approx(0.812)
    assert bounds["disk"].per_h == pytest.approx(0.006, rel=0.01)
    ratios = [one.ratio for one in place.measures.use().bounds]
    assert ratios == sorted(ratios, reverse=True)
    assert all(len(one.points) <= 2 * use_desk.POINTS_SHOWN for one in bounds.values())


def test_what_is_kept_is_shown_with_its_size_and_for_how_long(place: Place) -> None:
    folder = place.paths.recordings / "r1"
    folder.mkdir(parents=True)
    (folder / "000.frames").write_bytes(b"x" * 3 * MB)
    (place.paths.data_dir / "ledger.sqlite3").write_bytes(b"x" * MB)
    place.run(1)

    kept = {one.what: one for one in place.measures.use().kept}
    assert set(kept) == {kind.what for kind in KEPT}
    assert (kept["recordings"].mb, kept["recordings"].files) == (3.0, 1)
    assert kept["ledger"].mb == 1.0
    assert "512 MB" in kept["recordings"].keeps
    assert all(one.keeps for one in kept.values())


def test_old_exports_go_and_nothing_else_does(place: Place) -> None:
    place.paths.exports.mkdir()
    files = {name: place.paths.exports / name for name in ("old.csv", "new.csv", "old.txt")}
    for name, path in files.items():
        path.write_text("1")
        age_s = 11 * 86_400 if name.startswith("old") else 9 * 86_400
        at_s = START_NS / S - age_s
        os.utime(path, (at_s, at_s))
    place.run(1)

    assert sorted(path.name for path in place.paths.exports.iterdir()) == ["new.csv", "old.txt"]


def test_how_many_workers_the_load_leaves_room_for_is_in_the_report_while_it_is_fresh(
    place: Place,
) -> None:
    for minute, room in enumerate((5, 5, 1)):
        place.run(1)
        busy = replace(work_samples.work(), room=room, room_why="the processor is busy")
        place.measures.take_work(busy, at_ns=place.now_ns)
        place.measures.take_work(replace(busy, room=9), at_ns=place.now_ns + S)
        assert minute + 1 == place.minute
    runs = place.measures.use().runs
    assert runs is not None
    assert (runs.room, runs.room_why) == (9, "the processor is busy")
    assert [point[1:] for point in runs.points] == [(runs.running, room) for room in (5, 5, 1)]
    assert runs.running == work_samples.work().running > 0

    place.run(3)
    assert place.measures.use().runs is None
