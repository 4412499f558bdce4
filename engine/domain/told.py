"""What is told of a transaction that was sent: by whoever sends, to whoever has the plan."""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.orders import Order, Receipt, Sendable, Transaction
from engine.domain.plans import OnChain


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
    BALANCE = "balance"
    """A wallet holds something else than our transactions come to."""
    ANEW = "anew"
    """A local chain was begun anew."""
    OTHER = "other"


class Chore(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that carries no plan out, and what it cost.

    Attributes:
        what: it was for, in words.
        wallet: the place that paid.
        gas: all that was paid, in the chain's own asset; 0 if it is in no block.
    """

    what: str
    wallet: VenueId
    asset: AssetCode
    gas: Decimal


class TransactionNews(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a plan's transaction, as far as it is sure.

    Attributes:
        version: counts what was told of it; of two the later one stands.
        hash: of what landed, empty if nothing did.
        receipt: of what landed.
        why: in words, where nothing of the plan was carried out.
        chore: of a transaction that carries no plan out.
    """

    client_order_id: str
    version: int
    fate: Fate
    hash: str = ""
    receipt: Receipt | None = None
    why: str = ""
    chore: Chore | None = None


class Booked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the ledger has of a transaction that ended in an earlier run.

    Attributes:
        version: of what was told of it, the last that is booked.
        plan, transaction: that it carries out, and all that was known of it then.
        orders: of the same plan, where it has orders beside it, as they are booked.
        gas: of a chore, what is booked of its cost.
    """

    client_order_id: str
    version: int
    plan: OnChain | None = None
    transaction: Transaction | None = None
    gas: Decimal = Decimal(0)
    orders: tuple[Order, ...] = ()

    @property
    def sendables(self) -> tuple[Sendable, ...]:
        """All that is booked of its plan."""
        return self.orders if self.transaction is None else (self.transaction, *self.orders)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a chore paid, or by how much that is another amount by a later word.

    Attributes:
        amount: paid, negative if it is taken back.
        usd: its worth when it was told, None without a price.
    """

    client_order_id: str
    version: int
    venue: VenueId
    asset: AssetCode
    amount: Decimal
    usd: Decimal | None
    what: str

    @property
    def changes(self) -> Iterator[tuple[VenueId, AssetCode, Decimal]]:
        """What it changed of what is owned."""
        yield self.venue, self.asset, -self.amount


class HeldOnChain(msgspec.Struct, frozen=True, kw_only=True):
    """What a place holds of an asset, as a chain shows it."""

    venue: VenueId
    asset: AssetCode
    amount: Decimal


class WalletSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What is ours on a chain at one of its blocks, and which transactions that reckons with.

    Attributes:
        era: counts how often the chain was begun anew.
        began: hash of the first block that is known of it.
        block, block_hash: at which all of it was read.
        told: number of the last that was told of our transactions: all that these blocks hold of
            them was told up to there, and nothing else.
        coins: what the wallet has of the chain's own asset that is not wrapped: gas is paid with
            it, and nothing is swapped of it. None of versions that did not say.
    """

    chain: str
    era: int
    began: str
    block: int
    block_hash: str
    told: int
    held: tuple[HeldOnChain, ...]
    coins: Decimal | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked to have done to our contract on a chain.

    Attributes:
        command_id: it is carried out once under it.
        is_pause: else it is let run again.
    """

    command_id: str
    chain: str
    is_pause: bool
    by: str
    at_ns: int

    @property
    def client_order_id(self) -> str:
        """Under which its transaction is kept."""
        return f"{'pause' if self.is_pause else 'unpause'}-{self.command_id}"
