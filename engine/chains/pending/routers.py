"""Routers: contracts that people swap through, and what their calls mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from typing import Final

from eth_hash.auto import keccak

from engine.chains.pending.calldata import UndecodableError, Why, Words
from engine.chains.pending.intents import HiddenRoute, Hop, Step
from engine.chains.pending.pool_addresses import Deployer, Salt, pool_of

HOPS_MAX: Final = 16
"""Pools of one route; nobody needs as many."""


class HopLimits(Enum):
    """Which swaps of a universal router bound the price of each pool."""

    NONE = auto()
    """Up to 2.0."""
    V4_PATHS = auto()
    """2.1.0."""
    ALL = auto()
    """From 2.1.1 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """A contract that swaps for its caller.

    Attributes:
        name: such as ``Uniswap universal router``.
        address: in lower case.
        weth: the wrapped coin of its chain.
        pairs: who makes the pairs that its V2 functions use, if there are any.
        pools: who makes the pools that its V3 functions use, if there are any.
        other_pairs: of an aggregator that knows a second DEX's.
        hop_limits: of a universal router: which swaps bound the price of each single pool too.
    """

    name: str
    address: str
    weth: str
    pairs: Deployer | None = None
    pools: Deployer | None = None
    other_pairs: Deployer | None = None
    hop_limits: HopLimits = HopLimits.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose call of which router is decoded, and the native coins that came with it."""

    router: Router
    sender: str
    value_raw: int
    depth: int = 0


@dataclass(slots=True, kw_only=True)
class Decoded:
    """What a call does: its steps, and from when on it fails."""

    steps: tuple[Step, ...]
    deadline_s: int | None = None
    hidden: HiddenRoute | None = None


Decode = Callable[[Words, Caller], Decoded]
"""Decodes the arguments of a function."""


def by_selector(functions: Mapping[str, Decode]) -> dict[bytes, Decode]:
    """Return functions by the first four bytes of a call, from their signatures."""
    return {keccak(signature.encode())[:4]: decode for signature, decode in functions.items()}


def pair_hops(deployer: Deployer | None, path: list[str]) -> tuple[Hop, ...]:
    """Return a route through pairs.

    Raises:
        UndecodableError: no route, or the router knows no pairs.
    """
    if deployer is None:
        raise UndecodableError(Why.UNKNOWN_CALL, "the router knows no pairs")
    return route([(a, b, 0) for a, b in pairwise(path)], deployer)


def packed_hops(
    deployer: Deployer | None, path: bytes, *, is_reversed: bool = False
) -> tuple[Hop, ...]:
    """Return a route from a packed path: a token, then a fee and a token for each pool.

    Raises:
        UndecodableError: no such path, or the router knows no such pools.
    """
    if deployer is None:
        raise UndecodableError(
            Why.UNKNOWN_CALL, "the router knows no pools with fees in their path"
        )
    count, rest = divmod(len(path) - _TOKEN_BYTES, _TOKEN_BYTES + _FEE_BYTES)
    if rest or count < 1:
        raise UndecodableError(Why.BAD_VALUE, f"a path of {len(path)} bytes")
    if count > HOPS_MAX:
        raise UndecodableError(Why.TOO_MUCH, f"a route through {count} pools")
    step = _TOKEN_BYTES + _FEE_BYTES
    tokens = ["0x" + path[at : at + _TOKEN_BYTES].hex() for at in range(0, len(path), step)]
    fees = [int.from_bytes(path[at : at + _FEE_BYTES]) for at in range(20, len(path), step)]
    if is_reversed:
        tokens.reverse()
        fees.reverse()
    return route(list(zip(tokens, tokens[1:], fees, strict=False)), deployer)


def route(pools: list[tuple[str, str, int]], deployer: Deployer) -> tuple[Hop, ...]:
    """Return a route: token sold, token bought and the number of each pool.

    Raises:
        UndecodableError: no pool at all, too many, or one of a token with itself.
    """
    if not pools:
        raise UndecodableError(Why.BAD_VALUE, "a route through no pool")
    if len(pools) > HOPS_MAX:
        raise UndecodableError(Why.TOO_MUCH, f"a route through {len(pools)} pools")
    hops = []
    for token_in, token_out, number in pools:
        if token_in == token_out:
            raise UndecodableError(Why.BAD_VALUE, f"{token_in} for itself")
        pool, index = pool_of(deployer, token_in, token_out, number)
        hops.append(Hop(pool=pool, token_in=index, tokens=(token_in, token_out)))
    return tuple(hops)


def is_solidly(deployer: Deployer | None) -> bool:
    """Say whether pools come as volatile and as stable ones."""
    return deployer is not None and deployer.salt is Salt.TOKENS_AND_FORM


_TOKEN_BYTES: Final = 20
_FEE_BYTES: Final = 3
