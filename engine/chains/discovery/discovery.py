"""The pools of a chain: which DEXs are there, which pools they have, which are followed."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from engine.chains.discovery.announcements import ANNOUNCED, LIST
from engine.chains.discovery.cache_file import open_cache
from engine.chains.discovery.choosing import Choice, ChoiceTerms, Chooser
from engine.chains.discovery.factory_scan import FactoryScan, ScanProgress
from engine.chains.discovery.found import FoundPool, PoolRefusal
from engine.chains.discovery.list_scan import ListScan
from engine.chains.discovery.pool_cache import PoolCache
from engine.chains.discovery.restoring import Restored, trusted_again
from engine.chains.discovery.row_checks import CheckedRow, checked_rows, with_first_blocks
from engine.chains.discovery.state_cache import StateCache
from engine.chains.discovery.token_desk import TokenDesk
from engine.chains.ports import BlockRef, Family, Node, Reader
from engine.domain.assets import AssetCode
from engine.domain.chains import ChainFacts
from engine.domain.dexes import Dex
from engine.domain.pools import Pool, Protocol
from engine.domain.tokens import CURATED, NATIVE_ADDRESS
from engine.pools.snapshots import PoolSnapshot

log = logging.getLogger(__name__)

DOLLARS: Final = frozenset(AssetCode(code) for code in ("USDC", "USDT", "DAI"))
"""Worth a dollar where nobody says a price: to choose pools by, and for nothing else."""


class DiscoveryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is.

    Attributes:
        known: pools that were found.
        progress: of the reading of factories; none before it began.
        refused: pools that were told and not taken over, by reason.
        missing: pools that a DEX has by its own count and that nobody told, by its name.
        unsound: rows that are not believed, and why.
        left_out: pools that are known and not followed, by reason.
    """

    known: int
    progress: ScanProgress | None
    refused: dict[str, int]
    missing: dict[str, int]
    unsound: tuple[CheckedRow, ...]
    left_out: dict[PoolRefusal, int]


class Discovery:
    """Finds and chooses the pools of a chain; `open_discovery` makes one.

    Attributes:
        tokens: what is known of the chain's tokens.
        states: states of pools, kept over a restart.
        troubles: why which of that is not kept; none if all is.
    """

    def __init__(
        self,
        *,
        facts: ChainFacts,
        dexes: Sequence[Dex],
        node: Node,
        reader: Reader,
        cache: PoolCache,
        tokens: TokenDesk,
        states: StateCache,
        chooser: Chooser,
        troubles: Sequence[str] = (),
    ) -> None:
        self.troubles: Final = tuple(troubles)
        self.tokens: Final = tokens
        self.states: Final = states
        self._facts = facts
        self._dexes = dexes
        self._node = node
        self._reader = reader
        self._cache = cache
        self._chooser = chooser
        self._scan: FactoryScan | None = None
        self._lists: ListScan | None = None
        self._progress: ScanProgress | None = None
        self._unsound: tuple[CheckedRow, ...] = ()
        self._left_out: Counter[PoolRefusal] = Counter()

    async def look(self, at: BlockRef) -> int:
        """Find pools that are new up to a block; return how many.

        Raises:
            NodeError: a node does not answer; what was found until then is kept.
        """
        if self._scan is None or self._lists is None:
            self._scan, self._lists = await self._begun(at)
        told = await self._scan.catch_up(at.number)
        return told + await self._lists.catch_up(at)

    def known(self, usd_min: float, *, most: int) -> list[tuple[FoundPool, float]]:
        """Return pools with so much in them or more, followed or not, and what that is."""
        worths = self._cache.worths()
        found = islice(self._cache.worth(usd_min), most)
        return [(pool, worths.get(pool.address, 0.0)) for pool in found]

    async def choose(self, at: BlockRef, terms: ChoiceTerms) -> Choice:
        """Choose which of the known pools are followed.

        Raises:
            NodeError: a node does not answer.
        """
        choice = await self._chooser.choose(at, terms)
        self._left_out = choice.left_out
        return choice

    async def trusted(
        self, pools: Sequence[Pool], families: Mapping[Protocol, Family], at: BlockRef
    ) -> Restored:
        """Return which of the states that were kept still stand, of pools that are followed.

        Pools of a token that says other decimals than before are in neither list.

        Raises:
            NodeError: a node does not answer.
        """
        tokens = {token for pool in pools for token in pool.token_addresses}
        changed = {facts.address for facts in await self.tokens.changed(tokens, at)}
        return await trusted_again(
            [pool for pool in pools if changed.isdisjoint(pool.token_addresses)],
            await self.states.kept(),
            families=families,
            node=self._node,
            reader=self._reader,
            at=at,
            log_span=self._facts.log_span,
        )

    async def keep(self, snapshots: Iterable[PoolSnapshot], at: BlockRef) -> int:
        """Keep states as of a block for after a restart; return how many."""
        return await self.states.keep(snapshots, at)

    def status(self) -> DiscoveryStatus:
        """Return how far it is."""
        scan = self._scan
        return DiscoveryStatus(
            known=self._cache.count(),
            progress=self._progress,
            refused=dict(self._cache.refused()),
            missing={} if scan is None else dict(scan.missing),
            unsound=self._unsound,
            left_out=dict(self._left_out),
        )

    async def _begun(self, at: BlockRef) -> tuple[FactoryScan, ListScan]:
        rows = await checked_rows(self._dexes, self._reader, at, wrapped=self._facts.wrapped_native)
        self._unsound = tuple(row for row in rows if row.why_not)
        sound = [row.dex for row in rows if not row.why_not]
        announcing = [dex for dex in sound if ANNOUNCED[dex.protocol] is not LIST]
        scan = FactoryScan(
            node=self._node,
            reader=self._reader,
            dexes=await with_first_blocks(announcing, self._node),
            cache=self._cache,
            log_span=self._facts.log_span,
            told=self._tell,
        )
        lists = ListScan(reader=self._reader, dexes=sound, cache=self._cache, told=self._tell)
        return scan, lists

    def _tell(self, progress: ScanProgress) -> None:
        self._progress = progress


