"""What is known of a nonce, what may be learned of it, and what then is to be done: values."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from engine.domain.told import Fate
from engine.domain.truths import Foreseen
from engine.sending.fees import Bid
from engine.sending.stages import ENDED, Stage


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What the signer is asked for; kept before it is asked, so that it is asked the same again.

    Attributes:
        is_cancel: it does nothing but use the nonce up.
        at_block: head when it was made.
    """

    bid: Bid
    is_cancel: bool
    at_block: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A signed transaction for the nonce; see `Draft`."""

    bid: Bid
    is_cancel: bool
    at_block: int
    hash: str
    raw: bytes
    signed_at_ns: int = 0
    """When the signer's answer was here, by the wall clock; 0 in what an earlier version kept."""


class Landed(msgspec.Struct, frozen=True, kw_only=True):
    """What the chain shows of one attempt.

    Attributes:
        block, block_hash: that holds it.
        gas_used: in units.
        gas_price_wei: paid for each.
        data_fee_wei: what a rollup took beside it.
    """

    hash: str
    block: int
    block_hash: str
    is_success: bool
    gas_used: int
    gas_price_wei: int
    data_fee_wei: int = 0


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """News for whoever handed the plan over.

    Attributes:
        version: counts what was told of it; a later one stands.
        why: in words, where nothing landed.
    """

    client_order_id: str
    version: int
    fate: Fate
    landed: Landed | None = None
    why: str = ""


class ChainMark(msgspec.Struct, frozen=True, kw_only=True):
    """By what a chain is known again.

    Attributes:
        era: how often another one took its place.
        began: hash of the first block that was known of it.
        block, block_hash: the newest of its final blocks that is kept.
    """

    era: int
    began: str
    block: int
    block_hash: str


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """One nonce of a wallet and all that is known of it.

    Attributes:
        to, data: contract and call of the plan's transaction; a cancel has neither.
        deadline_ts: the plan's transaction reverts in a block of a later second.
        draft: waits for its signature; None while nothing does.
        attempts: all that was ever signed, oldest first, each dearer than the one before.
        is_underpriced: a node wants more than the newest attempt bids.
        told: what was told last.
        foreseen: what the simulation before signing said; None of what carries no plan out.
    """

    client_order_id: str
    chain_id: int
    wallet: str
    nonce: int
    to: str = ""
    data: bytes = b""
    deadline_ts: int
    stage: Stage = Stage.RESERVED
    draft: Draft | None = None
    attempts: tuple[Attempt, ...] = ()
    landed: Landed | None = None
    is_underpriced: bool = False
    told: Telling | None = None
    why: str = ""
    foreseen: Foreseen | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing can become of it any more."""
        return self.stage in ENDED

    @property
    def hashes(self) -> tuple[str, ...]:
        """Of all attempts."""
        return tuple(one.hash for one in self.attempts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What nodes show of a nonce at one head.

    Attributes:
        head, head_ts: number of the block and its Unix time in seconds.
        final: number of the newest final block.
        count: how many nonces of the wallet are used at the head, `final_count` at the final block.
        landed: of any attempt, in a block of the chain that ends in the head.
        waiting: hashes of attempts that a node shows waiting.
    """

    head: int
    head_ts: int
    final: int
    count: int
    final_count: int
    landed: Landed | None = None
    waiting: frozenset[str] = frozenset()


class Answer(StrEnum):
    """What a node said to a transaction that it was sent."""

    TAKEN_IN = "taken in"
    KNOWN = "known"
    NONCE_USED = "nonce used"
    UNDERPRICED = "underpriced"
    NO_FUNDS = "no funds"
    REFUSED = "refused"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Drafted:
    """What is to be signed next is decided."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Signed:
    """The signer gave the draft's signature, and when."""

    hash: str
    raw: bytes
    at_ns: int = 0


@dataclass(frozen=True, slots=True)
class Unsigned:
    """The signer refused the draft for good."""

    why: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A node answered a sending."""

    hash: str
    answer: Answer
    why: str = ""


Learned = Drafted | Signed | Unsigned | Answered | Look


@dataclass(frozen=True, slots=True)
class Sign:
    """Ask the signer for the draft's signature, then tell `Signed` or `Unsigned`."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes, then tell `Answered`; any number of times, they are the same."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Rebid:
    """Bid for the nonce anew, then tell `Drafted`; or nothing, if there is no bid to be had now.

    Attributes:
        before: the newest attempt, which is to be outbid.
        is_far: it was refused as too low; nobody says by how much.
    """

    before: Attempt
    is_cancel: bool
    is_far: bool = False


@dataclass(frozen=True, slots=True)
class Warn:
    """Tell a person."""

    sentence: str


Act = Sign | Send | Rebid | Warn | Telling
