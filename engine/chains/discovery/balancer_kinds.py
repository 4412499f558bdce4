"""Of which kind pools of Balancer are: the vault tells of all alike, each says it itself."""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.chains.discovery.amounts import GET_POOL_TOKENS, vault_amounts
from engine.chains.discovery.found import FoundPool
from engine.chains.families.words import call_data, selector
from engine.chains.ports import BlockRef, Call, Reader
from engine.domain.dexes import Dex
from engine.domain.errors import BadValueError
from engine.domain.pools import TOKENS_MAX, Protocol

GET_WEIGHTS: Final = call_data(selector("getNormalizedWeights()"))
GET_AMP: Final = call_data(selector("getAmplificationParameter()"))
_CALLS: Final = 3
_ADDRESS_CHARACTERS: Final = 42


async def balancer_kinds(
    pools: Sequence[FoundPool], reader: Reader, at: BlockRef
) -> dict[str, FoundPool | None]:
    """Return pools with their tokens and as of their kind, by address; None for other kinds.

    Raises:
        NodeError: a node does not answer.
    """
    calls = [call for pool in pools for call in _calls(pool)]
    answers = await reader.call(calls, at)
    return {
        pool.address: _as_it_says(pool, answers[start : start + _CALLS])
        for start, pool in zip(range(0, len(answers), _CALLS), pools, strict=True)
    }


def _calls(pool: FoundPool) -> tuple[Call, ...]:
    own = pool.address[:_ADDRESS_CHARACTERS]
    return (
        Call(pool.dex.factory, call_data(GET_POOL_TOKENS, int(pool.address, 16))),
        Call(own, GET_WEIGHTS),
        Call(own, GET_AMP),
    )


def _as_it_says(pool: FoundPool, answers: Sequence[bytes | None]) -> FoundPool | None:
    listed, weights, amp = answers
    if (weights is None) == (amp is None):
        return None
    try:
        tokens = tuple(vault_amounts(pool, listed))
    except BadValueError:
        return None
    if not 2 <= len(tokens) <= TOKENS_MAX:  # noqa: PLR2004 - a swap is between two
        return None
    protocol = Protocol.BALANCER_STABLE if weights is None else Protocol.BALANCER_WEIGHTED
    return msgspec.structs.replace(pool, dex=_of_kind(pool.dex, protocol), tokens=tokens)


def _of_kind(dex: Dex, protocol: Protocol) -> Dex:
    """Return the row of the same vault for a kind, whose names differ in it alone."""
    kind = "stable" if protocol is Protocol.BALANCER_STABLE else "weighted"
    name = dex.name.partition(",")[0]
    return msgspec.structs.replace(dex, protocol=protocol, name=f"{name}, {kind}")
