"""The facade over the bus: each request goes to the role that answers it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

from engine.bus.notices import StampedNotice
from engine.bus.reports import Declined, KillReport
from engine.bus.request import Caller, Reply, Request
from engine.domain.errors import TransientError
from engine.facade.killing import Killer, SignalEngine
from engine.facade.notice_log import NoticeLog
from engine.operate.kill_latch import KillLatch
from engine.requests.safety import Kill

log = logging.getLogger(__name__)

NOTICE_WAIT_S: Final = 20.0
RETRY_S: Final = 0.5


class BusFacade:
    """Obeys `facade.engine.Facade` and `bus.request.Roles`."""

    def __init__(
        self,
        engine: Caller,
        ledger: Caller,
        latch: KillLatch,
        *,
        signal_engine: SignalEngine | None = None,
    ) -> None:
        self.engine = engine
        self.ledger = ledger
        self._killer = Killer(engine, ledger, latch, signal_engine)

    async def ask(self, request: Request[Reply], /) -> Reply:
        """Have a request answered; see `Facade.ask`."""
        return await request.ask(self)

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
