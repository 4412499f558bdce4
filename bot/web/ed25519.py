"""Signatures by Ed25519, of a library that brings 7 MB: for who has a page inside Telegram."""

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def checked_by(key: bytes) -> Callable[[bytes, bytes], bool]:
    """Return what says whether a signature of some bytes is by a key."""
    public = Ed25519PublicKey.from_public_bytes(key)

    def is_signed(signature: bytes, told: bytes) -> bool:
        try:
            public.verify(signature, told)
        except InvalidSignature:
            return False
        return True

    return is_signed