@contextmanager
def open_discovery(
    folder: Path,
    *,
    facts: ChainFacts,
    dexes: Sequence[Dex],
    node: Node,
    reader: Reader,
    usd_of: Callable[[AssetCode], Decimal | None],
    why_not: Callable[[FoundPool, float], str],
    followable: Iterable[Protocol],
    on_anew: Callable[[str, str], object] = lambda _what, _why: None,
) -> Iterator[Discovery]:
    """Open what is known of a chain's pools for the block.

    Args:
        folder: where the chain's files are.
        facts: the chain.
        dexes: its DEXs, of the tables or announced by a sandbox.
        node: of the chain.
        reader: of the same chain.
        usd_of: price of an asset, None if nobody knows it.
        why_not: why the tokens of a pool may not be traded, given it and its worth.
        followable: makes that can be followed.
        on_anew: is told which file (``pools``, ``states``) cannot be used, and why.
    """
    troubles: list[str] = []

    def opened(ending: str) -> sqlite3.Connection:
        path = folder / f"{facts.name}.{ending}"
        return open_cache(
            path,
            chain_id=facts.chain_id,
            tell=troubles.append,
            on_anew=lambda why: on_anew(ending, why),
        )

    cache, states = opened("pools"), opened("states")
    for trouble in troubles:
        log.warning("%s", trouble)
    try:
        pools = PoolCache(cache, dexes)
        tokens = TokenDesk(facts=facts, reader=reader, cache=cache)
        curated = [address.lower() for address in CURATED.get(facts.name, {})]
        chooser = Chooser(
            reader=reader,
            cache=pools,
            tokens=tokens,
            anchors=[*curated, NATIVE_ADDRESS],
            usd_of=lambda asset: _price(asset, usd_of, facts),
            why_not=why_not,
            followable=frozenset(followable),
        )
        yield Discovery(
            facts=facts,
            dexes=dexes,
            node=node,
            reader=reader,
            cache=pools,
            tokens=tokens,
            states=StateCache(states),
            chooser=chooser,
            troubles=troubles,
        )
    finally:
        cache.close()
        states.close()


def _price(
    asset: AssetCode, usd_of: Callable[[AssetCode], Decimal | None], facts: ChainFacts
) -> Decimal | None:
    """Return a price to choose pools by, if need be a rough one."""
    usd = usd_of(asset)
    if usd is None and asset in DOLLARS:
        return Decimal(1)
    return facts.native_usd_about if usd is None and asset == facts.native else usd
