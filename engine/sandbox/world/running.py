"""Chains that live, side by side in one process: nodes, blocks when they are due, private doors."""

import time
from collections.abc import Mapping
from typing import Final

import psutil

from engine.sandbox.relay.auction import Auction
from engine.sandbox.relay.book import BundleBook
from engine.sandbox.relay.builder import Builder
from engine.sandbox.relay.door import RelayDoor
from engine.sandbox.relay.rivals import Rivals
from engine.sandbox.world.anvil import Anvil, start_anvil
from engine.sandbox.world.building import NODE_OPTIONS, Built
from engine.sandbox.world.life import Counts, Life
from engine.sandbox.world.private_door import PrivateDoor
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.values import LocalChain

STATES_KEPT: Final = 256
"""Blocks at which the node can be asked, as of a real one that keeps no archive."""

NODE_BYTES_MAX: Final = 500 * 1024 * 1024
LOOK_BLOCKS: Final = 200
"""After so many blocks its memory is looked at."""


class LivingChain:
    """A chain on a node of its own.

    Attributes:
        node: that has it now.
        block_s: time between two blocks.
        due_at: when the next one is made, by the steady clock.
    """

    def __init__(self, one: Built, *, seed: int, speed: float) -> None:
        self._built = one
        self._seed = seed
        self.block_s: Final = one.plan.block_s / speed
        self._door = PrivateDoor()
        self._book = BundleBook()
        self._relay = (
            RelayDoor(self._book, chain_id=one.plan.chain_id) if one.plan.has_relay else None
        )
        self.node, self._life = self._start(0)
        self.due_at = time.monotonic() + self.block_s

    @property
    def counts(self) -> Counts:
        """Return what happened since the node began."""
        return self._life.counts

    def announced(self) -> LocalChain:
        """Return where it is."""
        made, plan = self._built.made, self._built.plan
        return LocalChain(
            chain_id=plan.chain_id,
            block_ms=max(round(self.block_s * 1_000), 1),
            http_urls=(self.node.url,),
            ws_urls=(self.node.ws_url,),
            private_url=self._door.url,
            relay_url="" if self._relay is None else self._relay.url,
            dexes=made.dexes,
            contracts=made.contracts,
        )

    def take(self, prices_usd: Mapping[str, float]) -> None:
        """Learn what the books say."""
        self._life.worth.take(prices_usd)

    def step(self) -> None:
        """Make a block; begin anew when the node has grown too large, or is gone.

        Raises:
            NoWorldError: it does not start again.
        """
        self.due_at = max(self.due_at + self.block_s, time.monotonic())
        try:
            self._life.step(self._door.taken())
        except OSError:
            self._begin_anew()
            return
        is_looked_at = self._life.counts.blocks % LOOK_BLOCKS == 0
        if is_looked_at and psutil.Process(self.node.pid).memory_info().rss > NODE_BYTES_MAX:
            self._begin_anew()

    def close(self) -> None:
        """End node and doors."""
        self._life.close()
        self.node.stop()
        self._door.close()
        if self._relay is not None:
            self._relay.close()

    def _begin_anew(self) -> None:
        self._life.close()
        self.node.kill()
        self.node, self._life = self._start(self.node.port)

    def _start(self, port: int) -> tuple[Anvil, Life]:
        one, plan = self._built, self._built.plan
        words = ["--no-mining", "--slots-in-an-epoch", str(plan.slots)]
        words += ["--prune-history", str(STATES_KEPT)]
        if self._relay is not None:
            words += ["--order", "fifo"]
        node = start_anvil(
            chain_id=plan.chain_id, state=one.state, port=port, options=(*NODE_OPTIONS, *words)
        )
        rpc = Rpc(node.url)
        auction = None if self._relay is None else self._auction(rpc, self._relay)
        life = Life(rpc, plan, one.made, seed=self._seed, block_s=self.block_s, auction=auction)
        return node, life

    def _auction(self, rpc: Rpc, door: RelayDoor) -> Auction:
        builder = Builder(rpc, self._book, door.shared)
        door.node_url, door.judged = rpc.url, builder.judged
        rivals = Rivals(rpc, self._built.made, self._book, seed=self._seed)
        return Auction(rpc, builder, rivals)
