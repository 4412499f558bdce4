"""How roles reach each other: on sockets of this machine, or by what a URL names."""

import contextlib
from collections.abc import AsyncIterator, Callable

from engine.bus.request import Answerer
from engine.bus.transport import RoleCaller
from engine.bus.transport_list import transport_of
from engine.bus.unix_socket import SocketCaller, open_server
from engine.domain.engines import MAIN
from engine.domain.errors import FatalError
from engine.requests.request_list import requests_of
from engine.wiring.paths import Paths


def caller_to(paths: Paths, role: str) -> RoleCaller:
    """Return a client of a role; it connects when needed."""
    if paths.bus_url is None:
        return SocketCaller(paths.socket(role), role=role)
    return transport_of(paths.bus_url).caller(paths.bus_url, role=_name(paths, role))


@contextlib.asynccontextmanager
async def served(
    paths: Paths,
    role: str,
    answerer: Answerer,
    *,
    on_fatal: Callable[[FatalError], None],
    answers: str = "",
) -> AsyncIterator[None]:
    """Answer a role's requests until the block ends.

    Where a role is several processes, each has a name of its own and `answers` is what they share.

    It listens on its socket in either case: a person on its host reaches it without a server, and
    a kill its process.
    """
    async with contextlib.AsyncExitStack() as stack:
        requests = requests_of(answers or role)
        await stack.enter_async_context(
            open_server(paths.socket(role), requests, answerer, on_fatal=on_fatal)
        )
        if paths.bus_url is not None:
            transport = transport_of(paths.bus_url)
            name = _name(paths, role)
            await stack.enter_async_context(
                transport.served(paths.bus_url, name, requests, answerer, on_fatal=on_fatal)
            )
        yield


def _name(paths: Paths, role: str) -> str:
    """Return what a role is called on a server that may carry several engines."""
    is_other = role == "engine" and paths.engine_id != MAIN
    return f"{role}:{paths.engine_id}" if is_other else role
