"""A real node but for its pending transactions: it only names them, as most do, or none at all."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from engine.chains.ports import BODIES, Json, Node, NodeError, Refusal, Topic


class Reserved:
    """See `ports.Node`.

    Args:
        names: whether it tells the hashes of pending transactions.
    """

    def __init__(self, node: Node, *, names: bool) -> None:
        self._node, self._names = node, names

    async def request(self, method: str, *params: Json) -> Json:
        return await self._node.request(method, *params)

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        return await self._node.batch(asked)

    async def subscribe(
        self, topic: Topic, params: Mapping[str, Json] | None = None
    ) -> AsyncGenerator[Json, None]:
        if params == BODIES:
            raise NodeError(Refusal.REFUSED, "too many arguments")
        if not self._names:
            await asyncio.Event().wait()
        async with aclosing(self._node.subscribe(topic, params)) as told:
            async for word in told:
                yield word
