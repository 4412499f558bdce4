"""Where factories put their pools: addresses derived as CREATE2 does (EIP-1014).

An address follows from who deploys, from the code that is deployed, and from what tells one pool
from another there. So it proves all three, whoever says it.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from eth_hash.auto import keccak

from engine.chains.discovery.announcements import (
    ALGEBRA,
    ANNOUNCED,
    FEE_TIER,
    PAIR,
    SLIPSTREAM,
    SOLIDLY,
    SOLIDLY_V1,
    V4,
    Announcement,
)
from engine.chains.discovery.found import FoundPool
from engine.domain.dexes import Dex

_PROXY_START: Final = bytes.fromhex("3d602d80600a3d3981f3363d3d373d3d3d363d73")
_PROXY_END: Final = bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
"""Around an implementation's address: the code that deploys a minimal proxy of it (EIP-1167)."""


def derived_address(found: FoundPool) -> str:
    """Return where the pool has to be, or its id; empty if that does not follow from anything."""
    made = ANNOUNCED[found.dex.protocol]
    if made is V4:
        return _hex(keccak(_v4_key(found)))
    salted, code_hash = _SALTED.get(made), code_hash_of(found.dex)
    if salted is None or not code_hash:
        return ""
    deployer = found.dex.deployer or found.dex.factory
    made_of = _bytes(deployer) + keccak(salted(found)) + code_hash
    return _hex(keccak(b"\xff" + made_of)[12:])


@lru_cache(maxsize=256)
def code_hash_of(dex: Dex) -> bytes:
    """Return the hash of the code that a DEX's pools are deployed with, empty if unknown."""
    if dex.implementation:
        return keccak(_PROXY_START + _bytes(dex.implementation) + _PROXY_END)
    return _bytes(dex.init_code_hash)


def _packed(found: FoundPool) -> bytes:
    return b"".join(map(_bytes, found.tokens))


def _packed_with_form(found: FoundPool) -> bytes:
    return _packed(found) + found.number.to_bytes(1)


def _words(found: FoundPool) -> bytes:
    return b"".join(_bytes(token).rjust(32, b"\0") for token in found.tokens)


def _words_with_number(found: FoundPool) -> bytes:
    return _words(found) + found.number.to_bytes(32)


def _v4_key(found: FoundPool) -> bytes:
    hooks = bytes(32)  # a pool with any is not taken over
    return _words(found) + found.fee_pips.to_bytes(32) + found.number.to_bytes(32) + hooks


_SALTED: Final[Mapping[Announcement, Callable[[FoundPool], bytes]]] = {
    PAIR: _packed,
    SOLIDLY: _packed_with_form,
    SOLIDLY_V1: _packed_with_form,
    FEE_TIER: _words_with_number,
    SLIPSTREAM: _words_with_number,
    ALGEBRA: _words,
}


def _bytes(digits: str) -> bytes:
    return bytes.fromhex(digits.removeprefix("0x"))


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
