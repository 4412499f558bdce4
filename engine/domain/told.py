"""What is told of a transaction that was sent: by whoever sends, to whoever has the plan."""

from enum import StrEnum

import msgspec

from engine.domain.orders import Receipt


class Fate(StrEnum):
    """What became of a plan's transaction, as far as it is told."""

    SUCCEEDED = "succeeded"
    REVERTED = "reverted"
    CANCELLED = "cancelled"
    """Nothing landed in its place, which paid for its gas."""
    NEVER = "never"
    """It never landed and cannot any more."""
    UNDONE = "undone"
    """What was told before is no longer so; what is instead will be told."""


class Matter(StrEnum):
    """What a person is told of transactions beside their ends."""

    GAS = "gas"
    """The wallet has no money for gas."""
    REORGANISED = "reorganised"
    FOREIGN = "foreign"
    """Somebody else used a nonce of ours."""
    STUCK = "stuck"
    REVERTED = "reverted"
    """A route did nothing, again and again."""
    OTHER = "other"


class TransactionNews(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a plan's transaction, as far as it is sure.

    Attributes:
        version: counts what was told of it; of two the later one stands.
        hash: of what landed, empty if nothing did.
        receipt: of what landed.
        why: in words, where nothing of the plan was carried out.
    """

    client_order_id: str
    version: int
    fate: Fate
    hash: str = ""
    receipt: Receipt | None = None
    why: str = ""
