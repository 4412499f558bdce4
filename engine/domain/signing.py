"""What the signer is asked to sign, and how it answers: values that both sides share.

It signs intents and never bytes: what is asked names the plan that it carries out, and the signer
takes the transaction apart again to see whether it does that and nothing else.
"""

from enum import StrEnum

import msgspec

from engine.domain.engines import MAIN
from engine.domain.plans import OnChain


class Purpose(StrEnum):
    """What a transaction is for."""

    ROUTE = "route"
    """The first transaction that carries a plan out; of one with orders beside it, the swap."""
    REPLACE = "replace"
    """The same plan with the same nonce and a higher fee."""
    ALLOW = "allow"
    """Our contract may take of the wallet what the swap of a plan takes, and no more: by a call of
    the token itself."""
    CANCEL = "cancel"
    """Nothing, to ourselves, in the place of what has the nonce."""
    PAUSE = "pause"
    """The contract takes no route any more."""
    UNPAUSE = "unpause"
    """It takes routes again; its owner alone may."""
    WITHDRAW = "withdraw"
    """What the contract holds goes to its fixed recovery address."""
    REVOKE = "revoke"
    """An allowance that the contract gave is set to nothing."""
    DISALLOW = "disallow"
    """An allowance that the wallet gave is set to nothing: by a call of the token itself."""

    @property
    def is_protective(self) -> bool:
        """Whether it only takes risk away: then it is signed while killed, too."""
        return self not in {Purpose.ROUTE, Purpose.REPLACE, Purpose.ALLOW, Purpose.UNPAUSE}

    @property
    def has_plan(self) -> bool:
        """Whether it carries a plan out, or a part of it: then the mode has to allow it."""
        return self in {Purpose.ROUTE, Purpose.REPLACE, Purpose.ALLOW}

    @property
    def moves(self) -> bool:
        """Whether it moves what the plan moves; an allowance by itself moves nothing."""
        return self in {Purpose.ROUTE, Purpose.REPLACE}


class UnsignedTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of type 2 (EIP-1559) without an access list, before it is signed.

    Attributes:
        to: in lower case with 0x.
        data: as the contract is called.
    """

    chain_id: int
    nonce: int
    to: str
    value_wei: int
    gas_limit: int
    max_fee_per_gas_wei: int
    max_priority_fee_per_gas_wei: int
    data: bytes

    @property
    def gas_max_wei(self) -> int:
        """The most that it can pay for gas."""
        return self.gas_limit * self.max_fee_per_gas_wei


class SigningIntent(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be signed and why.

    Attributes:
        engine: whose mode and latch count.
        plan: that is carried out, with its permit, as it was stored; None where none is.
        approved: the terms that a person approved, where the plan's permit is an approval.
        code_hash: keccak of the contract's code as the sender sees it at its head, with 0x; empty
            where no contract of ours is called, or allowed anything.
    """

    purpose: Purpose
    transaction: UnsignedTransaction
    engine: str = MAIN
    plan: OnChain | None = None
    approved: OnChain | None = None
    code_hash: str = ""


class RefusalKind(StrEnum):
    """Why something was not signed."""

    LOCKED = "locked"
    KILLED = "killed"
    MODE = "mode"
    CHAIN = "chain"
    CONTRACT = "contract"
    CODE_HASH = "code_hash"
    CALL = "call"
    """The data is no call that this purpose may make, or not written as we write it."""
    VALUE = "value"
    GAS = "gas"
    FEE = "fee"
    PLAN = "plan"
    """There is none, or the transaction does something else than its plan says."""
    PROFIT = "profit"
    DEADLINE = "deadline"
    PERMIT = "permit"
    NONCE = "nonce"
    CAP = "cap"
    VENUE = "venue"
    """Nothing is signed for that venue, or it cannot be asked that."""
    ORDER = "order"
    """It is not what its plan says: another instrument, side, price, or more of it."""
    REPEAT = "repeat"
    """Another order has its id, or the very same was signed and a second send is not harmless."""
    RATE = "rate"
    DESTINATION = "destination"
    """It would go to an address that the operator did not write down."""
    KEY = "key"
    """Whoever holds the key did not sign, or signed something else."""


class SignRefusal(msgspec.Struct, tag="refused", frozen=True, kw_only=True):
    """Nothing was signed, and why, in a sentence."""

    kind: RefusalKind
    detail: str


class Signed(msgspec.Struct, tag="signed", frozen=True, kw_only=True):
    """A signed transaction.

    Attributes:
        raw: as it is broadcast.
        hash: of it, with 0x.
        is_repeat: the very same was asked before, and these are the bytes of then.
    """

    raw: bytes
    hash: str
    is_repeat: bool = False
