"""An engine's books without its markets: core, outbox, and the way to whoever sends.

As a process of its own it can be killed at any place: `python -m tests.sending.booking_engine
LEDGER_SOCKET SENDER_SOCKET` runs until it is ended.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.bus.request import Caller
from engine.bus.unix_socket import SocketCaller
from engine.core.inputs.kind import NO_STREAM
from engine.core.inputs.tick import TICK
from engine.operate.core_parts import Core
from engine.operate.handing import Handing
from engine.operate.outbox import Outbox
from engine.wiring.core import build_core
from engine.wiring.run_set_up import load_state
from tests.reference.run_core import make_header, make_surroundings

DRAIN_S = 5.0


class BookingEngine:
    """See the module."""

    def __init__(self, core: Core, outbox: Outbox, handing: Handing) -> None:
        self.core = core
        self.outbox = outbox
        self.handing = handing

    @property
    def live(self) -> dict[tuple[str, str], Decimal]:
        """What it holds of live money, by place."""
        holdings = self.core.live.inventory.holdings
        return {one.place: one.held.value for one in holdings}

    def take(self, told: object) -> None:
        hot_path = self.core.hot_path
        hot_path.command(told, time.time_ns())
        hot_path.take(TICK.number, NO_STREAM, "", b"", time.time_ns())


@asynccontextmanager
async def running(ledger: Caller, sender: Caller) -> AsyncIterator[BookingEngine]:
    """Run an engine that begins with what the ledger has."""
    at_ns = time.time_ns()
    state = await load_state(ledger, at_ns=at_ns, engine_id="main")
    header = msgspec.structs.replace(
        make_header([], []),
        run_id=state.run_id,
        started_at_ns=at_ns,
        open_plans=state.open_plans,
        live=state.live,
    )
    outbox = Outbox(ledger, generation=state.generation)
    handing = Handing(sender, ledger, engine="main", now_ns=time.time_ns)
    core = build_core(header, replace(make_surroundings(), put=outbox.put, sender=handing))
    engine = BookingEngine(core, outbox, handing)
    handing.take_told = handing.see = engine.take
    handing.is_known = core.hot_path.knows_transaction
    tasks = [asyncio.create_task(one) for one in (outbox.run(), handing.run())]
    try:
        yield engine
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await outbox.drain(timeout_s=DRAIN_S)


async def main(ledger_socket: str, sender_socket: str) -> None:
    ledger = SocketCaller(Path(ledger_socket), role="ledger")
    sender = SocketCaller(Path(sender_socket), role="sender")
    async with running(ledger, sender):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
