"""Hears a chain's pending transactions and blocks for as long as it runs, and tells of whales.

Whole transactions are asked for; a node that only names them is asked for their bodies, a bounded
number in a second. What was missed is missed: pending transactions are hints, never booked.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from engine.chains.pending.desk import PendingDesk, Told
from engine.chains.pending.stepping import StepPools
from engine.chains.pending.waiting import Count
from engine.chains.pending.whales import Swapped, Whale
from engine.chains.ports import BODIES, Json, Node, NodeError, Refusal, Topic
from engine.chains.rpc.parsing import parse_hash
from engine.domain.backoff import Backoff
from engine.domain.errors import BadValueError
from engine.domain.recovery import PENDING_STREAM
from engine.domain.units import NS_PER_S

BLOCK_S: Final = 3.0
"""So long the list of a block's transactions is waited for."""
BLOCK_TX_MAX: Final = 20_000
LATER_S: Final = 0.002
"""So long a block waits to be looked at: on its way to the engine meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLimits:
    """How much is fetched.

    Attributes:
        bodies_per_s: transactions whose bodies are fetched in a second.
        batch_max: of one request.
        named_max: that may wait to be fetched; older ones go.
        blocks_max: that may wait to be looked at; older ones go.
    """

    bodies_per_s: int = 100
    batch_max: int = 25
    named_max: int = 500
    blocks_max: int = 64


class PendingWatch:
    """Connects a desk with a node.

    Args:
        tell: takes each whale that is to be told.
        now_ns: the clock.
        block_s: time between two blocks.
        hears_pending: whether it listens, or only looks at blocks.

    Attributes:
        has_bodies: whether the node tells whole transactions; None until it told one.
        trouble: what the last failure was; empty while it hears.
        looked_at: hash of the newest block that was looked at.
    """

    def __init__(
        self,
        node: Node,
        desk: PendingDesk,
        *,
        tell: Callable[[Whale], None],
        now_ns: Callable[[], int],
        block_s: int,
        hears_pending: bool = True,
        limits: WatchLimits | None = None,
    ) -> None:
        self.desk = desk
        self.has_bodies: bool | None = None
        self.trouble = ""
        self.looked_at = ""
        self._node, self._tell, self._now_ns = node, tell, now_ns
        self._block_s = max(block_s, 1)
        self._limits = limits or WatchLimits()
        self._named: deque[str] = deque()
        self._blocks: deque[tuple[Callable[[], Told], StepPools]] = deque()
        self._has_named, self._has_blocks = asyncio.Event(), asyncio.Event()
        self._asks_bodies, self._hears_pending = True, hears_pending

    async def run(self) -> None:
        """Hear until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look())
            if self._hears_pending:
                tasks.create_task(self._hear())
                tasks.create_task(self._fetch())

    def block(self, told: Callable[[], Told], before: StepPools) -> None:
        """Take a block, with the pools as they were before it; it is looked at soon.

        What it did is made only then: the engine is to be told of it first.
        """
        if len(self._blocks) >= self._limits.blocks_max:
            self._blocks.popleft()
            self.desk.counts[Count.BLOCKS_LEFT_OUT] += 1
        self._blocks.append((told, before))
        self._has_blocks.set()

    def confirmed_ahead(self, swaps: Sequence[Swapped]) -> None:
        """Take swaps that a sequencer has confirmed ahead of their block."""
        self.desk.confirmed_ahead(swaps, now_ns=self._now_ns())
        self._tell_whales()

    async def _hear(self) -> None:
        backoff = Backoff(PENDING_STREAM, first_s=0.2, longest_s=30.0)
        while True:
            params = BODIES if self._asks_bodies else None
            try:
                async with aclosing(self._node.subscribe(Topic.PENDING, params)) as told:
                    async for word in told:
                        self.trouble = ""
                        self._take(word)
                        backoff.reset()
            except NodeError as error:
                self.trouble = str(error)
                if error.refusal is Refusal.REFUSED and self._asks_bodies:
                    self._asks_bodies = False
                    continue
            await asyncio.sleep(backoff.next_s())

    def _take(self, word: Json) -> None:
        if not isinstance(word, str):
            self.has_bodies = True
            self._hear_one(word)
            return
        self.has_bodies = False
        if len(self._named) >= self._limits.named_max:
            self._named.popleft()
            self.desk.counts[Count.NOT_FETCHED] += 1
        self._named.append(word)
        self._has_named.set()

    async def _fetch(self) -> None:
        """Fetch bodies of what was only named, the newest first, within the budget."""
        limits = self._limits
        while True:
            await self._has_named.wait()
            count = min(limits.batch_max, len(self._named))
            names = [self._named.pop() for _ in range(count)]
            if not self._named:
                self._has_named.clear()
            try:
                asked = [("eth_getTransactionByHash", [name]) for name in names]
                answers = await self._node.batch(asked)
            except NodeError as error:
                self.trouble = str(error)
                self.desk.counts[Count.NOT_FETCHED] += len(names)
                answers = []
            for answer in answers:
                if isinstance(answer, NodeError) or answer is None:
                    self.desk.counts[Count.NOT_FETCHED] += 1
                else:
                    self._hear_one(answer)
            await asyncio.sleep(count / limits.bodies_per_s)

    def _hear_one(self, word: Json) -> None:
        now_ns = self._now_ns()
        self.desk.hear(word, now_ns=now_ns, at_s=now_ns // NS_PER_S + self._block_s)
        self._tell_whales()

    async def _look(self) -> None:
        while True:
            await self._has_blocks.wait()
            await asyncio.sleep(LATER_S)
            make, before = self._blocks.popleft()
            if not self._blocks:
                self._has_blocks.clear()
            told = make()
            tx_hashes = await self._tx_hashes(told.ref.hash) if len(self.desk.waiting) else None
            now_ns = self._now_ns()
            self.desk.block(told, before, tx_hashes=tx_hashes, now_ns=now_ns)
            self._tell_whales()
            self.looked_at = told.ref.hash

    async def _tx_hashes(self, block_hash: str) -> list[str] | None:
        """Return the transactions of a block; nothing if the node does not say them in time."""
        try:
            async with asyncio.timeout(BLOCK_S):
                said = await self._node.request("eth_getBlockByHash", block_hash, False)
            return _parse_hashes(said)
        except (NodeError, BadValueError, TimeoutError) as error:
            self.trouble = str(error) or "no answer in time"
            return None

    def _tell_whales(self) -> None:
        for whale in self.desk.whales(now_ns=self._now_ns()):
            self._tell(whale)


def _parse_hashes(said: Json) -> list[str]:
    """Return the hashes of a block's transactions.

    Raises:
        BadValueError: it tells none.
    """
    hashes = said.get("transactions") if isinstance(said, dict) else None
    if not isinstance(hashes, list) or len(hashes) > BLOCK_TX_MAX:
        raise BadValueError("a block without its transactions")
    return [parse_hash(one, "a transaction") for one in hashes]
