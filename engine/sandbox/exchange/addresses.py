"""Addresses at which the sandbox's exchanges take deposits: right by the rules, of nobody.

Each is made of the names of its venue and chain, so that settings can name it before it runs.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from eth_hash.auto import keccak

_BITCOIN: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE: Final = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_HASH_BYTES: Final = 20
_CHECK_BYTES: Final = 4
_HALF: Final = 8

CARRIED: Final[Mapping[str, tuple[str, ...]]] = {
    "ethereum": ("ETH", "USDC", "USDT"),
    "base": ("ETH", "USDC"),
    "arbitrum": ("ETH", "USDC", "USDT"),
    "bitcoin": ("BTC",),
    "ripple": ("XRP",),
}
"""By chain what the sandbox's exchanges send and take on it."""

TAGGED: Final = frozenset({"ripple"})


def deposit_address(venue: str, chain: str) -> str:
    """Return the address of a venue's account on a chain."""
    seed = hashlib.sha256(f"deposits at the sandbox's {venue} on {chain}".encode()).digest()
    if chain == "bitcoin":
        return _base58check(b"\x00" + seed[:_HASH_BYTES], _BITCOIN)
    if chain == "ripple":
        return _base58check(b"\x00" + seed[:_HASH_BYTES], _RIPPLE)
    return _checked(seed[:_HASH_BYTES].hex())


def deposit_tag(venue: str, chain: str) -> str:
    """Return the tag of the account there, empty where the chain knows none."""
    if chain not in TAGGED:
        return ""
    return str(int.from_bytes(hashlib.sha256(venue.encode()).digest()[:3], "big"))


def _checked(digits: str) -> str:
    digest = keccak(digits.encode()).hex()
    return "0x" + "".join(
        one.upper() if int(nibble, 16) >= _HALF else one
        for one, nibble in zip(digits, digest, strict=False)
    )


def _base58check(content: bytes, alphabet: str) -> str:
    check = hashlib.sha256(hashlib.sha256(content).digest()).digest()[:_CHECK_BYTES]
    number = int.from_bytes(content + check, "big")
    text = ""
    while number:
        number, digit = divmod(number, len(alphabet))
        text = alphabet[digit] + text
    zeros = len(content) - len(content.lstrip(b"\x00"))
    return alphabet[0] * zeros + text
