"""A venue's list that cannot be had is one that may come later."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from engine.connectors.limiter import Limiter
from engine.connectors.rest import RestClient, RestLimits
from engine.connectors.specs import all_specs
from engine.domain.errors import TransientError
from engine.domain.instruments import VenueId
from engine.ports import RequestBudget
from engine.wiring.lists import fetch_list

VENUES = all_specs()

MAINTENANCE = [b"<html>back soon</html>", b"[]", b'{"error":"maintenance"}']


@asynccontextmanager
async def answering(body: bytes) -> AsyncIterator[RestClient]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession() as client:
            yield RestClient(
                client=client,
                base_url=f"http://127.0.0.1:{runner.addresses[0][1]}",
                limiter=Limiter(RequestBudget(weight_per_s=100.0), now_ns=lambda: 1),
                limits=RestLimits(),
            )
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("body", MAINTENANCE)
@pytest.mark.parametrize("venue", VENUES)
async def test_a_venue_in_maintenance_is_one_that_may_come_later(
    venue: VenueId, body: bytes
) -> None:
    async with answering(body) as rest:
        with pytest.raises(TransientError):
            await fetch_list(VENUES[venue], rest, ["BTC-USD"])
