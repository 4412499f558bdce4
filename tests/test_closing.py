"""What a test's server accepted is closed when it ends."""

import asyncio
import gc
import socket
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web


async def accept_by_aiohttp_and_end(turns: int) -> None:
    """End a server so many turns of the loop after somebody connected."""
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with socket.create_connection(runner.addresses[0]):
        for _ in range(turns):
            await asyncio.sleep(0)
        await runner.cleanup()


async def accept_and_end(turns: int) -> None:
    """The same of asyncio's own server."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        for _ in range(turns):
            await asyncio.sleep(0)
        server.close()
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(5))
@pytest.mark.parametrize("ends", [accept_by_aiohttp_and_end, accept_and_end])
def test_whoever_was_accepted_as_a_server_ended_is_closed(
    turns: int, ends: Callable[[int], Coroutine[Any, Any, None]]
) -> None:
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(ends(turns))
        gc.collect()

    assert [str(one.message) for one in told] == []
