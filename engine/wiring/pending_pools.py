"""The pools that `following` keeps, as predictions ask for them, and each block as it takes it."""

from collections.abc import Sequence

from engine.chains.following.held import AnyHeld
from engine.chains.following.pools import FollowedPools
from engine.chains.pending.desk import Told
from engine.chains.pending.stepping import Step
from engine.chains.ports import BlockRef, Log, ReadAgain
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
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

    def __init__(self, moved: dict[str, AnyHeld], live: LivePools) -> None:
        self._moved, self._live = moved, live

    def kept(self, address: str) -> AnyHeld | None:
        """Return a pool."""
        return self._moved.get(address) or self._live.kept(address)


def steps_of(log: Log, pools: FollowedPools) -> list[Step]:
    """Return what an event does to pools that are live."""
    steps: list[Step] = []
    for one in pools.about(log):
        if one.held is None:
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
    ref: BlockRef, logs: Sequence[Log], pools: FollowedPools
) -> tuple[Told, dict[str, AnyHeld]]:
    """Return what a block does, and the pools that it moves as they are before it.

    To be asked before the block is taken.
    """
    steps: list[Step] = []
    before: dict[str, AnyHeld] = {}
    for log in logs:
        for step in steps_of(log, pools):
            held = pools.of[step.address].held
            assert held is not None
            before.setdefault(step.address, held)
            steps.append(step)
    return Told(ref=ref, steps=steps), before
