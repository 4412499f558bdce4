"""A wallet whose key never leaves a token: a smart card, a USB key or an HSM, by PKCS#11.

The token signs a digest and returns r and s; which of the two points it was, and which s of the
two that are valid chains take, is found here (`found`).
"""

import asyncio
from pathlib import Path
from typing import Any, Final

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import PinIncorrect, PinInvalid, PinLenRange, PinLocked, PKCS11Error

from engine.domain.errors import SettingsError
from engine.domain.signing import UnsignedTransaction
from engine.signing.curve import Signature, address_of_point, signer_of
from engine.signing.transactions import Unsigned
from engine.signing.wallet import KeyTroubleError

CURVE: Final = bytes.fromhex("06052b8104000a")
"""DER of the object identifier of secp256k1, by which a token names the curve."""

_POINT_BYTES: Final = 64
_UNCOMPRESSED: Final = 4
_WRONG_PIN: Final = (PinIncorrect, PinInvalid, PinLenRange, PinLocked)


class WrongPinError(SettingsError):
    """The token refuses the PIN: it is not tried again by itself, for tokens lock themselves."""


class Token:
    """A token that is there, not opened.

    Args:
        module: the token's PKCS#11 library.
        label: of the token.
        key_label: of the key pair on it.

    Raises:
        SettingsError: the library cannot be loaded, or there is no such token.
    """

    def __init__(self, module: Path, label: str, key_label: str) -> None:
        self._key_label = key_label
        try:
            self._token: Any = pkcs11.lib(str(module)).get_token(token_label=label)
        except (PKCS11Error, RuntimeError, OSError) as error:
            raise SettingsError(
                f"the token {label!r} cannot be used by {module}: {_why(error)}"
            ) from error

    def open(self, pin: bytes) -> "TokenWallet":
        """Log in.

        Raises:
            WrongPinError: the token refuses the PIN.
            SettingsError: it holds no such key, or another kind of key.
        """
        try:
            session = self._token.open(user_pin=pin.decode())
        except _WRONG_PIN as error:
            raise WrongPinError(f"the token refuses the PIN: {_why(error)}") from error
        except (PKCS11Error, UnicodeDecodeError) as error:
            raise SettingsError(f"the token cannot be opened: {_why(error)}") from error
        try:
            of_key = {"label": self._key_label, "key_type": KeyType.EC}
            key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, **of_key)
            public = session.get_key(object_class=ObjectClass.PUBLIC_KEY, **of_key)
            address = address_of(public[Attribute.EC_PARAMS], public[Attribute.EC_POINT])
        except PKCS11Error as error:
            session.close()
            raise SettingsError(
                f"the token holds no pair of keys {self._key_label!r}: {_why(error)}"
            ) from error
        except SettingsError:
            session.close()
            raise
        return TokenWallet(session, key, address)


class TokenWallet:
    """See `Wallet`."""

    kind = "token"
    is_slow = True

    def __init__(self, session: Any, key: Any, address: str) -> None:
        self.address: Final = address
        self._session = session
        self._key = key

    async def sign(self, transaction: UnsignedTransaction) -> bytes:
        """See `Wallet.sign`."""
        unsigned = Unsigned(transaction)
        digest = unsigned.digest()
        try:
            made: bytes = await asyncio.to_thread(self._key.sign, digest, mechanism=Mechanism.ECDSA)
        except PKCS11Error as error:
            raise KeyTroubleError(f"the token does not sign: {_why(error)}") from error
        return unsigned.signed(found(made, digest, self.address))

    async def aclose(self) -> None:
        """Log out."""
        try:
            self._session.close()
        except PKCS11Error:
            return  # the token was drawn


def found(made: bytes, digest: bytes, address: str) -> Signature:
    """Return a signature as chains take it, from the r and s that a token gave.

    Raises:
        KeyTroubleError: it is none of the wallet.
    """
    if len(made) != _POINT_BYTES:
        raise KeyTroubleError(f"the token gave {len(made)} bytes in place of a signature")
    r, s = int.from_bytes(made[:32]), int.from_bytes(made[32:])
    for parity in (0, 1):
        if signer_of(digest, Signature(parity, r, s)) == address:
            return Signature.normal(parity, r, s)
    raise KeyTroubleError(f"what the token signed is not signed by {address}")


def address_of(curve: bytes, told: bytes) -> str:
    """Return the address of a public key as a token tells it.

    Raises:
        SettingsError: it is of another curve, or no point in full.
    """
    if curve != CURVE:
        raise SettingsError("the pair of keys on the token is none of secp256k1")
    return address_of_point(point_of(told))


def point_of(told: bytes) -> bytes:
    """Return x and y of a public key as a token tells it: bare, or wrapped as DER wraps bytes.

    Raises:
        SettingsError: it is no point in full.
    """
    bare = told[2:] if told[:2] == bytes([4, _POINT_BYTES + 1]) else told
    if len(bare) != _POINT_BYTES + 1 or bare[0] != _UNCOMPRESSED:
        raise SettingsError(f"the token tells a public key of {len(told)} bytes, no whole point")
    return bare[1:]


def _why(error: BaseException) -> str:
    return str(error) or type(error).__name__
