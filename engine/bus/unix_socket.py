"""Transport between processes of one machine: length-prefixed msgpack on Unix sockets.

Requests of one connection are answered concurrently, up to a limit; the rest waits in the socket's
buffer.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from engine.bus.frame_line import FrameLine
from engine.bus.request import Answerer, Reply, Request
from engine.bus.wire import (
    PROTOCOL_VERSION,
    Kind,
    RequestDecoder,
    answered,
    encode,
    make_decoder,
    reply_of,
)
from engine.domain.errors import FatalError, TransientError

log = logging.getLogger(__name__)

CONCURRENT_REQUESTS_MAX: Final = 64
CONNECT_TIMEOUT_S: Final = 2.0
LOOK_S: Final = 1.0
"""Interval at which a server looks whether its address is still there."""
SOCKET_PATH_MAX: Final = 100
"""Unix socket addresses hold 107 bytes; some room is left for suffixes."""


def check_socket_path(path: Path) -> None:
    """Raise `FatalError` if a Unix socket cannot have this address."""
    if len(os.fsencode(path)) > SOCKET_PATH_MAX:
        raise FatalError(
            f"the data directory's path is too long for sockets: {path} has "
            f"{len(os.fsencode(path))} bytes of {SOCKET_PATH_MAX}; choose a shorter one "
            "(SYNDICATE_DATA_DIR)"
        )


@contextlib.asynccontextmanager
async def open_server(
    path: Path,
    requests: Sequence[type[Request[Any]]],
    answerer: Answerer,
    *,
    on_fatal: Callable[[FatalError], None],
) -> AsyncIterator[None]:
    """Answer requests on a socket that only this user may open, until the block ends.

    The caller holds the lease of the role, so whatever lies at the address before is nobody's. At
    the end only this server's own socket is removed; one that others remove is made again.

    `on_fatal` learns of a `FatalError` that an answer raised; the caller then ends the role.
    """
    _make_room(path)
    decoder = make_decoder(requests)
    served: set[_Served] = set()

    bound = _Bound(path, partial(_Served, decoder, answerer, on_fatal, served))
    await bound.bind()
    keeping = asyncio.create_task(bound.keep())
    try:
        yield
    finally:
        keeping.cancel()
        bound.close()
        await asyncio.gather(keeping, *(one.aclose() for one in [*served]), return_exceptions=True)


class _Bound:
    """A listening socket and the file that leads to it."""

    def __init__(self, path: Path, serve: Callable[[], "_Served"]) -> None:
        self._path = path
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._own: os.stat_result | None = None

    async def bind(self) -> None:
        """Listen at the address."""
        if self._server is not None:
            self._server.close()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            lambda: self._serve().line, os.fspath(self._path)
        )
        self._path.chmod(0o600)
        self._own = self._path.stat()

    async def keep(self) -> None:
        """Listen anew whenever the address is gone; cancel to stop."""
        while True:
            await asyncio.sleep(LOOK_S)
            with contextlib.suppress(OSError):
                if not self._path.exists():
                    log.warning("somebody removed %s; it is made again", self._path)
                    await self.bind()

    def close(self) -> None:
        """Stop listening; a socket that another process put in the place stays."""
        assert self._server is not None
        self._server.close()
        with contextlib.suppress(OSError):
            if self._own is not None and os.path.samestat(self._path.stat(), self._own):
                self._path.unlink()


class _Served:
    """A connection of a caller, whose requests are answered side by side."""

    def __init__(
        self,
        decoder: RequestDecoder,
        answerer: Answerer,
        on_fatal: Callable[[FatalError], None],
        served: "set[_Served]",
    ) -> None:
        self._decoder = decoder
        self._answerer = answerer
        self._on_fatal = on_fatal
        self._served = served
        self._loop = asyncio.get_running_loop()
        self._answering: set[asyncio.Task[None]] = set()
        self.line = FrameLine(greeted=self._greeted, take=self._take, gone=self._gone)
        served.add(self)

    async def aclose(self) -> None:
        """End the connection, and what is being answered."""
        self.line.close()
        answering = [*self._answering]
        for task in answering:
            task.cancel()
        await asyncio.gather(self.line.ended(), *answering, return_exceptions=True)

    def _greeted(self, version: int) -> None:
        if version == PROTOCOL_VERSION:
            self.line.greet()
        else:
            self.line.close()

    def _take(self, request_id: int, _kind: int, payload: bytes) -> None:
        task = self._loop.create_task(self._answer(request_id, payload))
        self._answering.add(task)
        task.add_done_callback(self._answered)
        if len(self._answering) >= CONCURRENT_REQUESTS_MAX:
            self.line.hold()

    async def _answer(self, request_id: int, payload: bytes) -> None:
        kind, reply = await answered(self._decoder, self._answerer, payload, self._on_fatal)
        with contextlib.suppress(ConnectionError):
            self.line.write(request_id, kind, reply)
            await self.line.has_room()

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._answering.discard(task)
        self.line.go_on()

    def _gone(self, why: str) -> None:
        log.debug("a caller is gone: %s", why)
        self._served.discard(self)
        for task in self._answering:
            task.cancel()


class SocketCaller:
    """Calls a role over its socket; connects when needed, again after the role came back."""

    def __init__(self, path: Path, *, role: str) -> None:
        self._path = path
        self._role = role
        self.ended: str | None = None
        """Why the role will not come back by itself, once the supervisor said so."""
        self._line: FrameLine | None = None
        self._waiting: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._next_id = 0
        self._connecting = asyncio.Lock()

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """Call the role; see `Caller.call`."""
        return await self._answered(request, self._exchange(encode(request)), timeout_s)

    def ask_now(
        self, request: Request[Reply], /, *, timeout_s: float = 5.0
    ) -> Callable[[], Awaitable[Reply]] | None:
        """Send a request within this turn of the loop; see `AsksNow.ask_now`."""
        line = self._line
        if line is None:
            return None
        self._next_id += 1
        request_id = self._next_id
        if not line.write_now(request_id, Kind.REQUEST, encode(request)):
            return None
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_looked_at)  # whoever asked may want no reply
        future.add_done_callback(lambda _done: self._waiting.pop(request_id, None))
        self._waiting[request_id] = future
        return partial(self._answered, request, future, timeout_s)

    async def _answered(
        self,
        request: Request[Reply],
        exchange: Awaitable[tuple[int, bytes]],
        timeout_s: float,
    ) -> Reply:
        try:
            async with asyncio.timeout(timeout_s):
                kind, payload = await exchange
        except TimeoutError as error:  # which is an OSError, so it stands first
            raise TransientError(
                f"the {self._role} did not answer within {timeout_s:g} s; try again"
            ) from error
        except PermissionError as error:
            raise TransientError(
                f"the {self._role} may not be asked from here: {error.strerror} for its socket"
            ) from error
        except (OSError, asyncio.IncompleteReadError) as error:
            if self.ended is not None:
                raise TransientError(f"the {self._role} has ended: {self.ended}") from error
            raise TransientError(
                f"the {self._role} is away ({error}); it is restarted by itself, try again"
            ) from error
        return reply_of(request, kind, payload, role=self._role)

    async def aclose(self) -> None:
        """Close the connection."""
        if (line := self._line) is not None:
            line.close()
            await line.ended()

    async def _exchange(self, payload: bytes) -> tuple[int, bytes]:
        if self._line is None:
            async with self._connecting:
                if self._line is None:
                    await self._connect()
        line = self._line
        if line is None:
            raise ConnectionError("connection closed")
        self._next_id += 1
        request_id = self._next_id
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        try:
            line.write(request_id, Kind.REQUEST, payload)
            await line.has_room()
            return await future
        finally:
            self._waiting.pop(request_id, None)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        greeted: asyncio.Future[int] = loop.create_future()

        def heard(version: int) -> None:
            if not greeted.done():
                greeted.set_result(version)

        def gone(why: str) -> None:
            if not greeted.done():
                greeted.set_exception(ConnectionError(why))
            if self._line is line:
                self._line = None
                self._fail_waiting(why)

        line = FrameLine(greeted=heard, take=self._take, gone=gone)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_unix_connection(lambda: line, os.fspath(self._path))
                line.greet()
                version = await greeted
        except BaseException:  # the role hangs or ends: this connection is nobody's
            greeted.cancel()
            line.close()
            raise
        if version != PROTOCOL_VERSION:
            line.close()
            raise ConnectionError(f"it speaks version {version}, not {PROTOCOL_VERSION}")
        self._line = line

    def _take(self, request_id: int, kind: int, payload: bytes) -> None:
        future = self._waiting.pop(request_id, None)
        if future is not None and not future.done():
            future.set_result((kind, payload))

    def _fail_waiting(self, why: str) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError(why))
        self._waiting.clear()


def _looked_at(future: asyncio.Future[tuple[int, bytes]]) -> None:
    if not future.cancelled():
        future.exception()


def _make_room(path: Path) -> None:
    check_socket_path(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
