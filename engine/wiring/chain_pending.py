"""Pending transactions and whales of one chain in the role `chains`."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from functools import partial
from typing import Final

from engine.bus.hooked import HookEvent, HooksTaken
from engine.bus.notices import WhaleSeen
from engine.chains.families.family_list import families_of
from engine.chains.following.machine import Following
from engine.chains.following.pair_events import Changed
from engine.chains.pending.desk import PendingDesk
from engine.chains.pending.hooked import Hooked, Told
from engine.chains.pending.preconfirmed import Preconfirmed, PreconfirmedWatch
from engine.chains.pending.prices import RoughPrices
from engine.chains.pending.router_list import RouterAt, routers_of
from engine.chains.pending.waiting import Waits
from engine.chains.pending.watch import PendingWatch, WatchLimits
from engine.chains.pending.whales import Swapped, UsdOf, Whale, WhaleTerms, impact_of
from engine.chains.ports import BlockRef, Log, Node
from engine.domain.chains import ChainFacts
from engine.domain.dexes import Dex
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.domain.units import BPS_PER_UNIT, NS_PER_S
from engine.pools.blocks import SwapTold
from engine.settings.schema import ChainsSettings
from engine.wiring.pending_pools import LivePools, PoolsBefore, is_far, steps_of, told_of

log = logging.getLogger(__name__)

RESTART_S: Final = 1.0
RATIO_DIGITS: Final = Decimal("0.000001")
MS_PER_S: Final = 1_000
ASK_LATEST_S: Final = 0.25
"""Nodes are asked for their newest block at a webhook's word no more often than that."""


