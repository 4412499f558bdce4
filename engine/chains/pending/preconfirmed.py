"""What a sequencer has confirmed ahead of its block (flashblocks): hints, never booked.

Base and OP Mainnet have no public mempool; a provider may tell events of the block that is being
made, about every 200 ms. A pool's swaps in them are exact if the block comes as it was said. All
that follows from a hint is that a large trade is told as pending, and that background work makes
way before the block is there. A sequencer may drop what it said: each block ends all hints.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Final

from engine.chains.pending.stepping import Step, Stepping, StepPools
from engine.chains.pending.waiting import Count
from engine.chains.pending.whales import Swapped
from engine.chains.ports import BlockRef, Json, Log, Node, NodeError, Topic
from engine.chains.rpc.parsing import hex_bytes, parse_log
from engine.domain.backoff import Backoff
from engine.domain.errors import BadValueError
from engine.domain.recovery import PENDING_STREAM

HINTS_MAX: Final = 4_096
"""Of one block."""

BACKOFF_S_MIN: Final = 0.5
BACKOFF_S_MAX: Final = 600.0
"""Where no provider passes hints on, they are asked for again so seldom."""

_NO_BLOCK: Final = "0x" + "0" * 64
"""What stands for the hash of a block that is not made yet, where a node says none."""


class Preconfirmed:
    """The hints of one chain's next block, and the pools as they would be.

    Args:
        steps_of: what an event does to pools that are followed.
        pools: as they are at the newest block.
        counts: of what happened, by `Count`.
    """

    def __init__(
        self,
        *,
        steps_of: Callable[[Log], Sequence[Step]],
        pools: StepPools,
        counts: Counter[str],
    ) -> None:
        self._steps_of, self._pools, self._counts = steps_of, pools, counts
        self._number = 0
        self._heard: dict[tuple[str, int], Log] = {}
        self._stepping = Stepping(pools)

    def hear(self, told: Json, *, tip_number: int) -> list[Swapped]:
        """Hear of an event; return the swap that it is, if it is one that was not heard of.

        Args:
            told: as the node tells it.
            tip_number: of the newest block.
        """
        try:
            log = _parsed(told)
        except BadValueError:
            self._counts[Count.LIES] += 1
            return []
        if log.block_number != tip_number + 1:
            self._counts[Count.AHEAD_ELSEWHERE] += 1
            return []
        if log.block_number != self._number:
            self.forget()
            self._number = log.block_number
        key = (log.tx_hash, log.index)
        if key in self._heard:
            return []  # nodes say again with each part what was in those before
        if len(self._heard) >= HINTS_MAX:
            self._counts[Count.AHEAD_FULL] += 1
            return []
        self._heard[key] = log
        self._counts[Count.AHEAD] += 1
        return self._stepping.take(self._steps_of(log))

    def block(self, ref: BlockRef, logs: Iterable[Log]) -> None:
        """Learn what a block holds: whatever that is, nothing of what was said ahead stays."""
        if self._heard:
            there = {_content(log) for log in logs} if ref.number == self._number else set()
            kept = sum(_content(log) in there for log in self._heard.values())
            self._counts[Count.AHEAD_KEPT] += kept
            self._counts[Count.AHEAD_DROPPED] += len(self._heard) - kept
        self.forget()

    def forget(self) -> None:
        """Know of no hint."""
        self._number = 0
        self._heard.clear()
        self._stepping = Stepping(self._pools)


class PreconfirmedWatch:
    """Hears a chain's hints for as long as it runs.

    Args:
        topics: first topics of the events that are wanted.
        take: is given each swap.
        tip_number: number of the newest block, None before the first.

    Attributes:
        trouble: why none is heard; empty while they are.
    """

    def __init__(
        self,
        node: Node,
        hints: Preconfirmed,
        *,
        topics: Iterable[bytes],
        take: Callable[[Sequence[Swapped]], None],
        tip_number: Callable[[], int | None],
    ) -> None:
        self.trouble = ""
        self._node, self._hints, self._take, self._tip_number = node, hints, take, tip_number
        self._wanted: dict[str, Json] = {"topics": [[hex_bytes(one) for one in sorted(topics)]]}

    async def run(self) -> None:
        """Hear until cancelled."""
        backoff = Backoff(PENDING_STREAM, first_s=BACKOFF_S_MIN, longest_s=BACKOFF_S_MAX)
        while True:
            self._hints.forget()  # what came since the last one is not known
            try:
                async with aclosing(self._node.subscribe(Topic.PRECONFIRMED, self._wanted)) as told:
                    async for word in told:
                        self.trouble = ""
                        backoff.reset()
                        tip_number = self._tip_number()
                        if tip_number is not None:
                            self._take(self._hints.hear(word, tip_number=tip_number))
            except NodeError as error:
                self.trouble = str(error)
            await asyncio.sleep(backoff.next_s())


def _parsed(told: Json) -> Log:
    """Return an event of a block that is being made.

    Raises:
        BadValueError: it cannot be one.
    """
    if isinstance(told, dict) and told.get("blockHash") is None:
        told = told | {"blockHash": _NO_BLOCK}
    return parse_log(told)


def _content(log: Log) -> tuple[str, str, tuple[bytes, ...], bytes]:
    return log.tx_hash, log.address, log.topics, log.data
