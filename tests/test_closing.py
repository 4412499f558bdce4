"""What a test's server accepted is closed when it ends."""

import asyncio
import gc
import socket
import warnings

import pytest
from aiohttp import web


async def accept_and_end(turns: int) -> None:
    """End a server so many turns of the loop after somebody connected."""
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with socket.create_connection(runner.addresses[0]):
        for _ in range(turns):
            await asyncio.sleep(0)
        await runner.cleanup()


@pytest.mark.parametrize("turns", range(5))
def test_whoever_was_accepted_as_a_server_ended_is_closed(turns: int) -> None:
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(accept_and_end(turns))
        gc.collect()

    assert [str(one.message) for one in told] == []
