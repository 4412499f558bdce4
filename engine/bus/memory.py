"""Transport inside one process: the same messages, encoded and decoded as on a socket."""

import asyncio
from collections.abc import Sequence
from typing import Any

from engine.bus.request import Answerer, Reply, Request
from engine.bus.wire import decode_reply, encode, make_decoder
from engine.domain.errors import TransientError


class MemoryCaller:
    """Calls a role in the same process; messages are encoded, so nothing mutable is shared."""

    def __init__(self, requests: Sequence[type[Request[Any]]], answerer: Answerer) -> None:
        self._decoder = make_decoder(requests)
        self._answerer = answerer

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """Call the role; see `Caller.call`."""
        decoded = self._decoder.decode(encode(request))
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._answerer.answer(decoded)
        except TimeoutError as error:
            raise TransientError(f"no answer within {timeout_s:g} s; try again") from error
        return decode_reply(request, encode(reply), role=request.role)
