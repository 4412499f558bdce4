"""Looks back at what was told of a chain's trades: what each was, and who stood in front.

It works from what is kept of them, after they were told and never before, so that nothing that is
sent or told waits for it; whatever it was broken off at, it does again.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.domain.chains import block_ms
from engine.domain.errors import BadValueError, TransientError
from engine.domain.handed import Handed
from engine.domain.plans import AtomicPlan, MixedPlan
from engine.domain.told import Fate
from engine.domain.truths import Ahead, Foreseen
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.sending.encoding import calldata, decode
from engine.sending.facts import Landed, Life
from engine.sending.nonces import NonceTable
from engine.sending.routes import RouteTerms, route_of
from engine.sending.told_table import Told
from engine.sending.touching import PLACE_MAX, Touched, watched_of
from engine.sending.truth import AHEAD_MAX, Behind, truth_of
from engine.sending.truth_table import TruthTable
from engine.sending.view import ChainView
from engine.sending.warming import Simulate

log = logging.getLogger(__name__)

BACK_BLOCKS_MAX: Final = 64
"""So far back a plan that was never sent is looked after."""

TRIES_MAX: Final = 600
"""So often nodes are asked before what they do not say is called unknown."""

_LANDED: Final = frozenset({Fate.SUCCEEDED, Fate.REVERTED})
_GONE: Final = ("missing trie node", "is another one by now", "not found", "historical state")
"""What nodes say that will never say more: they keep no state so old, or the block is gone."""


@dataclass(slots=True, kw_only=True)
class TruthDesk:
    """The truths of one chain.

    Attributes:
        simulate: carries a call out on the state of an older block, on an EVM of its own: that of
            the sending desk is warm for the newest one.
    """

    chain: str
    terms: RouteTerms
    table: NonceTable
    truths: TruthTable
    view: ChainView
    simulate: Simulate
    _upto: int = field(default=0, init=False)
    _tries: int = field(default=0, init=False)

    async def step(self) -> int:
        """Work out what was told since; return how many of them there were.

        Raises:
            TransientError: nodes do not say; nothing is lost by it.
            FatalError: a table cannot be used.
        """
        done = 0
        for told in self.table.told.after(self._upto):
            if not self.truths.has(told.number):
                handed = self.table.handed(told.news.client_order_id)
                # What a swap is worth the orders beside it say, of which nothing is known here.
                if handed is None or isinstance(handed.plan, MixedPlan):
                    self.truths.put(told.number, None)
                elif handed.plan.chain == self.chain:
                    await self._work_out(told, handed, handed.plan)
                    done += 1
            self._upto = told.number
        return done

    async def _work_out(self, told: Told, handed: Handed, plan: AtomicPlan) -> None:
        news = told.news
        foreseen = self.table.foreseen(news.client_order_id)
        life = self.table.life_of(news.client_order_id)
        behind = Behind()
        try:
            if news.fate in _LANDED and life is not None and life.landed is not None:
                behind = await self._landed(life, life.landed)
            elif life is not None and life.landed is not None and foreseen is not None:
                behind = await self._lost(life, life.landed, foreseen)
            elif news.fate is Fate.NEVER and foreseen is not None and foreseen.block:
                behind = await self._unsent(plan, handed, foreseen)
        except TransientError as error:
            self._tries += 1
            if self._tries < TRIES_MAX and not any(one in str(error).lower() for one in _GONE):
                raise
            log.info("of %s nodes know no more: %s", news.client_order_id, error)
        truth = truth_of(plan, news, foreseen, behind, engine=handed.engine)
        self.truths.put(told.number, truth)
        self._tries = 0

    async def _landed(self, life: Life, landed: Landed) -> Behind:
        route = decode(life.data, contract=life.to)
        parent = await self.view.head_of(landed.block - 1)
        simulated = await self.simulate(parent, life.to, life.data)
        touched = await self.view.touched(watched_of(route), block_hash=landed.block_hash)
        place, ts = await self.view.place_of(landed)
        ahead = _by_transaction(touched, before=place)
        return Behind(
            at_parent=0 if simulated.why else simulated.gain_raw - simulated.tip_raw,
            is_late=ts > life.deadline_ts,
            place=place,
            ahead=await self._named(ahead),
            ahead_count=len(ahead),
            tip_bps=route.tip_bps,
        )

    async def _lost(self, life: Life, landed: Landed, foreseen: Foreseen) -> Behind:
        """Look who took what a plan was for, up to the block in which it was given up."""
        route = decode(life.data, contract=life.to)
        last = min(landed.block, foreseen.block + BACK_BLOCKS_MAX)
        touched = await self.view.touched(watched_of(route), first=foreseen.block + 1, last=last)
        ahead = _by_transaction(touched, before=PLACE_MAX)
        return Behind(ahead=await self._named(ahead), ahead_count=len(ahead))

    async def _named(self, ahead: Sequence["_InFront"]) -> tuple[Ahead, ...]:
        shown = ahead[:AHEAD_MAX]
        senders = await self.view.senders([one.hash for one in shown])
        return tuple(
            Ahead(hash=one.hash, sender=sender, place=one.place, pools=one.pools)
            for one, sender in zip(shown, senders, strict=True)
        )

    async def _unsent(self, plan: AtomicPlan, handed: Handed, foreseen: Foreseen) -> Behind:
        """Look whether its pools were touched between its decision and its simulation."""
        try:
            route = route_of(plan, handed.pools, self.terms)
            calldata(route)
        except BadValueError:
            return Behind()
        head = await self.view.head_of(foreseen.block)
        late_ns = max(head.ts * NS_PER_S - plan.decided_at_ns, 0)
        # One block more: the newest that the decision knew of was made before it was heard.
        back = 1 + late_ns // (block_ms(self.chain) * NS_PER_MS)
        first = max(foreseen.block - min(back, BACK_BLOCKS_MAX), 0)
        touched = await self.view.touched(watched_of(route), first=first, last=foreseen.block)
        return Behind(was_touched=bool(touched))


def _by_transaction(touched: list[Touched], *, before: int) -> list["_InFront"]:
    """Return the transactions before a place, the first one first, each with all it touched."""
    found: dict[str, tuple[int, set[str]]] = {}
    for one in touched:  # as nodes tell logs: block by block, in their order
        if one.place < before:
            found.setdefault(one.hash, (one.place, set()))[1].add(one.pool)
    return [_InFront(hash_, place, tuple(sorted(pools))) for hash_, (place, pools) in found.items()]


@dataclass(frozen=True, slots=True)
class _InFront:
    hash: str
    place: int
    pools: tuple[str, ...]
