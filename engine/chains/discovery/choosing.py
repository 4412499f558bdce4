"""Chooses which of the known pools are followed: the richest, of tokens that can be reckoned in.

Whatever is left out is counted by its reason.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple

from engine.chains.discovery.amounts import Held, amounts_in
from engine.chains.discovery.announcements import ANNOUNCED, BALANCER
from engine.chains.discovery.balancer_kinds import balancer_kinds
from engine.chains.discovery.found import FoundPool, PoolRefusal, PoolRefusedError
from engine.chains.discovery.making import made_pool
from engine.chains.discovery.pool_cache import PoolCache
from engine.chains.discovery.token_desk import TokenDesk
from engine.chains.discovery.worths import UNKNOWN, Worths
from engine.chains.ports import BlockRef, Reader
from engine.domain.assets import AssetCode
from engine.domain.dexes import Dex
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol

POOLS_AT_ONCE: Final = 200

RICH_RATIO: Final = 0.1
"""Pools with more than this of what is looked for are looked at again more often than others."""

RICH_S: Final = 3_600
POOR_S: Final = 86_400
"""After so long pools are looked at again."""

UNSAFE_MAX: Final = 200
"""So many pools are kept to be shown that are left out for their tokens."""

NEVER_USD: Final = float("inf")

YOUNG_BLOCKS: Final = 2_000
"""Poor pools of so many blocks are looked at each time: most are made empty and filled later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceTerms:
    """How much is followed.

    Attributes:
        pool_usd_min: a pool with less in it is not.
        pools_max: no more of a chain are.
        weights: by how much more a pool counts than its worth says, by address; 1 if not named. A
            pool with too little in it is followed by no weight.
    """

    pool_usd_min: float = 10_000.0
    pools_max: int = 5_000
    weights: Mapping[str, float] = field(default_factory=dict)


class ChosenPool(NamedTuple):
    """A pool to follow, and what is in it."""

    pool: Pool
    dex: Dex
    worth_usd: float


class UnsafePool(NamedTuple):
    """A pool that is not followed for its tokens: what they call themselves, and what is wrong."""

    found: FoundPool
    symbols: tuple[str, ...]
    worth_usd: float
    why: str


class Choice(NamedTuple):
    """Which pools are followed, the richest first, and how many are not, by reason.

    Attributes:
        unsafe: the richest of those that are not for their tokens.
    """

    chosen: list[ChosenPool]
    left_out: Counter[PoolRefusal]
    unsafe: Sequence[UnsafePool] = ()


