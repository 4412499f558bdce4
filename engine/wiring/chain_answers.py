"""What the role `chains` answers."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from engine.bus.advice_reports import AdviceTaken
from engine.bus.chain_reports import (
    BlockFactsReport,
    ChainLine,
    ChainsReport,
    PoolLine,
    PoolRatesReport,
    PoolsReport,
    ProviderLine,
    richest_first,
)
from engine.bus.hooked import HookLine, HooksTaken, HookWord
from engine.bus.request import Reply, Request
from engine.bus.token_report import TokenReport
from engine.chains.discovery.found import PoolRefusal
from engine.chains.facts.ring import BLOCKS_KEPT
from engine.chains.following.counts import Count
from engine.chains.pending.waiting import Count as Waited
from engine.domain.advice import DatedAdvice, check_advice
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_S
from engine.operate.clock import Clock
from engine.pools.integers import PIPS
from engine.requests.chains import PAGE_POOLS_MAX, GetBlockFacts, GetPoolRates, GetPools
from engine.requests.hooked import TakeHooked
from engine.requests.token import GetToken
from engine.wiring.one_chain import OneChain
from engine.wiring.pool_rates import pool_rates
from engine.wiring.token_answer import token_report

RATES_MAX: Final = 5_000
HOOKS_QUIET_S: Final = 30.0
"""The gateway tells how its webhooks are every 5 s."""


class ChainAnswers:
    """Obeys `bus.request.Answerer` and what `requests.chains`, `token` and `hooked` ask of it."""

    def __init__(
        self,
        chains: Mapping[str, OneChain],
        *,
        basis: Basis,
        clock: Clock,
        on_hook_trouble: Callable[[str, str], None] = lambda _chain, _why: None,
    ) -> None:
        """Answer for chains; `on_hook_trouble` is told a chain, or none, and what webhooks lack."""
        self.of: Final = chains
        self._basis = basis
        self._clock = clock
        self._advised: tuple[DatedAdvice, ...] = ()
        self._hooks: HookWord | None = None
        self._hook_troubles: set[tuple[str, str]] = set()
        self._on_hook_trouble = on_hook_trouble

    async def answer(self, request: Request[Reply], /) -> Reply:
        """Answer one request."""
        return await request.answer(self)

    def chains(self) -> ChainsReport:
        """Return how all chains are."""
        lines = [self._line(one) for _, one in sorted(self.of.items())]
        return ChainsReport(basis=self._basis, chains=lines)

    def pools(self, asked: GetPools) -> PoolsReport:
        """Return a page of pools."""
        pools = self._unsafe() if asked.is_unsafe else self._pools()
        found = sorted(
            (one for one in pools if _is_asked(one, asked)),
            key=richest_first,
        )
        first = max(asked.first, 0)
        most = min(max(asked.most, 0), PAGE_POOLS_MAX)
        return PoolsReport(
            basis=self._basis,
            count=len(found),
            live=sum(not one.why for one in found),
            first=first,
            pools=found[first : first + most],
            by_dex=[
                (chain, dex, count)
                for (chain, dex), count in Counter(
                    (one.chain, one.dex) for one in found
                ).most_common()
            ],
            unsafe=sum(
                one.choice.left_out[PoolRefusal.UNSAFE]
                for name, one in self.of.items()
                if one.choice is not None and asked.chain.lower() in ("", name)
            ),
        )

    async def pool_rates(self, asked: GetPoolRates) -> PoolRatesReport:
        """Return pools of a chain; others get their turn in between."""
        one = self.of.get(asked.chain)
        if one is None:
            return PoolRatesReport(is_followed=False, pools=[])
        pools = await pool_rates(one)
        most = min(max(asked.most, 0), RATES_MAX)
        pools.sort(key=lambda pool: (-pool.usd, pool.address))
        left_out = max(len(pools) - most, 0)
        return PoolRatesReport(is_followed=True, pools=pools[:most], left_out=left_out)

    def token(self, asked: GetToken) -> TokenReport:
        """Return what is known of tokens."""
        watches = {name: one.tokens for name, one in self.of.items()}
        return token_report(watches, asked.name, basis=self._basis)

    async def blocks(self, asked: GetBlockFacts) -> BlockFactsReport:
        """Return newest blocks of a chain; see `Chains.blocks`."""
        one = self.of.get(asked.chain)
        if one is None:
            raise BadValueError(f"{asked.chain} is not followed")
        most = min(max(asked.last, 0), BLOCKS_KEPT)
        found = await one.blocks.newest(most)
        return BlockFactsReport(chain=asked.chain, blocks=found, left_out=most - len(found))

    def advise(self, advice: Sequence[DatedAdvice]) -> AdviceTaken:
        """Choose pools by this advice; see `AdvisedChains.advise`."""
        check_advice(tuple(advice), at_ns=self._clock())
        is_changed = tuple(advice) != self._advised
        self._advised = tuple(advice)
        in_force = sum(one.advise(self._advised) for one in self.of.values())
        return AdviceTaken(in_force=in_force, is_changed=is_changed)

    def hooked(self, asked: TakeHooked) -> HooksTaken:
        """Take what webhooks told; see `requests.hooked.Hooked`."""
        one = self.of.get(asked.chain)
        if one is None:
            raise BadValueError(f"{asked.chain} is not followed")
        return one.pending.take_hooked(asked.events, asked.spans)

    def hooks_are(self, word: HookWord) -> HooksTaken:
        """Hear how webhooks are; see `requests.hooked.Hooked`."""
        self._hooks = word
        troubles = {("", word.trouble)} if word.trouble else set()
        for name, one in self.of.items():
            troubles |= {(name, why) for why in self._doubts(one)}
        for chain, why in sorted(troubles - self._hook_troubles):
            self._on_hook_trouble(chain, why)
        self._hook_troubles = troubles
        return HooksTaken()

    def _hook_lines(self, one: OneChain) -> list[HookLine]:
        """Return each stream that tells, or is to tell, of a chain, with what the gateway says."""
        judged = {line.stream: line for line in one.pending.hooked.lines(self._clock())}
        said = {of.stream: of for of in (self._hooks.streams if self._hooks else ())}
        name = one.machine.name
        streams = {*judged, *(of.stream for of in said.values() if of.chain in ("", name))}
        return [
            replace(judged.get(stream) or HookLine(stream=stream), figures=said.get(stream))
            for stream in sorted(streams)
        ]

    def _hook_warnings(self, one: OneChain) -> list[str]:
        word = self._hooks
        if word is None:
            return []
        quiet_s = (self._clock() - word.told_at_ns) / NS_PER_S
        found = [word.trouble] if word.trouble else []
        if quiet_s > HOOKS_QUIET_S:
            found.append(f"the gateway says nothing of webhooks for {quiet_s:.0f} s")
        return found + self._doubts(one)

    def _doubts(self, one: OneChain) -> list[str]:
        return [
            f"webhook {line.stream} was wrong too often: nothing follows of it"
            for line in one.pending.hooked.lines(self._clock())
            if line.is_doubted
        ]

    def _line(self, one: OneChain) -> ChainLine:
        tip, health = one.tip, None if one.node is None else one.node.health()
        head = None if tip is None else tip.number
        newest = None if health is None else health.head
        pools = one.machine.pools
        age_s = 0.0 if tip is None else max(self._clock() / NS_PER_S - tip.made_at_s, 0.0)
        split = "" if health is None else health.split
        return ChainLine(
            chain=one.machine.name,
            head=head,
            head_age_s=age_s,
            block_ms=one.nodes.facts.block_ms,
            behind_blocks=0 if head is None or newest is None else max(newest - head, 0),
            final=one.final,
            finality_s=one.nodes.facts.finality_s,
            trouble=split or one.following_trouble or one.trouble,
            pools_live=len(pools.of) - pools.unread_count,
            pools_stale=pools.unread_count,
            stale=one.reason_counts(),
            left_out={}
            if one.choice is None
            else {str(why): count for why, count in one.choice.left_out.items()},
            reorganisations=one.machine.counts[Count.REORGANISATIONS],
            deepest=one.machine.deepest,
            gaps=one.machine.counts[Count.GAPS],
            counts={str(kind): count for kind, count in one.machine.counts.items()},
            listeners=one.stream.client_count,
            lag_ms=one.lag_ms(),
            warnings=[*one.warnings, *self._hook_warnings(one)],
            hooks=self._hook_lines(one),
            tokens=dict(one.tokens.standings()),
            ahead=one.pending.desk.counts[Waited.AHEAD_KEPT]
            + one.pending.desk.counts[Waited.AHEAD_DROPPED],
            ahead_kept=one.pending.desk.counts[Waited.AHEAD_KEPT],
            pending={str(kind): count for kind, count in one.pending.desk.counts.items()},
            providers=[]
            if health is None
            else [
                ProviderLine(
                    name=of.name,
                    state=str(of.state),
                    why=of.why,
                    latency_ms=of.latency_ms_p50,
                    lag_blocks=of.lag_blocks,
                )
                for of in health.providers
            ],
        )

    def _pools(self) -> Iterator[PoolLine]:
        for name, one in self.of.items():
            chosen = {} if one.choice is None else {c.pool.address: c for c in one.choice.chosen}
            for address, of in one.machine.pools.of.items():
                choice = chosen.get(address)
                yield PoolLine(
                    chain=name,
                    dex=str(of.pool.protocol) if choice is None else choice.dex.name,
                    venue=of.pool.venue,
                    address=address,
                    assets=tuple(of.pool.assets),
                    fee_text=of.pool.fee_text,
                    worth_usd=0.0 if choice is None else choice.worth_usd,
                    why=of.why,
                    since=0 if of.held is not None else of.since,
                )

    def _unsafe(self) -> Iterator[PoolLine]:
        for name, one in self.of.items():
            for of in () if one.choice is None else one.choice.unsafe:
                fee = Decimal(of.found.fee_pips) / PIPS
                yield PoolLine(
                    chain=name,
                    dex=of.found.dex.name,
                    venue=VenueId(f"{of.found.dex.protocol}@{name}"),
                    address=of.found.address,
                    assets=of.symbols,
                    fee_text=f"{fee * 100:.2f} %",
                    worth_usd=of.worth_usd,
                    why=of.why,
                    since=0,
                )


def _is_asked(one: PoolLine, asked: GetPools) -> bool:
    return (
        asked.chain.lower() in ("", one.chain)
        and asked.dex.lower() in ("", one.dex.lower(), one.venue.partition("@")[0])
        and (bool(one.why) or not asked.is_stale)
    )
