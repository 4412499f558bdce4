"""QuickNode Streams: HMAC-SHA256 of nonce, time and body, whole blocks in their order.

The datasets `logs` and `block_with_receipts` are read. A body may be compressed by gzip: what is
signed is the text within. With its metadata a body says for which blocks it is whole.
"""

import hashlib
import hmac
import re
import zlib
from collections.abc import Iterator
from typing import Final

import msgspec

from bot.web.hooks.provider import (
    BODY_BYTES_MAX,
    Delivery,
    Sent,
    TooLargeError,
    UnreadableError,
    plain_text,
)
from bot.web.hooks.texts import NodeLog, bounded, decode, in_order, number

SIGNATURE: Final = "X-QN-Signature"
NONCE: Final = "X-QN-Nonce"
TIMESTAMP: Final = "X-QN-Timestamp"
_GZIP_WBITS: Final = 31
_INSTANT: Final = re.compile(r"[0-9]{10}\Z", re.ASCII)

CHAIN_IDS: Final = {
    "ethereum-mainnet": 1,
    "optimism-mainnet": 10,
    "bnbchain-mainnet": 56,
    "matic-mainnet": 137,
    "polygon-mainnet": 137,
    "base-mainnet": 8_453,
    "arbitrum-mainnet": 42_161,
}


class _Metadata(msgspec.Struct):
    network: str | None = None
    batch_start_range: int | None = None
    batch_end_range: int | None = None


class _Receipt(msgspec.Struct):
    logs: list[NodeLog] = []


class _WithReceipts(msgspec.Struct):
    receipts: list[_Receipt]


_Item = list[NodeLog] | _WithReceipts | None
"""What a body has of each block: its events, its receipts, or nothing."""


class _Body(msgspec.Struct):
    data: list[_Item] = []
    metadata: _Metadata | None = None


_BARE = list[_Item]


class QuickNode:
    """Obeys `provider.Provider`."""

    name: Final = "quicknode"
    names_chain: Final = False

    def text(self, sent: Sent) -> bytes:
        """See `Provider.text`."""
        if sent.headers.get("Content-Encoding", "").strip().lower() != "gzip":
            return plain_text(sent)
        opened = zlib.decompressobj(_GZIP_WBITS)
        try:
            text = opened.decompress(sent.raw, BODY_BYTES_MAX + 1)
        except zlib.error as error:
            raise UnreadableError(f"the body is damaged gzip: {error}") from error
        if len(text) > BODY_BYTES_MAX:
            raise TooLargeError
        if not opened.eof or opened.unused_data:
            raise UnreadableError("the body is gzip with an end missing, or something behind it")
        return text

    def is_signed(self, sent: Sent, text: bytes, secret: bytes) -> bool:
        """See `Provider.is_signed`."""
        headers = sent.headers
        said = headers.get(SIGNATURE, "").encode("utf-8", "replace")
        before = f"{headers.get(NONCE, '')}{headers.get(TIMESTAMP, '')}".encode("utf-8", "replace")
        digest = hmac.new(secret, before, hashlib.sha256)
        digest.update(text)
        return hmac.compare_digest(said, digest.hexdigest().encode())

    def read(self, sent: Sent, text: bytes) -> Delivery:
        """See `Provider.read`."""
        said_at_s = _instant_s(sent.headers.get(TIMESTAMP, ""))
        is_bare = text.lstrip()[:1] == b"["
        body = _Body(data=decode(text, _BARE)) if is_bare else decode(text, _Body)
        logs = [log.told() for log in bounded(_logs(body.data))]
        metadata = body.metadata or _Metadata()
        span = _span(metadata)
        if not logs and span is None and metadata.network is None:
            return Delivery(chain_id=None, logs=(), said_at_s=None)
        return Delivery(
            chain_id=None if metadata.network is None else _chain_id(metadata.network),
            logs=in_order(logs),
            said_at_s=said_at_s,
            span=span,
        )


def _instant_s(text: str) -> int:
    """Return when a body was signed.

    What is signed is nonce, time and body in a row, without anything between them: a time of
    another number of digits may be one to which somebody moved some of the nonce.
    """
    if _INSTANT.match(text) is None:
        raise UnreadableError(f"the time of a body is {text[:20]!r}, not ten digits")
    return int(text)


def _chain_id(network: str) -> int:
    try:
        return CHAIN_IDS[network]
    except KeyError:
        raise UnreadableError(f"the network {network[:40]} is none of those followed") from None


def _logs(items: list[_Item]) -> Iterator[NodeLog]:
    for item in items:
        if isinstance(item, _WithReceipts):
            for receipt in item.receipts:
                yield from receipt.logs
        elif item is not None:
            yield from item


def _span(metadata: _Metadata) -> tuple[int, int] | None:
    first, last = metadata.batch_start_range, metadata.batch_end_range
    if first is None or last is None:
        return None
    first = number(first, "the first block of a body")
    last = number(last, "the last block of a body")
    if last < first:
        raise UnreadableError(f"a body of blocks {first} to {last}")
    return first, last
