"""Engine and ledger in a life of the trader: what is told is booked, in the real ledger's own file.

The engine has no markets: it begins with what the ledger has, asks after the orders of its plans,
and books what it is told and what it sees at the venues. The ledger's work is real time, in which
virtual time stands still.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from engine.bus.memory import MemoryCaller
from engine.bus.records import Append, IntentRecord
from engine.bus.request import Reply, Request
from engine.core.inputs.kind import NO_STREAM
from engine.core.inputs.tick import TICK
from engine.domain.modes import Basis
from engine.domain.orders import Intent, Order, OrderState
from engine.domain.orders_handed import HandedOrder
from engine.operate.core_parts import Core
from engine.operate.order_handing import OrderHanding
from engine.operate.outbox import Outbox
from engine.requests.request_list import requests_of
from engine.storage.ledger import open_ledger
from engine.storage.ledger_settings import LedgerSettings
from engine.wiring.core import build_core
from engine.wiring.run_set_up import load_state
from tests.reference.run_core import make_header, make_surroundings
from tests.simulation.virtual_time import virtual_loop
from tests.storage.model import empty_ledger, put_empty_ledger
from tests.trading.work_world import World

NEVER_S: Final = 10**8
"""After which nothing is tidied: jobs of the ledger are no part of a life of minutes."""

TICK_S: Final = 0.5


def load_books() -> None:
    """Load what engine and ledger load at their first use, and make the empty database."""
    empty_ledger()
    build_core(make_header([], []), make_surroundings())


class HeldLedger:
    """Obeys `Caller`: the ledger, for which virtual time waits."""

    def __init__(self, caller: MemoryCaller) -> None:
        self._caller = caller

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """See `Caller.call`."""
        del timeout_s
        with virtual_loop().held():
            return await self._caller.call(request, timeout_s=NEVER_S)


@asynccontextmanager
async def open_held_ledger(folder: Path, world: World) -> AsyncIterator[HeldLedger]:
    """Open the ledger of a folder until the block ends."""
    put_empty_ledger(folder)
    settings = LedgerSettings(
        data_dir=folder, basis=Basis.SANDBOX, retention_s=NEVER_S, backup_s=NEVER_S
    )
    manager = open_ledger(settings, clock=world.wall_ns)
    with virtual_loop().held():
        ledger = await manager.__aenter__()
    try:
        yield HeldLedger(MemoryCaller(requests_of("ledger"), ledger))
    finally:
        with virtual_loop().held():
            await manager.__aexit__(None, None, None)


async def intend(ledger: HeldLedger, orders: Sequence[HandedOrder]) -> None:
    """Have it in the ledger what is about to be sent, as an engine does before anything is."""
    plans = {one.plan.plan_id: one.plan for one in orders}
    records = [
        IntentRecord(
            run_id="r0",
            basis=Basis.SANDBOX,
            intent=Intent.of(plan, [_order(one) for one in orders if one.plan.plan_id == name]),
        )
        for name, plan in plans.items()
    ]
    await ledger.call(Append(records=[*records]))


def _order(one: HandedOrder) -> Order:
    request = one.request
    return Order(
        client_order_id=one.client_order_id,
        plan_id=one.plan.plan_id,
        purpose=one.purpose,
        instrument=one.plan.legs[one.leg].instrument,
        side=request.side,
        size_base=request.size_base,
        price_limit=request.price_limit,
        sent_at_ns=one.at_ns,
        arrives_at_ns=0,
        state=OrderState.INTENDED,
    )


@dataclass(frozen=True, slots=True)
class Booking:
    """An engine that books."""

    core: Core
    outbox: Outbox
    world: World

    @property
    def places(self) -> int:
        """How many places of live money the books have."""
        return len(self.core.live.inventory.holdings)

    def take(self, told: object) -> None:
        """Make an input of it."""
        hot_path, at_ns = self.core.hot_path, self.world.wall_ns()
        hot_path.command(told, at_ns)
        hot_path.take(TICK.number, NO_STREAM, "", b"", at_ns)

    async def tick(self) -> None:
        """Let time pass in it."""
        while True:
            self.core.hot_path.take(TICK.number, NO_STREAM, "", b"", self.world.wall_ns())
            await asyncio.sleep(TICK_S)


@asynccontextmanager
async def booking(ledger: HeldLedger, world: World) -> AsyncIterator[Booking]:
    """Run an engine that begins with what the ledger has."""
    assert world.answers is not None
    at_ns = world.wall_ns()
    state = await load_state(ledger, at_ns=at_ns, engine_id="main")
    header = msgspec.structs.replace(
        make_header([], []),
        run_id=state.run_id,
        started_at_ns=at_ns,
        open_plans=state.open_plans,
        live=state.live,
    )
    outbox = Outbox(ledger, generation=state.generation)
    trader = MemoryCaller(requests_of("trader"), world.answers)
    handing = OrderHanding(trader, ledger, engine="main", now_ns=world.wall_ns)
    core = build_core(header, replace(make_surroundings(), put=outbox.put, trader=handing))
    engine = Booking(core, outbox, world)
    handing.take_told = handing.see = engine.take
    handing.is_known = core.hot_path.knows_transaction
    tasks = [asyncio.create_task(one) for one in (outbox.run(), handing.run(), engine.tick())]
    try:
        yield engine
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with virtual_loop().held():
            await outbox.drain(timeout_s=NEVER_S)
