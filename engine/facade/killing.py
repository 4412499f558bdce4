"""A kill by every path at once: no path waits for another, and each says what is true of it."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from engine.bus.records import Append, kill_record
from engine.bus.reports import Acknowledged, Declined, KillPath, KillReport
from engine.bus.request import Caller
from engine.domain.errors import FatalError, SyndicateError
from engine.operate.kill_latch import KillLatch
from engine.requests.safety import Kill

PATH_S: Final = 1.5
"""Longest wait on one path: a kill is answered within its sender's patience."""

DATE_NS: Final = 1_000_000_000
"""A late kill's time is the end of the second that its message is dated by."""

SignalEngine = Callable[[], int | None]


class Killer:
    """Kills through the engine, the latch file and the ledger."""

    def __init__(
        self,
        engine: Caller,
        ledger: Caller,
        latch: KillLatch,
        signal_engine: SignalEngine | None,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._latch = latch
        self._signal_engine = signal_engine

    async def kill(self, command: Kill) -> KillReport | Declined:
        """Carry a kill out; one that came late is declined if the latch was cleared after it."""
        sealed = command.sealed
        cleared_at_ns = self._latch.cleared_at_ns() if sealed.is_late else None
        if cleared_at_ns is not None and sealed.at_ns < cleared_at_ns:
            return Declined(
                why=f"this kill of {_clock_time(sealed.at_ns)} came late: the latch was cleared "
                f"after it, at {_clock_time(cleared_at_ns)}. Send KILL again to kill now"
            )
        if sealed.is_late and self._is_done_already(sealed.at_ns):
            # Told twice, as after a restart: done anew, it would void what was asked since then.
            held = KillPath(is_done=True, text="stopped, it makes no plan")
            latch_file = KillPath(is_done=True, text="was set before, it holds over restarts")
            return KillReport(engine=held, latch_file=latch_file, ledger=await self._store(command))
        # The engine's task comes first: its message is under way before the disk is touched.
        engine, latch_file, ledger = await asyncio.gather(
            self._tell_engine(command), self._set_latch(command), self._store(command)
        )
        return KillReport(engine=engine, latch_file=latch_file, ledger=ledger)

    def _is_done_already(self, at_ns: int) -> bool:
        """Say whether the file, which an engine reads for every plan, was set by it or after it."""
        if self._latch.cleared_at_ns() is not None:
            return False  # this process may hold by its memory; an engine knows only the file
        changed_at_ns = self._latch.changed_at_ns()
        # One ahead of now is by a clock that was set back: it says nothing about the order.
        return changed_at_ns is not None and at_ns - DATE_NS <= changed_at_ns <= time.time_ns()

    async def _tell_engine(self, command: Kill) -> KillPath:
        try:
            reply = await self._engine.call(command, timeout_s=PATH_S)
        except SyndicateError as error:
            process_id = None if self._signal_engine is None else self._signal_engine()
            if process_id is None:
                return KillPath(is_done=False, text=str(error))
            signalled = f"process {process_id} was signalled to hold every plan"
            return KillPath(is_done=False, text=f"{error}; {signalled}")
        if isinstance(reply, Acknowledged) and reply.is_killed:
            return KillPath(is_done=True, text="stopped, it makes no plan")
        return KillPath(is_done=False, text=f"it answered {type(reply).__name__}")

    async def _set_latch(self, command: Kill) -> KillPath:
        try:
            async with asyncio.timeout(PATH_S):
                await asyncio.to_thread(self._latch.kill, by=command.sealed.by, why=command.why)
        except TimeoutError:
            return KillPath(is_done=False, text="not set, the disk does not answer")
        except FatalError as error:
            return KillPath(is_done=False, text=f"not set: {error}")
        return KillPath(is_done=True, text="set, it holds over restarts")

    async def _store(self, command: Kill) -> KillPath:
        try:
            record = kill_record(command.sealed, why=command.why)
            await self._ledger.call(Append(records=[record]), timeout_s=PATH_S)
        except SyndicateError as error:
            return KillPath(is_done=False, text=f"not stored yet: {error}")
        return KillPath(is_done=True, text="stored, it holds over restarts")


def _clock_time(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // 1_000_000_000, UTC):%H:%M:%S} UTC"
