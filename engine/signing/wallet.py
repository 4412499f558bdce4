"""Where the key of a wallet is: in this process, at a signer elsewhere, or in a token.

Whoever holds it signs one transaction of type 2. What comes from elsewhere is looked at: it must be
the very transaction, signed by the very wallet.
"""

from typing import Protocol

from engine.domain.signing import UnsignedTransaction
from engine.signing.curve import LocalKey, Signature, signer_of
from engine.signing.transactions import Unsigned


class KeyTroubleError(Exception):
    """Whoever holds the key did not sign, or signed something else; the text says what."""


class Wallet(Protocol):
    """A key, wherever it is.

    Attributes:
        is_slow: it takes so long that much may change meanwhile.
    """

    @property
    def address(self) -> str:
        """Of the wallet, in lower case."""
        ...

    @property
    def kind(self) -> str:
        """Where the key is, for people."""
        ...

    @property
    def is_slow(self) -> bool:
        """Whether much may change while it signs."""
        ...

    async def sign(self, transaction: UnsignedTransaction) -> bytes:
        """Return the signed transaction.

        Raises:
            KeyTroubleError: it was not signed, or something else was.
        """
        ...

    async def aclose(self) -> None:
        """Let go of whatever holds the key."""
        ...


class LocalWallet:
    """A key in this process; see `Wallet`."""

    kind = "keystore"
    is_slow = False

    def __init__(self, key: LocalKey) -> None:
        self._key = key
        self.address = key.address

    async def sign(self, transaction: UnsignedTransaction) -> bytes:
        """See `Wallet.sign`."""
        unsigned = Unsigned(transaction)
        return unsigned.signed(self._key.sign(unsigned.digest()))

    async def aclose(self) -> None:
        """Nothing is held."""


def checked(transaction: UnsignedTransaction, signature: Signature, address: str) -> bytes:
    """Return a transaction with a signature that was made elsewhere.

    Raises:
        KeyTroubleError: the wallet did not sign it, or in a form that chains refuse.
    """
    unsigned = Unsigned(transaction)
    made_by = signer_of(unsigned.digest(), signature)
    if made_by != address:
        raise KeyTroubleError(f"it was signed by {made_by or 'nobody'}, not by {address}")
    if signature != Signature.normal(*signature):
        raise KeyTroubleError("its signature has the higher s, which chains refuse")
    return unsigned.signed(signature)
