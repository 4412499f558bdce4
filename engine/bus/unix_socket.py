"""Transport between processes of one machine: length-prefixed msgpack on Unix sockets.

A frame is ``length (4 bytes) | request id (8 bytes) | kind (1 byte) | payload``. Requests of one
connection are answered concurrently, up to a limit; the rest waits in the socket's buffer.
"""

import asyncio
import contextlib
import logging
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from engine.bus.request import Answerer, Reply, Request
from engine.bus.wire import (
    FRAME_BYTES_MAX,
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

_HEADER: Final = struct.Struct(">IQB")
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
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await _serve_connection(reader, writer, decoder, answerer, on_fatal)
        except asyncio.CancelledError:
            pass  # only the closing of this server cancels; the loop would log it as an error
        finally:
            connections.discard(task)
            writer.close()

    bound = _Bound(path, serve)
    await bound.bind()
    keeping = asyncio.create_task(bound.keep())
    try:
        yield
    finally:
        keeping.cancel()
        bound.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(keeping, *connections, return_exceptions=True)


class _Bound:
    """A listening socket and the file that leads to it."""

    def __init__(self, path: Path, serve: Callable[..., Awaitable[None]]) -> None:
        self._path = path
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._own: os.stat_result | None = None

    async def bind(self) -> None:
        """Listen at the address."""
        if self._server is not None:
            self._server.close()
        self._server = await asyncio.start_unix_server(self._serve, self._path)
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


async def _serve_connection(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    decoder: RequestDecoder,
    answerer: Answerer,
    on_fatal: Callable[[FatalError], None],
) -> None:
    slots = asyncio.Semaphore(CONCURRENT_REQUESTS_MAX)

    async def answer(request_id: int, payload: bytes) -> None:
        try:
            kind, reply = await answered(decoder, answerer, payload, on_fatal)
            _write(writer, request_id, kind, reply)
        finally:
            slots.release()
        await writer.drain()

    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        if int.from_bytes(await reader.readexactly(4)) != PROTOCOL_VERSION:
            return
        writer.write(PROTOCOL_VERSION.to_bytes(4))
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    request_id, _, payload = await _read(reader)
                    await slots.acquire()
                    tasks.create_task(answer(request_id, payload))
        except* (ConnectionError, asyncio.IncompleteReadError):
            log.debug("a caller is gone")


class SocketCaller:
    """Calls a role over its socket; connects when needed, again after the role came back."""

    def __init__(self, path: Path, *, role: str) -> None:
        self._path = path
        self._role = role
        self.ended: str | None = None
        """Why the role will not come back by itself, once the supervisor said so."""
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._next_id = 0
        self._connecting = asyncio.Lock()

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """Call the role; see `Caller.call`."""
        try:
            async with asyncio.timeout(timeout_s):
                kind, payload = await self._exchange(encode(request))
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
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _exchange(self, payload: bytes) -> tuple[int, bytes]:
        async with self._connecting:
            if self._writer is None:
                await self._connect()
        assert self._writer is not None
        self._next_id += 1
        request_id = self._next_id
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        try:
            _write(self._writer, request_id, Kind.REQUEST, payload)
            await self._writer.drain()
            return await future
        finally:
            self._waiting.pop(request_id, None)

    async def _connect(self) -> None:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(self._path)
            try:
                writer.write(PROTOCOL_VERSION.to_bytes(4))
                version = int.from_bytes(await reader.readexactly(4))
            except BaseException:  # the role hangs or ends: this connection is nobody's
                writer.close()
                raise
        if version != PROTOCOL_VERSION:
            writer.close()
            raise ConnectionError(f"it speaks version {version}, not {PROTOCOL_VERSION}")
        self._writer = writer
        self._reading = asyncio.create_task(self._read_replies(reader, writer))

    async def _read_replies(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while True:
                request_id, kind, payload = await _read(reader)
                future = self._waiting.pop(request_id, None)
                if future is not None and not future.done():
                    future.set_result((kind, payload))
        except (OSError, asyncio.IncompleteReadError) as error:
            self._fail_waiting(str(error) or "connection lost")
        finally:
            self._fail_waiting("connection closed")
            self._writer = None
            writer.close()

    def _fail_waiting(self, why: str) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError(why))
        self._waiting.clear()


async def _read(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    length, request_id, kind = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if length > FRAME_BYTES_MAX:
        raise ConnectionError(f"frame of {length} bytes; {FRAME_BYTES_MAX} are allowed")
    return request_id, kind, await reader.readexactly(length)


def _make_room(path: Path) -> None:
    check_socket_path(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


def _write(writer: asyncio.StreamWriter, request_id: int, kind: int, payload: bytes) -> None:
    writer.write(_HEADER.pack(len(payload), request_id, kind) + payload)
