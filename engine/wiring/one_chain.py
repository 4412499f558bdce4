"""One chain in the role `chains`: its nodes, its pools, and the stream of its blocks."""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from sqlite3 import Error as FileError
from typing import Final

from engine.chains.discovery.choosing import Choice, ChoiceTerms
from engine.chains.discovery.discovery import Discovery, open_discovery
from engine.chains.facts.keeping import KeptBlocks
from engine.chains.facts.ring import open_ring
from engine.chains.families.family_list import FAMILY_OF, families_of
from engine.chains.following.follower import Follower
from engine.chains.following.held import snapshot_of
from engine.chains.following.machine import Following, Rhythm
from engine.chains.following.serving import ChainStream
from engine.chains.gas.reader import GasReader
from engine.chains.gas.rules import LOCAL_RULE, gas_rule_of
from engine.chains.gas.watch import GasWatch, WatchTerms
from engine.chains.ports import BlockRef, Family, Node, NodeError, PoolNow, Reader
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.links import Way
from engine.chains.rpc.opening import open_providers
from engine.chains.rpc.pool import ProviderPool
from engine.chains.rpc.quorum import Agreeing
from engine.chains.rpc.reader import ChainReader
from engine.chains.rpc.settled import SettledReader
from engine.chains.safety.prober import Prober
from engine.chains.safety.token_watch import TokenWatch
from engine.chains.safety.verdict_store import VerdictStore
from engine.domain.advice import WEIGHT_MAX, AnyAdvice, DatedAdvice, PathAdvice, PoolsAdvice
from engine.domain.assets import AssetCode
from engine.domain.backoff import Backoff
from engine.domain.chains import GasModel
from engine.domain.pools import Protocol
from engine.domain.recovery import POOL_SEARCH
from engine.domain.token_safety import Verdict
from engine.pools.blocks import ChainWord
from engine.wiring.chain_nodes import ChainNodes
from engine.wiring.chain_pending import ChainPending
from engine.wiring.token_wants import TokenWants

log = logging.getLogger(__name__)

LOOK_S: Final = 60.0
"""Factories are asked for new pools so often, and pools chosen anew."""

LOCAL_LOOK_S: Final = 5.0
KEEP_S: Final = 60.0
LAST_KEEP_S: Final = 0.5
"""At the end: what was kept last is a minute old at most."""

CHECKED_S: Final = 3_600
"""Every pool is read again once in this time, and compared."""

POLLED_S: Final = 30
"""What may change without an event is asked for so often."""

STALLED_S_MIN: Final = 10.0
"""A chain without a block is told as stalled after its own bound, and no sooner than after this."""

FINAL_S: Final = 12.0
BACKOFF_S_MIN: Final = 0.25
BACKOFF_S_MAX: Final = 30.0
DEEP_BLOCKS: Final = 5
"""A reorganisation of so many blocks or more is told."""

_ADDRESS: Final = re.compile(r"0x(?:[0-9a-f]{40}|[0-9a-f]{64})", re.ASCII)

Told = Callable[[str, str, str], None]
"""Takes a chain, the name of one of its providers and at what that was caught; or of its files."""


