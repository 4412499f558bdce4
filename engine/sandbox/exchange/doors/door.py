"""What a door of a venue is: it reads a request, verifies who asks, and answers as the venue does.

It is written from the venues' documents and knows nothing of the gateways that speak to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl

from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.model import OwnOrder


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
    """

    name: str
    secret: str
    may_trade: bool = True
    may_withdraw: bool = False


class Door(Protocol):
    """A venue's private interface.

    Attributes:
        exchange: whose account it is.
    """

    exchange: Exchange

    def is_private(self, method: str, path: str) -> bool:
        """Say whether a request is for the account, and not for market data."""
        ...

    def answer(self, asked: Asked, at_ms: int) -> Answered:
        """Answer a request, by the venue's clock."""
        ...

    def told(self, order: OwnOrder, at_ms: int) -> list[bytes]:
        """Render what the user stream tells of an order that changed."""
        ...
