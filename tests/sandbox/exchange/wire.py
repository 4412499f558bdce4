"""Whoever trades at the sandbox over its port, as gateways do: requests and the user stream."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from engine.domain.opportunities import Side
from engine.domain.venue_orders import OrderRequest, wire_id_of
from engine.gateways.answers import LookUpAnswer, PlaceAnswer
from engine.gateways.calls import Call, SignedCall
from engine.gateways.gateway_list import gateway_of
from engine.gateways.stream import StreamAnswer, StreamOpening, is_of_socket
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.faults import AccountFault, ScriptedAccountFault
from engine.sandbox.exchange.keys import key_of
from engine.sandbox.server import Sandbox
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.auth_list import authentication_of
from tests.patience import PATIENCE_S
from tests.sandbox.exchange.listener import Listener
from tests.sandbox.rig import EPOCH_NS

BEGIN_MS = EPOCH_NS // 1_000_000


class Trader:
    """Speaks to one venue of a sandbox as its gateway does."""

    def __init__(self, sandbox: Sandbox, venue: str, *, secret: str | None = None) -> None:
        key = key_of(venue)
        self.venue = venue
        self.sandbox = sandbox
        self.gateway = gateway_of(venue)
        self._auth = authentication_of(venue, VenueKey(name=key.name, secret=secret or key.secret))

    @property
    def exchange(self) -> Exchange:
        """The account as it truly is."""
        return self.sandbox.accounts.doors[self.venue].exchange

    @property
    def now_ms(self) -> int:
        """The venue's true time."""
        return BEGIN_MS + self.sandbox.stage.now_ns // 1_000_000

    def arm(self, fault: AccountFault, **change: Any) -> None:
        """Let the exchange commit a fault."""
        self.sandbox.inject(ScriptedAccountFault(venue=self.venue, fault=fault, **change))

    def sign(self, call: Call) -> SignedCall:
        """Sign a call, with a number above all before."""
        self.sandbox.stage.counts["tests' nonces"] += 1
        nonce = self.sandbox.stage.counts["tests' nonces"]
        return self._auth.sign(call, now_ms=self.now_ms, nonce=nonce)

    async def ask(self, call: Call) -> tuple[int, bytes]:
        """Send a call, and return what is answered.

        Raises:
            aiohttp.ClientError: the connection broke.
        """
        return await self.send(self.sign(call))

    async def send(self, signed: SignedCall) -> tuple[int, bytes]:
        """Send what was signed, and return what is answered."""
        headers = {k: v for k, v in signed.headers.items() if k.lower() != "content-length"}
        url = URL(self.sandbox.rest_url(self.venue) + signed.target, encoded=True)
        async with (
            aiohttp.ClientSession() as http,
            http.request(signed.method, url, headers=headers, data=signed.body) as answer,
        ):
            return answer.status, await answer.read()

    def order(self, number: int = 1, **change: Any) -> OrderRequest:
        """Return a buy of the least size at the best price that the feed tells."""
        listing = self.sandbox.stage.markets[self.venue].listings()[0]
        price = min(self.sandbox.truth(self.venue, listing.wire_name)["asks"])
        rules = listing.rules
        least = max(rules.size_min_base, rules.notional_min_quote / price)
        # In the case in which the venue's list of instruments, and so our table of them, has it.
        name = listing.wire_name.lower() if self.venue == "gemini" else listing.wire_name
        asked = OrderRequest(
            wire_id=wire_id_of(f"{self.venue}-{number}", engine_id="main"),
            venue=self.gateway.venue,
            wire_name=name,
            side=Side.BUY,
            size_base=(least // rules.lot_base + 1) * rules.lot_base,
            price_limit=price,
            sent_before_ms=self.now_ms + 10_000,
        )
        return msgspec.structs.replace(asked, **change)

    async def place(self, request: OrderRequest) -> PlaceAnswer:
        """Place an order, and read the answer."""
        return self.gateway.placed(request, *await self.ask(self.gateway.place(request)))

    async def looked_up(self, request: OrderRequest) -> list[LookUpAnswer]:
        """Look an order up by all calls that there are."""
        return [
            self.gateway.looked_up(request, call, *await self.ask(call))
            for call in self.gateway.look_ups(request, "", BEGIN_MS)
        ]

    async def opening(self, *wire_names: str) -> StreamOpening:
        """Return what opens the user stream now."""
        names = wire_names or (self.order().wire_name,)
        signed = [self.sign(call) for call in self.gateway.stream(names)]
        answers = []
        for one in signed:
            if not is_of_socket(one):
                status, body = await self.send(one)
                answers.append(StreamAnswer(status=status, body=body))
        opening = self.gateway.opening(names, signed, answers)
        assert isinstance(opening, StreamOpening), opening
        return opening

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Ear"]:
        """Open the user stream as the gateway does, and listen until the block ends."""
        opening = await self.opening()
        url = self.sandbox.user_stream_url(self.venue) + opening.path
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(url, headers=opening.headers) as socket,
        ):
            ear = Ear(socket, Listener(self.gateway))
            # A task group would wrap the test's own assertions in an exception group.
            reading = asyncio.create_task(ear.read())
            try:
                for message in opening.messages:
                    await socket.send_str(message.decode())
                await ear.until(lambda: ear.told.readies >= opening.readies)
                yield ear
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


@dataclass
class Ear:
    """A user stream that is listened to, and all that was told on it."""

    socket: aiohttp.ClientWebSocketResponse
    told: Listener
    frames: int = 0
    is_closed: bool = False
    error: Exception | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self) -> None:
        """Listen until the stream ends."""
        async for message in self.socket:
            self.frames += 1
            try:
                self.told.hear(message.data.encode())
            except Exception as error:  # noqa: BLE001 - shown by the test that expects none
                self.error = error
            async with self.changed:
                self.changed.notify_all()
        self.is_closed = True
        async with self.changed:
            self.changed.notify_all()

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait until a condition holds after some frame, or the end."""

        def holds() -> bool:
            if self.error is not None:
                raise self.error
            return is_true()

        try:
            async with asyncio.timeout(PATIENCE_S), self.changed:
                await self.changed.wait_for(holds)
        except TimeoutError as error:
            raise AssertionError(f"not so within {PATIENCE_S} s: {self.told}") from error

    async def until_told(self, exchange: Exchange) -> None:
        """Wait until what was told is what the account is."""
        await self.until(lambda: not self.told.differences(exchange))


def total(exchange: Exchange, asset: str) -> Decimal:
    """Return what an account has of an asset."""
    return exchange.balances[asset].free + exchange.balances[asset].held
