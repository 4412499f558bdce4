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

_Taken = tuple[PairMoves | None, Sequence[int]]
"""With what events leave each pair, see `Changed`, and the places of those to be looked at."""


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
) -> tuple[PairMoves | None, list[Log]]:
    """Have the pairs take the events that tell their reserves, and keep the others.

    Behind an event of a pair that is kept all of its events are, so that they are taken in their
    order. What one pool goes through is nothing to another.

    Args:
        logs: of the block, in their order.
        of: the pools, by address.
        of_pairs: the make whose pools tell reserves by this kind of event, by its first topic.
        before: is told how each pair was before.

    Returns:
        With what they leave each pair, see `Changed`, and the events that are to be looked at.
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
    pairs, others = _take_at_once(events, of, of_pairs, before) or _take_in_turn(
        events, of, of_pairs, before
    )
    return pairs, [logs[at] for at in others]


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
    found = list(map(of.get, addresses))
    families = {one: of_pairs.get(one[0]) if one else None for one in set(topics)}
    others: Sequence[int] = ()
    if not _are_all_pairs(found, [*families.values()]):
        chosen = [
            at
            for at, (one, kinds) in enumerate(zip(found, topics, strict=True))
            if (family := families[kinds]) is not None
            and one is not None
            and one.family is family
            and one.held is not None
            and one.reading is None
        ]
        others = sorted(set(range(len(found))).difference(chosen))
        looked_at = {addresses[at] for at in others}
        addresses, data = [addresses[at] for at in chosen], [data[at] for at in chosen]
        if not looked_at.isdisjoint(addresses):
            return None  # events of one pool stay in their order
        found = [found[at] for at in chosen]
    ones = [one for one in found if one is not None]
    were = [one.held for one in ones]
    after = pairs_at(were, data)
    if after is None:
        return None
    are, joined = after
    for one, held in zip(ones, are, strict=True):
        one.held = held
    before.update(zip(addresses, were, strict=True))  # type: ignore[arg-type]  # `pairs_at` has looked
    if len(before) == len(addresses):
        pairs = PairMoves(addresses=tuple(addresses), words=joined)
        return pairs, others
    return _as_left(dict(zip(addresses, data, strict=True))), others


def _are_all_pairs(found: Sequence[Followed | None], families: Sequence[Family | None]) -> bool:
    """Say whether all events are of one kind, and of pairs that none of them is to be looked at.

    That each pair is known is not looked at.
    """
    if len(families) != 1 or families[0] is None or {*map(type, found)} != {Followed}:
        return False
    ones, count = cast("Sequence[Followed]", found), len(found)
    return (
        [one.family for one in ones].count(families[0])
        == [one.reading for one in ones].count(None)
        == count
    )


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
    return _as_left(words), others


def _as_left(words: Mapping[str, bytes]) -> PairMoves | None:
    return PairMoves(addresses=tuple(words), words=b"".join(words.values())) if words else None
