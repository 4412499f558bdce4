"""The facade over the bus: each request goes to the role that answers it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

from engine.bus.notices import StampedNotice
from engine.bus.reports import Declined, KillReport
from engine.bus.request import Caller, Reply, Request
from engine.bus.witness import NO_WITNESS, Witness
from engine.domain.errors import AbsentError, TransientError
from engine.facade.doors import Doors
from engine.facade.killing import Killer
from engine.facade.notice_log import NoticeLog
from engine.operate.kill_latch import KillLatch
from engine.requests.safety import Kill

log = logging.getLogger(__name__)

_HOW: Final = "the operator's guide has the steps, under *Live on the sandbox's chain*"
NOTICE_WAIT_S: Final = 20.0
RETRY_S: Final = 0.5


class BusFacade:
    """Obeys `facade.engine.Facade` and `bus.request.Roles`."""

    def __init__(
        self,
        doors: Doors,
        ledger: Caller,
        latch: KillLatch,
        *,
        chains: Caller | None = None,
        workers: Caller | None = None,
        signer: Caller | None = None,
        sender: Caller | None = None,
        trader: Caller | None = None,
        witness: Witness = NO_WITNESS,
    ) -> None:
        self.engine = doors.own.caller
        self.ledger = ledger
        self.chains = chains or _Nobody("no chains are followed here")
        self.workers = workers or _Nobody("nothing runs in the background of one process")
        self.signer = signer or _Nobody(f"nothing is signed here: no role holds a key; {_HOW}")
        self.sender = sender or _Nobody(f"no transactions are sent here; {_HOW}")
        self.trader = trader or _Nobody("no orders are placed at venues here")
        self.witness = witness
        self._doors = doors
        self._killer = Killer(doors, ledger, latch)

    async def engine_named(self, name: str, /) -> Caller | Declined:
        """Return an engine by its name; see `Roles.engine_named`."""
        door = await self._doors.named(name)
        return door if isinstance(door, Declined) else door.caller

    async def ask(self, request: Request[Reply], /) -> Reply:
        """Have a request answered; see `Facade.ask`."""
        return await request.ask(self)

    async def engines(self) -> dict[str, Caller]:
        """Return all engines; see `Roles.engines`."""
        doors = await self._doors.others()
        others = {name: door.caller for name, door in doors.items()}
        return {self._doors.engine_id: self.engine, **others}

    async def kill(self, command: Kill, /) -> KillReport | Declined:
        """Kill by every path; see `Roles.kill`."""
        return await self._killer.kill(command)

    async def notices(self, *, reader: str) -> AsyncIterator[StampedNotice]:
        """Stream notices; see `Facade.notices`."""
        notices, after_seq = NoticeLog(self.ledger), None
        while True:
            try:
                entries = await notices.read(reader, after=after_seq, wait_s=NOTICE_WAIT_S)
            except TransientError as error:
                log.info("notices wait for the ledger: %s", error)
                await asyncio.sleep(RETRY_S)
                continue
            for seq, notice in entries:
                yield StampedNotice(seq=seq, notice=notice)
                after_seq = seq


class _Nobody:
    """In the place of a role that is not there."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """Have nothing answered."""
        del request, timeout_s
        raise AbsentError(self._why)
