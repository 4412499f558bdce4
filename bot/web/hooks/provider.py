"""What a provider of webhooks is: how it signs, and what its bodies say. One file for each.

A provider is pure: it is given headers and the bytes of a body, and knows no clock and no network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from engine.bus.hooked import Level

BODY_BYTES_MAX: Final = 10_485_760
"""Moralis sends up to 10 MB; no other one says more."""

EVENTS_MAX: Final = 20_000
"""Of one body."""


class UnreadableError(Exception):
    """A signed body is not what its provider sends; the text says what was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it came.

    Attributes:
        headers: their names in any case of letters.
        raw: the body, not yet decompressed.
    """

    headers: Mapping[str, str]
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldLog:
    """An event of a contract as a body tells it, checked as far as its form goes.

    Attributes:
        block_hash, tx_hash, address: 0x and digits, in lower case.
    """

    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int
    address: str
    topics: tuple[bytes, ...]
    data: bytes
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a body says.

    Attributes:
        chain_id: that the body names; None if it names none.
        logs: in the order of their places in their blocks.
        said_at_s: when it was made, by what is signed of it; None for a test.
        span: first and last block that it is whole for, where its provider says that.
    """

    chain_id: int | None
    logs: tuple[ToldLog, ...]
    said_at_s: int | None
    span: tuple[int, int] | None = None

    @property
    def is_test(self) -> bool:
        """Whether it tries the endpoint and tells nothing."""
        return self.said_at_s is None


class Provider(Protocol):
    """Reads what one provider sends."""

    @property
    def name(self) -> str:
        """What settings and records call it."""
        ...

    @property
    def names_chain(self) -> bool:
        """Whether each body names its chain; else the endpoint has to."""
        ...

    def text(self, sent: Sent) -> bytes:
        """Return the body as it is signed and read: what was compressed for the way is not.

        Raises:
            UnreadableError: it is compressed as this provider compresses nothing, or damaged.
            TooLargeError: it is larger than any body may be.
        """
        ...

    def is_signed(self, sent: Sent, text: bytes, secret: bytes) -> bool:
        """Say whether a secret has signed it; takes the same time whatever the signature is."""
        ...

    def read(self, sent: Sent, text: bytes) -> Delivery:
        """Read a body whose signature is right.

        Raises:
            UnreadableError: it is not what the provider sends.
        """
        ...


class TooLargeError(Exception):
    """A body is larger than any may be."""


def plain_text(sent: Sent) -> bytes:
    """Return the body of a provider that compresses nothing.

    Raises:
        UnreadableError: it is compressed.
    """
    encoding = sent.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise UnreadableError(f"the body is compressed by {encoding[:20]}")
    return sent.raw
