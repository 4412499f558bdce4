"""Two small proxies on loopback, which know where some names are."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HEAD_END = b"\r\n\r\n"
SOCKS_OK = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00"
SOCKS_FORBIDDEN = b"\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x00"


@dataclass
class ProxyServer:
    """Carries connections to names that only it can resolve, and remembers which were asked for.

    Attributes:
        ports: the loopback port behind each name.
        asked: names that were asked for, in their order.
    """

    scheme: str
    ports: dict[str, int]
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["ProxyServer"]:
        tasks: set[asyncio.Task[None]] = set()
        serve_one = self._socks if self.scheme == "socks5" else self._http

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await serve_one(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()
                tasks.discard(task)

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        self.url = f"{self.scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.wait_closed()

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        _, _, _, kind = await reader.readexactly(4)
        assert kind == 3, "a name was resolved before the proxy"
        (length,) = await reader.readexactly(1)
        host = (await reader.readexactly(length)).decode()
        (_,) = struct.unpack(">H", await reader.readexactly(2))
        await self._carry(host, b"", reader, writer, ok=SOCKS_OK, no=SOCKS_FORBIDDEN)

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(HEAD_END)
        method, target, _ = head.split(b"\r\n", 1)[0].split(b" ")
        is_tunnel = method == b"CONNECT"
        host = target.decode().removeprefix("http://").partition("/")[0].rpartition(":")[0]
        ok = b"HTTP/1.1 200 OK\r\n\r\n" if is_tunnel else b""
        no = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"
        await self._carry(host, b"" if is_tunnel else head, reader, writer, ok=ok, no=no)

    async def _carry(
        self,
        host: str,
        head: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        ok: bytes,
        no: bytes,
    ) -> None:
        self.asked.append(host)
        port = self.ports.get(host)
        writer.write(no if port is None else ok)
        if port is None:
            await writer.drain()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        far_writer.write(head)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, far_writer))
                both.create_task(_copy(far_reader, writer))
        finally:
            far_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
