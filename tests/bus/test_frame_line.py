"""An end of a connection: bytes that come in pieces, too fast, or from nobody of ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.bus import unix_socket
from engine.bus.request import Reply, Request
from engine.bus.unix_socket import SocketCaller, open_server
from engine.bus.wire import FRAME_BYTES_MAX, PROTOCOL_VERSION, Kind, encode
from tests.bus.asking import REQUESTS, Hall, Said, Say, Wait
from tests.patience import PATIENCE_S

GREETING = PROTOCOL_VERSION.to_bytes(4)


def frame(request: Request[Reply], number: int) -> bytes:
    payload = encode(request)
    return len(payload).to_bytes(4) + number.to_bytes(8) + bytes([Kind.REQUEST]) + payload


class Counting(Hall):
    """Counts what is being answered."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once = self.most = 0

    async def answer(self, request: Request[Reply], /) -> Reply:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            return await super().answer(request)
        finally:
            self.at_once -= 1


@asynccontextmanager
async def connected(
    path: Path, hall: Hall
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with open_server(path, REQUESTS, hall, on_fatal=lambda _: None):
        reader, writer = await asyncio.open_unix_connection(path)
        try:
            async with asyncio.timeout(PATIENCE_S):
                yield reader, writer
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_requests_that_come_byte_by_byte_or_many_at_once_are_each_answered(
    tmp_path: Path,
) -> None:
    async with connected(tmp_path / "e.sock", Hall()) as (reader, writer):
        for byte in GREETING + frame(Say(text="slow"), 1):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"".join(frame(Say(text=str(number)), number) for number in range(2, 30)))

        assert await reader.readexactly(4) == GREETING
        numbers = set()
        for _ in range(29):
            length = int.from_bytes(await reader.readexactly(4))
            numbers.add(int.from_bytes(await reader.readexactly(8)))
            await reader.readexactly(1 + length)
        assert numbers == set(range(1, 30))


async def test_whoever_speaks_another_version_is_hung_up_on(tmp_path: Path) -> None:
    async with connected(tmp_path / "e.sock", Hall()) as (reader, writer):
        writer.write((PROTOCOL_VERSION + 1).to_bytes(4) + frame(Say(text="a"), 1))

        assert await reader.read() == b""


async def test_a_frame_that_nobody_may_send_ends_the_connection(tmp_path: Path) -> None:
    async with connected(tmp_path / "e.sock", Hall()) as (reader, writer):
        writer.write(GREETING + (FRAME_BYTES_MAX + 1).to_bytes(4) + bytes(9))

        assert await reader.read() in {b"", GREETING}


async def test_so_many_requests_of_a_caller_are_answered_at_once_and_the_rest_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unix_socket, "CONCURRENT_REQUESTS_MAX", 3)
    hall, path = Counting(), tmp_path / "e.sock"
    caller = SocketCaller(path, role="engine")
    async with open_server(path, REQUESTS, hall, on_fatal=lambda _: None):
        waiting = [
            asyncio.create_task(caller.call(Wait(), timeout_s=PATIENCE_S)) for _ in range(10)
        ]
        async with asyncio.timeout(PATIENCE_S):
            while hall.at_once < 3:
                await asyncio.sleep(0)
        hall.release.set()

        assert await asyncio.gather(*waiting) == [Said(text="waited")] * 10
        assert hall.most == 3
        await caller.aclose()


async def test_what_a_caller_asked_that_is_gone_is_not_answered_to_its_end(tmp_path: Path) -> None:
    hall = Counting()
    async with connected(tmp_path / "e.sock", hall) as (_, writer):
        writer.write(GREETING + frame(Wait(), 1))
        await hall.waiting.wait()

        writer.close()
        while hall.at_once:
            await asyncio.sleep(0)
