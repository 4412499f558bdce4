"""Transfers by their ids and digests: what chat, trader and signer name alike."""

import hashlib
from enum import StrEnum
from typing import Final

import msgspec

from engine.domain.transfer_life import Part, TransferOrder
from engine.domain.venue_orders import wire_id_of

UNNAMED: Final = "unnamed"
"""The id of terms that nobody has said yes to yet."""

_ID_BYTES: Final = 5


class TransferMatter(StrEnum):
    """What a person is told of a transfer."""

    STARTED = "started"
    TEST_ARRIVED = "test_arrived"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """What became of a send is not known; it is looked up until that is proven."""
    OVERDUE = "overdue"
    """It is under way for long."""
    ALARM = "alarm"
    """Something is otherwise than it can be."""


class TransferNews(msgspec.Struct, frozen=True, kw_only=True):
    """What was told of a transfer; it is kept with it, so that it is told the same again.

    Attributes:
        what: in a sentence.
        at_ns: wall clock.
    """

    matter: TransferMatter
    what: str
    at_ns: int


def transfer_id_of(command_id: str) -> str:
    """Return the id of the transfer that a command begins."""
    return f"t{hashlib.blake2b(command_id.encode(), digest_size=_ID_BYTES).hexdigest()}"


def withdrawal_id_of(transfer_id: str, part: Part, *, engine_id: str) -> str:
    """Return the id that a venue is given for one of the two sends of a transfer."""
    return wire_id_of(f"{transfer_id}-{part}", engine_id=engine_id)


def digest_of_terms(order: TransferOrder) -> str:
    """Return by what the terms of a transfer are known again, whatever its id."""
    what = msgspec.to_builtins(order) | {"transfer_id": UNNAMED}
    content = msgspec.msgpack.encode(what, order="deterministic")
    return hashlib.sha256(content).hexdigest()
