"""A transaction along a route before there is one: how many bytes it will bring.

Each leg names its pool, the token that it gives, and the least that it may give; a contract of ours
is called with them, with a deadline and a least profit. The bytes are made up and never repeat, as
addresses and amounts do not, so that they compress as badly as real ones.
"""

from hashlib import sha256
from typing import Final

ROUTE_LEGS: Final = (1, 2, 3, 4, 5)

_TYPE: Final = 2
_WORD: Final = 32
_ADDRESS: Final = 20
_AMOUNT: Final = 10
"""Significant bytes of an amount: up to a million of a token of 18 decimals."""
_GAS: Final = 250_000
_SIGNATURE: Final = 32

_STRING: Final = 0x80
_LIST: Final = 0xC0
_SHORT_MAX: Final = 55
"""RLP: one byte says kind and length up to so many."""


def unsigned_route(chain_id: int, legs: int) -> bytes:
    """Return a route's transaction as it is before it is signed: type 2 and its list, in RLP."""
    contract, data = _made(b"contract", _ADDRESS), route_calldata(legs)
    return bytes([_TYPE]) + _list(_fields(chain_id, contract, data, _GAS * legs))


def signed_route(chain_id: int, legs: int) -> bytes:
    """Return the same with a signature, as it goes over the wire."""
    return signed_call(chain_id, _made(b"contract", _ADDRESS), route_calldata(legs), _GAS * legs)


def signed_call(chain_id: int, contract: bytes, data: bytes, gas_limit: int) -> bytes:
    """Return a call of a contract as it goes over the wire, with a signature that is made up."""
    made = [_bytes(b"\1"), _bytes(_made(b"r", _SIGNATURE)), _bytes(_made(b"s", _SIGNATURE))]
    return bytes([_TYPE]) + _list([*_fields(chain_id, contract, data, gas_limit), *made])


def route_calldata(legs: int) -> bytes:
    """Return what the contract would be called with."""
    words = [_made(b"deadline", 4), _made(b"profit", _AMOUNT), bytes([96]), bytes([legs])]
    for leg in range(legs):
        seed = b"leg%d" % leg
        words += [
            _made(seed + b"pool", _ADDRESS),
            _made(seed + b"token", _ADDRESS),
            _made(seed + b"amount", _AMOUNT),
        ]
    return _made(b"selector", 4) + b"".join(word.rjust(_WORD, b"\0") for word in words)


def _fields(chain_id: int, contract: bytes, data: bytes, gas_limit: int) -> list[bytes]:
    tip, fee = _made(b"tip", 4), _made(b"fee", 5)
    return [
        _number(chain_id),
        _number(1_000),
        _bytes(tip),
        _bytes(fee),
        _number(gas_limit),
        _bytes(contract),
        _number(0),
        _bytes(data),
        _list([]),
    ]


def _made(seed: bytes, length: int) -> bytes:
    return sha256(seed).digest()[:length]


def _number(value: int) -> bytes:
    return _bytes(value.to_bytes((value.bit_length() + 7) // 8))


def _bytes(value: bytes) -> bytes:
    if len(value) == 1 and value[0] < _STRING:
        return value
    return _head(_STRING, len(value)) + value


def _list(items: list[bytes]) -> bytes:
    content = b"".join(items)
    return _head(_LIST, len(content)) + content


def _head(kind: int, length: int) -> bytes:
    if length <= _SHORT_MAX:
        return bytes([kind + length])
    digits = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([kind + _SHORT_MAX + len(digits)]) + digits
