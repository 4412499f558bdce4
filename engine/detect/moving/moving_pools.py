"""Pools that move with the blocks of their chains: which are known, as of which block, and why not.

A pool is like a book: known only from a whole state on, and stale with any doubt. Exact forms are
worked out here; what the graph reads changes for all pools of a block at once (`take_changed`).
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, cast

from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.moved_pair import (
    KnownPool,
    MovedPair,
    PairChanges,
    pair_after,
    pairs_after,
)
from engine.detect.graph.pool_sides import PreparedPool, prepare_pool
from engine.detect.moving.pool_blocks import MovesBack, PoolMark, PoolUndo, PoolWork
from engine.domain.chains import BlockTerms
from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.domain.gas import GasPrice
from engine.domain.instruments import VenueId
from engine.domain.pools import Pool, PoolId
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.market.chain_blocks import ChainBlocks, Standing
from engine.market.told_ahead import ToldAhead
from engine.pools.blocks import Block, PairMoves, PoolChange, PoolLost, PoolMoved, SwapTold
from engine.pools.snapshots import PoolSnapshot

_log = logging.getLogger(__name__)

_FAULTS: Final = {
    Standing.FIRST: Fault.SNAPSHOT_TOO_OLD,
    Standing.GAP: Fault.GAP,
    Standing.TOO_DEEP: Fault.REORGANISED,
}


TOLD_BLOCKS: Final = 2
TOLD_NS_MIN: Final = NS_PER_S
"""A block of which a webhook told is waited for so long at most."""

Works = dict[int, "PoolWork | KnownPool"]
"""Pools while a block is taken: at work, or as they are after it. A pair that only moves needs no
work, as each of its moves is all that there is to say of it."""

Marks = dict[int, "PoolMark | KnownPool"]
"""Where the pools of a block were before it."""


_PAIRS: Final = {MovedPair}


class _Chain:
    """A chain whose blocks are followed.

    Attributes:
        numbers: of its pools, by their addresses.
        own_until_ns: its pools may be used until then by its terms, unless another block comes.
        until_ns: the same, or earlier where it is advised to be late sooner.
        late_ns: after so long without a block it is late by advice, None if nothing is advised.
    """

    def __init__(self, terms: BlockTerms) -> None:
        self.blocks: ChainBlocks[PoolUndo] = ChainBlocks(terms.undo_blocks)
        self.stale_ns = terms.stale_ms * NS_PER_MS
        self.numbers: dict[str, int] = {}
        self.newest_at_ns: int | None = None
        self.own_until_ns = self.until_ns = 0
        self.late_ns: int | None = None
        self.block_ns = terms.block_ms * NS_PER_MS
        self.count = 0


class MovingPools:
    """All pools of a run, by numbers that are never given to another pool.

    Pools of chains without terms stand still: nothing ages them, and no block changes them.

    Attributes:
        faults: number of faults by venue (a chain, if no pool is known there) and kind.
        reasons: why the state of a pool is not known, by its number.
        numbers: of each pool.
        counts: how many pools there are at each venue.
        known_counts: of how many of them the state is known.
        told_ahead: pools that are not as they are here any more, in a block that is not here yet.
        has_returned: whether a chain had a block again after its pools were too old; for the caller
            to take back.
    """

    def __init__(
        self,
        graph: LiveGraph,
        terms: Mapping[str, BlockTerms],
        *,
        started_at_ns: int,
        is_live: bool = False,
    ) -> None:
        """Take over the pools that a graph has, as of the start.

        Args:
            graph: that has them.
            terms: by chain.
            started_at_ns: when the run starts.
            is_live: whether each token has to be named by its address.

        Raises:
            BadValueError: the tokens of one of these pools are not.
        """
        self._is_live = is_live
        if is_live:
            for prepared in graph.pools.values():
                prepared.pool.check_named()
        self.faults: Counter[tuple[VenueId, Fault]] = Counter()
        self.reasons: dict[int, Fault] = {}
        self.numbers: dict[PoolId, int] = {}
        self.counts: Counter[VenueId] = Counter()
        self.known_counts: Counter[VenueId] = Counter()
        self.has_returned = False
        self.told_ahead = ToldAhead()
        self._graph = graph
        self._next_number = max(graph.pools, default=-1) + 1
        self._chains = {chain: _Chain(own) for chain, own in terms.items()}
        self._changed: dict[int, KnownPool | None] = {}
        for number, prepared in graph.pools.items():
            self._join(number, prepared.pool)
            self.known_counts[prepared.pool.venue] += 1
        for chain, followed in self._chains.items():
            self._set_until(chain, followed, started_at_ns + followed.stale_ns)

    @property
    def terms(self) -> Mapping[int, Pool]:
        """Which pool each number is, its state known or not."""
        return self._graph.terms_of_pools

    def take(self, block: Block, at_ns: int) -> None:
        """Take a block: of each of its pools all changes, or if one of them cannot be, none.

        A pool with a change that cannot be is not known from there on, and so are all pools of
        the chain if blocks are missing, until they are read anew.
        """
        chain = self._chains.get(block.chain)
        if chain is None:
            self.faults[VenueId(block.chain), Fault.UNKNOWN_INSTRUMENT] += 1
            return
        standing = chain.blocks.standing_of(
            block.number, block.hash, block.parent_hash, undone=block.undone
        )
        if standing is Standing.KNOWN:
            self._count(block.chain, Fault.DUPLICATE)
            return
        works: Works = {}
        if standing is Standing.NEXT:
            for before in chain.blocks.undo(block.undone):
                for number, back in before.items():
                    self._undo(works, number, back)
        else:
            self._begin_anew(block, standing, works)
        undo = None if works else self._take_pairs_alone(block)
        if undo is None:
            marks: Marks = {}
            is_taken = self._take_pairs(block, works, marks)
            self._take_changes(block, works, marks, pairs_too=not is_taken)
            undo = self._put_all(works, marks, block.number)
        chain.blocks.add(block.number, block.hash, undo)
        chain.count += 1
        self.told_ahead.block(block.chain, block.number)
        chain.newest_at_ns = at_ns
        self.has_returned |= at_ns > chain.until_ns
        self._set_until(block.chain, chain, at_ns + chain.stale_ns)

    def foretell(self, swap: SwapTold, at_ns: int) -> None:
        """Learn that a pool is not as it is here any more: nothing of it changes before its block.

        Of a block that is here, and of a pool that is not, it says nothing.
        """
        chain = self._chains.get(swap.chain)
        if chain is None or swap.address not in chain.numbers:
            self._count(swap.chain, Fault.UNKNOWN_INSTRUMENT)
            return
        newest = chain.blocks.newest
        if newest is None or swap.block <= newest.number:
            return
        waits_ns = min(max(TOLD_BLOCKS * chain.block_ns, TOLD_NS_MIN), chain.stale_ns)
        self.told_ahead.tell(
            swap.chain,
            swap.address,
            block=swap.block,
            until_ns=at_ns + waits_ns,
            impact_bps=swap.impact_bps,
        )

    def is_told_ahead(self, number: int, at_ns: int) -> bool:
        """Say whether a pool is not as it is here any more, and its block is on its way."""
        pool = self._graph.terms_of_pools.get(number)
        return pool is not None and self.told_ahead.is_waited_for(pool.chain, pool.address, at_ns)

    def price_gas(
        self, chain: str, price: GasPrice, at_ns: int, *, open_pools: Iterable[int]
    ) -> None:
        """Take what gas costs on a chain from now on; what is open there is judged anew by it.

        Cheaper gas may open a route of any pool, which no better rate tells: all are screened.
        """
        self._graph.set_gas_price(chain, price, at_ns)
        self._repriced(chain, open_pools)

    def advise_gas(
        self,
        tips: Mapping[str, Decimal],
        ratios: Mapping[str, Decimal],
        *,
        open_pools: Sequence[int],
    ) -> None:
        """Reckon with other tips and with dearer gas from now on; see `GasBook.advise`."""
        for chain in self._graph.advise_gas(tips, ratios):
            self._repriced(chain, open_pools)

    def advise_late(self, late_ns: Mapping[str, int]) -> None:
        """Have chains be late sooner than by their terms, those that are not named as by them.

        Two blocks are waited for in any case.
        """
        for chain, followed in self._chains.items():
            advised = late_ns.get(chain)
            followed.late_ns = None if advised is None else max(advised, 2 * followed.block_ns, 1)
            self._set_until(chain, followed, followed.own_until_ns)

    def _repriced(self, chain: str, open_pools: Iterable[int]) -> None:
        for number in open_pools:
            prepared = self._graph.pools.get(number)
            if prepared is not None and prepared.pool.chain == chain:
                self._changed.setdefault(number, prepared)
        self.has_returned = True

    def add(self, snapshot: PoolSnapshot) -> int | None:
        """Take a pool that is new here, or the whole state of one that is there; return its number.

        Returns:
            None if it is refused, which is counted: no pool can be in this state, it is of another
            block than the newest one, or there is no room.
        """
        pool = snapshot.pool
        chain = self._chains.get(pool.chain)
        newest = None if chain is None else chain.blocks.newest
        if newest is not None and snapshot.block != newest.number:
            self.faults[pool.venue, Fault.SNAPSHOT_TOO_OLD] += 1
            return None
        number = self.numbers.get(pool.pool_id)
        try:
            if self._is_live:
                pool.check_named()
            prepared = prepare_pool(snapshot)
            if number is None:
                number = self._next_number
                self._graph.add_pool(number, prepared)
                self._graph.shut_pool(number)
                self._join(number, pool)
                self.known_counts[pool.venue] += 1
                self._next_number += 1
            else:
                self._graph.make_room(number, prepared)
        except BadValueError as error:
            _log.warning("%s is left out: %s", pool, error)
            self.faults[pool.venue, Fault.BAD_NUMBER] += 1
            return None
        if newest is not None:
            newest.undo[number] = None  # how it was a block earlier nobody knows
        self._change(number, prepared, None)
        return number

    def remove(self, pool_id: PoolId) -> int | None:
        """Forget a pool and return its number, which is not used again; None if there is none.

        The graph's own is the detector's to remove.
        """
        number = self.numbers.pop(pool_id, None)
        if number is None:
            self._count(pool_id.chain, Fault.UNKNOWN_INSTRUMENT)
            return None
        venue = self._graph.pool_terms(number).venue
        self.known_counts[venue] -= number in self._graph.pools
        self.counts[venue] -= 1
        self.reasons.pop(number, None)
        self._changed.pop(number, None)
        if (chain := self._chains.get(pool_id.chain)) is not None:
            chain.numbers.pop(pool_id.address, None)
            chain.blocks.forget_pool(number)
        return number

    def lose(self, chain: str, fault: Fault) -> None:
        """Know no pool of a chain any more, for this reason, until they are read anew."""
        followed = self._chains.get(chain)
        if followed is None:
            self._count(chain, Fault.UNKNOWN_INSTRUMENT)
            return
        works: Works = {}
        self._lose_all(chain, fault, works)
        for number in works:
            self._put(number, self._work(works, number), block=None)
        followed.blocks.clear()
        self._set_until(chain, followed, 0)

    def to_read(self, chain: str) -> list[PoolId]:
        """Return the pools of a chain that are to be read anew, as of its newest block."""
        return [
            pool_id
            for pool_id, number in self.numbers.items()
            if pool_id.chain == chain and number in self.reasons
        ]

    def take_changed(self) -> Mapping[int, KnownPool | None]:
        """Return what has changed since the last call, None for what is not known any more."""
        changed, self._changed = self._changed, {}
        return changed

    def let_go(self) -> None:
        """Free what no block can undo any more; to be called once what changed is dealt with."""
        for followed in self._chains.values():
            followed.blocks.let_go()

    @property
    def moves_refused(self) -> int:
        """How many pools a change was told of that none can have gone through."""
        return sum(n for (_, fault), n in self.faults.items() if fault is Fault.BAD_NUMBER)

    def faults_of(self, venue: VenueId) -> dict[Fault, int]:
        """Return the number of faults of a venue by kind, with those of its chain."""
        found: Counter[Fault] = Counter()
        for (place, fault), count in self.faults.items():
            if place in {venue, venue.rpartition("@")[2]}:
                found[fault] += count
        return found

    def is_moving(self, chain: str) -> bool:
        """Say whether the blocks of a chain are followed."""
        return chain in self._chains

    def newest_at_ns(self, chain: str) -> int | None:
        """Return when the newest block of a chain came, None before the first."""
        followed = self._chains.get(chain)
        return None if followed is None else followed.newest_at_ns

    def head_of(self, chain: str) -> int | None:
        """Return the number of a chain's newest block, None while nothing of it is sure."""
        of = self._chains.get(chain)
        newest = None if of is None else of.blocks.newest
        return None if newest is None else newest.number

    def block_count(self, chain: str) -> int:
        """Return how many blocks of a chain were taken."""
        followed = self._chains.get(chain)
        return 0 if followed is None else followed.count

    def is_fresh(self, chain: str, at_ns: int) -> bool:
        """Say whether a chain had a block lately enough; one without terms always had."""
        followed = self._chains.get(chain)
        return followed is None or at_ns <= followed.until_ns

    def step_clock(self, step_ns: int) -> None:
        """Keep the age of what is known over a step of the clock."""
        self._graph.terms.gas.step_clock(step_ns)
        self.told_ahead.step_clock(step_ns)
        for chain, followed in self._chains.items():
            if followed.newest_at_ns is not None:
                followed.newest_at_ns += step_ns
            self._set_until(chain, followed, followed.own_until_ns + step_ns)

    def _join(self, number: int, pool: Pool) -> None:
        self.numbers[pool.pool_id] = number
        self.counts[pool.venue] += 1
        if (chain := self._chains.get(pool.chain)) is not None:
            chain.numbers[pool.address] = number

    def _work(self, works: Works, number: int) -> PoolWork:
        held = works.get(number)
        if isinstance(held, PoolWork):
            return held
        work = PoolWork(self._graph.pools.get(number) if held is None else held)
        work.is_touched = held is not None
        works[number] = work
        return work

    def _undo(self, works: Works, number: int, back: PoolUndo) -> None:
        if not (back is None or isinstance(back, MovesBack)):
            works[number] = back
            return
        work = self._work(works, number)
        try:
            work.undo(back)
        except BadValueError as error:
            _log.error("block of pool %d cannot be undone: %s", number, error)
            work.lose(Fault.REORGANISED)
        if not work.is_known and work.fault is None:
            work.lose(Fault.REORGANISED)

    def _begin_anew(self, block: Block, standing: Standing, works: Works) -> None:
        """Know nothing as of a block that stands on none that is known, but what it brings along.

        Before the first block pools are known that were read at the one on which it stands.
        """
        self._chains[block.chain].blocks.clear()
        kept = block.number - 1 if standing is Standing.FIRST else None
        self._lose_all(block.chain, _FAULTS[standing], works, kept=kept)

    def _lose_all(self, chain: str, fault: Fault, works: Works, *, kept: int | None = None) -> None:
        venues = set()
        for number in sorted(self._chains[chain].numbers.values()):
            held = self._graph.pools.get(number)
            if held is not None and (kept is None or held.block != kept):
                self._work(works, number).lose(fault)
                venues.add(held.pool.venue)
        for venue in venues:
            self.faults[venue, fault] += 1

    def _take_changes(self, block: Block, works: Works, marks: Marks, *, pairs_too: bool) -> None:
        """Take the changes of a block, and mark where each of its pools was before it."""
        changes = block.each_change() if pairs_too else block.changes
        if not changes:
            return
        reasons, pools = self.reasons, self._graph.pools
        addresses = [change.address for change in changes]
        # Looked up in one go: they are far apart in memory, and so many are waited for at once.
        numbers = list(map(self._chains[block.chain].numbers.get, addresses))
        known = map(pools.get, numbers)  # type: ignore[arg-type]
        for change, number, held in zip(changes, numbers, list(known), strict=True):
            if number is None:
                self._count(block.chain, Fault.UNKNOWN_INSTRUMENT)
                continue
            if type(change) is PoolMoved and number not in reasons:
                now = works.get(number) or held
                moved = pair_after(now, change.move, block.number)
                if moved is not None:
                    if number not in marks:
                        marks[number] = cast("KnownPool", now)
                    works[number] = moved
                    continue
            work = self._work(works, number)
            if number not in marks:
                marks[number] = work.mark()
            self._take_change(work, number, change, block.number)

    def _take_pairs_alone(self, block: Block) -> dict[int, PoolUndo] | None:
        """Take a block that moves known and plain pairs and nothing else, as most do.

        Returns:
            How each was before it; None if it is another block, and nothing was done.
        """
        if block.pairs is None or block.changes:
            return None
        held, after = self._pairs_of(block, block.pairs)
        if after is None or (self.reasons and not self.reasons.keys().isdisjoint(after)):
            return None
        self._changed = {**self._changed, **after} if self._changed else after
        return dict(zip(after, held, strict=True))

    def _take_pairs(self, block: Block, works: Works, marks: Marks) -> bool:
        """Take the pairs of a block at once if all are known and plain; say whether they were."""
        if block.pairs is None or works:
            return False
        held, after = self._pairs_of(block, block.pairs)
        if after is None:
            return False
        works.update(cast("dict[int, KnownPool]", after))
        marks.update(zip(after, cast("list[KnownPool]", held), strict=True))
        return True

    def _pairs_of(
        self, block: Block, pairs: PairMoves
    ) -> tuple[list[KnownPool | None], PairChanges | None]:
        """Return pairs before and after a block; nothing after it where one is to be looked at.

        What is not known the graph does not have.
        """
        numbers = list(map(self._chains[block.chain].numbers.get, pairs.addresses))
        held = list(map(self._graph.pools.get, numbers))  # type: ignore[arg-type]
        return held, pairs_after(numbers, held, pairs, block.number)

    def _take_change(self, work: PoolWork, number: int, change: PoolChange, block: int) -> None:
        try:
            if isinstance(change, PoolMoved):
                work.take(change.move)
            elif isinstance(change, PoolLost):
                self.faults[self._graph.pool_terms(number).venue, change.fault] += 1
                work.lose(change.fault)
            else:
                pool = self._graph.pool_terms(number)
                work.read(PoolSnapshot(pool=pool, row=change.row, block=block))
        except BadValueError as error:
            self._refuse(work, number, error)

    def _refuse(self, work: PoolWork, number: int, error: BadValueError) -> None:
        pool = self._graph.pool_terms(number)
        _log.warning("the state of %s is not known any more: %s", pool, error)
        self.faults[pool.venue, Fault.BAD_NUMBER] += 1
        work.lose(Fault.BAD_NUMBER)

    def _put(self, number: int, work: PoolWork, *, block: int | None) -> None:
        """Have a pool changed in the graph; it is not known if there is no room for it."""
        prepared: KnownPool | None = None
        try:
            prepared = work.prepared(block=block)
            if isinstance(prepared, PreparedPool):
                self._graph.make_room(number, prepared)
        except BadValueError as error:
            self._refuse(work, number, error)
            prepared = None
        self._change(number, prepared, work.fault)

    def _put_all(self, works: Works, marks: Marks, block: int) -> dict[int, PoolUndo]:
        """Have all pools of a block changed; return how each that it names was before it."""
        if (
            self.reasons.keys().isdisjoint(works)
            and len(marks) == len(works)
            and {*map(type, works.values())} <= _PAIRS
        ):
            self._changed = {**self._changed, **cast("dict[int, KnownPool]", works)}
            return cast("dict[int, PoolUndo]", marks)
        undo: dict[int, PoolUndo] = {}
        for number, work in works.items():
            mark = marks.get(number)
            if not isinstance(work, PoolWork):
                self._put_known(number, work)
                if mark is not None:
                    assert not isinstance(mark, PoolMark)
                    undo[number] = mark
            elif work.is_touched:
                self._put(number, work, block=None if mark is None else block)
                if mark is not None:
                    undo[number] = work.back_to(mark) if isinstance(mark, PoolMark) else mark
        return undo

    def _put_known(self, number: int, pool: KnownPool) -> None:
        """Have a pool changed in the graph whose state is known; a moved pair has its room."""
        if not isinstance(pool, MovedPair):
            self._put(number, PoolWork(pool), block=None)
        elif number in self.reasons:
            self._change(number, pool, None)
        else:
            self._changed[number] = pool

    def _change(self, number: int, prepared: KnownPool | None, fault: Fault | None) -> None:
        was_known = number in self._graph.pools and number not in self.reasons
        if prepared is not None:
            self.reasons.pop(number, None)
        elif was_known or number not in self.reasons:
            self.reasons[number] = fault or Fault.REORGANISED
        is_known = prepared is not None
        if is_known != was_known:
            self.known_counts[self._graph.pool_terms(number).venue] += is_known - was_known
        if is_known or was_known:
            self._changed[number] = prepared

    def _count(self, chain: str, fault: Fault) -> None:
        self.faults[VenueId(chain), fault] += 1

    def _set_until(self, chain: str, followed: _Chain, until_ns: int) -> None:
        followed.own_until_ns = until_ns
        if followed.late_ns is not None and followed.newest_at_ns is not None:
            until_ns = min(until_ns, followed.newest_at_ns + followed.late_ns)
        followed.until_ns = until_ns
        self._graph.set_chain_until(chain, until_ns)
