"""Compares pools with the node's own answers: state by logs with state by reading, and quotes.

Random pools are read at a block and followed by their logs over the blocks after it; then they are
read again, and quotes of random sizes are asked of the chain's own quoters at that block.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

import msgspec

from engine.chains.ports import (
    BlockRef,
    Family,
    Log,
    PoolNow,
    ReadAgain,
    Reader,
    Unreadable,
)
from engine.detect.sizing.exact import leg_of
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.pools.blocks import PoolMoved
from engine.pools.moves import moved, row_now
from engine.pools.snapshot_rows import AnyRow, ConcentratedRow, PoolState
from engine.tools.node_quotes import WAYS, Asked, output_of, quote_call

AMOUNT_RAW_MAX: Final = 10**30
TEXT_MAX: Final = 8
"""So many differences are told; all are counted."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A chain whose pools are compared.

    Attributes:
        quoters: by pool: the contract that quotes it.
        names: by pool: its DEX, as the table names it.
    """

    chain: str
    reader: Reader
    families: Mapping[Protocol, Family]
    pools: Sequence[Pool]
    quoters: Mapping[str, str]
    names: Mapping[str, str]


@dataclass(kw_only=True)
class Found:
    """What was compared, counted by DEX.

    Attributes:
        quotes: that the node answered and ours equal.
        refused: that neither gives.
        different: what is not as the node has it, in words.
    """

    pools: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    quotes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    different: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether there was something to compare, and it was all as the node has it."""
        return bool(self.pools) and bool(self.quotes) and not self.different


async def verify(
    ground: Ground,
    *,
    head: Callable[[], BlockRef],
    live: Callable[[], None],
    count: int,
    random: Random,
) -> Found:
    """Compare so many random pools, and as many quotes of random sizes.

    Args:
        ground: the chain.
        head: says its newest block.
        live: lets time pass on it.
        count: how many.
        random: which and how much.

    Raises:
        NodeError: the node gave no answer.
    """
    found = Found()
    chosen = random.sample(ground.pools, min(count, len(ground.pools)))
    followed = {}
    before = head()
    for pool, now in zip(chosen, await _read(ground, chosen, before), strict=True):
        if isinstance(now, Unreadable):
            found.unread[ground.names[pool.address]] += 1
        else:
            followed[pool.address] = _Followed(ground.families[pool.protocol], now)
            found.pools[ground.names[pool.address]] += 1
    live()
    after = head()
    await _follow(ground, followed, before, after, found)
    again = await _read(ground, [one.pool for one in followed.values()], after)
    for one, now in zip(followed.values(), again, strict=True):
        one.compare(now, found)
    asked = _asked(ground, list(followed.values()), count, random)
    await _compare(ground, asked, after, found)
    return found


def table(chain: str, found: Found) -> list[str]:
    """Return what was compared as lines of text."""
    lines = [f"{'DEX on ' + chain:32} {'pools':>6} {'events':>7} {'quotes':>7} {'refused':>8}"]
    lines += [
        f"{name[:32]:32} {found.pools[name]:6} {found.events[name]:7} {found.quotes[name]:7}"
        f" {found.refused[name]:8}"
        for name in sorted(found.pools)
    ]
    lines += [f"not readable: {count} of {name}" for name, count in sorted(found.unread.items())]
    lines += found.different[:TEXT_MAX]
    if found.different:
        return [*lines, f"DIFFERENT: {len(found.different)} answers are not the node's"]
    if not found.is_good:
        return [*lines, "NOTHING was compared"]
    whole = (
        f"all as the node has it: {found.pools.total()} pools after {found.events.total()} events,"
        f" {found.quotes.total()} quotes to the unit, {found.refused.total()} that neither gives"
    )
    return [*lines, whole]


