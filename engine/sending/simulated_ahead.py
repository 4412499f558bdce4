"""Simulations that are begun before their plan may leave: while its intent is made durable.

What a call does on the state of a block is asked once, whoever asks first. Nothing is kept, signed
or sent by it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from engine.sending.calls import HeadNow
from engine.sending.simulating import Simulated

AHEAD_MAX: Final = 16
"""So many are kept; of older ones the plan never came."""

Carry = Callable[[HeadNow, str, bytes], Awaitable[Simulated]]
"""Carries a call of our contract out on the state of a block."""


class SimulatedAhead:
    """See the module."""

    def __init__(self, carry: Carry) -> None:
        self._carry = carry
        self._begun: dict[tuple[str, str, bytes], asyncio.Future[Simulated]] = {}

    def begin(self, head: HeadNow, contract: str, data: bytes) -> None:
        """Carry a call out as of a block, for whoever asks for it in a moment."""
        call = (head.hash, contract, data)
        if call in self._begun:
            return
        self._begun[call] = task = asyncio.ensure_future(self._carry(head, contract, data))
        task.add_done_callback(_looked_at)
        while len(self._begun) > AHEAD_MAX:
            del self._begun[next(iter(self._begun))]

    def has_begun(self, head: HeadNow, contract: str, data: bytes) -> bool:
        """Say whether a call is being carried out, or was."""
        return (head.hash, contract, data) in self._begun

    async def take(self, head: HeadNow, contract: str, data: bytes) -> Simulated:
        """Return what a call does as of a block, as it was begun, or as it is done now."""
        begun = self._begun.pop((head.hash, contract, data), None)
        return await (begun or self._carry(head, contract, data))


def _looked_at(task: asyncio.Future[Simulated]) -> None:
    """Take note of what went wrong; whoever asks is told."""
    if not task.cancelled():
        task.exception()
