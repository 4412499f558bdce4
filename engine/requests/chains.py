"""How chains are, and which pools of them are followed."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, Self

import msgspec

from engine.bus.chain_reports import (
    BlockFactsReport,
    ChainsReport,
    PoolRatesReport,
    PoolsReport,
    away_line,
    richest_first,
)
from engine.bus.request import ChainsRequest

PAGE_POOLS: Final = 10
PAGE_POOLS_MAX: Final = 5_000
"""Of several processes each is asked for all up to the end of the page."""

BLOCKS: Final = 1_000


class GetChains(ChainsRequest[ChainsReport], frozen=True, kw_only=True):
    """All chains that are followed."""

    async def answer(self, chains: "Chains", /) -> ChainsReport:
        """See `Request.answer`."""
        return chains.chains()

    def merged(self, replies: Sequence[ChainsReport], away: Mapping[str, str], /) -> ChainsReport:
        """Return the lines of all, in the order of their names; one that is away has its reason."""
        lines = [line for one in replies for line in one.chains]
        lines += [away_line(chain, why) for chain, why in away.items()]
        lines.sort(key=lambda line: line.chain)
        return msgspec.structs.replace(replies[0], chains=lines)


class GetPools(ChainsRequest[PoolsReport], frozen=True, kw_only=True):
    """Pools, the richest first.

    Attributes:
        chain, dex: of which they are, in any case of letters; all if empty.
        is_stale: only those that are not live.
        is_unsafe: those that are left out for their tokens, in place of those that are followed.
        first: place of the first one that is wanted, from 0 on.
        most: so many at most.
    """

    chain: str = ""
    dex: str = ""
    is_stale: bool = False
    is_unsafe: bool = False
    first: int = 0
    most: int = PAGE_POOLS

    async def answer(self, chains: "Chains", /) -> PoolsReport:
        """See `Request.answer`."""
        return chains.pools(self)

    def of_part(self) -> Self:
        """Ask for all from the richest on: any of them may be on the page."""
        most = max(self.first, 0) + max(self.most, 0)
        return msgspec.structs.replace(self, first=0, most=most)

    def merged(self, replies: Sequence[PoolsReport], away: Mapping[str, str], /) -> PoolsReport:
        """Return the page as if all were of one process; pools of those away are not there."""
        del away
        first, most = max(self.first, 0), min(max(self.most, 0), PAGE_POOLS_MAX)
        every = sorted((line for one in replies for line in one.pools), key=richest_first)
        by_dex = sorted((line for one in replies for line in one.by_dex), key=lambda one: -one[2])
        return msgspec.structs.replace(
            replies[0],
            count=sum(one.count for one in replies),
            live=sum(one.live for one in replies),
            first=first,
            pools=every[first : first + most],
            by_dex=by_dex,
            unsafe=sum(one.unsafe for one in replies),
        )


class GetPoolRates(ChainsRequest[PoolRatesReport], frozen=True, kw_only=True):
    """Pools of a chain with what swaps give at the margin, the richest `most` of them."""

    chain: str
    most: int

    async def answer(self, chains: "Chains", /) -> PoolRatesReport:
        """See `Request.answer`."""
        return await chains.pool_rates(self)

    def of_chain(self) -> str:
        """See `ChainsRequest.of_chain`."""
        return self.chain


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

    def of_chain(self) -> str:
        """See `ChainsRequest.of_chain`."""
        return self.chain


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