class Chooser:
    """Chooses among a chain's pools.

    Args:
        reader: of the chain.
        cache: of the pools that are known.
        tokens: what is known of their tokens.
        anchors: tokens by which pools are valued, by address: those of `domain.tokens`.
        usd_of: price of an asset, None if nobody knows it.
        why_not: why the tokens of a pool may not be traded, given it and its worth; empty if they
            may. It is asked the richest pools first.
        followable: makes that can be followed.
    """

    def __init__(
        self,
        *,
        reader: Reader,
        cache: PoolCache,
        tokens: TokenDesk,
        anchors: Iterable[str],
        usd_of: Callable[[AssetCode], Decimal | None],
        why_not: Callable[[FoundPool, float], str],
        followable: Container[Protocol],
    ) -> None:
        self._reader = reader
        self._cache = cache
        self._tokens = tokens
        self._anchors = tuple(anchors)
        self._usd_of = usd_of
        self._why_not = why_not
        self._followable = followable

    async def choose(self, at: BlockRef, terms: ChoiceTerms) -> Choice:
        """Look at what is in the pools as of a block, and choose.

        Raises:
            NodeError: a node does not answer.
        """
        await self._value(at, terms)
        poor, unknown = self._cache.counts(terms.pool_usd_min)
        left_out: Counter[PoolRefusal] = Counter()
        if poor:
            left_out[PoolRefusal.POOR] = poor
        if unknown:
            left_out[PoolRefusal.UNKNOWN] = unknown
        worths = self._cache.worths()
        chosen: list[ChosenPool] = []
        unsafe: list[UnsafePool] = []
        for some in _batches(self._in_order(terms, worths)):
            await asyncio.sleep(0)  # what is known already takes no node's time, but the loop's
            if len(chosen) >= terms.pools_max:
                left_out[PoolRefusal.BEYOND] += len(some)
                continue
            for found, pool in await self._made(some, at, left_out, worths, unsafe):
                if len(chosen) < terms.pools_max:
                    chosen.append(ChosenPool(pool, found.dex, worths[found.address]))
                else:
                    left_out[PoolRefusal.BEYOND] += 1
        return Choice(chosen, +left_out, unsafe)

    def _in_order(self, terms: ChoiceTerms, worths: Mapping[str, float]) -> Iterator[FoundPool]:
        """Return all pools with enough in them, by what they count."""
        richest = self._cache.worth(terms.pool_usd_min)
        weights = terms.weights
        if not weights:
            return richest

        def counts(found: FoundPool) -> float:
            return worths[found.address] * weights.get(found.address, 1.0)

        named = [
            found
            for address, found in self._cache.among(weights).items()
            if worths.get(address, UNKNOWN) >= terms.pool_usd_min
        ]
        others = (found for found in richest if found.address not in weights)
        return merge(others, sorted(named, key=counts, reverse=True), key=counts, reverse=True)

    async def _value(self, at: BlockRef, terms: ChoiceTerms) -> None:
        """Look at what is in pools that are new, or that were not looked at for long."""
        worths = Worths(await self._prices(at), terms.pool_usd_min)
        usd_min = self._due(at, terms)
        unpriced: list[Held] = []
        to_value = self._cache.to_value(
            usd_min, poor_usd=terms.pool_usd_min, block=at.number - YOUNG_BLOCKS
        )
        for some in _batches(to_value):
            seen: dict[str, float] = {}
            for held in await amounts_in(some, self._reader, at):
                seen[held.pool.address] = worths.of(held)
                if seen[held.pool.address] == UNKNOWN:
                    unpriced.append(held)
            self._cache.set_worth(seen)
        for start in range(0, len(unpriced), POOLS_AT_ONCE):
            some_held = unpriced[start : start + POOLS_AT_ONCE]
            self._cache.set_worth({one.pool.address: worths.by_learnt(one) for one in some_held})
        if usd_min < NEVER_USD:
            self._cache.set_valued(usd_min, at.made_at_s)

    def _due(self, at: BlockRef, terms: ChoiceTerms) -> float:
        """Return how much is in pools that are due to be looked at again."""
        rich_usd = RICH_RATIO * terms.pool_usd_min
        if abs(at.made_at_s - self._cache.valued_at_s(UNKNOWN)) >= POOR_S:
            return UNKNOWN
        if abs(at.made_at_s - self._cache.valued_at_s(rich_usd)) >= RICH_S:
            return rich_usd
        return NEVER_USD

    async def _prices(self, at: BlockRef) -> Mapping[str, float]:
        prices: dict[str, float] = {}
        for address, facts in (await self._tokens.facts_of(self._anchors, at)).items():
            try:
                usd = self._usd_of(self._tokens.asset(facts))
            except BadValueError:  # not there, or not what the table says: it values nothing
                continue
            if usd is not None:
                prices[address] = float(usd / 10**facts.decimals)
        return prices

    async def _made(
        self,
        some: list[FoundPool],
        at: BlockRef,
        left_out: Counter[PoolRefusal],
        worths: Mapping[str, float],
        unsafe: list[UnsafePool],
    ) -> list[tuple[FoundPool, Pool]]:
        kinds = await balancer_kinds(
            [one for one in some if ANNOUNCED[one.dex.protocol] is BALANCER], self._reader, at
        )
        known = [kinds.get(found.address, found) for found in some]
        founds = [found for found in known if found is not None]
        left_out[PoolRefusal.KIND] += len(known) - len(founds)
        wanted = [token for found in founds for token in found.tokens]
        facts = await self._tokens.facts_of(wanted, at)
        made: list[tuple[FoundPool, Pool]] = []
        for found in founds:
            try:
                self._check(found, worths[found.address])
                made.append((found, made_pool(found, facts, self._tokens)))
            except PoolRefusedError as error:
                left_out[error.refusal] += 1
                if error.refusal is PoolRefusal.UNSAFE and len(unsafe) < UNSAFE_MAX:
                    symbols = tuple(facts[token].symbol for token in found.tokens)
                    unsafe.append(UnsafePool(found, symbols, worths[found.address], error.text))
        return made

    def _check(self, found: FoundPool, worth_usd: float) -> None:
        if found.dex.protocol not in self._followable:
            raise PoolRefusedError(PoolRefusal.NO_FORM, found.dex.name)
        if why := self._why_not(found, worth_usd):
            raise PoolRefusedError(PoolRefusal.UNSAFE, why)


def _batches(pools: Iterator[FoundPool]) -> Iterator[list[FoundPool]]:
    while some := list(islice(pools, POOLS_AT_ONCE)):
        yield some
