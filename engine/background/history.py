"""What became of each run, on disk: one file a task, a line a run, pruned by count and age."""

import contextlib
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.runs import How, RunLine
from engine.domain.units import NS_PER_DAY

RUNS_MAX: Final = 200
DAYS_MAX: Final = 30
LINE_BYTES_MAX: Final = 16_384
"""A run whose figures need more is kept without them."""

SPARE: Final = 100
"""Lines beyond what is kept, after which the file is written anew."""

_SUFFIX: Final = ".runs"
_log = logging.getLogger(__name__)


class History:
    """The last runs of each task, oldest first.

    A line that a crash cut off is left out. What is too old or too many goes when a run is noted,
    but for the newest run that was well: whether a task ever ended is known for good.
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._runs: dict[str, list[RunLine]] = {}
        self._lines: dict[str, int] = {}
        for name in names:
            runs, self._lines[name] = _read(self._path(name))
            self._runs[name] = _kept(runs)
        for path in folder.glob(f"*{_SUFFIX}"):
            if path.stem not in self._runs:  # a task of a version before
                path.unlink(missing_ok=True)

    def runs(self, name: str) -> Sequence[RunLine]:
        """Return the runs of a task, oldest first."""
        return self._runs[name]

    def last(self, name: str) -> RunLine | None:
        """Return the last run of a task."""
        runs = self._runs[name]
        return runs[-1] if runs else None

    def has_ended_well(self, name: str) -> bool:
        """Say whether a task ended once as it should."""
        return any(one.how is How.DONE for one in self._runs[name])

    def note(self, name: str, run: RunLine) -> None:
        """Keep a run; a disk that does not take it loses the line, not the task."""
        self._runs[name] = _kept([*self._runs[name], run])
        self._lines[name] += 1
        try:
            if self._lines[name] > len(self._runs[name]) + SPARE:
                self._write(name)
            else:
                with self._path(name).open("ab") as file:
                    file.write(_line(run))
        except OSError as error:
            _log.warning("the history of %s is not kept: %s", name, error)

    def _write(self, name: str) -> None:
        path = self._path(name)
        new = path.with_suffix(".new")
        new.write_bytes(b"".join(_line(run) for run in self._runs[name]))
        new.replace(path)
        self._lines[name] = len(self._runs[name])

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"


def _kept(runs: Sequence[RunLine]) -> list[RunLine]:
    """Leave out what is too old and too many."""
    if not runs:
        return []
    oldest_ns = runs[-1].ended_at_ns - DAYS_MAX * NS_PER_DAY
    well = max((at for at, one in enumerate(runs) if one.how is How.DONE), default=-1)
    return [
        one
        for at, one in enumerate(runs)
        if at == well or (at >= len(runs) - RUNS_MAX and one.ended_at_ns >= oldest_ns)
    ]


def _line(run: RunLine) -> bytes:
    line = msgspec.json.encode(run)
    if len(line) > LINE_BYTES_MAX:
        line = msgspec.json.encode(msgspec.structs.replace(run, measured={}, why=run.why[:200]))
    return line + b"\n"


def _read(path: Path) -> tuple[list[RunLine], int]:
    """Read what can be read, and how many lines there are."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    if text and not text.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")  # what follows is a line of its own
    lines = text.splitlines()
    runs = []
    for line in lines:
        with contextlib.suppress(msgspec.DecodeError):
            runs.append(msgspec.json.decode(line, type=RunLine))
    return runs, len(lines)
