"""The events of a block that tell pairs' reserves, as nearly all do: taken all at once.

It comes to what `FollowedPools` makes of each by itself, in a fraction of the time.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from engine.chains.following.followed import Followed
from engine.chains.following.held import AnyHeld, pair_at, pairs_at
from engine.chains.ports import Family, Log
from engine.chains.rpc.block_logs import BlockLogs
from engine.pools.blocks import PairMoves, PoolChange

_Columns = tuple[Sequence[str], Sequence[tuple[bytes, ...]], Sequence[bytes]]
"""Contracts, topics and data of events."""

_Taken = tuple[dict[str, bytes], Sequence[int]]
"""With which words events leave each pair, and the places of those that are to be looked at."""


class Changed(NamedTuple):
    """What a block changed.

    Attributes:
        pairs: see `Block`.
        changes: see `Block`.
        before: how each pool that it changed was before it, by address.
    """

    pairs: PairMoves | None
    changes: tuple[PoolChange, ...]
    before: Mapping[str, AnyHeld]


def take_pairs(
    logs: Sequence[Log],
    of: Mapping[str, Followed],
    of_pairs: Mapping[bytes, Family],
    before: dict[str, AnyHeld],
) -> tuple[dict[str, bytes], list[Log]]:
    """Have the pairs take the events that tell their reserves, and keep the others.

    Behind an event of a pair that is kept all of its events are, so that they are taken in their
    order. What one pool goes through is nothing to another.

    Args:
        logs: of the block, in their order.
        of: the pools, by address.
        of_pairs: the make whose pools tell reserves by this kind of event, by its first topic.
        before: is told how each pair was before.

    Returns:
        With which words they leave each pair, and the events that are to be looked at.
    """
    events: _Columns = (
        (logs.addresses, logs.topics, logs.data)
        if isinstance(logs, BlockLogs)
        else (
            [one.address for one in logs],
            [one.topics for one in logs],
            [one.data for one in logs],
        )
    )
    words, others = _take_at_once(events, of, of_pairs, before) or _take_in_turn(
        events, of, of_pairs, before
    )
    return words, [logs[at] for at in others]


def _take_at_once(
    events: _Columns,
    of: Mapping[str, Followed],
    of_pairs: Mapping[bytes, Family],
    before: dict[str, AnyHeld],
) -> _Taken | None:
    """Do so step by step for all pairs; None, and nothing done, where that may be another thing.

    Pools are far apart in memory. In a pass that does little for each, many are waited for at once.
    """
    addresses, topics, data = events
    ones = list(map(of.get, addresses))
    families = [of_pairs.get(one[0]) if one else None for one in topics]
    chosen = [
        at
        for at, (one, family) in enumerate(zip(ones, families, strict=True))
        if family is not None
        and one is not None
        and one.family is family
        and one.held is not None
        and one.reading is None
    ]
    others: Sequence[int] = ()
    if len(chosen) < len(ones):
        others = sorted(set(range(len(ones))).difference(chosen))
        looked_at = {addresses[at] for at in others}
        addresses, data = [addresses[at] for at in chosen], [data[at] for at in chosen]
        if not looked_at.isdisjoint(addresses):
            return None  # events of one pool stay in their order
        ones = [ones[at] for at in chosen]
    pairs = cast("list[Followed]", ones)
    were = cast("list[AnyHeld]", [one.held for one in pairs])
    are = pairs_at(were, data)
    if are is None:
        return None
    for one, held in zip(pairs, are, strict=True):
        one.held = held
    before.update(zip(addresses, were, strict=True))
    return dict(zip(addresses, data, strict=True)), others


def _take_in_turn(
    events: _Columns,
    of: Mapping[str, Followed],
    of_pairs: Mapping[bytes, Family],
    before: dict[str, AnyHeld],
) -> _Taken:
    words: dict[str, bytes] = {}
    others: list[int] = []
    looked_at: set[str] = set()
    for at, (address, kinds, body) in enumerate(zip(*events, strict=True)):
        if (
            kinds
            and (family := of_pairs.get(kinds[0])) is not None
            and (one := of.get(address)) is not None
            and one.family is family
            and one.reading is None
            and (was := one.held) is not None
            and address not in looked_at
            and (now := pair_at(was, body)) is not None
        ):
            one.held = now
            before.setdefault(address, was)
            words[address] = body
        else:
            others.append(at)
            looked_at.add(address)
    return words, others


def side_by_side(
    words: Mapping[str, bytes], changes: Sequence[PoolChange], before: Mapping[str, AnyHeld]
) -> Changed:
    """Return what a block changed as the engine takes it.

    Args:
        words: of pairs, by address.
        changes: of all pools, after those of `words`.
        before: how all of them were.
    """
    pairs = None
    if words:
        pairs = PairMoves(addresses=tuple(words), words=b"".join(words.values()))
    return Changed(pairs, tuple(changes), before)
