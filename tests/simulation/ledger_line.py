"""The line to the real ledger, which may be away, or may lose a reply after the work was done."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from engine.bus.memory import MemoryCaller
from engine.bus.records import Append, IntentRecord, LatchRecord, OutcomeRecord, Record, StateRecord
from engine.bus.request import Request
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.requests.request_list import requests_of
from engine.storage.ledger import Ledger, open_ledger
from engine.storage.ledger_settings import LedgerSettings
from tests.simulation.machine import Machine
from tests.simulation.virtual_time import virtual_loop


class LedgerLine:
    """Obeys `bus.wire.Caller`; notes what the ledger stored and what it acknowledged.

    Attributes:
        stored: every record that the ledger took, in order, once each.
        intended: ids of orders whose intents the ledger took.
        losses: replies that are yet to be lost.
        away_until_s: virtual time until which nothing gets through.
    """

    def __init__(self, machine: Machine, rng: random.Random) -> None:
        self.settings = LedgerSettings(data_dir=machine.directory, basis=Basis.SANDBOX)
        self.stored: list[Record] = []
        self.intended: set[str] = set()
        self.losses = 0
        self.away_until_s = 0.0
        self._machine = machine
        self._rng = rng
        self._caller: MemoryCaller | None = None
        self._under_way: set[asyncio.Task[Any]] = set()
        self._ids: set[str] = set()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Ledger]:
        """Open the ledger until the block ends."""
        loop = virtual_loop()
        clock = self._machine.make_clock()

        def now_ns() -> int:
            clock.take_correction()
            return clock.now_ns()

        manager = open_ledger(self.settings, clock=now_ns)
        with loop.held():
            ledger = await manager.__aenter__()
        self._caller = MemoryCaller(requests_of("ledger"), ledger)
        try:
            yield ledger
        finally:
            self._caller = None
            with loop.held():
                await manager.__aexit__(None, None, None)

    async def call(self, request: Request[Any], /, *, timeout_s: float = 5.0) -> Any:
        """Call the ledger; see `Caller.call`."""
        await asyncio.sleep(self._rng.uniform(0.001, 0.03))
        left_s = self.away_until_s - virtual_loop().time()
        if left_s > 0:
            await asyncio.sleep(self._rng.choice([0.0, min(timeout_s, left_s)]))
            raise TransientError("the ledger is away")
        task = asyncio.ensure_future(self._carry_out(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        reply = await asyncio.shield(task)
        if isinstance(request, Append) and self.losses:
            self.losses -= 1
            raise TransientError("the ledger's reply was lost")
        return reply

    async def settle(self) -> None:
        """Wait for what the ledger is doing for somebody who crashed."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    @property
    def state(self) -> StateRecord | None:
        """The newest mode and pause that the ledger holds."""
        return next((one for one in reversed(self.stored) if isinstance(one, StateRecord)), None)

    @property
    def latch(self) -> LatchRecord | None:
        """The newest act on the latch that the ledger holds."""
        return next((one for one in reversed(self.stored) if isinstance(one, LatchRecord)), None)

    async def _carry_out(self, request: Request[Any]) -> Any:
        assert self._caller is not None
        with virtual_loop().held():
            reply = await self._caller.call(request, timeout_s=1e6)
        if isinstance(request, Append):
            for record in request.records:
                self._note(record)
        return reply

    def _note(self, record: Record) -> None:
        known = f"{type(record).__name__} {_id_of(record)}"
        if known not in self._ids:
            self._ids.add(known)
            self.stored.append(record)
        if isinstance(record, IntentRecord):
            self.intended.update(one.client_order_id for one in record.intent.sendables)


def _id_of(record: Record) -> str:
    for name in ("record_id", "opportunity_id"):
        if (found := getattr(record, name, None)) is not None:
            return str(found)
    if isinstance(record, OutcomeRecord):
        return str(record.outcome)
    if isinstance(record, IntentRecord):
        return record.intent.sendables[0].client_order_id
    return str(record.execution.execution_id)  # type: ignore[union-attr]
