"""What all providers of a chain say of its head, compared: who is quick, behind, of another chain.

A block that has enough others on top of it is the same at all honest nodes. Who says otherwise
against two or more is quarantined; one against one, nobody knows, and nothing is asked of either.
Two comparisons in a row have to say so: a reorganisation may be on its way through them.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from engine.chains.ports import BlockRef, Json
from engine.chains.rpc.messages import Asked
from engine.chains.rpc.parsing import hex_number, parse_block
from engine.chains.rpc.pool import ProviderPool
from engine.chains.rpc.standing import Standing
from engine.chains.rpc.troubles import ProviderError, Trouble

COMPARED_PULSES: Final = 6
"""Blocks are compared at every so manieth pulse; one between costs a small question."""

QUORUM: Final = 2
RECENT_S: Final = 120
"""A node whose newest block is older has not caught up: it says nothing of the chain's head."""

_HEAD: Final[Asked] = ("eth_getBlockByNumber", ("latest", False))


class Pulse:
    """Asks all providers of a pool for their head, again and again.

    Attributes:
        has_beaten: set once all have answered, or have not, for the first time.

    Args:
        block_ms: time between two blocks.
        wall_s: the wall clock, which blocks are made by.
    """

    def __init__(
        self, pool: ProviderPool, *, block_ms: int, wall_s: Callable[[], float] = time.time
    ) -> None:
        self.has_beaten: Final = asyncio.Event()
        self._pool = pool
        self._wall_s = wall_s
        self._gap_max = 64 + RECENT_S * 1_000 // block_ms
        self._count = 0
        self._doubted: set[Standing] = set()

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            self._pool.changed.clear()
            await self.beat()
            self.has_beaten.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pool.limits.pulse_s):
                    await self._pool.changed.wait()

    async def beat(self) -> None:
        """Ask all once: their heads, and whether new ones and those on parole are what they say."""
        standings = list(self._pool.standings)
        heads: dict[Standing, BlockRef] = {}
        async with asyncio.TaskGroup() as group:
            for one in standings:
                if one.is_check_due:
                    group.create_task(self._check(one, heads))
                elif one.is_trusted:
                    group.create_task(self._ask_head(one, heads))
        await self._pool.retire()
        trusted = {one: head for one, head in heads.items() if one.is_trusted}
        why = self._measure(trusted)
        is_due = self._count % COMPARED_PULSES == 0 or self._pool.split or self._doubted
        self._count += 1
        if is_due and not why:
            why = await self._compare(trusted)
            self._pool.split = why
        elif why:
            self._pool.split = why

    async def _ask_head(self, one: Standing, heads: dict[Standing, BlockRef]) -> None:
        """Note a provider's head and how quickly it tells it."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        answers = await self._answers(one, [_HEAD])
        if answers is not None:
            one.pulsed(loop.time() - started_s)
            heads[one] = parse_block(answers[0])

    async def _check(self, one: Standing, heads: dict[Standing, BlockRef]) -> None:
        """Find out whether a provider is of our chain, and on the branch of the trusted ones."""
        answers = await self._answers(one, [("eth_chainId", ()), _HEAD])
        if answers is None or not isinstance(answers[0], str):
            return
        told_id = int(answers[0], 16)
        if told_id != self._pool.chain_id:
            one.provider.troubles[Trouble.WRONG_CHAIN] += 1
            self._pool.quarantine(one, f"it is of chain {told_id}, not {self._pool.chain_id}")
            return
        head = parse_block(answers[1])
        if one.quarantines and not await self._is_cleared(one, head):
            self._pool.quarantine(one, one.why)
            return
        one.checked()
        heads[one] = head

    async def _is_cleared(self, one: Standing, head: BlockRef) -> bool:
        """Compare a provider on parole with the trusted ones; alone it is let go."""
        others = [other for other in self._pool.standings if other.is_trusted]
        if not others or self._pool.head is None:
            return True
        if head.number > self._pool.head + self._gap_max:
            return False
        height = min(head.number, self._pool.head) - self._pool.limits.settle_blocks
        if height < 0:
            return True
        told = await self._hashes(height, [one, *others])
        mine = told.pop(one, None)
        return mine is not None and mine in told.values()

    def _measure(self, heads: Mapping[Standing, BlockRef]) -> str:
        """Note who lacks how many blocks; return why nobody knows where the chain is, if so."""
        oldest_s = self._wall_s() - RECENT_S
        recent = [head for head in heads.values() if head.made_at_s >= oldest_s]
        numbers = sorted(head.number for head in recent or heads.values())
        if not numbers:
            return ""
        middle = numbers[(len(numbers) - 1) // 2]
        absurd = [one for one, head in heads.items() if head.number > middle + self._gap_max]
        if len(numbers) - len(absurd) < QUORUM and absurd:
            return f"heads that are {numbers[-1] - middle} blocks apart, and none has a majority"
        for one in absurd:
            self._pool.quarantine(
                one, f"its head is {heads[one].number - middle} blocks above that of others"
            )
        self._pool.head = max(number for number in numbers if number <= middle + self._gap_max)
        for one, head in heads.items():
            one.lags(max(0, self._pool.head - head.number))
        return ""

    async def _compare(self, heads: Mapping[Standing, BlockRef]) -> str:
        """Compare a settled block, and catch who lies; return why nobody knows who does, if so."""
        standings = [one for one in heads if one.is_trusted]
        if len(standings) < QUORUM:
            return ""
        height = min(heads[one].number for one in standings) - self._pool.limits.settle_blocks
        if height < 0:
            return ""
        told = await self._hashes(height, standings)
        counts = Counter(told.values()).most_common()
        if len(counts) < QUORUM:
            self._doubted = set()
            return ""
        (truth, votes), (_, next_votes) = counts[0], counts[1]
        if votes < QUORUM or votes == next_votes:
            names = ", ".join(sorted(one.provider.name for one in told))
            return f"{names} do not agree on block {height}, and none has a majority"
        liars = {one for one, block_hash in told.items() if block_hash != truth}
        for one in liars & self._doubted:
            self._pool.quarantine(one, f"it gave block {height} another hash than {votes} others")
        self._doubted = liars - self._doubted
        return ""

    async def _hashes(self, height: int, standings: Sequence[Standing]) -> dict[Standing, str]:
        asked: Asked = ("eth_getBlockByNumber", (hex_number(height), False))
        told: dict[Standing, str] = {}

        async def ask(one: Standing) -> None:
            answers = await self._answers(one, [asked])
            if answers is not None:
                told[one] = parse_block(answers[0]).hash

        async with asyncio.TaskGroup() as group:
            for one in standings:
                group.create_task(ask(one))
        return told

    async def _answers(self, one: Standing, asked: Sequence[Asked]) -> list[Json] | None:
        """Return what answers each question, None if one is null or lacks, or no units are left."""
        if one.budget.wait_s(one.budget.plan.cost_of(asked)) > 0:
            return None
        try:
            told = await self._pool.ask(one, asked)
        except ProviderError:
            return None  # it is counted
        answers: list[Json] = [
            answer
            for answer in told
            if answer is not None and not isinstance(answer, ProviderError)
        ]
        return answers if len(answers) == len(told) else None
