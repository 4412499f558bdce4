"""When a task is due: a seeded grid of instants, so that a restart and a wrong clock change little.

A task with an interval is due once in each of its intervals since 1970, at a place in it that its
name and the seed draw: tasks spread over time, and who starts again keeps the same instants. What
was missed is made up for once, however much it was.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from engine.background.ports import Task
from engine.domain.errors import FatalError

JITTER_RATIO: Final = 0.1
"""Share of its interval by which an instant is shifted, each by another amount."""

CRON_JITTER_S: Final = 20.0
EVERY_S_MIN: Final = 1.0


class Due(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """The instants at which a task is due, for APScheduler; it holds no state.

    Its own triggers go through every instant that was missed: with a clock that jumps by years
    that takes minutes. This one goes on from now.
    """

    def __init__(self, task: Task[Any], *, seed: int) -> None:
        self._every_s = task.every_s
        self._name = task.name
        self._seed = seed
        self._cron = CronTrigger.from_crontab(task.cron, timezone=UTC) if task.cron else None

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Return the first instant after now; see `BaseTrigger`."""
        after = now if previous_fire_time is None else max(previous_fire_time, now)
        return self.after(after)

    def after(self, instant: datetime) -> datetime:
        """Return the first instant after another one."""
        return self._after_of_cron(instant) if self._cron else self._after_of_grid(instant)

    def _after_of_grid(self, instant: datetime) -> datetime:
        every_s = self._every_s
        phase_s = self._drawn("phase") * every_s
        number = math.floor((instant.timestamp() - phase_s) / every_s) - 1
        while True:
            at_s = phase_s + (number + JITTER_RATIO * self._drawn(number)) * every_s
            at = datetime.fromtimestamp(at_s, UTC)
            if at > instant:
                return at
            number += 1

    def _after_of_cron(self, instant: datetime) -> datetime:
        assert self._cron is not None
        plain = instant - timedelta(seconds=CRON_JITTER_S)
        while True:
            plain = self._cron.get_next_fire_time(None, plain + timedelta(microseconds=1))
            at: datetime = plain + timedelta(seconds=CRON_JITTER_S * self._drawn(plain.timestamp()))
            if at > instant:
                return at

    def _drawn(self, what: object) -> float:
        """Draw a number from 0 to 1 that is the same each time."""
        text = f"{self._seed}:{self._name}:{what}"
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2.0**64


def is_overdue(due: Due, *, begun_at_ns: int | None, now_ns: int, is_cron: bool) -> bool:
    """Say whether a task missed an instant while nobody looked; a new one with an interval did."""
    if begun_at_ns is None:
        return not is_cron
    if begun_at_ns > now_ns:  # the clock was set back
        return False
    begun = datetime.fromtimestamp(begun_at_ns / 1e9, UTC)
    return due.after(begun) <= datetime.fromtimestamp(now_ns / 1e9, UTC)


def check_tasks(tasks: Sequence[Task[Any]], *, memory_mb: int) -> None:
    """Check what a list of tasks says.

    Raises:
        FatalError: it cannot be scheduled: the first thing that is wrong, in words.
    """
    names = [task.name for task in tasks]
    for task in tasks:
        if names.count(task.name) > 1:
            raise FatalError(f"two background tasks are named {task.name}")
        _check(task, frozenset(names), memory_mb=memory_mb)
    if cycle := _cycle({task.name: task.after for task in tasks}):
        raise FatalError(f"background tasks wait for each other: {' after '.join(cycle)}")


def _check(task: Task[Any], names: frozenset[str], *, memory_mb: int) -> None:
    if bool(task.every_s) == bool(task.cron):
        raise FatalError(f"the background task {task.name} needs either every_s or cron")
    if task.every_s and not (math.isfinite(task.every_s) and task.every_s >= EVERY_S_MIN):
        raise FatalError(f"the background task {task.name} is due every {task.every_s} s")
    if task.cron:
        try:
            CronTrigger.from_crontab(task.cron, timezone=UTC)
        except ValueError as error:
            raise FatalError(
                f"the times {task.cron!r} of the background task {task.name} are none: {error}"
            ) from None
    for other in task.after:
        if other not in names:
            raise FatalError(f"the background task {task.name} is after {other}, which is none")
    if task.bounds.memory_mb > memory_mb:
        raise FatalError(
            f"the background task {task.name} may take {task.bounds.memory_mb} MB, all together"
            f" {memory_mb}"
        )


def _cycle(after: Mapping[str, Iterable[str]]) -> list[str]:
    """Return names that stand after each other in a ring, beginning and end the same."""
    done: set[str] = set()

    def look(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for other in after[name]:
            if found := look(other, [*path, name]):
                return found
        done.add(name)
        return []

    for name in after:
        if found := look(name, []):
            return found
    return []
