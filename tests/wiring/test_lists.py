"""What a venue's list says of the instruments of a run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web

from engine.connectors.limiter import Limiter
from engine.connectors.rest import RestClient, RestLimits
from engine.connectors.venues import VENUES
from engine.domain.errors import TransientError
from engine.domain.instruments import VenueId
from engine.ports import Listed, RequestBudget
from engine.wiring.lists import closed_of, fetch_list, news_of
from tests.reference.world import make_instrument

BTC, ETH = make_instrument("here"), make_instrument("here", "ETH-USD")
MAINTENANCE = [b"<html>back soon</html>", b"[]", b'{"error":"maintenance"}']


def test_what_is_closed_gone_or_changed_may_not_be_traded() -> None:
    changed = replace(ETH, tick_quote=Decimal("0.05"))

    assert closed_of([BTC, ETH], [Listed(instrument=BTC), Listed(instrument=ETH)]) == {}
    assert closed_of([BTC], [Listed(instrument=BTC, closed="status BREAK")]) == {
        "BTC-USD": "status BREAK"
    }
    assert closed_of([BTC, ETH], [Listed(instrument=BTC)]) == {"ETH-USD": "not listed any more"}
    assert "rules changed" in closed_of([ETH], [Listed(instrument=changed)])["ETH-USD"]


def test_what_only_a_new_run_could_take_in_is_news() -> None:
    changed = replace(ETH, tick_quote=Decimal("0.05"))

    assert news_of([BTC, ETH], [Listed(instrument=BTC), Listed(instrument=ETH)]) == ""
    assert news_of([BTC, ETH], [Listed(instrument=BTC)]) == ""
    assert news_of([BTC], [Listed(instrument=ETH, closed="status BREAK")]) == ""
    assert news_of([BTC], [Listed(instrument=BTC), Listed(instrument=ETH)]) == "ETH-USD is listed"
    assert news_of([BTC, ETH], [Listed(instrument=changed)]) == "the rules of ETH-USD changed"


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