class OneChain:
    """Follows a chain until cancelled.

    Attributes:
        machine: what is made of what its nodes say.
        pending: what waits for its blocks, and its large trades.
        stream: what the engine is told.
        node: the chain's providers, None before they are opened.
        choice: which pools are followed, None before they were chosen.
        discovery: knows all pools, followed or not; None before it was opened.
        trouble: why its pools cannot be looked for; empty if they can.
        restored_count: how many states that were kept over a restart still stood.
        final: number of the newest block that stays, None if nobody says.
        tokens: what is known of the tokens of its pools.

    Args:
        folder: where what is known of its pools is kept.
        undo_blocks: as many as the engine can undo.
        stale_blocks: without a block for so many of its block times it has stalled.
        votes: so many providers have to agree on what is read of pools.
        rates: what dearer keys may spend a second, by host.
        gas_stale_s: how long a price of gas counts there.
        on_liar: is told of a provider that was caught.
        on_file_lost: is told which of the chain's files could not be read at the start, and why.
        on_reorganised: is told how many blocks were undone, if they are many, and at which block.
        watched: makes what watches its pending transactions and large trades.
        usd_of: what the engine's books say that an asset is worth; it chooses pools, no more.
        probe_turn: held while a token is probed; all chains share it, so that one is at a time.
        blocks: keeps what each block was.
    """

    def __init__(
        self,
        nodes: ChainNodes,
        way: Way,
        *,
        folder: Path,
        terms: ChoiceTerms,
        undo_blocks: int,
        stale_blocks: int,
        votes: int,
        rates: Mapping[str, float],
        gas_stale_s: int,
        on_liar: Told,
        on_reorganised: Callable[[str, int, int], None],
        on_file_lost: Told,
        watched: Callable[[Following, ChainNodes, KeptBlocks], ChainPending],
        probe_turn: asyncio.Semaphore,
        blocks: KeptBlocks,
        usd_of: Callable[[AssetCode], Decimal | None],
    ) -> None:
        self.nodes: Final = nodes
        self.machine: Final = Following(nodes.facts.name, rhythm_of(nodes, undo_blocks))
        self.stream: Final = ChainStream(self.machine)
        self.pending: Final = watched(self.machine, nodes, blocks)
        self.pending.on_swap_told = lambda swap: self.stream.tell(ChainWord(told=(swap,)))
        self.pending.look_now = self._look_now
        self.blocks: Final = blocks
        self.node: ProviderPool | None = None
        self.choice: Choice | None = None
        self.discovery: Discovery | None = None
        self.trouble = ""
        self.restored_count = 0
        self.final: int | None = None
        self._gas_stale_s = gas_stale_s
        self._stale_s = stale_blocks * nodes.facts.block_ms / 1_000
        self._usd_of = usd_of
        self._way = way
        self._folder = folder
        self._terms = terms
        self._votes = votes
        self._rates = rates
        self._on_liar = on_liar
        self._on_reorganised = on_reorganised
        self._on_file_lost = partial(on_file_lost, nodes.facts.name)
        self._families: Mapping[Protocol, Family] = families_of(nodes.dexes)
        self._prober = Prober(
            chain=nodes.facts.name, chain_id=nodes.facts.chain_id, turn=probe_turn
        )
        store = VerdictStore(folder, nodes.facts.name)
        self.tokens: Final = TokenWatch(
            prober=self._prober, store=store, clock_s=time.time, told=self._on_verdict
        )
        if store.damage:
            self._on_file_lost("verdicts", store.damage)
        self._wants = TokenWants(self.tokens)
        self._advised: tuple[DatedAdvice, ...] = ()
        self._has_tip = asyncio.Event()
        self._has_more = asyncio.Event()
        self._is_restored = False
        self._unkept: Sequence[str] = ()
        self._follower: Follower | None = None

    async def run(self) -> None:
        """Follow the chain."""
        facts = self.nodes.facts
        async with open_providers(
            self.nodes.accesses,
            self._way,
            chain_id=facts.chain_id,
            block_ms=facts.block_ms,
            rates=self._rates,
            tell=lambda name, why: self._on_liar(facts.name, name, why),
        ) as self.node:
            agreeing = self._prober.node = Agreeing(self.node, self._votes)
            reader: Reader = ChainReader(agreeing)
            if self.nodes.is_local:
                reader = SettledReader(reader, agreeing)
            follower = self._follower = Follower(
                self.machine,
                agreeing,
                reader,
                tell=self._tell,
                block_ms=facts.block_ms,
                confirms_heads=min(self._votes, len(self.nodes.accesses)) > 1,
                note=self.blocks.head,
            )
            ring_path = self._folder / f"{facts.name}.blocks"
            with (
                open_ring(
                    ring_path,
                    chain_id=facts.chain_id,
                    on_anew=partial(self._on_file_lost, "blocks"),
                ) as ring,
                open_discovery(
                    self._folder,
                    facts=facts,
                    dexes=self.nodes.dexes,
                    node=self.node,
                    reader=reader,
                    usd_of=self._usd_of,
                    why_not=self._wants.why_not,
                    followable=FAMILY_OF,
                    on_anew=self._on_file_lost,
                ) as discovery,
            ):
                self.blocks.begin(ring)
                self.discovery = discovery
                self._unkept = discovery.troubles
                try:
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(follower.run())
                        tasks.create_task(self.pending.run(self.node))
                        tasks.create_task(self.tokens.run())
                        tasks.create_task(self.blocks.run(ring))
                        tasks.create_task(self._find_pools(discovery, follower))
                        tasks.create_task(self._keep_states(discovery))
                        tasks.create_task(self._watch_finality(self.node))
                        tasks.create_task(self._gas_watch(self.node).run())
                finally:
                    self.discovery = None
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LAST_KEEP_S):
                            await self._keep(discovery)

    async def use(self, accesses: Sequence[Access]) -> None:
        """Ask these providers from now on."""
        if self.node is not None:
            await self.node.use(accesses)

    def advise(self, advice: Sequence[DatedAdvice]) -> int:
        """Choose pools by this advice from the next look on; return how many pieces concern it."""
        self._advised = tuple(
            one for one in advice if getattr(one.advice, "chain", None) == self.machine.name
        )
        return len(self._advised)

    @property
    def tip(self) -> BlockRef | None:
        """The newest block."""
        tip = self.machine.branch.tip
        return None if tip is None else tip.ref

    @property
    def following_trouble(self) -> str:
        """Why its blocks do not come; empty if they do."""
        if self._follower is None:
            return "its nodes are looked for"
        quiet_s = self._follower.quiet_s
        is_stalled = quiet_s > max(self._stale_s, STALLED_S_MIN)
        return self._follower.trouble or (
            f"its nodes tell no new block for {quiet_s:.0f} s" if is_stalled else ""
        )

    @property
    def warnings(self) -> list[str]:
        """What is not as it should be, and holds up nothing."""
        return [one for one in (self.tokens.trouble, *self._unkept) if one]

    def lag_ms(self) -> dict[str, float]:
        """Return p50 and p99 of how long blocks took from being heard of to being told."""
        lags_s = sorted(() if self._follower is None else self._follower.lags_s)
        if not lags_s:
            return {}
        last = len(lags_s) - 1
        return {
            name: round(1_000 * lags_s[round(part * last)], 1)
            for name, part in (("p50", 0.5), ("p99", 0.99))
        }

    def _tell(self, word: ChainWord) -> None:
        self.stream.tell(word)
        if word.block is not None:
            self.blocks.told(word.block)
            self.pending.after_block()
            self._has_tip.set()
            if word.block.undone >= DEEP_BLOCKS:
                self._on_reorganised(self.machine.name, word.block.undone, word.block.number)

    def _look_now(self) -> None:
        if self._follower is not None:
            self._follower.look_now()

    async def _find_pools(self, discovery: Discovery, follower: Follower) -> None:
        """Look for pools and choose those that are followed, again and again."""
        backoff = Backoff(
            POOL_SEARCH,
            first_s=BACKOFF_S_MIN,
            longest_s=BACKOFF_S_MAX,
            of=f"chain/{self.machine.name}",
        )
        while True:
            await self._has_tip.wait()
            at = self.tip
            assert at is not None
            try:
                await discovery.look(at)
                self._wants.begin_round()
                self.choice = await discovery.choose(at, self._terms_now())
                self._wants.end_round()
                await self._follow(self.choice, discovery, follower)
            except (NodeError, FileError) as error:
                self.trouble = str(error)
                log.info("%s: pools are not looked for: %s", self.machine.name, error)
                await asyncio.sleep(backoff.next_s())
                continue
            self.trouble = ""
            backoff.reset()
            await self._rest()

    def _terms_now(self) -> ChoiceTerms:
        """Return by what pools are chosen, with what is advised now."""
        now_ns = time.time_ns()
        weights = weights_of([one.advice for one in self._advised if one.until_ns > now_ns])
        return replace(self._terms, weights=weights)

    async def _rest(self) -> None:
        """Wait until pools are chosen anew: sooner where a token came in that most of them have."""
        self._has_more.clear()
        await asyncio.sleep(LOCAL_LOOK_S)
        if not self.nodes.is_local:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S - LOCAL_LOOK_S):
                    await self._has_more.wait()

    async def _follow(self, choice: Choice, discovery: Discovery, follower: Follower) -> None:
        chosen = {one.pool.address: one.pool for one in choice.chosen}
        known = self.machine.pools.of
        for address in [one for one in known if one not in chosen]:
            follower.forget(address)
        new = [
            (pool, self._families[pool.protocol])
            for address, pool in chosen.items()
            if address not in known and pool.protocol in self._families
        ]
        if self._is_restored or not new:
            follower.follow(new)
            return
        self._is_restored = True
        pools = [pool for pool, _ in new]

        async def known_at(at: BlockRef) -> Mapping[str, PoolNow]:
            restored = await discovery.trusted(pools, self._families, at)
            self.restored_count = len(restored.trusted)
            log.info(
                "%s: %d of %d pools are as they were kept; %s",
                *(self.machine.name, len(restored.trusted), len(pools)),
                restored.why or "the others are read",
            )
            return {one.pool.address: one for one in restored.trusted}

        await follower.restore(new, known_at)

    def _on_verdict(self, verdict: Verdict) -> None:
        """Let go at once of pools whose token may not be in a route any more."""
        if not self.tokens.why_not(verdict.token):
            if verdict.is_curated:
                self._has_more.set()
            return
        if self._follower is None:
            return
        pools = self.machine.pools.of.items()
        for address in [at for at, of in pools if verdict.token in of.pool.token_addresses]:
            self._follower.forget(address)

    async def _keep_states(self, discovery: Discovery) -> None:
        while True:
            await asyncio.sleep(KEEP_S)
            await self._keep(discovery)

    async def _keep(self, discovery: Discovery) -> None:
        """Keep the states of all live pools for after a restart."""
        tip = self.tip
        if tip is None:
            return
        live = [snapshot_of(held, tip.number) for held in self.machine.pools.live()]
        try:
            await discovery.keep(live, tip)
        except FileError as error:
            self._unkept = (*discovery.troubles, f"states of pools are not kept: {error}")
            log.warning("%s: states of pools are not kept: %s", self.machine.name, error)
        else:
            self._unkept = discovery.troubles

    def _gas_watch(self, node: Node) -> GasWatch:
        """Return what tells the engine what a transaction costs."""
        facts, rule = self.nodes.facts, gas_rule_of(self.nodes.facts.name)
        if self.nodes.is_local:
            facts, rule = replace(facts, gas_model=GasModel.BASE_FEE), LOCAL_RULE
        return GasWatch(
            {facts.name: GasReader(facts, rule, node)},
            lambda _chain, price: self.stream.price_gas(price),
            WatchTerms(stale_s=self._gas_stale_s),
            paces_s={facts.name: facts.block_ms / 1_000},
            clock_s=time.monotonic,
            see=self.blocks.seen,
        )

    async def _watch_finality(self, node: Node) -> None:
        while True:
            try:
                said = await node.request("eth_getBlockByNumber", "finalized", False)
                self.final = _number_of(said)
            except NodeError as error:
                log.info("%s: nobody says what is final: %s", self.machine.name, error)
            await asyncio.sleep(FINAL_S)

    def reason_counts(self) -> dict[str, int]:
        """Return why how many pools are not live."""
        counts: dict[str, int] = {}
        for one in self.machine.pools.of.values():
            if one.held is None:
                counts[one.why] = counts.get(one.why, 0) + 1
        return counts


def weights_of(advice: Sequence[AnyAdvice]) -> dict[str, float]:
    """Return by how much more pools count; those of a cycle that is advised as much as any can."""
    weights: dict[str, float] = {}
    for one in advice:
        if isinstance(one, PoolsAdvice):
            weights.update(one.weights)
    for one in advice:
        if isinstance(one, PathAdvice):
            weights.update(dict.fromkeys(one.pools, WEIGHT_MAX))
    return {address: weight for address, weight in weights.items() if _ADDRESS.fullmatch(address)}


def rhythm_of(nodes: ChainNodes, undo_blocks: int) -> Rhythm:
    """Return how often pools of a chain are read: the same in time, whatever its blocks take."""
    block_ms = nodes.facts.block_ms
    return Rhythm(
        undo_blocks=undo_blocks,
        polled_blocks=max(POLLED_S * 1_000 // block_ms, 1),
        checked_blocks=max(CHECKED_S * 1_000 // block_ms, 1),
    )


def _number_of(said: object) -> int | None:
    number = said.get("number") if isinstance(said, dict) else None
    try:
        return int(str(number), 16) if number is not None else None
    except ValueError:
        return None
