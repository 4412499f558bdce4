"""Addresses of pools as factories derive them, and ids of V4's pools."""

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from eth_hash.auto import keccak

CACHE_MAX: Final = 8_192


class Salt(Enum):
    """What a factory derives the address of a pool from."""

    TOKENS = auto()
    """Both tokens side by side: Uniswap V2 and its forks."""
    TOKENS_AND_FEE = auto()
    """Both tokens and the fee, or the tick spacing, a word each: Uniswap V3 and its forks."""
    TOKENS_AND_FORM = auto()
    """Both tokens and whether the pool is stable: Solidly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployer:
    """Who makes the pools of a DEX, and of which code (a hash of 0x and 64 digits)."""

    address: str
    code_hash: str
    salt: Salt


@lru_cache(maxsize=CACHE_MAX)
def pool_of(deployer: Deployer, token_a: str, token_b: str, number: int = 0) -> tuple[str, int]:
    """Return the address of a pool, and the index in it of the first token named.

    Args:
        deployer: of the DEX.
        token_a: a token, in lower case.
        token_b: the other one.
        number: the fee in pips, the tick spacing, or 1 for a stable pool.
    """
    low, high = sorted((token_a, token_b))
    tokens = bytes.fromhex(low[2:]), bytes.fromhex(high[2:])
    match deployer.salt:
        case Salt.TOKENS:
            salted = b"".join(tokens)
        case Salt.TOKENS_AND_FEE:
            words = *(token.rjust(32, b"\0") for token in tokens), number.to_bytes(32)
            salted = b"".join(words)
        case Salt.TOKENS_AND_FORM:
            salted = b"".join((*tokens, number.to_bytes(1)))
    made = keccak(
        b"\xff"
        + bytes.fromhex(deployer.address[2:])
        + keccak(salted)
        + bytes.fromhex(deployer.code_hash[2:])
    )
    return "0x" + made[12:].hex(), int(token_a != low)


@lru_cache(maxsize=CACHE_MAX)
def v4_id(token0: str, token1: str, fee_pips: int, tick_spacing: int, hooks: str) -> str:
    """Return the id of a pool of Uniswap V4."""
    words = (
        int(token0, 16).to_bytes(32),
        int(token1, 16).to_bytes(32),
        fee_pips.to_bytes(32),
        tick_spacing.to_bytes(32, signed=True),
        int(hooks, 16).to_bytes(32),
    )
    return "0x" + keccak(b"".join(words)).hex()
