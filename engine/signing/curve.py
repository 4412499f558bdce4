"""Signatures on secp256k1, as chains of Ethereum's kind take them.

libsecp256k1 (coincurve) makes one in some 25 us, eth-keys, which is plain Python, in some 400; both
choose the same nonce (RFC 6979), so that both sign alike.
"""

from importlib.util import find_spec
from typing import Final, NamedTuple

from eth_hash.auto import keccak

CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

HAS_FAST_CURVE: Final = find_spec("coincurve") is not None
"""Whether libsecp256k1 is there; for machines without a wheel of it the slow way is taken."""


class Signature(NamedTuple):
    """A signature: parity of the point's y, r, and s in its lower half."""

    parity: int
    r: int
    s: int

    @classmethod
    def normal(cls, parity: int, r: int, s: int) -> "Signature":
        """Return the signature with the lower s of the two that are valid (EIP-2)."""
        return cls(parity, r, s) if s <= CURVE_ORDER // 2 else cls(parity ^ 1, r, CURVE_ORDER - s)


class LocalKey:
    """A key in this process's memory.

    Attributes:
        address: of its wallet, in lower case.
    """

    def __init__(self, secret: bytes) -> None:
        self.address: Final = address_of_secret(secret)
        if HAS_FAST_CURVE:
            from coincurve import PrivateKey  # noqa: PLC0415 - not on every machine

            self._sign_recoverable = PrivateKey(secret).sign_recoverable
        else:
            from eth_keys.datatypes import PrivateKey as SlowKey  # noqa: PLC0415 - few need it

            self._slow = SlowKey(secret)

    def __repr__(self) -> str:
        return f"LocalKey({self.address})"

    def sign(self, digest: bytes) -> Signature:
        """Sign a digest of 32 bytes; the same digest gives the same signature."""
        if HAS_FAST_CURVE:
            made = self._sign_recoverable(digest, hasher=None)
            return Signature(made[64], int.from_bytes(made[:32]), int.from_bytes(made[32:64]))
        slow = self._slow.sign_msg_hash(digest)
        return Signature.normal(slow.v, slow.r, slow.s)


def address_of_secret(secret: bytes) -> str:
    """Return the address of a key's wallet."""
    if HAS_FAST_CURVE:
        from coincurve import PrivateKey  # noqa: PLC0415 - not on every machine

        return address_of_point(PrivateKey(secret).public_key.format(compressed=False)[1:])
    from eth_keys.datatypes import PrivateKey as SlowKey  # noqa: PLC0415 - few need it

    return address_of_point(SlowKey(secret).public_key.to_bytes())


def address_of_point(point: bytes) -> str:
    """Return the address of a public key, given as 64 bytes: x and y."""
    return "0x" + keccak(point)[12:].hex()


def signer_of(digest: bytes, signature: Signature) -> str | None:
    """Return the address that made a signature of a digest; None if nobody can have."""
    parity, r, s = signature
    if parity not in {0, 1} or not (0 < r < CURVE_ORDER and 0 < s < CURVE_ORDER):
        return None
    if HAS_FAST_CURVE:
        from coincurve import PublicKey  # noqa: PLC0415 - not on every machine

        made = r.to_bytes(32) + s.to_bytes(32) + bytes([parity])
        try:
            point = PublicKey.from_signature_and_message(made, digest, hasher=None)
        except Exception:  # noqa: BLE001 - the library raises a plain Exception where there is none
            return None
        return address_of_point(point.format(compressed=False)[1:])
    from eth_keys.datatypes import Signature as SlowSignature  # noqa: PLC0415 - few need it
    from eth_keys.exceptions import BadSignature  # noqa: PLC0415 - few need it

    try:
        key = SlowSignature(vrs=(parity, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValueError):
        return None
    return address_of_point(key.to_bytes())
