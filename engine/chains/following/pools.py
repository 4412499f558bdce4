"""The pools that are followed: which are live, as of the newest block, and why the others are not.

A pool becomes live by a read at a block; the events that came after that block while the answer
was on its way are kept for it, and are taken on top. A pool that is live is read again now and
then in the same way, and compared.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from engine.chains.following.blooms import learn_contract
from engine.chains.following.branch import Branch, Taken
from engine.chains.following.counts import Count
from engine.chains.following.followed import Followed, Reading
from engine.chains.following.held import (
    AnyHeld,
    Held,
    after,
    are_same,
    back_of,
    led_back,
    snapshot_of,
)
from engine.chains.following.pair_events import Changed, take_pairs
from engine.chains.ports import BlockRef, Family, Log, PoolNow, ReadAgain, Unreadable
from engine.domain.backoff import wait_after
from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.domain.pools import Pool
from engine.pools.blocks import ChainWord, PoolChange, PoolLost, PoolMoved
from engine.pools.moves import Move, PositionMove

WAIT_BLOCKS_MAX: Final = 256
"""A pool that cannot be read is tried again after 1, 2, 4 … blocks, and so many at most."""

WHY_CHARACTERS_MAX: Final = 160


class FollowedPools:
    """All pools of a chain that are followed.

    Args:
        name: of the chain.
        branch: the blocks that are followed.

    Attributes:
        of: each by its address.
        counts: what happened, by kind.
        topics: first topics of all events that change one.
    """

    def __init__(self, name: str, branch: Branch) -> None:
        self.of: dict[str, Followed] = {}
        self.counts: Counter[Count] = Counter()
        self.topics: dict[bytes, list[Family]] = {}
        self._of_pairs: dict[bytes, Family] = {}
        self._name = name
        self._branch = branch
        self._unread: dict[str, None] = {}
        self._doubted: dict[str, None] = {}
        self._to_check: dict[str, int] = {}
        self._to_poll: dict[str, int] = {}
        self._reading: set[str] = set()

    def add(self, pool: Pool, family: Family) -> bool:
        """Follow a pool; one that is there is taken anew if its terms are others.

        Returns:
            Whether the engine has to forget it first.

        Raises:
            BadValueError: it is of another chain.
        """
        if pool.chain != self._name:
            raise BadValueError(f"{pool.pool_id} is no pool of {self._name}")
        known = self.of.get(pool.address)
        if known is not None and known.pool == pool and known.family == family:
            return False
        was_told = self.remove(pool.address)
        self.of[pool.address] = Followed(pool, family)
        learn_contract(pool.address)
        self._unread[pool.address] = None
        self._to_check[pool.address] = -1
        if family.is_polled:
            self._to_poll[pool.address] = -1
        for topic in family.topics:
            families = self.topics.setdefault(topic, [])
            if family not in families:
                families.append(family)
            if len(families) == 1 and getattr(family, "tells_reserves", False):
                self._of_pairs[topic] = family
            else:
                self._of_pairs.pop(topic, None)
        return was_told

    def remove(self, address: str) -> bool:
        """Do not follow a pool any more; say whether the engine has to be told."""
        gone = self.of.pop(address, None)
        self._forget(address)
        return gone is not None and gone.is_told

    def live(self) -> Iterator[AnyHeld]:
        """Return the states of all that are known."""
        return (one.held for one in self.of.values() if one.held is not None)

    @property
    def unread_count(self) -> int:
        """How many are not known."""
        return len(self._unread)

    def take(self, taken: Taken, logs: Sequence[Log]) -> Changed:
        """Take the events of the next block, in their order; return what they changed."""
        changes: list[PoolChange] = []
        before: dict[str, AnyHeld] = {}
        pairs, others = take_pairs(logs, self.of, self._of_pairs, before)
        for log in others:
            for one in self.about(log):
                if one.reading is not None:
                    one.reading.take(taken.ref.hash, log)
                if (was := one.held) is None:
                    continue
                change = self._changed(one, was, log, taken.ref.number)
                if change is not None:
                    before.setdefault(one.pool.address, was)
                    changes.append(change)
        taken.backs.update(before)
        for address, moves in _positions(changes).items() if changes else ():
            taken.backs[address] = back_of(before[address], moves)
        self.counts[Count.MOVES] += len(logs) - len(others) + len(changes)
        return Changed(pairs, tuple(changes), before)

    def _changed(self, one: Followed, held: AnyHeld, log: Log, number: int) -> PoolChange | None:
        """Change a live pool by an event; one that does not tell all leaves it not known."""
        try:
            change = one.family.change_of(one.pool, log)
            if change is None:
                return None
            if not isinstance(change, ReadAgain):
                one.held = after(held, change)
                return change
            why, fault = change.why, Fault.SNAPSHOT_TOO_OLD
        except BadValueError as error:
            self.counts[Count.BAD_EVENTS] += 1
            why, fault = str(error), Fault.BAD_NUMBER
        self._lose(one, why, number)
        return PoolLost(address=one.pool.address, fault=fault)

    def undo(self, taken: Taken) -> None:
        """Undo the newest block."""
        for address, back in taken.backs.items():
            one = self.of.get(address)
            if one is None:
                continue
            held = led_back(one.held, back)
            if held is None:
                self._lose(one, "read in a block that a reorganisation undid", taken.ref.number)
            else:
                self._live(one, held)
        for address in tuple(self._reading):
            reading = self.of[address].reading
            if reading is None or reading.at.hash == taken.ref.hash:
                self.of[address].reading = None
                self._reading.discard(address)
            else:
                reading.undo(taken.ref.hash)

    def lose_all(self, why: str, number: int) -> None:
        """Know nothing any more."""
        for one in self.of.values():
            self._lose(one, why, number)
            one.tries = one.wait_until = 0
            one.reading = None
        self._reading.clear()

    def to_read(self, at: BlockRef, most: int) -> tuple[str, ...]:
        """Choose pools whose state is not known or doubted, and begin to read them at a block."""
        if not self._unread and not self._doubted:
            return ()
        due = (
            address
            for address in chain(self._unread, self._doubted)
            if (one := self.of[address]).reading is None and one.wait_until <= at.number
        )
        chosen = self._begin(islice(due, most), at, may_differ=True)
        for address in chosen:
            self._doubted.pop(address, None)
        return chosen

    def hold(self, addresses: Iterable[str], at: BlockRef) -> tuple[str, ...]:
        """Have no read begin of pools that somebody else may know at this block."""
        due = (one for one in addresses if self.of[one].reading is None and one in self._unread)
        return self._begin(due, at, may_differ=True)

    def let_go(self, at: BlockRef, addresses: Iterable[str]) -> None:
        """Have those read that nobody knew."""
        for address in addresses:
            one = self.of.get(address)
            if one is not None and one.reading is not None and one.reading.at.hash == at.hash:
                one.reading = None

    def to_check(self, at: BlockRef, most: int, *, after: int) -> tuple[str, ...]:
        """Choose live pools that were not read for so many blocks, and begin to read them."""
        due = _due(self._to_check, at.number - after, most)
        if not due:
            return ()
        return self._begin((one for one in due if self._is_at_rest(one)), at, may_differ=False)

    def to_poll(self, at: BlockRef, most: int, *, after: int) -> tuple[str, ...]:
        """Choose live pools whose terms were not asked for in so many blocks."""
        due = _due(self._to_poll, at.number - after, most)
        for address in due:
            self._to_poll[address] = at.number
        return tuple(one for one in due if self._is_at_rest(one))

    def take_read(
        self, at: BlockRef, address: str, found: PoolNow | Unreadable, tip: Taken
    ) -> ChainWord | None:
        """Take a pool as it was read at a block; return what the engine has to learn of it."""
        one = self.of.get(address)
        if one is None or one.reading is None or one.reading.at.hash != at.hash:
            self.counts[Count.VOID_READS] += 1
            return None
        reading, one.reading = one.reading, None
        self._reading.discard(address)
        self.counts[Count.READS] += 1
        try:
            held = _held_now(one, found, reading)
        except BadValueError as error:
            self.counts[Count.UNREADABLE] += 1
            return self._not_read(one, str(error), tip)
        self._to_check.pop(address)
        self._to_check[address] = at.number
        if one.held is None:
            return self._join(one, held, tip)
        self.counts[Count.CHECKS] += 1
        return self._compare(one, held, tip, may_differ=reading.may_differ)

    def take_terms(
        self, address: str, found: Pool | ReadAgain | Unreadable, tip: Taken
    ) -> ChainWord | None:
        """Take a pool's terms; if they are others, it is out until it is read."""
        one = self.of.get(address)
        if one is None or one.held is None or found == one.pool:
            return None
        if isinstance(found, ReadAgain):
            self._doubted[address] = None
            return None
        self.counts[Count.TERMS_CHANGED] += 1
        self._lose(one, "its terms have changed", tip.ref.number)
        return self._removal(one)

    def read_failed(self, at: BlockRef, addresses: Iterable[str], why: str) -> None:
        """Learn that a read came to nothing: of the pools nothing is known that was not before.

        They are the last to be read again, so that what no node answers is in no other's way.
        """
        for address in addresses:
            one = self.of.get(address)
            if one is not None and one.reading is not None and one.reading.at.hash == at.hash:
                one.reading = None
                if one.held is None:
                    one.why = why[:WHY_CHARACTERS_MAX]
                    self._unread[address] = self._unread.pop(address, None)

    def about(self, log: Log) -> Sequence[Followed]:
        """Return the pools that an event is about."""
        families = self.topics.get(log.topics[0]) if log.topics else None
        if families is None:
            return ()
        found: list[Followed] = []
        for family in families:
            try:
                one = self.of.get(family.address_of(log))
            except BadValueError:
                self.counts[Count.BAD_EVENTS] += 1
                continue
            if one is not None and one.family == family:
                found.append(one)
        return found

    def _begin(
        self, addresses: Iterable[str], at: BlockRef, *, may_differ: bool
    ) -> tuple[str, ...]:
        chosen = tuple(addresses)
        for address in chosen:
            self.of[address].reading = Reading(at, may_differ)
        self._reading.update(chosen)
        return chosen

    def _not_read(self, one: Followed, why: str, tip: Taken) -> ChainWord | None:
        self._wait(one, tip.ref.number)
        was_live = one.held is not None
        self._lose(one, why, tip.ref.number)
        return self._removal(one) if was_live else None

    def _join(self, one: Followed, held: AnyHeld, tip: Taken) -> ChainWord:
        address = one.pool.address
        if held.pool != one.pool:
            self._branch.forget(address)  # by other terms it is another pool
        one.pool, one.is_told = held.pool, True
        self._live(one, held)
        tip.backs[address] = None  # how it was a block earlier the engine does not know
        return ChainWord(pools=(snapshot_of(held, tip.ref.number),))

    def _compare(
        self, one: Followed, held: AnyHeld, tip: Taken, *, may_differ: bool
    ) -> ChainWord | None:
        """Compare a live pool with a read; it is out if it cannot be so, until it is read again."""
        assert one.held is not None
        if are_same(one.held, held):
            return None
        if one.held.pool != held.pool:
            self.counts[Count.TERMS_CHANGED] += 1
        elif may_differ:
            self.counts[Count.UNTOLD] += 1
        else:
            self.counts[Count.DIVERGED] += 1
            self._wait(one, tip.ref.number)
            self._lose(one, f"block {tip.ref.number} is not as its events say", tip.ref.number)
            return self._removal(one)
        return self._join(one, held, tip)

    def _removal(self, one: Followed) -> ChainWord | None:
        """Have the engine forget a pool at once, between two blocks."""
        self._branch.forget(one.pool.address)
        was_told, one.is_told = one.is_told, False
        return ChainWord(removed=(one.pool.address,)) if was_told else None

    def _lose(self, one: Followed, why: str, number: int) -> None:
        if one.held is not None or not one.why:
            one.since = number
        one.held = None
        one.why = why[:WHY_CHARACTERS_MAX]
        self._unread[one.pool.address] = None

    def _is_at_rest(self, address: str) -> bool:
        one = self.of[address]
        return one.held is not None and one.reading is None

    def _live(self, one: Followed, held: AnyHeld) -> None:
        one.held = held
        one.why, one.tries = "", 0
        self._unread.pop(one.pool.address, None)

    def _forget(self, address: str) -> None:
        self._branch.forget(address)
        self._unread.pop(address, None)
        self._doubted.pop(address, None)
        self._to_check.pop(address, None)
        self._to_poll.pop(address, None)
        self._reading.discard(address)

    def _wait(self, one: Followed, number: int) -> None:
        one.tries += 1
        one.wait_until = number + wait_after(one.tries, first=1, longest=WAIT_BLOCKS_MAX)


