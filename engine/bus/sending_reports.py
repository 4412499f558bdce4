"""What a person is shown of transactions and of our contract on each chain."""

from decimal import Decimal

import msgspec

from engine.bus.reports import Report
from engine.domain.modes import Basis


class TransactionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One nonce of the wallet, and what it was used for.

    Attributes:
        ref: of the plan, as trades have it; other words for what carried none out.
        state: of its life, as `sending.stages` has it.
        fate: what was told of it last, empty as long as nothing is sure.
        hash: of what landed, else of the newest attempt; empty before anything is signed.
        attempts: how many were signed for the nonce.
        block: that holds it.
        cost: paid for gas, in the chain's own asset; None while nothing landed.
        gain: of the asset that the route starts and ends in, before gas; None where nothing landed.
        explorer_url: where it can be looked at; empty for a local chain.
        why: in words, where it did not do what was planned.
    """

    ref: str
    chain: str
    nonce: int
    state: str
    fate: str = ""
    hash: str = ""
    attempts: int = 0
    block: int | None = None
    native: str
    cost: Decimal | None = None
    asset: str = ""
    gain: Decimal | None = None
    explorer_url: str = ""
    why: str = ""


class TransactionsReport(Report, frozen=True, kw_only=True):
    """The newest transactions.

    Attributes:
        transactions: newest first.
        count: of all that ever had a nonce.
        unsent: plans that were handed over and never sent; `unsent_why` of the newest.
    """

    basis: Basis
    transactions: list[TransactionLine]
    count: int
    unsent: int = 0
    unsent_why: str = ""


class ContractLine(msgspec.Struct, frozen=True, kw_only=True):
    """Our contract on one chain, as its nodes show it now.

    Attributes:
        address: in lower case.
        code_hash: of the code that is there, empty if there is none; `wanted_hash` of the settings.
        owner, recovery: addresses; `recovery` gets the gains.
        wallet: that sends, and whether it may send routes and pause.
        wallet_coins: that it has for gas.
        earned: what the recovery address has, by asset: of the wrapped coin, and of what newest
            transactions gained in.
        held: of the wrapped coin, in the contract.
        trouble: why the rest is not known; empty if it is.
    """

    chain: str
    address: str
    wallet: str
    native: str
    wanted_hash: str
    code_hash: str = ""
    owner: str = ""
    recovery: str = ""
    is_executor: bool = False
    is_guardian: bool = False
    is_paused: bool = False
    wallet_coins: Decimal = Decimal(0)
    earned: dict[str, Decimal] = {}
    held: Decimal = Decimal(0)
    trouble: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether the code that is there is what the settings name."""
        return self.code_hash == self.wanted_hash


class ContractsReport(Report, frozen=True, kw_only=True):
    """Our contract on each chain where transactions are sent."""

    basis: Basis
    contracts: list[ContractLine]
