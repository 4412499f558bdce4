"""What a test's server accepted is closed when it ends."""

import asyncio
import socket

import pytest
from aiohttp import web


@pytest.mark.parametrize("turns", range(5))
async def test_whoever_was_accepted_as_a_server_ended_is_closed(turns: int) -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = runner.server
    assert server is not None
    with socket.create_connection(runner.addresses[0]):
        for _ in range(turns):
            await asyncio.sleep(0)

        await runner.cleanup()

        for _ in range(10):
            await asyncio.sleep(0)
        assert server.connections == []
