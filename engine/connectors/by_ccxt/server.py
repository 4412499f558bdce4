"""The exchanges of ccxt as venues on loopback: a list, terms, books and a feed of each.

``/NAME/stream`` and ``/NAME/poll`` are WebSockets; ``/NAME/markets``, ``/NAME/terms`` and
``/NAME/book?symbol=`` are asked for. Nothing here is private, and nothing can be ordered.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from aiohttp import WSMsgType, web

from engine.connectors.by_ccxt.exchange import Exchange
from engine.connectors.by_ccxt.following import Following
from engine.connectors.by_ccxt.losses import LostError, UnservedError
from engine.connectors.by_ccxt.messages import Asked
from engine.connectors.by_ccxt.names import FEEDS
from engine.connectors.by_ccxt.telling import book_texts
from engine.domain.errors import BadValueError, FatalError

log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
SHUTDOWN_S: Final = 0.2
FRAME_BYTES_MAX: Final = 64 * 1024
PING_S: Final = 10.0

_decode_asked = msgspec.json.Decoder(Asked).decode


class Doors:
    """Answers for all exchanges."""

    def __init__(self, exchanges: Mapping[str, Exchange]) -> None:
        self._exchanges = exchanges
        self._connections: dict[str, int] = dict.fromkeys(exchanges, 0)

    def add_routes(self, application: web.Application) -> None:
        """Add the paths to an application."""
        router = application.router
        router.add_get("/{name}/markets", self._markets)
        router.add_get("/{name}/terms", self._terms)
        router.add_get("/{name}/book", self._book)
        router.add_get("/{name}/{feed}", self._feed)

    def _named(self, request: web.Request) -> Exchange:
        exchange = self._exchanges.get(request.match_info["name"])
        if exchange is None:
            raise web.HTTPNotFound
        return exchange

    async def _markets(self, request: web.Request) -> web.Response:
        exchange = self._named(request)
        try:
            return _json(await exchange.markets())
        except (LostError, UnservedError) as error:
            # With status 200, so that the reason arrives: it is no list, and is refused with it.
            return _json(f"ccxt: {error}")

    async def _terms(self, request: web.Request) -> web.Response:
        return _json(self._named(request).terms())

    async def _book(self, request: web.Request) -> web.Response:
        exchange, symbol = self._named(request), request.query.get("symbol", "")
        try:
            await exchange.ready()
            book = await exchange.fetch_book(symbol)
            return _json(book_texts(book, size_decimals=exchange.size_decimals(symbol)))
        except UnservedError as error:
            raise web.HTTPNotFound(text=str(error)) from error
        except (LostError, BadValueError) as error:
            raise web.HTTPServiceUnavailable(text=str(error)) from error

    async def _feed(self, request: web.Request) -> web.WebSocketResponse:
        exchange, feed = self._named(request), request.match_info["feed"]
        if feed not in FEEDS:
            raise web.HTTPNotFound
        socket = web.WebSocketResponse(max_msg_size=FRAME_BYTES_MAX, heartbeat=PING_S)
        await socket.prepare(request)
        self._connections[exchange.name] += 1
        try:
            await self._serve(socket, exchange, is_polled=feed == "poll")
        finally:
            self._connections[exchange.name] -= 1
            if not self._connections[exchange.name]:
                await exchange.forget()  # a new connection begins with new books
        return socket

    async def _serve(
        self, socket: web.WebSocketResponse, exchange: Exchange, *, is_polled: bool
    ) -> None:
        async def say(frame: bytes) -> None:
            try:
                await socket.send_str(frame.decode())
            except ConnectionError:  # whoever listened has gone, which the loop below ends by
                await asyncio.Event().wait()

        async with asyncio.TaskGroup() as tasks:
            following = Following(exchange, is_polled=is_polled, say=say, tasks=tasks)
            running = tasks.create_task(following.run())
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                try:
                    asked = _decode_asked(message.data)
                except msgspec.MsgspecError as error:
                    log.warning("a frame of an engine that cannot be understood: %s", error)
                    continue
                await following.ask(asked.symbols)
            running.cancel()
            following.close()


def _json(content: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


@asynccontextmanager
async def open_doors(exchanges: Mapping[str, Exchange], *, port: int = 0) -> AsyncIterator[int]:
    """Serve exchanges on loopback until the block ends; gives the port.

    A port that somebody else has by now is not insisted on.

    Raises:
        FatalError: no port at all can be had.
    """
    application = web.Application()
    Doors(exchanges).add_routes(application)
    runner = web.AppRunner(application, shutdown_timeout=SHUTDOWN_S, access_log=None)
    await runner.setup()
    try:
        for wanted in dict.fromkeys((port, 0)):
            try:
                await web.TCPSite(runner, HOST, wanted).start()
                break
            except OSError as error:
                if not wanted:
                    raise FatalError(f"no port of {HOST} can be had for ccxt: {error}") from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
        # Side by side: each waits for a quarter of a second.
        await asyncio.gather(*(exchange.close() for exchange in exchanges.values()))
