"""A trader at one venue of the sandbox, on its port, all in one process.

The signer is the venue's own authentication with the sandbox's published key.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import OrderFate, VenueMatter
from engine.gateways.asks import calls_of
from engine.gateways.gateway_list import gateway_of
from engine.gateways.venue_signing import PlanIntent, PlanSigned, VenueIntent, VenueSigned
from engine.sandbox.announce import announce
from engine.sandbox.exchange.faults import AccountFault, ScriptedAccountFault
from engine.sandbox.exchange.keys import key_of
from engine.sandbox.server import Sandbox, open_sandbox
from engine.sandbox.settings import SandboxSettings
from engine.settings.schema import ExchangesSettings, MarketsSettings, Settings
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.auth_list import authentication_of
from engine.trading.ahead import Signing
from engine.trading.answers import AtVenue, TraderAnswers
from engine.trading.book import OrderBook
from engine.trading.connections import Connections
from engine.trading.stream import VenueStream
from engine.trading.wire import open_client
from engine.wiring.paths import prepare
from engine.wiring.trader_venues import Around, made, venue_urls
from tests.patience import PATIENCE_S
from tests.trading.processes import Roles, orders_of

VENUES = ("binance", "coinbase", "gemini", "bitstamp")
PAIRS = dict.fromkeys(VENUES, "BTC-USD") | {"binance": "BTC-USDT"}


@dataclass
class Here:
    """A trader at one venue, and the sandbox."""

    sandbox: Sandbox
    at: AtVenue
    stream: VenueStream
    answers: TraderAnswers
    book: OrderBook
    roles: Roles
    matters: list[tuple[VenueMatter, str]]

    async def until(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < until, (self.at.why_not, self.at.work.desk.followed)
            await asyncio.sleep(0.005)

    def order(self, number: int = 1) -> HandedOrder:
        (one,) = orders_of(self.roles.plan(number, PAIRS[self.at.standing.venue], "0.01"))
        return one

    def fate(self, one: HandedOrder) -> OrderFate | None:
        told = self.book.told_of(one.client_order_id)
        return None if told is None else told.news.fate

    def arm(self, fault: AccountFault, **change: object) -> None:
        venue = self.at.standing.venue
        self.sandbox.inject(ScriptedAccountFault(venue=venue, fault=fault, **change))  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def trading(folder: Path, venue: str) -> AsyncIterator[Here]:
    """Trade at one venue of a sandbox of this process."""
    paths = prepare(str(folder / "var"))
    settings = Settings(
        markets=MarketsSettings(source="sandbox"),
        exchanges=ExchangesSettings(trades="sandbox", venues=[venue]),
    )
    gateway, key = gateway_of(venue), key_of(venue)
    auth = authentication_of(venue, VenueKey(name=key.name, secret=key.secret))
    nonce = time.time_ns() // 1_000_000

    async def sign(intent: VenueIntent) -> VenueSigned:
        nonlocal nonce
        now_ms = time.time_ns() // 1_000_000
        signed = []
        for call in calls_of(intent.ask, gateway):
            nonce = max(nonce + 1, now_ms)
            signed.append(auth.sign(call, now_ms=now_ms, nonce=nonce))
        return VenueSigned(calls=tuple(signed), signed_at_ms=now_ms)

    async def sign_together(intent: PlanIntent) -> PlanSigned:
        return PlanSigned(orders=tuple([await sign(one) for one in intent.intents()]))

    async with open_sandbox(SandboxSettings()) as sandbox, open_client() as client:
        announce(str(paths.sandbox_announce), sandbox.announcement())
        book = OrderBook(folder / "orders.sqlite3")
        venues: dict[VenueId, AtVenue] = {}
        answers = TraderAnswers(
            book, venues, basis=Basis.SANDBOX_LIVE, signing=Signing(sign=sign_together)
        )
        around = Around(settings=settings, book=book, answers=answers, clock=time.time_ns)
        matters: list[tuple[VenueMatter, str]] = []
        urls = venue_urls(settings, paths)[venue]
        connections = Connections(urls.rest)
        at, stream = made(
            gateway,
            urls,
            around,
            connections=connections,
            client=client,
            sign=sign,
            warn=lambda matter, sentence: matters.append((matter, sentence)),
        )
        venues[VenueId(venue)] = at
        roles = Roles(paths, sandbox, (venue,), folder / "log")
        running = [asyncio.create_task(one.run()) for one in (at.work, at.check, stream)]
        try:
            yield Here(sandbox, at, stream, answers, book, roles, matters)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await connections.aclose()
            book.close()
