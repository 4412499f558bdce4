"""The role's watch over holds: who pushes background work aside lets it go on in time."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from engine.background.group import Group, started_of
from engine.background.hold_page import Page
from engine.background.hold_watch import LOOK_S, HoldWatch
from engine.bus.work_reports import SwitchFigures
from engine.domain.errors import BadValueError

_log = logging.getLogger(__name__)


class WorkHold:
    """Obeys `machine.Hold`.

    Attributes:
        trouble: why work cannot be pushed aside; empty if it can.
        on_released: called once work goes on after it was held.
    """

    def __init__(self, watch: HoldWatch) -> None:
        self.trouble = ""
        self.on_released: Callable[[], None] = lambda: None
        self._watch = watch

    def is_held_now(self) -> bool:
        """See `Hold`."""
        return self._watch.is_held()

    @property
    def held_ns(self) -> int:
        """See `Hold`."""
        return self._watch.held_ns

    def follow(self, leader: int | None) -> None:
        """Have another group of processes be pushed aside."""
        try:
            group = None if leader is None else Group(leader, started_of(leader))
            self._watch.follow(group)
        except (BadValueError, OSError) as error:
            self.trouble = str(error)
            _log.warning("background work cannot be pushed aside: %s", error)
            self._watch.follow(None)
        else:
            self.trouble = ""

    def figures(self) -> SwitchFigures:
        """Return what switches there were."""
        report = self._watch.switches.report()
        return SwitchFigures(
            count=report.count,
            failed=report.unstopped,
            stop_us_mean=report.signal.mean,
            stop_us_p99=report.signal.below(0.99),
            stop_us_max=report.signal.max,
            held_ms_mean=report.held.mean,
            resume_us_mean=report.resume.mean,
            by_trigger=report.by_trigger,
        )

    async def run(self) -> None:
        """Look for ever."""
        before_ns = self._watch.held_ns
        while True:
            self._watch.look()
            if self._watch.held_ns != before_ns and not self._watch.is_held():
                before_ns = self._watch.held_ns
                self.on_released()
            await asyncio.sleep(LOOK_S)


@contextlib.asynccontextmanager
async def open_hold(path: Path) -> AsyncIterator[WorkHold]:
    """Let holders find the page until the block ends."""
    watch = HoldWatch(Page.make(path))
    try:
        yield WorkHold(watch)
    finally:
        watch.close()
