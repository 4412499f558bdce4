"""What the engine does about ten times a second, and what it tells of it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from engine.bus.notices import REFUSED, ClockCorrected, RecordingStopped, RecordsDropped
from engine.connectors.session import Session
from engine.core.inputs.kind import Answers
from engine.domain.corrections import Correction
from engine.domain.health import Sight
from engine.domain.instruments import VenueId
from engine.domain.units import NS_PER_S
from engine.operate.clock import SteadyClock
from engine.operate.clock_watch import ClockWatch
from engine.operate.core_parts import Core
from engine.operate.kill_switches import KillSwitches
from engine.operate.latency import LatencyRing
from engine.operate.outages import BooksOf, Outages, Place, PoolsAt
from engine.operate.outbox import Outbox, Worth
from engine.operate.recorder import Recorder

TICK_S: Final = 0.1

LAG_SAMPLES: Final = 1 << 13
"""Ticks of about 14 minutes."""


class Ticks:
    """The ticks of a run.

    Attributes:
        sessions: the connections, in the order of their streams; set before the first tick.
        on_step: is told when the clock was set, and by how much.
        watch: reads the clock, which comes first.
        loop_lag: how much later than due each tick began: so long something else held the loop, up
            to the millisecond that its timers are exact to.
    """

    def __init__(
        self,
        core: Core,
        outbox: Outbox,
        clock: SteadyClock,
        kill_switches: KillSwitches,
        recorder: Recorder | None,
    ) -> None:
        self.sessions: Sequence[Session] = ()
        self.watch = ClockWatch(clock, self._correct)
        self.loop_lag = LatencyRing(LAG_SAMPLES)
        self.on_step: Callable[[int], None] = lambda _step_ns: None
        self._core = core
        self._outbox = outbox
        self._kill_switches = kill_switches
        self._recorder = recorder
        self._reported = {"opportunities": 0, "notices": 0, REFUSED: 0}
        self._outages = Outages(
            places_of(core),
            basis=core.basis,
            tell=core.journal.notices.tell,
            at_ns=clock.now_ns(),
        )

    def sights(self, at_ns: int) -> list[Sight]:
        """Return how each venue and chain stands."""
        return self._outages.sights(at_ns)

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            due_ns = time.monotonic_ns() + int(TICK_S * NS_PER_S)
            await asyncio.sleep(TICK_S)
            self.loop_lag.add(max(time.monotonic_ns() - due_ns, 0))
            at_ns = self.watch.read()
            self._perform(self._core.hot_path.tick(at_ns))
            self._outages.update(at_ns)
            self._tell_dropped(at_ns)
            self._tell_recording(at_ns)

    def _correct(self, correction: Correction, at_ns: int) -> None:
        self._perform(self._core.hot_path.correct(correction, at_ns))
        self._outages.step_clock(correction.step_ns)
        self._kill_switches.step_clock(correction.step_ns)
        self.on_step(correction.step_ns)
        self._core.journal.notices.tell(
            ClockCorrected(
                at_ns=at_ns,
                basis=self._core.basis,
                step_ns=correction.step_ns,
                asleep_ns=correction.asleep_ns,
            )
        )

    def _perform(self, answers: Answers) -> None:
        for stream, wanted in answers.items():
            self.sessions[stream].perform(wanted)

    def _tell_dropped(self, at_ns: int) -> None:
        dropped = self._outbox.dropped
        counts = (dropped[Worth.PASSING], dropped[Worth.NEWS], self._outbox.refused)
        for kind, count in zip(list(self._reported), counts, strict=True):
            if count > self._reported[kind] and not self._outbox.waiting:
                self._core.journal.notices.tell(
                    RecordsDropped(
                        at_ns=at_ns,
                        basis=self._core.basis,
                        kind=kind,
                        count=count - self._reported[kind],
                    )
                )
                self._reported[kind] = count

    def _tell_recording(self, at_ns: int) -> None:
        if self._recorder is None or self._recorder.failure is None:
            return
        self._core.journal.notices.tell(
            RecordingStopped(at_ns=at_ns, basis=self._core.basis, why=self._recorder.failure)
        )
        self._recorder = None


def places_of(core: Core) -> dict[VenueId, Place]:
    """Return what an outage of is told: each venue, and each chain whose blocks are followed."""
    places: dict[VenueId, Place] = {
        stream.venue: BooksOf(stream.venue, core.board, core.freshness, books)
        for stream, books in zip(core.header.streams, core.rows.books, strict=True)
    }
    for chain in core.header.terms.chains:
        places[VenueId(chain)] = PoolsAt(chain, core.moving_pools)
    return places
