"""What a relay answers in pieces is read whole; what is endless or too deep is no answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from engine.domain.errors import TransientError
from engine.sending.relay import ANSWER_BYTES_MAX, Relay

GOOD = b'{"result": {"results": [], "coinbaseDiff": "7", "totalGasUsed": 9}}'


@asynccontextmanager
async def relay_that_says(*pieces: bytes) -> AsyncIterator[Relay]:
    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        return response

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession() as session:
            yield Relay(f"http://{host}:{port}/", b"\x01" * 32, session)
    finally:
        await runner.cleanup()


async def test_an_answer_in_pieces_is_read_whole() -> None:
    async with relay_that_says(GOOD[:11], b" " * 200_000, GOOD[11:]) as relay:
        assert await relay.cancel("a bundle")


@pytest.mark.parametrize("junk", [b"[" * 500_000, b" " * (ANSWER_BYTES_MAX + 1), b"[]", b"no"])
async def test_what_is_endless_too_deep_or_no_object_is_no_answer(junk: bytes) -> None:
    async with relay_that_says(junk) as relay:
        with pytest.raises(TransientError):
            await relay._ask("eth_callBundle", {})
        assert not await relay.cancel("a bundle")
        assert await relay.why_not(1, "0x") == ""
