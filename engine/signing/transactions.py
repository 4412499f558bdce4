"""The bytes of a transaction of type 2 (EIP-1559): what is signed, and what is broadcast.

Written out for this one form: `rlp` takes as long as all other steps of a signature together. Tests
hold it to eth-account.
"""

from typing import Final

from eth_hash.auto import keccak

from engine.domain.signing import UnsignedTransaction
from engine.signing.curve import Signature

_TYPE: Final = b"\x02"
_SHORT: Final = 56
_EMPTY_LIST: Final = b"\xc0"


class Unsigned:
    """The bytes of a transaction, made once for what is signed and for what is broadcast."""

    def __init__(self, transaction: UnsignedTransaction) -> None:
        self._fields = _fields(transaction)

    def digest(self) -> bytes:
        """Return what is signed: 32 bytes."""
        return keccak(_TYPE + _list(self._fields))

    def signed(self, signature: Signature) -> bytes:
        """Return the signed transaction as it is broadcast."""
        return _TYPE + _list(self._fields + b"".join(map(_number, signature)))


def hash_of(raw: bytes) -> str:
    """Return the hash by which a chain knows a signed transaction, with 0x."""
    return "0x" + keccak(raw).hex()


def _fields(one: UnsignedTransaction) -> bytes:
    return b"".join(
        (
            _number(one.chain_id),
            _number(one.nonce),
            _number(one.max_priority_fee_per_gas_wei),
            _number(one.max_fee_per_gas_wei),
            _number(one.gas_limit),
            _text(bytes.fromhex(one.to[2:])),
            _number(one.value_wei),
            _text(one.data),
            _EMPTY_LIST,
        )
    )


def _number(number: int) -> bytes:
    return _text(number.to_bytes((number.bit_length() + 7) // 8))


def _text(content: bytes) -> bytes:
    if len(content) == 1 and content[0] < 0x80:  # noqa: PLR2004 - of the format
        return content
    return _head(0x80, len(content)) + content


def _list(content: bytes) -> bytes:
    return _head(0xC0, len(content)) + content


def _head(base: int, length: int) -> bytes:
    if length < _SHORT:
        return bytes([base + length])
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([base + _SHORT - 1 + len(size)]) + size
