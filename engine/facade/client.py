"""The facade over the bus: routes each command to the role that answers it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from engine.bus.commands import (
    Command,
    DoneInbox,
    DoneNotices,
    EngineCommand,
    GetExport,
    GetNotices,
    GetPnl,
    GetThreads,
    GetTrades,
    GetWhy,
    Kill,
    PutInbox,
    TakeInbox,
)
from engine.bus.notices import StampedNotice
from engine.bus.reports import NoticesReport, Report, Unknown, WhyReport
from engine.bus.wire import Caller, LedgerReply, LedgerRequest
from engine.domain.errors import TransientError
from engine.facade.killing import Killer, SignalEngine
from engine.operate.kill_latch import KillLatch

log = logging.getLogger(__name__)

NOTICE_WAIT_MS: Final = 20_000
RETRY_S: Final = 0.5

_LEDGER_COMMANDS = (
    GetTrades
    | GetPnl
    | GetExport
    | PutInbox
    | TakeInbox
    | DoneInbox
    | GetNotices
    | DoneNotices
    | GetThreads
)


class BusFacade:
    """Obeys `facade.engine.Facade`."""

    def __init__(
        self,
        engine: Caller[EngineCommand, Report],
        ledger: Caller[LedgerRequest, LedgerReply],
        latch: KillLatch,
        *,
        signal_engine: SignalEngine | None = None,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._killer = Killer(engine, ledger, latch, signal_engine)

    async def ask(self, command: Command) -> Report:
        """Carry out a command; see `Facade.ask`."""
        if isinstance(command, Kill):
            return await self._killer.kill(command)
        if isinstance(command, GetWhy):
            return await self._why(command)
        if isinstance(command, _LEDGER_COMMANDS):
            return await self._ask_ledger(command)
        return await self._engine.call(command)

    async def notices(self, *, reader: str) -> AsyncIterator[StampedNotice]:
        """Stream notices; see `Facade.notices`."""
        after_seq: int | None = None
        while True:
            command = GetNotices(reader=reader, after_seq=after_seq, wait_ms=NOTICE_WAIT_MS)
            try:
                report = await self._ledger.call(command, timeout_s=NOTICE_WAIT_MS / 1_000 + 5)
            except TransientError as error:
                log.info("notices wait for the ledger: %s", error)
                await asyncio.sleep(RETRY_S)
                continue
            if not isinstance(report, NoticesReport):
                raise TypeError(f"the ledger answered {type(report).__name__} to GetNotices")
            for stamped in report.notices:
                yield stamped
                after_seq = stamped.seq
            if after_seq is None:
                after_seq = report.delivered_seq

    async def _why(self, command: GetWhy) -> Report:
        """Ask the engine for what is fresh and the ledger for what is stored or traded."""
        missing: TransientError | None = None
        fresh: Report = Unknown(what=command.ref)
        stored: Report = Unknown(what=command.ref)
        try:
            fresh = await self._engine.call(command)
        except TransientError as error:
            missing = error
        try:
            stored = await self._ask_ledger(command)
        except TransientError as error:
            missing = error
        if missing is not None and isinstance(fresh, Unknown) and isinstance(stored, Unknown):
            raise missing  # the one that is away may know it
        if isinstance(stored, WhyReport) and isinstance(fresh, WhyReport):
            # The ledger knows what came of it, the engine what it is worth and gives now.
            return msgspec.structs.replace(
                stored,
                line=fresh.line,
                values=fresh.values,
                exact_now=fresh.exact_now,
                split_now=fresh.split_now,
            )
        return fresh if isinstance(stored, Unknown) else stored

    async def _ask_ledger(self, command: LedgerRequest) -> Report:
        reply = await self._ledger.call(command, timeout_s=30.0)
        if isinstance(reply, Report):
            return reply
        raise TypeError(f"the ledger answered {type(reply).__name__} to a command")
