"""Makes whole blocks in their order of what nodes say: no clock, no network, no waiting.

It is told heads, headers, events, reads and failures, in any order and as often as anybody likes;
what it still misses it asks for, and each thing once at a time. `take` gives what to ask, and the
words for the engine.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from engine.chains.following.asks import (
    Ask,
    AskHeader,
    AskLatest,
    AskLogs,
    AskRead,
    AskSpan,
    AskTerms,
)
from engine.chains.following.branch import Branch, Taken
from engine.chains.following.counts import Count
from engine.chains.following.headers import Header
from engine.chains.following.held import snapshot_of
from engine.chains.following.pair_events import Changed
from engine.chains.following.pools import FollowedPools
from engine.chains.ports import BlockRef, Family, Log, PoolNow, ReadAgain, Unreadable
from engine.domain.pools import Pool
from engine.domain.units import NS_PER_S
from engine.pools.blocks import Block, ChainWord, PairMoves, PoolChange

GAP_MAX: Final = 256
"""More missing blocks are not fetched: all pools are read anew."""

HEADERS_MAX: Final = 1_024
LOGS_AHEAD: Final = 8
TRIES_MAX: Final = 6
"""A block that nobody could give so often is not waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How much is read, and how often.

    Attributes:
        undo_blocks: so many of the newest blocks can be undone: as many as the engine can.
        read_pools: most pools of one read.
        reads: most reads at a time.
        polled_pools: most pools whose terms are asked for at once.
        polled_blocks: terms that may change without an event are asked for after so many blocks.
        checked_blocks: every pool is read again after so many, and compared.
    """

    undo_blocks: int = 64
    read_pools: int = 64
    reads: int = 4
    polled_pools: int = 512
    polled_blocks: int = 10
    checked_blocks: int = 600


class Following:
    """A chain that is followed.

    Attributes:
        name: of the chain.
        pools: of it, as of the newest block.
        counts: what happened, by kind.
        deepest: most blocks that a reorganisation undid.
        look: is shown each block with its events and what they changed, just before it is told.
    """

    def __init__(self, name: str, rhythm: Rhythm | None = None) -> None:
        self.name = name
        self.rhythm = rhythm or Rhythm()
        self.branch = Branch(self.rhythm.undo_blocks)
        self.pools = FollowedPools(name, self.branch)
        self.counts: Counter[Count] = self.pools.counts
        self.deepest = 0
        self.look: Callable[[BlockRef, Sequence[Log], Changed], None] | None = None
        self._target: Header | None = None
        self._is_confirmed = False
        self._headers: OrderedDict[str, Header] = OrderedDict()
        self._logs: dict[str, Sequence[Log]] = {}
        self._asked: set[Ask] = set()
        self._spanned = ""
        self._rechecked: set[str] = set()
        self._tries: Counter[str] = Counter()
        self._asks: list[Ask] = []
        self._words: list[ChainWord] = []

    @property
    def topics(self) -> frozenset[bytes]:
        """First topics of the events that are asked for."""
        return frozenset(self.pools.topics)

    @property
    def is_behind(self) -> bool:
        """Whether there is a block to fetch."""
        return self._target is not None

    def take(self) -> tuple[Sequence[Ask], Sequence[ChainWord]]:
        """Return what is to be asked and told since the last call."""
        asks, self._asks = self._asks, []
        words, self._words = self._words, []
        return asks, words

    def whole(self) -> Iterator[ChainWord]:
        """Return what begins a stream: the newest block, then all live pools as of it."""
        tip = self.branch.tip
        if tip is None:
            return iter(())
        block = ChainWord(block=self._block(tip, (), 0))
        held, number = list(self.pools.live()), tip.ref.number
        # Made one by one, as it takes long; what they are made of does not change meanwhile.
        return chain([block], (ChainWord(pools=(snapshot_of(one, number),)) for one in held))

    # What it is told.

    def follow(self, pools: Iterable[tuple[Pool, Family]]) -> None:
        """Follow pools from now on.

        Raises:
            BadValueError: one is of another chain.
        """
        known = self.topics
        for pool, family in pools:
            if self.pools.add(pool, family):
                self._words.append(ChainWord(removed=(pool.address,)))
        if self.topics != known:
            self._logs.clear()  # they were asked without the new kinds
        self.advance()

    def begin_restore(self, pools: Iterable[tuple[Pool, Family]]) -> AskRead | None:
        """Follow pools whose states may be known otherwise as of the newest block.

        Returns:
            As of which block states of which pools are wanted, for `restored`; None if there is no
            block yet, and nothing is followed then.
        """
        tip = self.branch.tip
        if tip is None:
            return None
        pools = list(pools)
        for pool, family in pools:
            if self.pools.add(pool, family):
                self._words.append(ChainWord(removed=(pool.address,)))
        return AskRead(tip.ref, self.pools.hold([pool.address for pool, _ in pools], tip.ref))

    def restored(self, ask: AskRead, found: Mapping[str, PoolNow]) -> None:
        """Take the states that were known; all other pools are read."""
        known = [address for address in ask.addresses if address in found]
        self.read(AskRead(ask.at, tuple(known)), [found[address] for address in known])
        self.pools.let_go(ask.at, ask.addresses)
        self.advance()

    def forget(self, address: str) -> None:
        """Do not follow a pool any more."""
        if self.pools.remove(address):
            self._words.append(ChainWord(removed=(address,)))

    def head(self, header: Header) -> None:
        """Hear of a head: that there may be something new."""
        self.branch.let_go()
        ref, tip = header.ref, self.branch.tip
        if self.branch.depth_of(ref.hash) is not None:
            self.counts[Count.DUPLICATES] += 1
            return
        self._keep(header)
        newest = max(
            -1 if tip is None else tip.ref.number,
            -1 if self._target is None else self._target.ref.number,
        )
        if ref.number > newest:
            self._aim(header, is_confirmed=False)
        elif self._target is None or self._target.ref.hash != ref.hash:
            self.counts[Count.LATE_HEADS] += 1
            self._ask(AskLatest())

    def lied(self) -> None:
        """Hear what can be no head."""
        self.counts[Count.LIES] += 1

    def ask_latest(self) -> None:
        """Have the node asked, as no head came for long."""
        self._ask(AskLatest())

    def latest(self, header: Header) -> None:
        """Learn with which block the chain ends, as the node answered."""
        self._asked.discard(AskLatest())
        self.branch.let_go()
        if self.branch.depth_of(header.ref.hash) is not None:
            self._drop_target()  # or a node that lags behind
            self.advance()
            return
        self._keep(header)
        self._aim(header, is_confirmed=True)

    def headers(self, ask: AskHeader | AskSpan, found: Iterable[Header]) -> None:
        """Take headers that were asked for."""
        self._asked.discard(ask)
        for header in found:
            self._correct(header)
            self._keep(header)
        if isinstance(ask, AskHeader) and ask.hash not in self._headers:
            # Whoever told of the block on top of it may have told the wrong one.
            known = self._headers.values()
            above = [one for one in known if one.ref.parent_hash == ask.hash]
            if not self._recheck(above):
                self._missed()
            return
        self.advance()

    def corrected(self, ask: AskLogs, header: Header) -> None:
        """Learn that a block is not as its head said, whoever told that."""
        self._asked.discard(ask)
        self._correct(header)
        self._keep(header)
        self.advance()

    def logs(self, ask: AskLogs, logs: Sequence[Log], topics: frozenset[bytes]) -> None:
        """Take a block's events, which were asked for by these topics."""
        self._asked.discard(ask)
        if len(self._logs) >= HEADERS_MAX:
            self._logs.clear()  # of branches that lost
        if topics >= self.topics:
            self._logs[ask.of.ref.hash] = logs
        self.advance()

    def read(self, ask: AskRead, found: Sequence[PoolNow | Unreadable]) -> None:
        """Take pools that were read, in the order in which they were asked for."""
        self._asked.discard(ask)
        tip = self.branch.tip
        if tip is None or len(found) != len(ask.addresses):
            why = f"{len(found)} answers to {len(ask.addresses)} pools"
            self.pools.read_failed(ask.at, ask.addresses, why)
            return
        words = [
            word
            for address, one in zip(ask.addresses, found, strict=True)
            if (word := self.pools.take_read(ask.at, address, one, tip)) is not None
        ]
        if words:
            self._words.append(
                ChainWord(
                    removed=tuple(one for word in words for one in word.removed),
                    pools=tuple(one for word in words for one in word.pools),
                )
            )
        self.advance()

    def terms(self, ask: AskTerms, found: Sequence[Pool | ReadAgain | Unreadable]) -> None:
        """Take terms of pools, in the order in which they were asked for."""
        self._asked.discard(ask)
        tip = self.branch.tip
        if tip is None or self.branch.depth_of(ask.at.hash) is None:
            return
        self.counts[Count.POLLS] += len(found)
        for address, one in zip(ask.addresses, found, strict=False):
            word = self.pools.take_terms(address, one, tip)
            if word is not None:
                self._words.append(word)
        self.advance()

    def failed(self, ask: Ask, why: str, *, is_lie: bool = False) -> None:
        """Learn that there is no answer that may be used; `advance` asks again, later."""
        self._asked.discard(ask)
        self.counts[Count.LIES if is_lie else Count.FAILURES] += 1
        if isinstance(ask, AskRead):
            self.pools.read_failed(ask.at, ask.addresses, why)
        elif not isinstance(ask, AskLatest | AskTerms):
            self._missed()

    def advance(self) -> None:
        """Take all blocks of which everything is known, and ask for what is not."""
        while (target := self._target) is not None:
            path = self._path(target)
            if path is None:
                break
            for depth, header in path:
                if not self._take_block(depth, header, [ahead for _, ahead in path]):
                    return
            self._drop_target()
        self._ask_reads()

    # How it gets on.

    def _aim(self, header: Header, *, is_confirmed: bool) -> None:
        is_same = self._target is not None and self._target.ref.hash == header.ref.hash
        self._is_confirmed = is_confirmed or (is_same and self._is_confirmed)
        self._target = header
        self.advance()

    def _drop_target(self) -> None:
        self._target = None
        self._is_confirmed = False
        self._tries.clear()
        self._rechecked.clear()
        self._logs.clear()

    def _recheck(self, headers: Iterable[Header]) -> bool:
        """Have headers asked for by their hashes, which several nodes answer alike; once each.

        Returns:
            Whether an answer to any of that is still to come.
        """
        asks = [AskHeader(header.ref.hash) for header in headers]
        for ask in asks:
            if ask.hash not in self._rechecked:
                self._rechecked.add(ask.hash)
                self._ask(ask)
        return any(ask in self._asked for ask in asks)

    def _correct(self, header: Header) -> None:
        """Take what is true of a block in the place of what its head said."""
        known = self._headers.get(header.ref.hash)
        if known is None or known == header:
            return
        self.counts[Count.LIES] += 1
        if self._target is not None and self._target.ref.hash == header.ref.hash:
            self._target = header

    def _keep(self, header: Header) -> None:
        self._headers[header.ref.hash] = header
        self._headers.move_to_end(header.ref.hash)
        while len(self._headers) > HEADERS_MAX:
            self._headers.popitem(last=False)

    def _ask(self, ask: Ask) -> None:
        if ask not in self._asked:
            self._asked.add(ask)
            self._asks.append(ask)

    def _path(self, target: Header) -> list[tuple[int, Header]] | None:
        """Return the blocks from the branch to the target, each with what it takes the place of.

        None if one is missing, which is then asked for, or none can be known.
        """
        tip = self.branch.tip
        if tip is None:
            self._begin_anew(target, undone=0)
            return None
        path = [target]
        while True:
            lowest = path[-1].ref
            depth = self.branch.depth_of(lowest.parent_hash)
            if depth is not None:
                return self._linked(path, depth)
            if lowest.number <= self.branch.oldest.number + 1:
                self.counts[Count.TOO_DEEP] += self._is_confirmed
                self._begin_anew(target, undone=self.rhythm.undo_blocks + 1)
                return None
            if len(path) > GAP_MAX or lowest.number - tip.ref.number > GAP_MAX:
                self.counts[Count.TOO_FAR] += self._is_confirmed
                self._begin_anew(target, undone=0)
                return None
            parent = self._headers.get(lowest.parent_hash)
            if parent is None:
                self._ask_parent(lowest.number, lowest.parent_hash, tip.ref.number)
                return None
            path.append(parent)

    def _linked(self, path: list[Header], depth: int) -> list[tuple[int, Header]] | None:
        """Check that numbers and times rise along a path, which hashes alone do not say."""
        tip = self.branch.tip
        assert tip is not None
        refs = [header.ref for header in reversed(path)]
        before = self.branch.at(depth)
        for ref in refs:
            if ref.number != before.number + 1 or ref.made_at_s < before.made_at_s:
                if self._recheck([one for one in path if one.ref in (before, ref)]):
                    return None
                self.counts[Count.LIES] += 1
                self._headers.pop(ref.hash, None)
                self._give_up()
                return None
            before = ref
        headers = list(reversed(path))
        return [(depth if not index else 0, header) for index, header in enumerate(headers)]

    def _ask_parent(self, number: int, parent_hash: str, tip_number: int) -> None:
        target = self._target
        assert target is not None
        if number > tip_number + 1 and self._spanned != target.ref.hash:
            self._spanned = target.ref.hash
            self.counts[Count.GAPS] += 1
            self._ask(AskSpan(tip_number + 1, number - 1))
        elif not any(isinstance(ask, AskSpan) for ask in self._asked):
            self._ask(AskHeader(parent_hash))

    def _begin_anew(self, target: Header, *, undone: int) -> None:
        """Know nothing but that the chain ends with this block, if the node says so when asked."""
        if not self._is_confirmed:
            self._ask(AskLatest())
            return
        self.branch.clear()
        taken = Taken(target.ref)
        self.branch.add(taken)
        why = "all pools are read anew as of a block that stands on none that is known"
        self.pools.lose_all(why, target.ref.number)
        self.counts[Count.BLOCKS] += 1
        self._words.append(ChainWord(block=self._block(taken, (), undone)))
        self._drop_target()

    def _take_block(self, depth: int, header: Header, ahead: Sequence[Header]) -> bool:
        """Take a block if its events are known; say whether it was."""
        logs = self._logs.pop(header.ref.hash, None)
        if logs is None:
            at = ahead.index(header)
            for one in ahead[at : at + LOGS_AHEAD]:
                if one.ref.hash not in self._logs:
                    self._ask(AskLogs(one))
            return False
        for _ in range(depth):
            self.pools.undo(self.branch.pop())
        if depth:
            self.counts[Count.REORGANISATIONS] += 1
            self.counts[Count.UNDONE] += depth
            self.deepest = max(self.deepest, depth)
        taken = Taken(header.ref)
        changed = self.pools.take(taken, logs)
        if self.look is not None:
            self.look(header.ref, logs, changed)
        self.branch.add(taken)
        self.counts[Count.BLOCKS] += 1
        block = self._block(taken, changed.changes, depth, changed.pairs)
        self._words.append(ChainWord(block=block))
        return True

    def _block(
        self,
        taken: Taken,
        changes: tuple[PoolChange, ...],
        undone: int,
        pairs: PairMoves | None = None,
    ) -> Block:
        return Block(
            chain=self.name,
            number=taken.ref.number,
            hash=taken.ref.hash,
            parent_hash=taken.ref.parent_hash,
            made_at_ns=taken.ref.made_at_s * NS_PER_S,
            changes=changes,
            undone=undone,
            pairs=pairs,
        )

    def _ask_reads(self) -> None:
        tip, rhythm = self.branch.tip, self.rhythm
        if tip is None or self._target is not None:
            return
        while sum(isinstance(ask, AskRead) for ask in self._asked) < rhythm.reads:
            most = rhythm.read_pools
            chosen = self.pools.to_read(tip.ref, most) or self.pools.to_check(
                tip.ref, most, after=rhythm.checked_blocks
            )
            if not chosen:
                break
            self._ask(AskRead(tip.ref, chosen))
        polled = self.pools.to_poll(tip.ref, rhythm.polled_pools, after=rhythm.polled_blocks)
        if polled:
            self._ask(AskTerms(tip.ref, polled))

    def _missed(self) -> None:
        """Count what could not be had of the way to the target; too often, and it is given up."""
        target = self._target
        if target is None:
            return
        self._tries[target.ref.hash] += 1
        if self._tries[target.ref.hash] >= TRIES_MAX:
            self._give_up()

    def _give_up(self) -> None:
        self.counts[Count.GIVEN_UP] += 1
        self._drop_target()
        self._ask(AskLatest())
