"""Moralis Streams: Keccak-256 of body and secret; each block twice, in any order.

Transfers repeat what events say, and are not read. A test body has empty texts.
"""

import hmac
from typing import Final

import msgspec
from eth_hash.auto import keccak

from bot.web.hooks.provider import Delivery, Sent, ToldLog, plain_text
from bot.web.hooks.texts import (
    LOG_INDEX_MAX,
    address,
    bounded,
    decode,
    hashed,
    in_order,
    instant_s,
    number,
    some_bytes,
    topics,
)
from engine.bus.hooked import Level

HEADER: Final = "x-signature"


class _Block(msgspec.Struct):
    number: str
    hash: str
    timestamp: str


class _Log(msgspec.Struct, rename="camel"):
    log_index: str
    transaction_hash: str
    address: str
    data: str
    topic0: str | None = None
    topic1: str | None = None
    topic2: str | None = None
    topic3: str | None = None


class _Body(msgspec.Struct, rename="camel"):
    confirmed: bool
    chain_id: str
    block: _Block
    logs: list[_Log] = []


class Moralis:
    """Obeys `provider.Provider`."""

    name: Final = "moralis"
    names_chain: Final = True

    def text(self, sent: Sent) -> bytes:
        """See `Provider.text`."""
        return plain_text(sent)

    def is_signed(self, sent: Sent, text: bytes, secret: bytes) -> bool:
        """See `Provider.is_signed`."""
        said = sent.headers.get(HEADER, "").encode("utf-8", "replace")
        return hmac.compare_digest(said, f"0x{keccak(text + secret).hex()}".encode())

    def read(self, sent: Sent, text: bytes) -> Delivery:
        """See `Provider.read`."""
        del sent
        body = decode(text, _Body)
        block = body.block
        if not (body.chain_id or block.number or block.hash or body.logs):
            return Delivery(chain_id=None, logs=(), said_at_s=None)
        level = Level.CONFIRMED if body.confirmed else Level.SEEN
        block_number = number(block.number, "a block's number")
        return Delivery(
            chain_id=number(body.chain_id, "a chain's number"),
            logs=in_order(_logs(body, block_number, level)),
            said_at_s=instant_s(block.timestamp, "a block's time"),
        )


def _logs(body: _Body, block_number: int, level: Level) -> list[ToldLog]:
    if not body.logs:
        return []  # what the block is called matters to events alone
    block_hash = hashed(body.block.hash, "a block's hash")
    return [
        ToldLog(
            block_number=block_number,
            block_hash=block_hash,
            tx_hash=hashed(log.transaction_hash, "an event's transaction"),
            log_index=number(log.log_index, "an event's place", most=LOG_INDEX_MAX),
            address=address(log.address, "an event's contract"),
            topics=topics((log.topic0, log.topic1, log.topic2, log.topic3)),
            data=some_bytes(log.data, "an event's data"),
            level=level,
        )
        for log in bounded(body.logs)
    ]
