"""How chains are, and which pools of them are followed."""

from typing import Final, Protocol

from engine.bus.chain_reports import ChainsReport, PoolsReport
from engine.bus.request import ChainsRequest

PAGE_POOLS: Final = 10
PAGE_POOLS_MAX: Final = 200


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


class Chains(Protocol):
    """What the role says of its chains."""

    def chains(self) -> ChainsReport:
        """Return how all chains are."""
        ...

    def pools(self, asked: GetPools) -> PoolsReport:
        """Return a page of pools."""
        ...
