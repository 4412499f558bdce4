"""A server that ends closes whoever it accepted, the last one too.

By itself asyncio leaves open whoever is accepted in the turn of the loop in which their server is
closed: what serves them cannot be made any more, and nobody closes what was accepted. A process
that ends closes all; tests go on, and a connection that is found open later fails the test that
runs then.
"""

import asyncio
import socket
from asyncio.selector_events import BaseSelectorEventLoop
from typing import Any, Final

from aiohttp import web

TURNS: Final = 3
"""Of the loop, from an accepted connection until the server knows of it."""

_cleanup: Final = web.BaseRunner.cleanup
_accept: Final[Any] = BaseSelectorEventLoop._accept_connection2  # type: ignore[attr-defined]


def close_all_accepted() -> None:
    """Have loops of this process close whoever they accepted for a server that has ended."""

    async def accept(  # noqa: PLR0917 - as asyncio calls it
        self: BaseSelectorEventLoop,
        protocol_factory: Any,
        conn: socket.socket,
        extra: Any,
        sslcontext: Any = None,
        server: asyncio.Server | None = None,
        *others: Any,
        **named: Any,
    ) -> None:
        if server is not None and not server.sockets:
            conn.close()
            return
        await _accept(self, protocol_factory, conn, extra, sslcontext, server, *others, **named)

    BaseSelectorEventLoop._accept_connection2 = accept  # type: ignore[attr-defined]
    web.BaseRunner.cleanup = _clean_up  # type: ignore[method-assign]


async def _clean_up(self: web.BaseRunner) -> None:
    """Have a server of aiohttp hear of whom it accepted first: it would wait a minute for them."""
    loop = asyncio.get_running_loop()
    for site in self.sites:
        listening = site._server  # none where its port was taken
        for one in listening.sockets if isinstance(listening, asyncio.Server) else ():
            loop.remove_reader(one.fileno())
    for _ in range(TURNS):
        await asyncio.sleep(0)
    await _cleanup(self)
