"""The pools that `following` keeps, as predictions ask for them, and each block as it takes it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from engine.chains.following.held import AnyHeld, HeldPair
from engine.chains.following.pair_events import Changed
from engine.chains.following.pools import FollowedPools
from engine.chains.pending.desk import Told
from engine.chains.pending.far_moves import moves_far, pairs_move_far
from engine.chains.pending.stepping import Step
from engine.chains.ports import BlockRef, Log, ReadAgain
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import words_of
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import PoolState


class LivePools:
    """All live pools as of the newest block."""

    def __init__(self, pools: FollowedPools) -> None:
        self._pools = pools

    def find(self, address: str) -> tuple[Pool, PoolState] | None:
        """Return a pool."""
        held = self.kept(address)
        return None if held is None else (held.pool, held.state)

    def kept(self, address: str) -> AnyHeld | None:
        """Return a pool with its row."""
        one = self._pools.of.get(address)
        return None if one is None else one.held


class PoolsBefore:
    """The pools before a block: those that it moves as they were, the others as they are."""

    def __init__(self, moved: Mapping[str, AnyHeld], live: LivePools) -> None:
        self._moved, self._live = moved, live

    def kept(self, address: str) -> AnyHeld | None:
        """Return a pool."""
        return self._moved.get(address) or self._live.kept(address)


_NONE: Final[Mapping[str, AnyHeld]] = {}


def steps_of(log: Log, pools: FollowedPools, before: Mapping[str, AnyHeld] = _NONE) -> list[Step]:
    """Return what an event does to pools that are live, or were before their block."""
    steps: list[Step] = []
    for one in pools.about(log):
        if one.held is None and one.pool.address not in before:
            continue
        try:
            change = one.family.change_of(one.pool, log)
        except BadValueError:
            change = None  # `following` takes it out of everything
        if isinstance(change, ReadAgain):
            change = None
        steps.append(Step(address=one.pool.address, log=log, change=change))
    return steps


def told_of(
    ref: BlockRef, logs: Sequence[Log], pools: FollowedPools, before: Mapping[str, AnyHeld]
) -> Told:
    """Return what a block did to pools that were live.

    Args:
        ref: the block.
        logs: its events.
        pools: as of it, or of a later one.
        before: those that it changed as they were before it.
    """
    steps = [step for log in logs for step in steps_of(log, pools, before)]
    return Told(ref=ref, steps=steps)


def is_far(changed: Changed, ratio_min: float) -> bool:
    """Say whether a block moves a price by so much; see `far_moves`."""
    pairs, before = changed.pairs, changed.before
    if pairs is not None:
        were = b"".join(_words_of_all([before[address] for address in pairs.addresses]))
        if pairs_move_far(pairs.words, were, ratio_min):
            return True
    return moves_far(changed.changes, before, ratio_min)


def _words_of_all(pairs: Sequence[AnyHeld]) -> Iterable[bytes]:
    if {*map(type, pairs)} == {HeldPair}:
        return [pair.words for pair in cast("Sequence[HeldPair]", pairs)]
    return map(_words_of, pairs)


def _words_of(pair: AnyHeld) -> bytes:
    """Return the reserves of a pair."""
    if type(pair) is HeldPair:
        return pair.words
    state = pair.state
    assert isinstance(state, ConstantProductState)
    return words_of(state.reserve0_raw, state.reserve1_raw)
