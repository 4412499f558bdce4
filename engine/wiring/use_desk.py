"""What is used of venues, providers, disk and machine: measured now and then, told in time."""

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from engine.bus.notices import Notice, ResourceShort
from engine.bus.use_reports import BoundLine, BudgetLine, KeptLine, RunsLine, UseReport
from engine.bus.work_reports import WorkReport
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.health.uses import Budget, Uses
from engine.operate.role_uses import role_of
from engine.operate.trend import slope_of
from engine.settings.schema import Settings
from engine.wiring.paths import Paths

MB: Final = 1_048_576
SAMPLES_MAX: Final = 1_440
"""A day of samples."""

SAMPLE_NS: Final = 60 * NS_PER_S
WORK_STALE_NS: Final = 120 * NS_PER_S
"""What background work said before then is nothing of now."""

SIZES_NS: Final = 600 * NS_PER_S
"""Folders are added up no more often than this."""

POINTS_SHOWN: Final = 96
FULL_SOON_H: Final = 72.0
LOW_MB: Final = 1_000.0
FILES_RATIO: Final = 0.8
EXPORTS_ENDS: Final = frozenset({".csv", ".json", ".xlsx", ".parquet", ".zip"})


@dataclass(frozen=True, slots=True)
class _Kept:
    """One kind of thing on the disk, and for how long it is kept."""

    what: str
    folder: Callable[[Paths], Path]
    keeps: Callable[[Settings], str]


KEPT: Final = (
    _Kept(
        "ledger",
        lambda paths: paths.data_dir,
        lambda s: f"money for ever, the rest {s.data.retention_days} days",
    ),
    _Kept(
        "recordings",
        lambda paths: paths.recordings,
        lambda s: f"{s.recording.total_mb_max} MB, the oldest go first",
    ),
    _Kept(
        "backups",
        lambda paths: paths.data_dir / "backups",
        lambda s: f"the newest {s.data.backups_kept}",
    ),
    _Kept("exports", lambda paths: paths.exports, lambda s: f"{s.data.exports_days} days"),
    _Kept("logs", lambda paths: paths.data_dir / "logs", lambda _: "cut as they grow"),
    _Kept("chains", lambda paths: paths.chains, lambda _: "what can be asked again; bounded"),
    _Kept(
        "background",
        lambda paths: paths.background,
        lambda _: "200 runs or 30 days of each task, its newest states",
    ),
    _Kept("orders", lambda paths: paths.trader, lambda _: "30 days after their end"),
    _Kept("transactions", lambda paths: paths.sender, lambda _: "what is not final; acknowledged"),
    _Kept("signer", lambda paths: paths.signer, lambda _: "the keystore and what was signed"),
    _Kept("gateway", lambda paths: paths.gateway, lambda _: "hashes of keys, webhooks some days"),
    _Kept("health", lambda paths: paths.health, lambda s: f"{s.data.retention_days} days; bounded"),
)
"""Each kind of thing that is kept, in the order of the list; a folder is one line."""


def budgets_of(settings: Settings) -> list[Budget]:
    """Return the budgets of the settings."""
    own = settings.budgets
    return [
        Budget(name=name, unit=unit, period=period, most=float(most))
        for unit, period, of in (
            ("units", "day", own.units_day),
            ("units", "month", own.units_month),
            ("MB", "day", own.mb_day),
            ("MB", "month", own.mb_month),
        )
        for name, most in of.items()
    ]


