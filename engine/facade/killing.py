"""A kill by every path at once: no path waits for another, and each says what is true of it."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Final

from engine.bus.records import Append
from engine.bus.reports import Acknowledged, Declined, KillPath, KillReport
from engine.bus.request import Caller
from engine.domain.errors import FatalError, SyndicateError
from engine.facade.doors import Doors, EngineDoor
from engine.operate.kill_latch import KillLatch
from engine.requests.safety import Kill

PATH_S: Final = 1.5
"""Longest wait on one path: a kill is answered within its sender's patience."""

DATE_NS: Final = 1_000_000_000
"""A late kill's time is the end of the second that its message is dated by."""


class Killer:
    """Kills through the engines, the latch file and the ledger."""

    def __init__(self, doors: Doors, ledger: Caller, latch: KillLatch) -> None:
        self._doors = doors
        self._ledger = ledger
        self._latch = latch

    async def kill(self, command: Kill) -> KillReport | Declined:
        """Carry a kill out; one that came late is declined if the latch was cleared after it."""
        if not command.engine:
            return await self._kill(command, self._latch, self._tell_all(command))
        door = await self._doors.named(command.engine)
        if isinstance(door, Declined):
            return door
        return await self._kill(command, door.latch, _tell(door, command))

    async def _kill(
        self, command: Kill, latch: KillLatch, telling: Coroutine[None, None, KillPath]
    ) -> KillReport | Declined:
        sealed = command.sealed
        cleared_at_ns = latch.cleared_at_ns() if sealed.is_late else None
        if cleared_at_ns is not None and sealed.at_ns < cleared_at_ns:
            telling.close()
            return Declined(
                why=f"this kill of {_clock_time(sealed.at_ns)} came late: the latch was cleared "
                f"after it, at {_clock_time(cleared_at_ns)}. Send KILL again to kill now"
            )
        if sealed.is_late and _is_done_already(latch, sealed.at_ns):
            # Told twice, as after a restart: done anew, it would void what was asked since then.
            telling.close()
            held = KillPath(is_done=True, text="stopped, it makes no plan")
            latch_file = KillPath(is_done=True, text="was set before, it holds over restarts")
            return KillReport(
                engine=held,
                latch_file=latch_file,
                ledger=await self._store(command),
                of=command.engine,
            )
        # The engine's task comes first: its message is under way before the disk is touched.
        engine, latch_file, ledger = await asyncio.gather(
            telling, _set_latch(latch, command), self._store(command)
        )
        return KillReport(engine=engine, latch_file=latch_file, ledger=ledger, of=command.engine)

    async def _tell_all(self, command: Kill) -> KillPath:
        """Tell every engine: the own one at once, the others once the disk says which there are."""
        own, others = await asyncio.gather(
            _tell(self._doors.own, command), self._tell_others(command)
        )
        if not others:
            return own
        paths = {self._doors.engine_id: own, **others}
        return KillPath(
            is_done=all(path.is_done for path in paths.values()),
            text="; ".join(f"{name}: {path.text}" for name, path in sorted(paths.items())),
        )

    async def _tell_others(self, command: Kill) -> dict[str, KillPath]:
        others = await self._doors.others()
        told = await asyncio.gather(*(_tell(door, command) for door in others.values()))
        return dict(zip(others, told, strict=True))

    async def _store(self, command: Kill) -> KillPath:
        try:
            await self._ledger.call(Append(records=[command.record()]), timeout_s=PATH_S)
        except SyndicateError as error:
            return KillPath(is_done=False, text=f"not stored yet: {error}")
        return KillPath(is_done=True, text="stored, it holds over restarts")


def _is_done_already(latch: KillLatch, at_ns: int) -> bool:
    """Say whether the file, which an engine reads for every plan, was set by it or after it."""
    if latch.cleared_at_ns() is not None:
        return False  # this process may hold by its memory; an engine knows only the file
    changed_at_ns = latch.changed_at_ns()
    # One ahead of now is by a clock that was set back: it says nothing about the order.
    return changed_at_ns is not None and at_ns - DATE_NS <= changed_at_ns <= time.time_ns()


async def _tell(door: EngineDoor, command: Kill) -> KillPath:
    try:
        reply = await door.caller.call(command, timeout_s=PATH_S)
    except SyndicateError as error:
        process_id = None if door.signal is None else door.signal(not command.engine)
        if process_id is None:
            return KillPath(is_done=False, text=str(error))
        signalled = f"process {process_id} was signalled to hold every plan"
        return KillPath(is_done=False, text=f"{error}; {signalled}")
    if isinstance(reply, Acknowledged) and reply.is_killed:
        return KillPath(is_done=True, text="stopped, it makes no plan")
    return KillPath(is_done=False, text=f"it answered {type(reply).__name__}")


async def _set_latch(latch: KillLatch, command: Kill) -> KillPath:
    try:
        async with asyncio.timeout(PATH_S):
            await asyncio.to_thread(latch.kill, by=command.sealed.by, why=command.why)
    except TimeoutError:
        return KillPath(is_done=False, text="not set, the disk does not answer")
    except FatalError as error:
        return KillPath(is_done=False, text=f"not set: {error}")
    return KillPath(is_done=True, text="set, it holds over restarts")


def _clock_time(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // 1_000_000_000, UTC):%H:%M:%S} UTC"