class _Followed:
    """A pool as its logs lead it; None in the place of its state if it has to be read."""

    def __init__(self, family: Family, now: PoolNow) -> None:
        self.family, self.pool, self.row = family, now.pool, now.row
        self.state: PoolState | None = now.row.state(now.pool)

    def take(self, log: Log) -> None:
        if self.state is None:
            return
        try:
            change = self.family.change_of(self.pool, log)
            if isinstance(change, PoolMoved):
                self.row, self.state = moved(self.pool, self.row, self.state, change.move)
        except BadValueError:
            self.state = None
        else:
            if isinstance(change, ReadAgain):
                self.state = None

    def compare(self, now: PoolNow | Unreadable, found: Found) -> None:
        """Compare with a reading, and stand on that from here on."""
        if isinstance(now, Unreadable):
            if self.state is not None:
                found.different.append(f"{self.pool}: by logs it trades, but {now.why}")
            self.state = None
            return
        if self.state is not None:
            ours, theirs = row_now(self.row, self.state), now.row
            if (self.pool, _common(ours, theirs)) != (now.pool, _common(theirs, ours)):
                found.different.append(f"{self.pool}: by logs {ours}, read {theirs}")
        self.pool, self.row, self.state = now.pool, now.row, now.row.state(now.pool)


async def _read(ground: Ground, pools: Sequence[Pool], at: BlockRef) -> list[PoolNow | Unreadable]:
    """Read pools of several families, in their order."""
    read: dict[str, PoolNow | Unreadable] = {}
    for protocol, family in ground.families.items():
        own = [pool for pool in pools if pool.protocol is protocol]
        for pool, now in zip(own, await family.read(own, ground.reader, at), strict=True):
            read[pool.address] = now
    return [read[pool.address] for pool in pools]


async def _follow(
    ground: Ground,
    followed: Mapping[str, _Followed],
    before: BlockRef,
    after: BlockRef,
    found: Found,
) -> None:
    topics = {topic for family in ground.families.values() for topic in family.topics}
    if after.number == before.number:
        return
    logs = await ground.reader.logs(before.number + 1, after.number, topics=sorted(topics))
    for log in logs:
        for family in ground.families.values():
            if log.topics[0] not in family.topics:
                continue
            one = followed.get(family.address_of(log))
            if one is not None and one.family is family:
                one.take(log)
                found.events[ground.names[one.pool.address]] += 1


def _asked(
    ground: Ground, followed: Sequence[_Followed], count: int, random: Random
) -> list[tuple[Asked, int | None]]:
    """Return quotes of random sizes, from a unit to all that a pool takes, and ours."""
    asked: list[tuple[Asked, int | None]] = []
    able = [one for one in followed if one.state is not None and one.pool.protocol in WAYS]
    for _ in range(count if able else 0):
        one = random.choice(able)
        assert one.state is not None
        token_in, token_out = random.sample(range(len(one.pool.tokens)), 2)
        leg = leg_of(one.state, token_in=token_in, token_out=token_out)
        most_raw = max(leg.amount_taken(AMOUNT_RAW_MAX), 1)
        digits = random.randrange(1, len(str(most_raw)) + 1)
        amount_raw = min(random.randrange(1, 10**digits), most_raw)
        quoter = ground.quoters.get(one.pool.address, "")
        try:
            ours: int | None = leg.amount_out(amount_raw)
        except BadValueError:
            ours = None
        asked.append((Asked(one.pool, quoter, token_in, token_out, amount_raw), ours))
    return asked


async def _compare(
    ground: Ground, asked: Sequence[tuple[Asked, int | None]], at: BlockRef, found: Found
) -> None:
    answers = await ground.reader.call([quote_call(one) for one, _ in asked], at)
    for (one, ours), answer in zip(asked, answers, strict=True):
        name = ground.names[one.pool.address]
        theirs = output_of(one, answer)
        if (ours or None) != (theirs or None):  # some contracts refuse what gives nothing
            found.different.append(
                f"{one.pool}: for {one.amount_raw} of token {one.token_in} ours gives {ours} of"
                f" token {one.token_out}, the node's {theirs}"
            )
        elif theirs is None:
            found.refused[name] += 1
        else:
            found.quotes[name] += 1


def _common(row: AnyRow, other: AnyRow) -> AnyRow:
    """Return a row with the ticks alone that both know: a narrow pool is read about its price."""
    if not (isinstance(row, ConcentratedRow) and isinstance(other, ConcentratedRow)):
        return row
    low, high = max(row.known_min, other.known_min), min(row.known_max, other.known_max)
    both = [
        (tick, gross)
        for tick, gross in zip(row.ticks, row.grosses, strict=True)
        if low <= tick[0] <= high
    ]
    return msgspec.structs.replace(
        row,
        known_min=low,
        known_max=high,
        ticks=tuple(tick for tick, _ in both),
        grosses=tuple(gross for _, gross in both),
    )