class ChainPending:
    """Watches a chain that is followed.

    Attributes:
        desk: what was heard, foretold and found.
        watch: what hears it; None before it runs.
        hints: what its sequencer has confirmed ahead of the next block.
        hooked: what webhooks told of it.
        on_swap_told: takes each large swap that a webhook told of the next block.
        look_now: has its nodes asked for their newest block.
        restart_count: how often it failed and began anew.

    Args:
        machine: follows the chain; it shows each block from now on.
        routers: whose calls are decoded, of any chain.
        dexes: whose pools those find by their tokens.
        on_whale: takes each large trade that is to be told.
        on_impact: is told at once of each that moves its price far or is large, told or not.
        on_told: is told at once of each large swap of a webhook, with its transaction.
        note: is shown each block with its swaps, and what values them.
        note_taken: is shown what each took that had waited.
    """

    def __init__(
        self,
        machine: Following,
        *,
        facts: ChainFacts,
        routers: Iterable[RouterAt],
        dexes: Iterable[Dex],
        terms: WhaleTerms,
        on_whale: Callable[[Whale], None],
        on_impact: Callable[[], None] = lambda: None,
        on_told: Callable[[str], None] = lambda _tx: None,
        now_ns: Callable[[], int],
        hears_pending: bool = True,
        limits: WatchLimits | None = None,
        note: Callable[[BlockRef, Sequence[Swapped], UsdOf], None] | None = None,
        note_taken: Callable[[BlockRef, Sequence[Waits]], None] | None = None,
    ) -> None:
        self.restart_count = 0
        self._machine, self._on_whale, self._now_ns = machine, on_whale, now_ns
        self._on_impact, self._far_ratio = on_impact, float(terms.impact_ratio)
        self._on_told, self._impact_ratio = on_told, terms.impact_ratio
        self.on_swap_told: Callable[[SwapTold], None] = lambda _swap: None
        self.look_now: Callable[[], None] = lambda: None
        self._asked_latest_s = -ASK_LATEST_S
        dexes = tuple(dexes)
        self._live = LivePools(machine.pools)
        self._block_s = facts.block_ms // MS_PER_S
        self._hears_pending, self._limits = hears_pending, limits
        prices = RoughPrices(
            lambda: ((held.pool, held.state) for held in machine.pools.live()), now_ns
        )
        self.desk: Final = PendingDesk(
            routers=routers_of(routers, dexes, chain=facts.name, weth=facts.wrapped_native),
            pools=self._live,
            terms=terms,
            usd_of=prices.usd_of,
            on_pending_whale=on_impact,
            note=None if note is None else lambda ref, swaps: note(ref, swaps, prices.usd_of),
            note_taken=note_taken,
        )
        self.watch: PendingWatch | None = None
        self.hints: Final = Preconfirmed(
            steps_of=lambda log: steps_of(log, machine.pools),
            pools=self._live,
            counts=self.desk.counts,
        )
        self.hooked: Final = Hooked(
            steps_of=lambda log: steps_of(log, machine.pools),
            pools=self._live,
            pool_of=lambda log: next((at.pool.address for at in machine.pools.about(log)), ""),
            tip=lambda: None if machine.branch.tip is None else machine.branch.tip.ref,
            depth_of=machine.branch.depth_of,
            ask_latest=self._ask_latest,
        )
        hears_hints = hears_pending and facts.confirms_ahead
        families = families_of(dexes).values() if hears_hints else ()
        self._topics = frozenset(topic for family in families for topic in family.topics)

    async def run(self, node: Node) -> None:
        """Watch until cancelled."""
        self.watch = PendingWatch(
            node,
            self.desk,
            tell=self._on_whale,
            now_ns=self._now_ns,
            block_s=self._block_s,
            hears_pending=self._hears_pending,
            limits=self._limits,
        )
        self._machine.look = self.look
        try:
            while True:
                await self._run(self.watch, node)
                await asyncio.sleep(RESTART_S)
        finally:
            self._machine.look = None

    async def _run(self, watch: PendingWatch, node: Node) -> None:
        """Watch; what a stranger sent ends neither this for long nor the chain's blocks at all."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(watch.run())
                if self._topics:
                    tasks.create_task(self._hints_of(watch, node).run())
        except Exception:
            self.restart_count += 1
            log.exception("what waits for blocks of %s is watched anew", self._machine.name)

    def _hints_of(self, watch: PendingWatch, node: Node) -> PreconfirmedWatch:
        branch = self._machine.branch
        return PreconfirmedWatch(
            node,
            self.hints,
            topics=self._topics,
            take=watch.confirmed_ahead,
            tip_number=lambda: None if branch.tip is None else branch.tip.ref.number,
        )

    def take_hooked(
        self, events: Sequence[HookEvent], spans: Iterable[tuple[str, int, int]]
    ) -> HooksTaken:
        """Take what webhooks told of the chain."""
        self.hooked.spans(spans)
        return self._follow_up(self.hooked.hear(events))

    def after_block(self) -> None:
        """Look at what webhooks told of the block that is the next one now."""
        self._follow_up(self.hooked.after_block())

    def _follow_up(self, told: Sequence[Told]) -> HooksTaken:
        """Have background work make way for large swaps, and the engine wait for their block."""
        triggers = 0
        for one in told:
            triggers += self._is_large(one)
        return HooksTaken(swaps=len(told), triggers=triggers)

    def _is_large(self, told: Told) -> bool:
        swap, log = told.swap, told.swap.log
        try:
            impact = impact_of(swap)
        except BadValueError:
            return False  # what nobody can trade from has no price
        if log is None or not impact.reaches(self._impact_ratio):
            return False
        self._on_told(log.tx_hash)
        self.hooked.triggered(told.stream)
        self.on_swap_told(
            SwapTold(
                chain=self._machine.name,
                address=swap.pool.address,
                block=log.block_number,
                impact_bps=impact.change_bps_floor,
                stream=told.stream,
                tx=log.tx_hash,
            )
        )
        return True

    def _ask_latest(self) -> None:
        now_s = self._now_ns() / NS_PER_S
        if not 0 <= now_s - self._asked_latest_s < ASK_LATEST_S:
            self._asked_latest_s = now_s
            self.look_now()

    def look(self, ref: BlockRef, logs: Sequence[Log], changed: Changed) -> None:
        """Look at a block: at once whether it moves a price far, at the rest once it is told."""
        self.hints.block(ref, logs)
        self.hooked.block(ref, logs, self._now_ns())
        if self.watch is not None:
            if is_far(changed, self._far_ratio):
                self._on_impact()
            before = changed.before
            told = partial(told_of, ref, logs, self._machine.pools, before)
            self.watch.block(told, PoolsBefore(before, self._live))


def whale_terms(settings: ChainsSettings) -> WhaleTerms:
    """Return from what size on a trade is told."""
    return WhaleTerms(
        impact_ratio=Fraction(settings.whale_bps, BPS_PER_UNIT),
        worth_usd=Decimal(settings.whale_usd),
        told_max=settings.whales_per_min,
    )


def whale_notice(whale: Whale, *, at_ns: int, basis: Basis) -> WhaleSeen:
    """Return what is told of a whale."""
    ratio = Decimal(whale.impact_ratio.numerator) / whale.impact_ratio.denominator
    return WhaleSeen(
        at_ns=at_ns,
        basis=basis,
        venue=whale.pool.venue,
        pool=whale.pool.address,
        fee_ratio=whale.pool.fee_ratio,
        asset_in=whale.asset_in,
        asset_out=whale.asset_out,
        amount_in=whale.amount_in,
        amount_out=whale.amount_out,
        impact_ratio=ratio.quantize(RATIO_DIGITS, rounding=ROUND_DOWN),
        worth_usd=whale.worth_usd,
        is_pending=whale.is_pending,
        tx=whale.tx_hash,
    )
