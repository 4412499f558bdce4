"""How roles reach each other: on sockets of this machine, or over Redis if a URL says so."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from engine.bus.request import Answerer, Caller
from engine.bus.unix_socket import SocketCaller, open_server
from engine.domain.engines import MAIN
from engine.domain.errors import FatalError
from engine.requests.request_list import requests_of
from engine.wiring.paths import Paths


class RoleCaller(Caller, Protocol):
    """A client of a role that is a process."""

    ended: str | None

    async def aclose(self) -> None:
        """Close the connection."""
        ...


def caller_to(paths: Paths, role: str) -> RoleCaller:
    """Return a client of a role; it connects when needed."""
    if paths.bus_url is None:
        return SocketCaller(paths.socket(role), role=role)
    from engine.bus.redis_ask import RedisCaller  # noqa: PLC0415 - 18 MB that few roles need

    return RedisCaller(paths.bus_url, role=_name(paths, role))


@contextlib.asynccontextmanager
async def served(
    paths: Paths, role: str, answerer: Answerer, *, on_fatal: Callable[[FatalError], None]
) -> AsyncIterator[None]:
    """Answer a role's requests until the block ends.

    It listens on its socket in either case: a person on its host reaches it without Redis, and a
    kill its process.
    """
    async with contextlib.AsyncExitStack() as stack:
        requests = requests_of(role)
        await stack.enter_async_context(
            open_server(paths.socket(role), requests, answerer, on_fatal=on_fatal)
        )
        if paths.bus_url is not None:
            from engine.bus.redis_ask import open_redis_server  # noqa: PLC0415 - as above

            await stack.enter_async_context(
                open_redis_server(
                    paths.bus_url, _name(paths, role), requests, answerer, on_fatal=on_fatal
                )
            )
        yield


def _name(paths: Paths, role: str) -> str:
    """Return what a role is called on a server that may carry several engines."""
    is_other = role == "engine" and paths.engine_id != MAIN
    return f"{role}:{paths.engine_id}" if is_other else role
