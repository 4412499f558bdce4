"""Simulations that are quick right after a block: its state is read before a plan needs it.

What newest calls read is brought up to the block in one batch (`footprints.py`); whatever else a
call reads, the EVM asks for by the block's hash. State of another block is never used: each block
begins with an EVM of its own.
"""

import asyncio
import logging
from typing import Protocol

from engine.chains.ports import NodeError
from engine.domain.errors import BadValueError
from engine.sending.calls import HeadNow
from engine.sending.encoding import decode
from engine.sending.footprints import Footprints, State
from engine.sending.simulating import Call, Simulated, Simulator

log = logging.getLogger(__name__)


class Simulate(Protocol):
    """Carries a call of our contract out on the state of a head."""

    async def __call__(
        self,
        head: HeadNow,
        contract: str,
        data: bytes,
        *,
        is_fresh: bool = False,
        first: Call | None = None,
    ) -> Simulated:
        """Return what it does; nothing of it stays.

        Args:
            head: as of which block.
            contract: that is called.
            data: the call.
            is_fresh: nothing that was read before counts.
            first: a call that is carried out before it; what both read is not read ahead.
        """
        ...


class WarmSimulator:
    """See the module and `Simulate`; one call at a time.

    Args:
        simulator: carries calls out.
        footprints: of what calls read.
        is_followed: what is simulated is sent after it, so that what it reads is learned at once:
            nodes say that of no call which would revert by now.
    """

    def __init__(
        self, simulator: Simulator, footprints: Footprints, *, is_followed: bool = False
    ) -> None:
        self._simulator = simulator
        self._footprints = footprints
        self._is_followed = is_followed
        self._read = State(head="")
        self._learning: asyncio.Task[int] | None = None
        self._turn = asyncio.Lock()

    async def __call__(
        self,
        head: HeadNow,
        contract: str,
        data: bytes,
        *,
        is_fresh: bool = False,
        first: Call | None = None,
    ) -> Simulated:
        """See `Simulate`."""
        if first is not None:
            async with self._turn:
                if is_fresh or self._simulator.head != head.hash:
                    await self._open(head)
                return await asyncio.to_thread(
                    self._simulator.simulate, head, contract, data, first=first
                )
        self._footprints.add(contract, data)
        async with self._turn:
            if is_fresh:
                self._simulator.open(head)
                self._read = State(head=head.hash)
            elif self._is_followed and not self._footprints.covers(_places(contract, data)):
                await self._read_first(head)
            elif self._simulator.head != head.hash:
                await self._open(head)
            simulated = await asyncio.to_thread(self._simulator.simulate, head, contract, data)
        if self._is_followed and not simulated.why and self._learning is None:
            self._learning = asyncio.create_task(self._footprints.learn())
            self._learning.add_done_callback(_looked_at)
        return simulated

    async def ready(self, head: HeadNow) -> None:
        """Read what newest calls will want of a block."""
        async with self._turn:
            if self._simulator.head != head.hash:
                await self._open(head)
                await self._rehearse(head)

    async def learn(self, head: HeadNow) -> None:
        """Learn what calls read that were made since, and read it as of a block."""
        try:
            learned = 0
            if self._learning is not None:
                learning, self._learning = self._learning, None
                learned = await learning
            if learned + await self._footprints.learn():
                async with self._turn:
                    await self._open(head)
                    await self._rehearse(head)
        except NodeError as error:
            log.info("what calls read is not learned: %s", error)

    async def _read_first(self, head: HeadNow) -> None:
        """Read what a call wants in two questions: a route of other pools takes some thirty."""
        try:
            await self._footprints.learn()
        except NodeError as error:
            log.info("what a call reads is not learned: %s", error)
        if self._simulator.head != head.hash:
            await self._open(head)
            return
        try:
            more = await self._footprints.read(head, self._read)
        except NodeError as error:
            log.info("block %d is not read further ahead: %s", head.number, error)
            return
        self._simulator.add(more)
        self._read = State(
            head=head.hash,
            accounts={**self._read.accounts, **more.accounts},
            words={**self._read.words, **more.words},
        )

    async def _rehearse(self, head: HeadNow) -> None:
        """Carry the newest call out: the EVM reads what lists lack, and has looked at the code."""
        if (newest := self._footprints.newest) is not None:
            await asyncio.to_thread(self._simulator.simulate, head, *newest)

    async def _open(self, head: HeadNow) -> None:
        try:
            state = await self._footprints.read(head)
        except NodeError as error:  # it is read when it is needed
            log.info("block %d is not read ahead: %s", head.number, error)
            state = State(head=head.hash)
        self._simulator.open(head, state)
        self._read = state


def _looked_at(learning: asyncio.Task[int]) -> None:
    """Take note of what went wrong; `learn` tells it, if that is ever called."""
    if not learning.cancelled():
        learning.exception()


def _places(contract: str, data: bytes) -> set[str]:
    """Return the contracts that a route goes through: its pools, its tokens, and who lends."""
    try:
        route = decode(data, contract=contract)
    except BadValueError:
        return set()
    source = route.source
    places = {contract, source.token, *((source.address,) if source.address else ())}
    return places.union(*((hop.pool, hop.token_out) for hop in route.hops))