def _positions(changes: Sequence[PoolChange]) -> dict[str, list[Move]]:
    """Return all moves of the pools of which ticks changed; mostly there are none."""
    of = {
        change.address
        for change in changes
        if type(change) is PoolMoved and type(change.move) is PositionMove
    }
    moves: dict[str, list[Move]] = {}
    for change in changes if of else ():
        if change.address not in of:
            continue
        if isinstance(change, PoolMoved):
            moves.setdefault(change.address, []).append(change.move)
        else:
            of.discard(change.address)
            moves.pop(change.address, None)
    return moves


def _due(queue: dict[str, int], number: int, most: int) -> list[str]:
    """Return the first of a queue that were served at this block or before; they go to its end."""
    due = []
    for address, served in islice(queue.items(), most):
        if served > number:
            break
        due.append(address)
    for address in due:
        queue[address] = queue.pop(address)
    return due


def _held_now(one: Followed, found: PoolNow | Unreadable, reading: Reading) -> AnyHeld:
    """Return a pool that was read, with the events since on top.

    Raises:
        BadValueError: it cannot be read, or what came since has to be read itself.
    """
    if isinstance(found, Unreadable):
        raise BadValueError(found.why)
    if found.pool.pool_id != one.pool.pool_id:
        raise BadValueError(f"{found.pool.pool_id} was read for {one.pool.pool_id}")
    held: AnyHeld = Held.of(found)
    for log in (log for _, logs in reading.since for log in logs):
        change = one.family.change_of(found.pool, log)
        if isinstance(change, ReadAgain):
            raise BadValueError(change.why)
        if change is not None:
            held = after(held, change)
    return held
