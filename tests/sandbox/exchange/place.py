"""An exchange with a book that stands still until somebody changes it, behind any venue's door."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.gateways.calls import Call, SignedCall
from engine.gateways.gateway import Gateway
from engine.gateways.gateway_list import gateway_of
from engine.gateways.stream import StreamAnswer, StreamOpening, is_of_socket
from engine.sandbox.exchange.doors.door import Answered, Asked, Door, DoorKey
from engine.sandbox.exchange.doors.door_list import DOORS
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.model import Market
from engine.sandbox.exchange.streams.session import Knock, UserSession
from engine.sandbox.exchange.streams.stream_list import open_stream
from engine.signing.venue_auth.auth import Authentication, VenueKey
from engine.signing.venue_auth.auth_list import authentication_of

BEGIN_MS: Final = 1_790_000_000_000

WIRE_NAMES: Final = {
    "binance": "BTCUSD",
    "coinbase": "BTC-USD",
    "gemini": "btcusd",
    "bitstamp": "btcusd",
    "kraken": "XBTUSD",
}


@dataclass(slots=True)
class StillBooks:
    """One instrument's book, by side best first."""

    wire_name: str
    asks: list[tuple[Decimal, Decimal]] = field(default_factory=list)
    bids: list[tuple[Decimal, Decimal]] = field(default_factory=list)
    is_open: bool = True
    tick: Decimal = Decimal("0.01")

    def market(self, wire_name: str) -> Market | None:
        """See `Books.market`."""
        if wire_name != self.wire_name:
            return None
        return Market(
            wire_name=wire_name,
            base="BTC",
            quote="USD",
            tick=self.tick,
            lot=Decimal("0.001"),
            size_min=Decimal("0.001"),
            is_open=self.is_open,
        )

    def levels(self, wire_name: str, *, asks: bool) -> Iterable[tuple[Decimal, Decimal]]:
        """See `Books.levels`."""
        assert wire_name == self.wire_name
        return self.asks if asks else self.bids


@dataclass(slots=True, kw_only=True)
class Place:
    """A venue of the sandbox, and all that speaks to it."""

    venue: str
    gateway: Gateway
    auth: Authentication
    door: Door
    books: StillBooks
    nonce: int = 0

    @property
    def exchange(self) -> Exchange:
        """Whose account it is."""
        return self.door.exchange

    def sign(self, call: Call, at_ms: int) -> Asked:
        """Sign a call, and return it as it comes to the venue."""
        self.nonce += 1
        return asked_of(self.auth.sign(call, now_ms=at_ms, nonce=self.nonce))

    def opening(self, at_ms: int) -> StreamOpening:
        """Return what opens the user stream, as the gateway makes it."""
        names = [self.books.wire_name]
        signed = []
        for call in self.gateway.stream(names):
            self.nonce += 1
            signed.append(self.auth.sign(call, now_ms=at_ms, nonce=self.nonce))
        asked = [asked_of(one) for one in signed if not is_of_socket(one)]
        told = [self.door.answer(one, at_ms) for one in asked]
        answers = [StreamAnswer(status=one.status, body=one.body) for one in told]
        opening = self.gateway.opening(names, signed, answers)
        assert isinstance(opening, StreamOpening), opening
        return opening

    def open(
        self, opening: StreamOpening, now_ms: Callable[[], int]
    ) -> tuple[UserSession[Any] | None, list[bytes]]:
        """Open the user stream by it; return it, if it is opened, and what it says at first."""
        headers = {name.lower(): value for name, value in opening.headers.items()}
        knock = Knock(path=opening.path, headers=headers)
        session = open_stream(self.venue, self.door, knock, now_ms)
        if session is None:
            return None, []
        return session, [
            frame
            for message in opening.messages
            for frame in session.received(message.decode()).frames
        ]

    def listen(self, now_ms: Callable[[], int]) -> tuple[UserSession[Any], list[bytes]]:
        """Open the user stream now; return it, and what it says at first."""
        session, frames = self.open(self.opening(now_ms()), now_ms)
        assert session is not None
        return session, frames

    def ask(self, call: Call, at_ms: int) -> Answered:
        """Ask and be answered at once."""
        return self.door.answer(self.sign(call, at_ms), at_ms)


def asked_of(signed: SignedCall) -> Asked:
    """Return a request as the venue's side has it."""
    path, _, query = signed.target.partition("?")
    return Asked(
        method=signed.method,
        path=path,
        query=query,
        headers={name.lower(): value for name, value in signed.headers.items()},
        body=signed.body,
    )


def keys_of(venue: str) -> tuple[str, str]:
    """Return a new secret, and what the venue knows it by."""
    if venue == "coinbase":
        private = Ed25519PrivateKey.from_private_bytes(b"a seed of no account anywhere, x")
        public = private.public_key().public_bytes_raw()
        seed = private.private_bytes_raw()
        return base64.b64encode(seed).decode(), base64.b64encode(public).decode()
    secret = base64.b64encode(f"a secret of {venue}".encode()).decode()
    return secret, secret


KEYS: Final = {venue: keys_of(venue) for venue in DOORS}


def place_of(
    venue: str, *, usd: str = "1000000", btc: str = "100", may_withdraw: bool = False
) -> Place:
    """Make one with an account and a book around 100."""
    make_door, terms = DOORS[venue]
    secret, known = KEYS[venue]
    books = StillBooks(
        WIRE_NAMES[venue],
        asks=[(Decimal(f"{100 + n}.01"), Decimal("0.5")) for n in range(4)],
        bids=[(Decimal(f"{99 - n}.99"), Decimal("0.5")) for n in range(4)],
    )
    exchange = Exchange(terms, books, {"USD": Decimal(usd), "BTC": Decimal(btc)})
    return Place(
        venue=venue,
        gateway=gateway_of(venue),
        auth=authentication_of(venue, VenueKey(name="a-key", secret=secret)),
        door=make_door(exchange, DoorKey(name="a-key", secret=known, may_withdraw=may_withdraw)),
        books=books,
    )
