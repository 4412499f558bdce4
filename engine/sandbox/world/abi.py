"""Calls of contracts by their signatures: ``transfer(address,uint256)``."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.grammar import parse
from eth_hash.auto import keccak

ZERO: Final = "0x" + "0" * 40
UINT_MAX: Final = 2**256 - 1


def call_data(signature: str, *arguments: Any) -> str:
    """Return what is sent to a contract to call a function."""
    return "0x" + (keccak(signature.encode())[:4] + encode(signature, *arguments)).hex()


def encode(signature: str, *arguments: Any) -> bytes:
    """Return arguments as a contract reads them, without the function's selector."""
    return abi_encode(_types(signature), arguments)


def decode(types: Sequence[str], answer: str | bytes) -> tuple[Any, ...]:
    """Return the values of an answer."""
    data = answer if isinstance(answer, bytes) else bytes.fromhex(answer.removeprefix("0x"))
    return tuple(abi_decode(types, data))


def topic(signature: str) -> str:
    """Return the first topic of an event: ``Sync(uint112,uint112)``."""
    return "0x" + keccak(signature.encode()).hex()


@cache
def _types(signature: str) -> tuple[str, ...]:
    types = signature[signature.index("(") :]
    if types == "()":
        return ()
    return tuple(part.to_type_str() for part in parse(types).components)
