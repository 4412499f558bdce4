"""Holders with a clock and timers of the test's own, and a holder in a process to be killed.

`python -m tests.background.holding PAGE` holds as an engine does and says so, until it is killed.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.background.hold import Hold, HoldTerms
from engine.background.hold_page import Page
from engine.background.hold_watch import HoldWatch
from engine.background.switches import Trigger
from tests.background.busy_group import BusyGroup, opened

MS: Final = 1_000_000
TERMS: Final = HoldTerms(quiet_ns=30 * MS, longest_ns=1_000 * MS, held_ratio_max=0.5)


@dataclass(eq=False)
class Timer:
    """One that was asked for."""

    at_ns: int
    call: Callable[[], None]
    is_on: bool = True

    def cancel(self) -> None:
        """Not any more."""
        self.is_on = False


class Clock:
    """Time that passes when the test says so; timers come when they are due."""

    def __init__(self) -> None:
        self.now_ns = time.monotonic_ns()
        self.timers: list[Timer] = []

    def __call__(self) -> int:
        """Return the time."""
        return self.now_ns

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Take a timer."""
        timer = Timer(self.now_ns + round(delay_s * 1_000 * MS), call)
        self.timers.append(timer)
        return timer

    def call_soon(self, call: Callable[[], None]) -> Timer:
        """Take what comes as soon as any time passes."""
        return self.call_later(0.0, call)

    def pass_ms(self, ms: float, *, is_loop_stuck: bool = False) -> None:
        """Let time pass."""
        end_ns = self.now_ns + round(ms * MS)
        while not is_loop_stuck:
            due = [one for one in self.timers if one.is_on and one.at_ns <= end_ns]
            if not due:
                break
            first = min(due, key=lambda one: one.at_ns)
            self.timers.remove(first)
            self.now_ns = max(self.now_ns, first.at_ns)
            first.call()
        self.now_ns = end_ns


class Scene:
    """A page with a group at work, its watch, and holders.

    Attributes:
        is_busy: whether a plan is under way.
    """

    def __init__(self, path: Path, busy: BusyGroup) -> None:
        self.path, self.busy, self.clock = path, busy, Clock()
        self.is_busy = False
        self.page = Page.make(path)
        self.watch = HoldWatch(self.page, now_ns=self.clock)
        self.watch.follow(opened(busy))
        self.holders: list[Hold] = []

    def holder(self, name: str = "engine-main", terms: HoldTerms = TERMS) -> Hold:
        """Return one that has looked."""
        hold = Hold(
            name,
            self.path,
            terms=terms,
            call_later=self.clock.call_later,
            call_soon=self.clock.call_soon,
            now_ns=self.clock,
        )
        hold.is_busy = lambda: self.is_busy
        hold.led_to = lambda subject: f"plan of {subject}"
        self.holders.append(hold)
        hold.look()
        return hold

    def pass_ms(self, ms: float) -> None:
        """Let time pass, and the watch look."""
        self.clock.pass_ms(ms)
        self.watch.look()

    def close(self) -> None:
        """Leave all of it."""
        for hold in self.holders:
            hold.close()
        self.watch.close()


@contextmanager
def scene(path: Path, busy: BusyGroup) -> Iterator[Scene]:
    """Open a scene until the block ends."""
    made = Scene(path, busy)
    try:
        yield made
    finally:
        made.close()


def main(path: Path) -> None:
    """Hold until killed."""
    clock = Clock()
    hold = Hold(
        "engine-killed",
        path,
        terms=HoldTerms(quiet_ns=5_000 * MS, longest_ns=5_000 * MS),
        call_later=clock.call_later,
        call_soon=clock.call_soon,
    )
    hold.look()
    hold.trigger(Trigger.KILL)
    print("holds" if hold.is_on() else hold.trouble, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
