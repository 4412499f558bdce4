"""What chain, nodes and signer do while the sender works; after a while all is well for good."""

from random import Random
from typing import Final

from tests.sending.crashes.moody import Mood
from tests.sending.crashes.node import BLOCK_S, GWEI
from tests.sending.crashes.world import CrashWorld

WILD_MAX: Final = 14
"""So many looks things may go wrong."""


class Weather:
    """Goes on once for each look of the sender."""

    def __init__(self, world: CrashWorld, luck: Random) -> None:
        self.looks = 0
        self._world = world
        self._luck = luck
        self._wild = luck.randrange(4, WILD_MAX)

    def go_on(self) -> None:
        """Let happen what may."""
        self.looks += 1
        world, chain, luck = self._world, self._world.chain, self._luck
        if self.looks > self._wild:
            world.node.mood, chain.base_fee_wei = Mood.HONEST, GWEI
            world.is_locked = world.loses = world.is_odd = False
            chain.mine(most=9)
            return
        if luck.random() < 0.3:
            world.node.mood = luck.choice(list(Mood))
            world.is_locked, world.loses = luck.random() < 0.1, luck.random() < 0.15
            world.is_odd = luck.random() < 0.1
            chain.base_fee_wei = luck.choice((1, 1, 1, 2, 100)) * GWEI
        if luck.random() < 0.15:
            chain.queue.clear()
        if luck.random() < 0.7:
            chain.mine(most=luck.randrange(4), wait_s=luck.choice((BLOCK_S, BLOCK_S, 20)))
        if luck.random() < 0.12:
            chain.reorganise(luck.choice((1, 1, 2, 3)), keeps=luck.random() < 0.5)
        if luck.random() < 0.04:
            chain.mine_foreign()
