import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.bus.memory import MemoryCaller
from engine.bus.request import Request
from engine.connectors.outbound import open_outbound
from engine.domain.errors import FatalError, TransientError
from engine.requests.request_list import requests_of
from engine.settings.schema import EngineSettings, MarketsSettings, Settings
from engine.storage.ledger import LedgerSettings, open_ledger
from engine.wiring.markets import ChainSource
from engine.wiring.paths import Paths, prepare
from engine.wiring.run_set_up import OpenVenues, begin_run, open_venues


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


async def test_what_was_realised_is_of_the_day_of_the_start_though_the_ledger_answers_the_next(
    tmp_path: Path,
) -> None:
    day_ns = 86_400 * 1_000_000_000
    now_ns = 20_000 * day_ns - 1

    class Slow(MemoryCaller):
        async def call(self, request: Request[Any], /, *, timeout_s: float = 5.0) -> Any:
            nonlocal now_ns
            now_ns += 2
            return await super().call(request, timeout_s=timeout_s)

    venues = OpenVenues(access=(), notes={}, market_note="", pools=())
    settings = LedgerSettings(data_dir=tmp_path / "var")
    async with open_ledger(settings, clock=lambda: now_ns) as ledger:
        slow = Slow(requests_of("ledger"), ledger)
        _, header = await begin_run(Settings(), venues, slow, lambda: now_ns)

    assert header.started_at_ns // day_ns == 19_999


async def test_an_engine_begins_with_what_is_of_its_own_id(tmp_path: Path) -> None:
    venues = OpenVenues(access=(), notes={}, market_note="", pools=())
    settings = LedgerSettings(data_dir=tmp_path / "var")
    async with open_ledger(settings, clock=lambda: 1) as ledger:
        caller = MemoryCaller(requests_of("ledger"), ledger)
        for engine_id in ("main", "second", "second"):
            own = Settings(engine=EngineSettings(id=engine_id))
            state, header = await begin_run(own, venues, caller, lambda: 1)

    assert header.engine_id == "second"
    assert state.generation == 2


async def test_a_chain_whose_pools_come_later_has_money_for_gas_from_the_start(
    tmp_path: Path,
) -> None:
    source = ChainSource(url="ws://base/chains/base", block_ms=2_000)
    venues = OpenVenues(
        access=(), notes={}, market_note="", pools=(), chains={"base": source, "bnb": source}
    )
    settings = LedgerSettings(data_dir=tmp_path / "var")
    async with open_ledger(settings, clock=lambda: 1) as ledger:
        caller = MemoryCaller(requests_of("ledger"), ledger)
        _, header = await begin_run(Settings(), venues, caller, lambda: 1)

    assert [(one.venue, one.asset, one.usd) for one in header.capital] == [
        ("base", "ETH", Settings().paper.gas_usd),
        ("bnb", "BNB", Settings().paper.gas_usd),
    ]
