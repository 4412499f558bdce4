import asyncio
import socket
from functools import partial
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from engine.connectors.limiter import Limiter
from engine.connectors.outbound import open_outbound
from engine.connectors.rest import RestClient, RestLimits
from engine.connectors.venues import VENUES
from engine.domain.errors import FatalError, TransientError
from engine.domain.instruments import VenueId
from engine.ports import RequestBudget
from engine.settings.schema import MarketsSettings, Settings
from engine.wiring import run_set_up
from engine.wiring.anew import Anew
from engine.wiring.paths import Paths, prepare
from engine.wiring.run_set_up import open_venues
from tests.patience import PATIENCE_S

MARKETS = [
    {
        "name": "BTC/USD",
        "market_symbol": "btcusd",
        "base_decimals": 8,
        "counter_decimals": 0,
        "trading": "Enabled",
        "minimum_order_value": "10",
    }
]


def announced(tmp_path: Path, port: int) -> Paths:
    paths = prepare(str(tmp_path))
    announcement = {
        "websocket_urls": {"bitstamp": {"diff": f"ws://127.0.0.1:{port}/bitstamp/diff"}},
        "rest_urls": {"bitstamp": f"http://127.0.0.1:{port}/bitstamp"},
        "pairs": {"bitstamp": ["BTC-USD"]},
        "market_note": "test",
        "pools": [],
    }
    paths.sandbox_announce.write_bytes(msgspec.json.encode(announcement))
    return paths


async def test_without_any_venue_the_start_is_put_off_with_the_reasons(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings = Settings(markets=MarketsSettings(venues=["bitstamp", "gemini"]))

    async with open_outbound(None) as outbound:
        with pytest.raises(TransientError, match=r"no venue can be reached: bitstamp: .*gemini"):
            await open_venues(settings, announced(tmp_path, port), outbound, lambda: 1)


@pytest.mark.parametrize(
    ("markets", "part"),
    [
        (MarketsSettings(venues=["krakken"]), "unknown venue 'krakken'.*binance"),
        (MarketsSettings(venues=["gemini"], feeds={"gemini": "x"}), "unknown feed 'x'.*depth"),
    ],
)
async def test_an_unknown_venue_or_feed_refuses_the_start(
    tmp_path: Path, markets: MarketsSettings, part: str
) -> None:
    async with open_outbound(None) as outbound:
        with pytest.raises(FatalError, match=part):
            await open_venues(
                Settings(markets=markets), announced(tmp_path, 1), outbound, lambda: 1
            )


async def test_a_sandbox_that_did_not_announce_itself_puts_the_start_off(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path))
    settings = Settings(markets=MarketsSettings(venues=["bitstamp"]))

    async with open_outbound(None) as outbound:
        with pytest.raises(TransientError, match="not announced itself"):
            await open_venues(settings, paths, outbound, lambda: 1)


async def test_a_venue_that_was_away_is_taken_in_by_starting_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_set_up, "AWAY_RETRY_S", 0.01)
    monkeypatch.setattr(run_set_up, "RestLimits", partial(RestLimits, attempts_max=1))
    answers = web.Application()

    async def listing(_request: web.Request) -> web.Response:
        return web.json_response(MARKETS)

    answers.router.add_get("/bitstamp/{path:.*}", listing)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings = Settings(markets=MarketsSettings(venues=["bitstamp"]))
    async with open_outbound(None) as outbound:
        with pytest.raises(TransientError, match="no venue"):
            await open_venues(settings, announced(tmp_path, port), outbound, lambda: 1)
        away = run_set_up.VenueAway(
            spec=VENUES[VenueId("bitstamp")],
            rest=RestClient(
                client=outbound.client_for(""),
                base_url=f"http://127.0.0.1:{port}/bitstamp",
                limiter=Limiter(RequestBudget(weight_per_s=1_000.0), now_ns=lambda: 1),
                limits=RestLimits(attempts_max=1),
            ),
            pairs=["BTC-USD"],
            why="test",
        )
        anew = Anew(lambda: True)
        asking = asyncio.create_task(run_set_up.keep_asking(away, anew))
        runner = web.AppRunner(answers)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while anew.why != {"bitstamp": "it is back"}:
                    await asyncio.sleep(0.01)
            await runner.cleanup()
            async with asyncio.timeout(PATIENCE_S):
                while anew.why:
                    await asyncio.sleep(0.01)
        finally:
            asking.cancel()
            await runner.cleanup()