class UseMeasures:
    """Measures disk and machine; obeys `UseDesk` together with what was used.

    Args:
        uses: of venues and providers.
        tell: takes a notice; each thing is told once a day at most while it is short.
        files: returns the share of its open files that each role uses.
    """

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        uses: Uses,
        *,
        basis: Basis,
        tell: Callable[[Notice], None],
        files: Callable[[], Mapping[str, float]] | None = None,
    ) -> None:
        self._settings, self._paths, self._uses = settings, paths, uses
        self._basis, self._tell = basis, tell
        self._files = files or files_of_siblings
        self._budgets = budgets_of(settings)
        self._points: dict[str, deque[tuple[int, float]]] = {}
        self._free_mb: deque[tuple[float, float]] = deque(maxlen=SAMPLES_MAX)
        self._total_mb = self._last_free_mb = 0.0
        self._kept: list[KeptLine] = []
        self._sampled_ns = self._sized_ns = 0
        self._told_ns: dict[str, int] = {}
        self._now_ns = 0
        self._work: WorkReport | None = None
        self._work_ns = 0
        self._runs: deque[tuple[int, int, int]] = deque(maxlen=SAMPLES_MAX)

    def sample(self, at_ns: int) -> None:
        """Measure; it may take a while, and is done beside the loop."""
        self._sampled_ns = self._now_ns = at_ns
        disk = shutil.disk_usage(self._paths.data_dir)
        self._total_mb, self._last_free_mb = disk.total / MB, disk.free / MB
        self._free_mb.append((at_ns / NS_PER_S, self._last_free_mb))
        memory = psutil.virtual_memory()
        now = {
            "disk": 1.0 - disk.free / disk.total if disk.total else 0.0,
            "memory": memory.percent / 100,
            "processor": psutil.cpu_percent(interval=None) / 100,
            **{f"files of {role}": share for role, share in self._worst_files()},
        }
        for name, ratio in now.items():
            self._points.setdefault(name, deque(maxlen=SAMPLES_MAX)).append((at_ns, ratio))
        if not 0 <= at_ns - self._sized_ns < SIZES_NS:
            self._sized_ns = at_ns
            self._prune_exports(at_ns)
            self._kept = sorted(self._sizes(), key=lambda one: -one.mb)

    def look(self, at_ns: int) -> None:
        """Tell what will be full or spent, each once a day."""
        self._now_ns = at_ns
        worst = max((line.used / line.most for line in self._lines(at_ns)), default=None)
        if worst is not None and self._sampled_ns == at_ns:
            points = self._points.setdefault("budgets", deque(maxlen=SAMPLES_MAX))
            points.append((at_ns, worst))
        short = dict(self._short(at_ns))
        for what, sentence in short.items():
            last_ns = self._told_ns.get(what)
            if last_ns is None or not 0 <= at_ns - last_ns < NS_PER_DAY:
                self._told_ns[what] = at_ns
                self._tell(
                    ResourceShort(at_ns=at_ns, basis=self._basis, what=what, sentence=sentence)
                )

    def take_work(self, work: WorkReport, *, at_ns: int) -> None:
        """Take how background work stands, as its role says."""
        self._work, self._work_ns = work, at_ns
        if not self._runs or at_ns - self._runs[-1][0] >= SAMPLE_NS:
            self._runs.append((at_ns, work.running, work.room))

    def use(self) -> UseReport:
        """See `UseDesk.use`."""
        at_ns = self._now_ns
        return UseReport(
            basis=self._basis,
            at_ns=at_ns,
            uses=self._uses.lines(at_ns=at_ns),
            budgets=self._lines(at_ns),
            free_mb=self._last_free_mb,
            total_mb=self._total_mb,
            full_in_h=self.full_in_h(),
            kept=self._kept,
            bounds=self._bounds(),
            short=[sentence for _, sentence in self._short(at_ns)],
            runs=self._runs_line(at_ns),
        )

    def full_in_h(self) -> float | None:
        """Return when the disk is full, if it fills beyond what chance explains."""
        slope = slope_of(self._free_mb)
        if slope is None or slope.high >= 0:
            return None
        return self._last_free_mb / -slope.per_h

    def _runs_line(self, at_ns: int) -> RunsLine | None:
        """Return what was said of background work, as long as it is fresh."""
        if self._work is None or at_ns - self._work_ns > WORK_STALE_NS:
            return None
        step = max(1, len(self._runs) // POINTS_SHOWN)
        return RunsLine(
            running=self._work.running,
            room=self._work.room,
            room_why=self._work.room_why,
            points=[*self._runs][::-step][::-1],
        )

    def _lines(self, at_ns: int) -> list[BudgetLine]:
        return self._uses.budgets(self._budgets, at_ns=at_ns)

    def _short(self, at_ns: int) -> Iterator[tuple[str, str]]:
        full_in_h = self.full_in_h()
        if self._free_mb and self._last_free_mb < LOW_MB:
            yield "disk", f"{self._last_free_mb:,.0f} MB are free on the disk of the data folder"
        elif full_in_h is not None and full_in_h < FULL_SOON_H:
            yield "disk", f"The disk of the data folder is full in {full_in_h:.0f} h at this pace"
        for line in self._lines(at_ns):
            if line.is_short:
                yield f"{line.name}-{line.unit}-{line.period}", _sentence(line)
        for name, points in self._points.items():
            if name.startswith("files of") and points and points[-1][1] >= FILES_RATIO:
                role = name.removeprefix("files of ")
                share = f"{points[-1][1]:.0%}"
                yield f"files-{role}", f"The {role} has {share} of the files open that it may"

    def _bounds(self) -> list[BoundLine]:
        lines = []
        for name, points in self._points.items():
            slope = slope_of([(at_ns / NS_PER_S, ratio) for at_ns, ratio in points])
            step = max(1, len(points) // POINTS_SHOWN)
            shown = [*points][::-step][::-1]
            per_h = None if slope is None else slope.per_h
            lines.append(BoundLine(name=name, ratio=points[-1][1], per_h=per_h, points=shown))
        return sorted(lines, key=lambda one: -one.ratio)

    def _worst_files(self) -> list[tuple[str, float]]:
        """Return the role that is nearest to its bound: one is enough to see it come."""
        shares = self._files()
        return [max(shares.items(), key=lambda one: one[1])] if shares else []

    def _sizes(self) -> Iterator[KeptLine]:
        for kind in KEPT:
            folder = kind.folder(self._paths)
            own = folder == self._paths.data_dir
            size, files = _size_of(folder, pattern="ledger.sqlite3" if own else "")
            yield KeptLine(
                what=kind.what, mb=size / MB, files=files, keeps=kind.keeps(self._settings)
            )

    def _prune_exports(self, at_ns: int) -> None:
        """Delete exported files that are old: they can be exported again."""
        old_s = at_ns / NS_PER_S - self._settings.data.exports_days * 86_400
        try:
            found = list(self._paths.exports.iterdir())
        except OSError:
            return
        for path in found:
            try:
                is_old = path.lstat().st_mtime < old_s
                if is_old and path.suffix in EXPORTS_ENDS and path.is_file():
                    path.unlink()
            except OSError:
                continue


def _sentence(line: BudgetLine) -> str:
    used = f"{line.used:,.0f} of {line.most:,.0f} {line.unit} of this {line.period}"
    if line.forecast is not None and line.forecast > line.most:
        return f"{line.name}: {used}, and {line.forecast:,.0f} at its end at this pace"
    return f"{line.name}: {used} are used"


def _size_of(folder: Path, *, pattern: str) -> tuple[int, int]:
    """Return bytes and number of files below a folder; with a pattern of those that begin so."""
    size = count = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not pattern:
                            waiting.append(Path(entry.path))
                    elif entry.name.startswith(pattern):
                        size += entry.stat(follow_symlinks=False).st_size
                        count += 1
        except OSError:
            continue
    return size, count


def files_of_siblings() -> dict[str, float]:
    """Return the share of its open files that each role with this supervisor uses."""
    found: dict[str, float] = {}
    parent = psutil.Process().parent()
    for process in [] if parent is None else parent.children():
        try:
            name = role_of(process.cmdline())
            most, _ = process.rlimit(psutil.RLIMIT_NOFILE)
            if name and most > 0:
                found[name] = process.num_fds() / most
        except (psutil.Error, OSError):
            continue
    return found
