"""A venue is one file and one line: settings, lists, feeds, books and the phone follow."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web

from bot.render.overview import render_venues
from bot.render.plain import write_plain
from engine.bus.reports import StatusReport
from engine.connectors import specs, venue_list, venues
from engine.requests.overview import GetStatus, GetVenues
from engine.settings.load import load_settings
from engine.wiring.one_process import open_roles
from tests.patience import PATIENCE_S, insist
from tests.storage.model import prepared

pytestmark = pytest.mark.slow

PRETEND = Path(__file__).parents[1] / "connectors" / "pretend_venues"
BOOK = {"name": "BTC-USD", "bids": [["100.00", "1"]], "asks": [["100.10", "2"]]}


@asynccontextmanager
async def corner_shop() -> AsyncIterator[str]:
    """Serve its list and its books."""

    async def show(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            assert message.data == "show BTC-USD"
            await socket.send_str(json.dumps(BOOK))
        return socket

    async def list_goods(_request: web.Request) -> web.Response:
        return web.json_response(["BTC-USD", "SHOES-USD"])

    application = web.Application()
    application.router.add_get("/window", show)
    application.router.add_get("/goods", list_goods)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_venue_is_a_file_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(venues, "__path__", [*venues.__path__, str(PRETEND)])  # the file is there
    monkeypatch.setitem(venue_list.FEEDS, "corner_shop", ("window",))  # the line

    async with corner_shop() as host:
        spec = specs.spec_of("corner_shop")
        here = replace(
            spec, websocket_urls={"window": f"ws://{host}/window"}, rest_url=f"http://{host}"
        )
        monkeypatch.setattr("engine.connectors.venues.corner_shop.spec.SPEC", here)
        environment = {
            "MARKETS": "live",
            "SYNDICATE_MARKETS_VENUES": "corner_shop",
            "SYNDICATE_MARKETS_PAIRS": "BTC-USD",
        }
        settings = load_settings(environment, directory=tmp_path)
        async with open_roles(settings, prepared(tmp_path)) as facade:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    status = await insist(facade, GetStatus())
                    assert isinstance(status, StatusReport)
                    if sum(one.books_live for one in status.venues):
                        break
                    await asyncio.sleep(0.01)
            report = await facade.ask(GetVenues())

    assert "corner_shop" in write_plain(render_venues(report))
    assert [one.pair for one in report.instruments] == ["BTC-USD"]
