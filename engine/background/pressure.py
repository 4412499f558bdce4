"""How much room the machine leaves for background work: it yields before anything else does.

Processor time needs no rule of its own to be yielded, as runs get only what nobody else wants; but
more runs than there are cores left only hold memory longer. Memory does: with little left no run
begins, with less those under way are stopped, the least urgent first. Their states stand.
"""

import math
from pathlib import Path
from typing import Final, NamedTuple

MB: Final = 1_048_576

FREE_MB_TIGHT: Final = 256
"""With less memory left nothing begins."""

FREE_MB_LEAST: Final = 128
"""With less, runs are stopped."""

STALLED_TIGHT: Final = 10.0
STALLED_MOST: Final = 40.0
"""Percent of the last ten seconds in which some process waited for memory (PSI)."""

CORES_TIGHT: Final = 0.25
"""With less processor time left one run at a time makes use of it."""


class Pressure(NamedTuple):
    """What the machine has left.

    Attributes:
        free_mb: memory that can be had, of the machine or of this container, whichever is less.
        stalled: percent of time in which processes wait for memory; 0 where that is not told.
        cores_left: cores that others leave, background work's own share included.
    """

    free_mb: float
    stalled: float
    cores_left: float


class Room(NamedTuple):
    """How many runs may be under way, whether some have to stop, and why fewer than asked."""

    runs: int
    is_yielding: bool = False
    why: str = ""


def room_for(pressure: Pressure, *, at_once: int) -> Room:
    """Say how many runs there is room for."""
    if pressure.free_mb < FREE_MB_LEAST or pressure.stalled > STALLED_MOST:
        return Room(0, is_yielding=True, why=_short_of(pressure))
    if pressure.free_mb < FREE_MB_TIGHT or pressure.stalled > STALLED_TIGHT:
        return Room(0, why=_short_of(pressure))
    if pressure.cores_left < CORES_TIGHT:
        return Room(min(1, at_once), why="the processor is busy")
    most = 2 * math.ceil(pressure.cores_left) + 1
    return Room(min(most, at_once), why="the processor is busy" if most < at_once else "")


def _short_of(pressure: Pressure) -> str:
    return f"{pressure.free_mb:.0f} MB of memory left, {pressure.stalled:.0f} % waiting for it"


def read_memory(root: Path = Path("/")) -> tuple[float, float]:
    """Return memory left in MB and the percent of time in which processes wait for some."""
    free = [_available_mb(root / "proc/meminfo")]
    group = root / "sys/fs/cgroup"
    most, used = _number(group / "memory.max"), _number(group / "memory.current")
    if most is not None and used is not None:
        cached = _field(group / "memory.stat", "inactive_file") or 0.0
        free.append((most - used + cached) / MB)
    stalled = [_stalled(root / "proc/pressure/memory"), _stalled(group / "memory.pressure")]
    return min(free), max(stalled)


def read_idle_s(root: Path = Path("/"), *, cores: frozenset[int], ticks_per_s: float) -> float:
    """Return how long some cores were idle in all since the machine started."""
    ticks = 0.0
    for line in _text(root / "proc/stat").splitlines():
        name, *fields = line.split()
        if name[:3] == "cpu" and name[3:].isdigit() and int(name[3:]) in cores:
            ticks += sum(float(one) for one in fields[3:5])  # idle, and waiting for a disk
    return ticks / ticks_per_s


def _available_mb(path: Path) -> float:
    kb = _field(path, "MemAvailable:")
    return math.inf if kb is None else kb / 1_024


def _stalled(path: Path) -> float:
    for line in _text(path).splitlines():
        if line.startswith("some "):
            for part in line.split():
                if part.startswith("avg10="):
                    return float(part.removeprefix("avg10="))
    return 0.0


def _field(path: Path, name: str) -> float | None:
    for line in _text(path).splitlines():
        words = line.split()
        if words[:1] == [name]:
            return float(words[1])
    return None


def _number(path: Path) -> float | None:
    text = _text(path).strip()
    return float(text) if text.isdigit() else None


def _text(path: Path) -> str:
    """Read a file of the system; one that is not there or not ours to read says nothing."""
    try:
        return path.read_text()
    except OSError:
        return ""
