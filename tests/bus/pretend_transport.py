"""A whole transport: roles of one process that find each other by a URL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from engine.bus.request import Answerer, Reply, Request
from engine.bus.transport import RoleCaller
from engine.bus.wire import RequestDecoder, answered, encode, make_decoder, reply_of
from engine.domain.errors import FatalError, TransientError

Served = tuple[RequestDecoder, Answerer, Callable[[FatalError], None]]


class Rooms:
    """Obeys `Transport`; what is asked is encoded, so that nothing is shared."""

    schemes: tuple[str, ...] = ("room",)
    example = "room://name"

    def __init__(self) -> None:
        self.served_in: dict[tuple[str, str], Served] = {}
        self.under_way: dict[tuple[str, str], set[asyncio.Task[tuple[Any, bytes]]]] = {}

    def caller(self, url: str, /, *, role: str) -> RoleCaller:
        return RoomCaller(self, (url, role))

    @asynccontextmanager
    async def served(
        self,
        url: str,
        role: str,
        requests: Sequence[type[Request[Any]]],
        answerer: Answerer,
        /,
        *,
        on_fatal: Callable[[FatalError], None],
    ) -> AsyncIterator[None]:
        self.served_in[url, role] = (make_decoder(requests), answerer, on_fatal)
        self.under_way[url, role] = set()
        try:
            yield
        finally:
            del self.served_in[url, role]
            for task in self.under_way.pop((url, role)):
                task.cancel()


class RoomCaller:
    """Obeys `RoleCaller`."""

    def __init__(self, rooms: Rooms, place: tuple[str, str]) -> None:
        self.ended: str | None = None
        self._rooms = rooms
        self._place = place

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        role, payload = self._place[1], encode(request)
        found = self._rooms.served_in.get(self._place)
        if found is None:
            if self.ended is not None:
                raise TransientError(f"the {role} has ended: {self.ended}")
            raise TransientError(f"the {role} is away (the room is empty); try again")
        decoder, answerer, on_fatal = found
        task = asyncio.create_task(answered(decoder, answerer, payload, on_fatal))
        self._rooms.under_way[self._place].add(task)
        done, _ = await asyncio.wait({task}, timeout=timeout_s)
        if not done:
            raise TransientError(f"the {role} did not answer within {timeout_s:g} s; try again")
        if task.cancelled():
            raise TransientError(f"the {role} is away (it left the room); try again")
        return reply_of(request, *task.result(), role=role)

    async def aclose(self) -> None:
        pass
