"""What a door of a venue is: it reads a request, verifies who asks, and answers as the venue does.

It is written from the venues' documents and knows nothing of the gateways that speak to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import parse_qsl

from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.funding import Funding

TOKEN_MS: Final = 60_000
"""For so long a token opens a user stream, at the venues that have such."""


class Asks(StrEnum):
    """What a request is about."""

    PLACE = "place"
    CHANGE = "change"
    """It changes something else than by placing an order, or could."""
    WITHDRAW = "withdraw"
    READ = "read"


class Refusal(StrEnum):
    """Why a venue answers nothing that was asked."""

    DOWN = "down"
    BANNED = "banned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came.

    Attributes:
        query: as it is written in the address, without the question mark.
        headers: by their names in lower case.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def fields(self) -> dict[str, str]:
        """What the query asks; of a name that stands twice the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """What a body of a form asks."""
        return dict(parse_qsl(self.body.decode("ascii", "replace"), keep_blank_values=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorKey:
    """The account's key as the venue knows it.

    Attributes:
        secret: of an HMAC; the public half, in PEM or base64, where it is of another kind.
        may_trade, may_withdraw: its rights.
        is_revoked: it is none any more.
        is_held_off: orders go when nothing was heard of it for a while, at a venue that has that as
            an option of keys.
    """

    name: str
    secret: str
    may_trade: bool = True
    may_withdraw: bool = False
    is_revoked: bool = False
    is_held_off: bool = False


class Door(Protocol):
    """A venue's private interface.

    Attributes:
        exchange: whose account it is.
        funding: what goes out of it, and comes in.
        key: the account's, as it is now.
        withdraw_key: the one that withdraws, if the account has such.
        tokens: by which user streams may be opened, with the time at which each was given.
    """

    exchange: Exchange
    funding: Funding
    key: DoorKey
    withdraw_key: DoorKey | None
    tokens: dict[str, int]

    def is_private(self, method: str, path: str) -> bool:
        """Say whether a request is for the account, and not for market data."""
        ...

    def asks(self, asked: Asked) -> Asks:
        """Say what a request is about."""
        ...

    def answer(self, asked: Asked, at_ms: int) -> Answered:
        """Answer a request, by the venue's clock."""
        ...

    def refused(self, why: Refusal) -> Answered:
        """Answer nothing that was asked."""
        ...

    def advance(self, at_ms: int) -> None:
        """Let happen what is due by itself: what rests meets the books, switches fire."""
        ...


class BaseDoor:
    """What all doors have."""

    def __init__(self, exchange: Exchange, key: DoorKey) -> None:
        self.exchange = exchange
        self.funding = Funding(exchange)
        self.key = key
        self.withdraw_key: DoorKey | None = None
        self.tokens: dict[str, int] = {}

    def is_known(self, name: str | None) -> bool:
        """Say whether a key's name is that of the account's key, and it still is one."""
        return name == self.key.name and not self.key.is_revoked

    def key_named(self, name: str | None) -> DoorKey | None:
        """Return the key of the account that has a name; None for none."""
        keys = (self.key, self.withdraw_key)
        return next((one for one in keys if one and one.name == name and not one.is_revoked), None)

    def new_token(self, at_ms: int) -> str:
        """Give a token that opens a user stream."""
        token = f"token-{len(self.tokens)}-{at_ms}"
        self.tokens[token] = at_ms
        return token

    def is_fresh(self, token: str, at_ms: int) -> bool:
        """Say whether a token opens a user stream now."""
        given_ms = self.tokens.get(token)
        return given_ms is not None and at_ms - given_ms <= TOKEN_MS and not self.key.is_revoked

    def advance(self, at_ms: int) -> None:
        """See `Door.advance`."""
        self.exchange.advance(at_ms)
        self.funding.advance(at_ms)
