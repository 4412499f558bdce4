"""What the signer is asked by those who send transactions, and what wallets it tells of."""

from decimal import Decimal
from typing import Protocol

import msgspec

from engine.bus.reports import Report
from engine.bus.request import SignerRequest
from engine.domain.modes import Basis
from engine.domain.signing import Signed, SigningIntent, SignRefusal
from engine.domain.venue_orders import KeyRights
from engine.domain.words import SealedWord

SignReply = Signed | SignRefusal


class SignRequest(SignerRequest[SignReply], frozen=True, kw_only=True):
    """Sign what an intent says; asked again, it is answered with the same bytes."""

    intent: SigningIntent

    async def answer(self, signer: "Signer", /) -> SignReply:
        """See `Request.answer`."""
        return await signer.sign(self.intent)


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """The signer is ready."""


class Rehearse(SignerRequest[Rehearsed], frozen=True, kw_only=True):
    """An intent like this one will be asked for at once: nothing is signed by it, kept or counted.

    It spares the signature that follows what code takes longer that was not run for a while.
    """

    intent: SigningIntent

    async def answer(self, signer: "Signer", /) -> Rehearsed:
        """See `Request.answer`."""
        signer.rehearse(self.intent)
        return Rehearsed()


class Heard(Report, frozen=True, kw_only=True):
    """The signer took a person's word, or took one back."""


class HearWord(SignerRequest[Heard], frozen=True, kw_only=True):
    """A person allowed something; told by the chat that took it, before the engine hears of it."""

    word: SealedWord

    async def answer(self, signer: "Signer", /) -> Heard:
        """See `Request.answer`."""
        return signer.hear(self.word)


class TakeBackWords(SignerRequest[Heard], frozen=True, kw_only=True):
    """What a person allowed an engine is taken back; that takes no seal, as it only tightens.

    Attributes:
        mandate_id: of the only mandate that ends; empty for all of them.
        chain: whose contract nobody lets run again after all; then nothing else ends.
        transfer_id: of the only transfer that ends; then nothing else does.
        is_all: approvals and being live end too.
    """

    engine: str
    mandate_id: str = ""
    chain: str = ""
    transfer_id: str = ""
    is_all: bool = False

    async def answer(self, signer: "Signer", /) -> Heard:
        """See `Request.answer`."""
        return signer.take_back(self)


class LookUpLetRun(SignerRequest[Heard], frozen=True, kw_only=True):
    """Was it a person who let our contract on a chain run again, by this command?

    Whoever sends asks this before anything is done by it, and where another account than the wallet
    owns the contract.
    """

    chain: str
    command_id: str

    async def answer(self, signer: "Signer", /) -> Heard:
        """See `Request.answer`."""
        return signer.look_up_let_run(self)


class SignedChain(msgspec.Struct, frozen=True, kw_only=True):
    """A chain on which something may be signed.

    Attributes:
        contracts: that may be called there: address and keccak of the code.
    """

    name: str
    chain_id: int
    contracts: dict[str, str]


class SignedVenue(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange at which orders may be signed.

    Attributes:
        key: name of the key, its public half; empty while it is locked.
        withdraw_key: of the one that withdraws, and does nothing else; None where there is none.
    """

    name: str
    key: str
    withdraw_key: str | None = None


class CapLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is used of a cap today.

    Attributes:
        what: it bounds, in words.
        unit: of both figures: an asset, USD, or empty for a count.
    """

    what: str
    unit: str
    used: Decimal
    most: Decimal


class WalletsReport(Report, frozen=True, kw_only=True):
    """Wallets of the installation, and what of their day is used.

    Attributes:
        is_locked: nothing is signed until a person gives the password.
        address: of the wallet, the same on all chains; empty where nobody knows it yet.
        key: where it is, in words.
        day: that is counted, in days since 1970 by UTC.
        guards: what keeps the process's memory to itself, in sentences.
        missing: those that the platform does not offer.
        venues: exchanges at which orders may be signed.
    """

    basis: Basis
    is_locked: bool
    address: str
    key: str
    chains: list[SignedChain]
    day: int
    caps: list[CapLine]
    guards: list[str]
    missing: list[str]
    venues: list[SignedVenue] = msgspec.field(default_factory=list)


class Signer(Protocol):
    """What the role answers."""

    async def sign(self, intent: SigningIntent) -> SignReply:
        """Sign what an intent says, or say why not."""
        ...

    def rehearse(self, intent: SigningIntent) -> None:
        """Be ready to sign an intent like this one."""
        ...

    def wallets(self) -> WalletsReport:
        """Return how wallets stand."""
        ...

    def hear(self, word: SealedWord) -> Heard:
        """Take a person's word.

        Raises:
            BadValueError: it is not the chat's, or cannot be had; the text says why.
        """
        ...

    def take_back(self, asked: TakeBackWords) -> Heard:
        """Take back what was allowed an engine."""
        ...

    def look_up_let_run(self, asked: LookUpLetRun) -> Heard:
        """Say that a person let a contract run again.

        Raises:
            BadValueError: nobody did, as far as the chat has told; or it is void, or used.
        """
        ...

    async def unlock(self, password: str) -> WalletsReport:
        """Open the key.

        Raises:
            BadValueError: the password is wrong, or the key is open already.
        """
        ...

    async def rotate(
        self, venue: str, sealed: str, password: str, rights: KeyRights
    ) -> WalletsReport:
        """Sign for a venue with another key from now on.

        Raises:
            BadValueError: it is none to trade with, or whoever asks does not know the password of
                the one that signs now; that one goes on.
        """
        ...
