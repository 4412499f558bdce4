"""Transport inside one process: the same messages, encoded and decoded as on a socket."""

import asyncio
from typing import Generic

from engine.bus.wire import Answerer, Reply, Request, Wire
from engine.domain.errors import TransientError


class MemoryCaller(Generic[Request, Reply]):
    """Calls a role in the same process; messages are encoded, so nothing mutable is shared."""

    def __init__(self, wire: Wire[Request, Reply], answerer: Answerer[Request, Reply]) -> None:
        self._wire = wire
        self._answerer = answerer

    async def call(self, request: Request, *, timeout_s: float = 5.0) -> Reply:
        """Call the role; see `Caller.call`."""
        decoded = self._wire.decode_request(self._wire.encode(request))
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._answerer.answer(decoded)
        except TimeoutError as error:
            raise TransientError(f"no answer within {timeout_s:g} s; try again") from error
        return self._wire.decode_reply(self._wire.encode(reply))
