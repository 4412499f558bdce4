"""Alchemy Notify: HMAC-SHA256 of the body. Custom webhooks by GraphQL, and address activity.

A custom webhook answers with what its query asks for: docs/webhooks.md has the query. Events of a
block that was undone say `removed`.
"""

import hashlib
import hmac
from typing import Final

import msgspec

from bot.web.hooks.provider import Delivery, Sent, ToldLog, UnreadableError, plain_text
from bot.web.hooks.texts import (
    LOG_INDEX_MAX,
    NodeLog,
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

HEADER: Final = "X-Alchemy-Signature"

CHAIN_IDS: Final = {
    "ETH_MAINNET": 1,
    "OPT_MAINNET": 10,
    "BNB_MAINNET": 56,
    "MATIC_MAINNET": 137,
    "BASE_MAINNET": 8_453,
    "ARB_MAINNET": 42_161,
}
"""As bodies name networks; others are not followed."""


class _Account(msgspec.Struct):
    address: str


class _Transaction(msgspec.Struct):
    hash: str


class _Log(msgspec.Struct):
    data: str
    topics: list[str]
    index: str | int
    account: _Account
    transaction: _Transaction
    removed: bool | None = None


class _Block(msgspec.Struct):
    hash: str
    number: str | int
    logs: list[_Log] = []


class _Data(msgspec.Struct):
    block: _Block | None = None


class _Activity(msgspec.Struct):
    log: NodeLog | None = None


class _Event(msgspec.Struct):
    data: _Data | None = None
    activity: list[_Activity] | None = None
    network: str | None = None


class _Body(msgspec.Struct, rename="camel"):
    created_at: str
    event: _Event


class Alchemy:
    """Obeys `provider.Provider`."""

    name: Final = "alchemy"
    names_chain: Final = False

    def text(self, sent: Sent) -> bytes:
        """See `Provider.text`."""
        return plain_text(sent)

    def is_signed(self, sent: Sent, text: bytes, secret: bytes) -> bool:
        """See `Provider.is_signed`."""
        said = sent.headers.get(HEADER, "").encode("utf-8", "replace")
        return hmac.compare_digest(
            said, hmac.new(secret, text, hashlib.sha256).hexdigest().encode()
        )

    def read(self, sent: Sent, text: bytes) -> Delivery:
        """See `Provider.read`."""
        del sent
        body = decode(text, _Body)
        event = body.event
        block = None if event.data is None else event.data.block
        if block is None and not event.activity:
            return Delivery(chain_id=None, logs=(), said_at_s=None)
        logs = [] if block is None else _of_block(block)
        logs += [one.log.told() for one in bounded(event.activity or ()) if one.log is not None]
        return Delivery(
            chain_id=None if event.network is None else _chain_id(event.network),
            logs=in_order(logs),
            said_at_s=instant_s(body.created_at, "the time of a body"),
        )


def _chain_id(network: str) -> int:
    try:
        return CHAIN_IDS[network]
    except KeyError:
        raise UnreadableError(f"the network {network[:40]} is none of those followed") from None


def _of_block(block: _Block) -> list[ToldLog]:
    if not block.logs:
        return []
    block_hash = hashed(block.hash, "a block's hash")
    block_number = number(block.number, "a block's number")
    return [
        ToldLog(
            block_number=block_number,
            block_hash=block_hash,
            tx_hash=hashed(log.transaction.hash, "an event's transaction"),
            log_index=number(log.index, "an event's place", most=LOG_INDEX_MAX),
            address=address(log.account.address, "an event's contract"),
            topics=topics(log.topics),
            data=some_bytes(log.data, "an event's data"),
            level=Level.REMOVED if log.removed else Level.SEEN,
        )
        for log in bounded(block.logs)
    ]
