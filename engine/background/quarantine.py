"""Who failed how often in a row: a task waits after each failure, and begins no more after some.

Kept in one file, so that a restart forgives nothing. A person, or a new version of the task, lets
it begin again.
"""

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.background.ports import Task
from engine.domain.backoff import wait_after
from engine.domain.recovery import TASK_QUARANTINE, Recovery

FAILURES_MAX: Final = 5
"""So many failures in a row put a task into quarantine."""
WAIT_FIRST_S: Final = 30.0
WAIT_LONGEST_S: Final = 3_600.0
FILE_BYTES_MAX: Final = 1_000_000


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """How a task stands that failed.

    Attributes:
        count: in a row.
        why: the last one, in words.
    """

    version: int
    count: int
    why: str
    at_ns: int


class Quarantine:
    """Counts failures of tasks.

    Args:
        clock: the steady one, in seconds: waits do not follow a wall clock that jumps. After a
            restart they begin anew.
    """

    def __init__(
        self,
        path: Path,
        tasks: Mapping[str, Task[Any]],
        *,
        clock: Callable[[], float],
        wall_ns: Callable[[], int],
    ) -> None:
        self.is_damaged = False
        """The file could not be read: all begin with no failure."""
        self._path = path
        self._clock = clock
        self._wall_ns = wall_ns
        self._failures = {
            name: found
            for name, found in self._load().items()
            if name in tasks and tasks[name].version == found.version
        }
        now_s = clock()
        self._broken: dict[str, Recovery] = {}
        self._not_before_s = {
            name: now_s + _wait_s(found) for name, found in self._failures.items()
        }

    def failed(self, task: Task[Any], why: str) -> bool:
        """Count a failure; say whether it put the task into quarantine just now."""
        before = self._failures.get(task.name)
        count = 1 + (0 if before is None else before.count)
        found = Failures(version=task.version, count=count, why=why, at_ns=self._wall_ns())
        self._failures[task.name] = found
        self._not_before_s[task.name] = self._clock() + _wait_s(found)
        self._save()
        if count == FAILURES_MAX:
            self._broken[task.name] = Recovery(TASK_QUARANTINE)
            self._broken[task.name].failed()
        return count == FAILURES_MAX

    def succeeded(self, name: str) -> None:
        """Forget the failures of a task; also by a person's word."""
        if self._failures.pop(name, None) is not None:
            self._save()
        if (broken := self._broken.pop(name, None)) is not None:
            broken.works()

    def why_not(self, name: str) -> str:
        """Return why a task may not begin now; empty if it may."""
        found = self._failures.get(name)
        if found is None:
            return ""
        if found.count >= FAILURES_MAX:
            return f"in quarantine after {found.count} failures in a row, the last: {found.why}"
        left_s = self._not_before_s[name] - self._clock()
        return f"waits {left_s:.0f} s after a failure: {found.why}" if left_s > 0 else ""

    def all(self) -> dict[str, str]:
        """Return the tasks in quarantine, with the reason."""
        return {
            name: self.why_not(name)
            for name, found in self._failures.items()
            if found.count >= FAILURES_MAX
        }

    def _load(self) -> dict[str, Failures]:
        try:
            with self._path.open("rb") as file:
                content = file.read(FILE_BYTES_MAX)
            return msgspec.json.decode(content, type=dict[str, Failures])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError):
            self.is_damaged = True
            return {}

    def _save(self) -> None:
        """Keep it; on a full disk it is known until the end of this process only."""
        scratch = self._path.with_name(f"{self._path.name}.new")
        with contextlib.suppress(OSError):
            with scratch.open("wb") as file:
                file.write(msgspec.json.encode(self._failures))
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(self._path)


def _wait_s(found: Failures) -> float:
    return wait_after(found.count, first=WAIT_FIRST_S, longest=WAIT_LONGEST_S)
