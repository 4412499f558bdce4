"""The real roles that place orders: signer and trader as processes, at a sandbox in the test's."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

from engine.bus.request import Reply, Request
from engine.bus.signing import HearWord
from engine.bus.trading import SeeVenues
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import BadValueError, TransientError
from engine.domain.instruments import Instrument, VenueId
from engine.domain.modes import Mode
from engine.domain.opportunities import Leg, Side
from engine.domain.orders import Purpose
from engine.domain.orders_handed import HandedOrder
from engine.domain.plans import LeggedPlan
from engine.domain.venue_orders import OrderRequest, TimeInForce, wire_id_of
from engine.operate.mode_word import ModeWord
from engine.sandbox.announce import announce
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.server import Sandbox, open_sandbox
from engine.sandbox.settings import SandboxSettings
from engine.wiring.paths import Paths, prepare, prepare_engine
from engine.wiring.word_key import WORD_KEY_ENVIRONMENT_NAME
from tests.patience import PATIENCE_S
from tests.signing.saying import WORD_KEY, went_live
from tests.storage.makers import make_plan

ROOT = Path(__file__).resolve().parents[2]
NS_PER_S = 1_000_000_000
BEYOND = Decimal("0.008")
"""By so much the limit of an order is beyond the best price, so that it is filled."""
TOLD = Decimal("0.04")
"""By so much the plan says that it walked better than its limit: it has to gain by its word."""


@dataclass
class Roles:
    """What runs.

    Attributes:
        venues: at which orders are placed.
        module: that runs a role.
        settings: more of what roles are started with.
    """

    paths: Paths
    sandbox: Sandbox
    venues: tuple[str, ...]
    log: Path
    module: str = "engine"
    settings: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    callers: dict[str, SocketCaller] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a role is started with."""
        return os.environ | {
            "SYNDICATE_DATA_DIR": str(self.paths.data_dir),
            "SYNDICATE_SIGNER_SIGNS": "off",
            "SYNDICATE_EXCHANGES_TRADES": "sandbox",
            "SYNDICATE_EXCHANGES_VENUES": ",".join(self.venues),
            "SYNDICATE_EXCHANGES_EXPOSURE_USD": ",".join(f"{one}=90000" for one in self.venues),
            "SYNDICATE_EXCHANGES_NOTIONAL_DAY_USD": "1000000",
            WORD_KEY_ENVIRONMENT_NAME: WORD_KEY.hex(),
            **self.settings,
        }

    def start(self, role: str) -> None:
        """Start a role as a process of its own."""
        with self.log.open("ab") as output:
            self.processes[role] = subprocess.Popen(
                [sys.executable, "-m", self.module, "role", role],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self, role: str) -> None:
        """End a role as nothing that could be handled ends it."""
        process = self.processes.pop(role)
        process.kill()
        process.wait()

    async def ask(self, request: Request[Reply]) -> Reply:
        """Ask a role, as soon as it answers."""
        caller = self.callers.get(request.role)
        if caller is None:
            caller = SocketCaller(self.paths.socket(request.role), role=request.role)
            self.callers[request.role] = caller
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await caller.call(request, timeout_s=PATIENCE_S)
            except TransientError:
                for name, process in self.processes.items():
                    assert process.poll() is None, f"{name} ended: {self.log.read_text()}"
                assert time.monotonic() < until, self.log.read_text()
                await asyncio.sleep(0.02)

    async def until(self, is_so: Callable[[], Any], what: str) -> Any:
        """Ask again and again until something is so; return what it then says."""
        until = time.monotonic() + PATIENCE_S
        while not (said := await is_so()):
            assert time.monotonic() < until, f"{what}: {self.log.read_text()}"
            await asyncio.sleep(0.02)
        return said

    async def until_open(self) -> None:
        """Wait until orders are taken on at each venue."""

        async def is_open() -> bool:
            seen = (await self.ask(SeeVenues())).seen
            return {one.venue for one in seen if not one.why_not} >= set(self.venues)

        await self.until(is_open, "the venues never were open for orders")

    async def go_live(self) -> None:
        """Go live by a person's word."""
        ModeWord(self.paths.engines / "main").write(Mode.LIVE)

        async def is_heard() -> bool:
            try:
                await self.ask(HearWord(word=went_live(at_ns=time.time_ns())))
            except BadValueError:
                return False
            return True

        await self.until(is_heard, "the signer never heard it")

    def exchange(self, venue: str) -> Exchange:
        """Return an account as it truly is."""
        return self.sandbox.accounts.doors[venue].exchange

    def instrument(self, venue: str, pair: str) -> Instrument:
        """Return what is traded at a venue."""
        for listing in self.sandbox.stage.markets[venue].listings():
            if str(listing.instrument.pair) == pair:
                rules = listing.rules
                return Instrument(
                    venue=VenueId(venue),
                    pair=rules.pair,
                    wire_name=listing.wire_name.lower() if venue == "gemini" else listing.wire_name,
                    price_decimals=rules.price_decimals,
                    size_decimals=rules.size_decimals,
                    tick_quote=rules.tick_quote,
                    lot_base=rules.lot_base,
                )
        raise AssertionError(f"{pair} is not traded at {venue}")

    def plan(self, number: int, pair: str, size: str) -> LeggedPlan:
        """Make a plan that buys at the first venue and sells at the second."""
        legs = []
        for venue, side in zip(self.venues, (Side.BUY, Side.SELL), strict=False):
            instrument = self.instrument(venue, pair)
            books = self.sandbox.truth(venue, instrument.wire_name)
            is_buy = side is Side.BUY
            best = min(books["asks"]) if is_buy else max(books["bids"])
            limit = best * (1 + BEYOND if is_buy else 1 - BEYOND)
            ticks = (limit / instrument.tick_quote).to_integral_value(
                ROUND_CEILING if is_buy else ROUND_FLOOR
            )
            legs.append(
                Leg(
                    instrument=instrument,
                    side=side,
                    size_base=Decimal(size),
                    price_limit=ticks * instrument.tick_quote,
                    notional_quote=Decimal(size) * limit * (1 - TOLD if is_buy else 1 + TOLD),
                    fee_quote=Decimal("0.1"),
                    frame_seq=1,
                )
            )
        whole, now_ns = make_plan(number=number), time.time_ns()
        return LeggedPlan(
            plan_id=f"{whole.plan_id}-{now_ns}",
            opportunity=whole.opportunity,
            decided_at_ns=now_ns,
            deadline_ns=now_ns + 60 * NS_PER_S,
            legs=tuple(legs),
            profit_quote=whole.profit_quote,
            transfer_quote=whole.transfer_quote,
            net_edge_bps=whole.net_edge_bps,
            notional_usd=max(leg.notional_quote for leg in legs),
            usd_per_quote=Decimal(1),
            is_live=True,
        )


