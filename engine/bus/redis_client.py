"""What every use of a Redis server shares: the client, its waits, and how it is named in errors."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from engine.bus.wire import PROTOCOL_VERSION

SPACE: Final = f"syndicate:{PROTOCOL_VERSION}"
LOOK_S: Final = 0.5
"""Longest wait in one read, and the interval of looks whether the other side is there."""
CONNECT_S: Final = 2.0
CONNECTIONS_MAX: Final = 16
TURN_S: Final = 30.0
"""Longest wait for one of the connections: a burst takes turns, and each call has its own bound."""
FAILURES: Final = (RedisError, OSError)

T = TypeVar("T")


def connect(url: str) -> Redis:
    """Return a client, which connects when needed; every wait has an end."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        timeout=TURN_S,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=LOOK_S + CONNECT_S,
        retry=None,
    )
    return Redis.from_pool(pool)


def shown(url: str) -> str:
    """Return a server's address without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class Within:
    """Runs calls of the client with a bound on their time.

    The client may swallow a cancellation, so that no timeout around it can be relied on: a call is
    a task, and one that takes too long is left.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, T], *, timeout_s: float) -> T:
        """Run a call; raises TimeoutError."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await asyncio.wait({task}, timeout=timeout_s)
            if not task.done():
                raise TimeoutError
            return task.result()
        finally:
            task.cancel()

    async def aclose(self) -> None:
        """Wait for what was left."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
