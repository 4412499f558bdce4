"""What the processes of an installation use, looked at from beside them: siblings of one parent."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import psutil

from engine.bus.work_reports import RoleUse
from engine.operate.trend import slope_of

LOOK_S: Final = 15.0
SAMPLES_MAX: Final = 960
"""Four hours."""

WARM_S: Final = 300.0
"""What a process takes in its first minutes is no leak."""

MB: Final = 1_048_576


@dataclass(slots=True)
class _Seen:
    pid: int
    born_s: float
    cpu_s: float
    at_s: float
    samples: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=SAMPLES_MAX))


class RoleUses:
    """Looks at all roles now and then; a look takes a millisecond or two."""

    def __init__(
        self,
        *,
        parent: Callable[[], psutil.Process | None] = lambda: psutil.Process().parent(),
        steady: Callable[[], float] = time.monotonic,
        warm_s: float = WARM_S,
    ) -> None:
        self._parent = parent
        self._warm_s = warm_s
        self._steady = steady
        self._seen: dict[str, _Seen] = {}
        self._uses: dict[str, RoleUse] = {}

    @property
    def uses(self) -> list[RoleUse]:
        """What each role used at the last look, those that use most memory first."""
        return sorted(self._uses.values(), key=lambda one: (-one.memory_mb, one.role))

    def look(self) -> None:
        """Look at all of them."""
        found: dict[str, RoleUse] = {}
        for role, process in self._roles():
            try:
                found[role] = self._look_at(role, process)
            except (psutil.Error, OSError):  # it ended meanwhile, or is another user's
                continue
        self._uses = found
        self._seen = {role: one for role, one in self._seen.items() if role in found}

    def _look_at(self, role: str, process: psutil.Process) -> RoleUse:
        at_s = self._steady()
        with process.oneshot():
            times = process.cpu_times()
            memory_mb = process.memory_info().rss / MB
            files, born_s = _files(process), process.create_time()
        cpu_s = times.user + times.system
        seen = self._seen.get(role)
        if seen is None or (seen.pid, seen.born_s) != (process.pid, born_s):
            seen = self._seen[role] = _Seen(process.pid, born_s, cpu_s, at_s)
        lasted_s = at_s - seen.at_s
        cores = (cpu_s - seen.cpu_s) / lasted_s if lasted_s > 0 else 0.0
        seen.cpu_s, seen.at_s = cpu_s, at_s
        if time.time() - born_s > self._warm_s:
            seen.samples.append((at_s, memory_mb))
        slope = slope_of(seen.samples)
        use = RoleUse(
            role=role,
            cores=cores,
            memory_mb=memory_mb,
            files=files,
            sockets=_sockets(process.pid),
            over_s=seen.samples[-1][0] - seen.samples[0][0] if seen.samples else 0.0,
        )
        if slope is None:
            return use
        return RoleUse(
            role=role,
            cores=use.cores,
            memory_mb=use.memory_mb,
            files=use.files,
            sockets=use.sockets,
            over_s=use.over_s,
            leak_mb_h=slope.per_h,
            leak_low=slope.low,
            leak_high=slope.high,
        )

    def _roles(self) -> Iterator[tuple[str, psutil.Process]]:
        parent = self._parent()
        if parent is None:
            return
        yield "supervisor", parent
        try:
            children = parent.children()
        except psutil.Error:
            return
        for process in children:
            try:
                name = role_of(process.cmdline())
            except psutil.Error:
                continue
            if name:
                yield name, process


def role_of(arguments: list[str]) -> str:
    """Return which role a command line runs; empty if none."""
    match arguments[1:]:
        case [*_, "-m", "engine", "role", name]:
            return name
        case [*_, "-m", "bot"]:
            return "bot"
        case [*_, "-m", "bot.web"]:
            return "gateway"
    return ""


def _files(process: psutil.Process) -> int:
    """Count a process's open files; 0 of the signer, which lets nobody look."""
    try:
        return int(process.num_fds())
    except psutil.AccessDenied:
        return 0


def _sockets(pid: int) -> int:
    """Count a process's sockets by their links, which takes less than psutil's tables."""
    folder, count = f"/proc/{pid}/fd", 0
    try:
        for name in os.listdir(folder):  # noqa: PTH208 - names alone, and many of them
            try:
                count += os.readlink(f"{folder}/{name}").startswith("socket:")  # noqa: PTH115 - likewise
            except OSError:
                continue
    except OSError:
        return 0
    return count
