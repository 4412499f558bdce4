"""Transport over a Redis server, for roles on several machines.

A request is a value that ends with its deadline, and its id a place in the list of the role. So
what nobody took in time is never carried out, by the server's clock alone. Replies come in a list
of the caller's own. The one process of a role says that it is there by a key that it keeps alive.

Nothing here is durable, and nothing needs to be: what has to last is in the ledger before a reply
says so, and who got no reply asks again.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Final

from redis.asyncio import Redis

from engine.bus.redis_client import FAILURES, LOOK_S, SPACE, Within, connect, shown
from engine.bus.request import Answerer, Reply, Request
from engine.bus.wire import (
    RequestDecoder,
    answered,
    encode,
    make_decoder,
    reply_of,
)
from engine.domain.errors import FatalError, TransientError

log = logging.getLogger(__name__)

HERE_S: Final = 3.0
"""A role that did not say for so long that it is there is away."""
REPLIES_S: Final = 60
"""So long replies are kept whose caller does not take them."""
CONCURRENT_REQUESTS_MAX: Final = 64
_ID_BYTES: Final = 12


@contextlib.asynccontextmanager
async def open_redis_server(
    url: str,
    role: str,
    requests: Sequence[type[Request[Any]]],
    answerer: Answerer,
    *,
    on_fatal: Callable[[FatalError], None],
) -> AsyncIterator[None]:
    """Answer requests to a role until the block ends; a server that is away is waited for."""
    client = connect(url)
    server = _Server(client, role, make_decoder(requests), answerer, on_fatal)
    tasks = [
        asyncio.create_task(server.repeat(one, where=shown(url)))
        for one in (server.say_here, server.take)
    ]
    try:
        yield
    finally:
        server.is_closing = True
        for task in [*tasks, *server.answering]:
            task.cancel()
        await asyncio.gather(*tasks, *server.answering, return_exceptions=True)
        with contextlib.suppress(*FAILURES):
            if server.is_mine:
                await client.delete(f"{SPACE}:here:{role}")
        await client.aclose()


class _Server:
    """Takes requests and answers them."""

    def __init__(
        self,
        client: Redis,
        role: str,
        decoder: RequestDecoder,
        answerer: Answerer,
        on_fatal: Callable[[FatalError], None],
    ) -> None:
        self.answering: set[asyncio.Task[None]] = set()
        self._client = client
        self._role = role
        self._decoder = decoder
        self._answerer = answerer
        self._on_fatal = on_fatal
        self._slots = asyncio.Semaphore(CONCURRENT_REQUESTS_MAX)
        self.is_closing = self.is_mine = False
        self._name = secrets.token_hex(_ID_BYTES).encode()

    async def repeat(self, work: Callable[[], Coroutine[Any, Any, None]], *, where: str) -> None:
        """Do one thing until closing; the client may swallow the cancellation."""
        is_away = False
        while not self.is_closing:
            try:
                await work()
                is_away = False
            except FAILURES as error:
                if not is_away:
                    log.warning("the bus at %s is away: %s", where, error)
                is_away = True
                await asyncio.sleep(LOOK_S)

    async def say_here(self) -> None:
        """Say once that the role is there, if no other process does."""
        key, lasts_ms = f"{SPACE}:here:{self._role}", int(HERE_S * 1_000)
        is_mine = bool(await self._client.set(key, self._name, nx=True, px=lasts_ms))
        if not is_mine and await self._client.get(key) == self._name:
            is_mine = bool(await self._client.pexpire(key, lasts_ms))
        if self.is_mine and not is_mine:
            log.error("another %s answers on the bus; this one does not", self._role)
        self.is_mine = is_mine
        await asyncio.sleep(HERE_S / 6)

    async def take(self) -> None:
        """Take the next request that is still wanted."""
        if not self.is_mine:
            await asyncio.sleep(LOOK_S / 10)
            return
        await self._slots.acquire()
        has_begun = False
        try:
            found: Any = await self._client.blpop([f"{SPACE}:ask:{self._role}"], timeout=LOOK_S)
            asked = None if found is None else await self._client.getdel(found[1])
            if found is not None and asked is not None:
                task = asyncio.create_task(self._answer(found[1], asked))
                self.answering.add(task)
                task.add_done_callback(self._settle)
                has_begun = True
        finally:
            if not has_begun:
                self._slots.release()

    def _settle(self, task: "asyncio.Task[None]") -> None:
        self.answering.discard(task)
        self._slots.release()

    async def _answer(self, key: bytes, payload: Any) -> None:
        kind, reply = await answered(self._decoder, self._answerer, payload, self._on_fatal)
        _, _, caller, number = key.rsplit(b":", 3)
        replies = f"{SPACE}:replies:{caller.decode()}"
        with contextlib.suppress(*FAILURES):  # whoever asked learns it by its own deadline
            async with self._client.pipeline(transaction=True) as together:
                together.rpush(replies, b"%d:%d:%b" % (int(number), kind, reply))
                together.expire(replies, REPLIES_S)
                await together.execute()


class RedisCaller:
    """Calls a role over a Redis server; see `SocketCaller`."""

    def __init__(self, url: str, *, role: str) -> None:
        self.ended: str | None = None
        """Why the role will not come back by itself, once the supervisor said so."""
        self._where = shown(url)
        self._client = connect(url)
        self._role = role
        self._name = secrets.token_hex(_ID_BYTES)
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._next_id = 0
        self._within = Within()
        self._is_closing = False

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """Call the role; see `Caller.call`."""
        payload = encode(request)
        try:
            kind, reply = await self._within.run(
                self._exchange(payload, timeout_s=timeout_s), timeout_s=timeout_s
            )
        except TimeoutError as error:
            raise TransientError(
                f"the {self._role} did not answer within {timeout_s:g} s; try again"
            ) from error
        except ConnectionError as error:
            if self.ended is not None:
                raise TransientError(f"the {self._role} has ended: {self.ended}") from error
            raise TransientError(
                f"the {self._role} is away ({error}); it is restarted by itself, try again"
            ) from error
        except FAILURES as error:
            raise TransientError(f"the bus at {self._where} is away: {error}; try again") from error
        return reply_of(request, kind, reply, role=self._role)

    async def aclose(self) -> None:
        """Close the connections."""
        self._is_closing = True
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._within.aclose()
        await self._client.aclose()

    async def _exchange(self, payload: bytes, *, timeout_s: float) -> tuple[int, bytes]:
        if not await self._client.exists(f"{SPACE}:here:{self._role}"):
            raise ConnectionError("it is not on the bus")
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_replies())
        self._next_id += 1
        number = self._next_id
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        key = f"{SPACE}:request:{self._name}:{number}"
        try:
            async with self._client.pipeline(transaction=True) as together:
                together.set(key, payload, px=max(1, int(timeout_s * 1_000)))
                together.rpush(f"{SPACE}:ask:{self._role}", key)
                await together.execute()
            return await future
        finally:
            self._waiting.pop(number, None)

    async def _read_replies(self) -> None:
        """Hand replies to whoever waits; without the role or the server nobody waits on."""
        while not self._is_closing:
            try:
                found: Any = await self._client.blpop(
                    [f"{SPACE}:replies:{self._name}"], timeout=LOOK_S
                )
                if found is None:
                    if self._waiting and not await self._client.exists(
                        f"{SPACE}:here:{self._role}"
                    ):
                        self._fail_waiting("it left the bus")
                    continue
            except FAILURES as error:
                self._fail_waiting(f"the bus at {self._where} is away: {error}")
                await asyncio.sleep(LOOK_S)
                continue
            try:
                number, kind, reply = found[1].split(b":", 2)
                future, answer = self._waiting.pop(int(number), None), (int(kind), reply)
            except ValueError:
                log.warning("the bus at %s gave a reply that is none", self._where)
                continue
            if future is not None and not future.done():
                future.set_result(answer)

    def _fail_waiting(self, why: str) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError(why))
        self._waiting.clear()
