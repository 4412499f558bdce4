"""How chains are, and which pools of them are followed."""

from typing import Final, Protocol

from engine.bus.chain_reports import (
    BlockFactsReport,
    ChainsReport,
    PoolRatesReport,
    PoolsReport,
)
from engine.bus.request import ChainsRequest

PAGE_POOLS: Final = 10
PAGE_POOLS_MAX: Final = 200
BLOCKS: Final = 1_000


class GetChains(ChainsRequest[ChainsReport], frozen=True, kw_only=True):
    """All chains that are followed."""

    async def answer(self, chains: "Chains", /) -> ChainsReport:
        """See `Request.answer`."""
        return chains.chains()


class GetPools(ChainsRequest[PoolsReport], frozen=True, kw_only=True):
    """Pools, the richest first.

    Attributes:
        chain, dex: of which they are, in any case of letters; all if empty.
        is_stale: only those that are not live.
        first: place of the first one that is wanted, from 0 on.
        most: so many at most.
    """

    chain: str = ""
    dex: str = ""
    is_stale: bool = False
    first: int = 0
    most: int = PAGE_POOLS

    async def answer(self, chains: "Chains", /) -> PoolsReport:
        """See `Request.answer`."""
        return chains.pools(self)


class GetPoolRates(ChainsRequest[PoolRatesReport], frozen=True, kw_only=True):
    """Pools of a chain with what swaps give at the margin, the richest `most` of them."""

    chain: str
    most: int

    async def answer(self, chains: "Chains", /) -> PoolRatesReport:
        """See `Request.answer`."""
        return await chains.pool_rates(self)


class GetBlockFacts(ChainsRequest[BlockFactsReport], frozen=True, kw_only=True):
    """What the newest blocks of a chain were.

    Attributes:
        last: so many at most; no more than are kept.
    """

    chain: str
    last: int = BLOCKS
    timeout_s = 30.0

    async def answer(self, chains: "Chains", /) -> BlockFactsReport:
        """See `Request.answer`."""
        return await chains.blocks(self)


class Chains(Protocol):
    """What the role says of its chains."""

    def chains(self) -> ChainsReport:
        """Return how all chains are."""
        ...

    def pools(self, asked: GetPools) -> PoolsReport:
        """Return a page of pools."""
        ...

    async def pool_rates(self, asked: GetPoolRates) -> PoolRatesReport:
        """Return pools of a chain with their rates."""
        ...

    async def blocks(self, asked: GetBlockFacts) -> BlockFactsReport:
        """Return newest blocks.

        Raises:
            BadValueError: the chain is not followed.
        """
        ...
