"""Servers on loopback that take what goes out by other ways than the chat."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP

from tests.patience import PATIENCE_S


@dataclass
class Taken:
    """What an HTTP server took.

    Attributes:
        calls: path and body, in order.
        refuses: the next calls are answered with 503.
        is_silent: calls are never answered.
    """

    calls: list[tuple[str, str]] = field(default_factory=list)
    refuses: int = 0
    is_silent: bool = False
    port: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.calls]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.calls) < count:
                await self._changed.wait()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.text()
        if self.is_silent:
            await asyncio.Event().wait()
        if self.refuses:
            self.refuses -= 1
            return web.Response(status=503)
        self.calls.append((request.path, body))
        self._changed.set()
        self._changed = asyncio.Event()
        return web.Response(text="OK")


@asynccontextmanager
async def http_receiver() -> AsyncIterator[Taken]:
    taken = Taken()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", taken.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taken.port = runner.addresses[0][1]
    try:
        yield taken
    finally:
        await runner.cleanup()


class Mailbox:
    """An SMTP handler."""

    def __init__(self) -> None:
        self.letters: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        del server, session
        self.letters.append(envelope.content.decode())
        return "250 OK"


@asynccontextmanager
async def smtp_receiver() -> AsyncIterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, loop=loop), "127.0.0.1", 0)
    async with server:
        yield mailbox, server.sockets[0].getsockname()[1]