def orders_of(plan: LeggedPlan) -> tuple[HandedOrder, ...]:
    """Make the orders of a plan's legs, to be placed now."""
    now_ns = time.time_ns()
    orders = []
    for number, leg in enumerate(plan.legs):
        name = f"{plan.plan_id}-{number}"
        orders.append(
            HandedOrder(
                client_order_id=name,
                engine="main",
                venue=leg.venue,
                request=OrderRequest(
                    wire_id=wire_id_of(name, engine_id="main"),
                    venue=leg.venue,
                    wire_name=leg.instrument.wire_name,
                    side=leg.side,
                    size_base=leg.size_base,
                    price_limit=leg.price_limit,
                    time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
                    sent_before_ms=now_ns // 1_000_000 + 9_000,
                ),
                plan=plan,
                leg=number,
                purpose=Purpose.LEG,
                at_ns=now_ns,
            )
        )
    return tuple(orders)


@contextlib.asynccontextmanager
async def running(
    folder: Path, *venues: str, module: str = "engine", **settings: str
) -> AsyncIterator[Roles]:
    """Run sandbox, signer and trader until the block ends."""
    paths = prepare(str(folder / "var"))
    prepare_engine(paths)
    async with open_sandbox(SandboxSettings()) as sandbox:
        announce(str(paths.sandbox_announce), sandbox.announcement())
        roles = Roles(paths, sandbox, venues, folder / "roles.log", module, settings)
        try:
            roles.start("signer")
            roles.start("trader")
            yield roles
        finally:
            for caller in roles.callers.values():
                await caller.aclose()
            for role in [*roles.processes]:
                roles.kill(role)
