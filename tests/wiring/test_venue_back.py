"""Venues and instruments that come, go and change their rules while a run goes on."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.bus.health_reports import IncidentReport
from engine.bus.memory import MemoryCaller
from engine.bus.reports import (
    InstrumentLine,
    OpportunitiesReport,
    StatusReport,
    VenueLine,
    VenuesReport,
)
from engine.bus.request import Caller
from engine.domain.health import Health
from engine.health.watch import Watch
from engine.market.matrix_block import RowKind
from engine.market.matrix_file import shared_path
from engine.market.matrix_reader import PriceMatrixReader
from engine.operate import outages
from engine.operate.clock import SteadyClock, make_clock
from engine.operate.engine_answers import EngineAnswers
from engine.requests.overview import GetOpportunities, GetStatus, GetVenues
from engine.requests.request_list import requests_of
from engine.settings.schema import MarketsSettings, PaperSettings, Settings
from engine.storage.ledger import Ledger, open_ledger
from engine.tools.replaying import replay
from engine.wiring import lists
from engine.wiring.engine_role import open_engine
from engine.wiring.health import watching
from engine.wiring.health_looks import Looks
from engine.wiring.ledger_role import ledger_settings
from engine.wiring.paths import Paths
from engine.wiring.sandbox_role import open_markets
from tests.patience import PATIENCE_S
from tests.storage.model import prepared

pytestmark = pytest.mark.slow

SETTINGS = Settings(
    markets=MarketsSettings(sandbox_speed=4.0),
    paper=PaperSettings(mode_at_first_start="paper"),
)
MAINTENANCE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("binance", {"state": "BREAK"}, {"state": ""}),
    ("gemini", {"is_page": True}, {"is_page": False}),
    ("bitstamp", {"is_listed": False}, {"is_listed": True}),
    ("coinbase", {"state": "trading_disabled"}, {"state": ""}),
]


ALL = {venue for venue, _, _ in MAINTENANCE}


class Market:
    """A running engine with its sandbox, whose venues' lists the test changes."""

    def __init__(self, paths: Paths, answers: EngineAnswers, ledger: Ledger) -> None:
        self.paths = paths
        self.ledger = ledger
        self._answers = answers

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Watch]:
        """Have the health of this engine watched, without the waits of a real watch."""
        caller = MemoryCaller(requests_of("engine"), self._answers)
        looks = Looks(roles=(), callers={"engine": caller}, alone="ledger", tests={})
        async with watching(
            SETTINGS, self.paths, self.ledger, looks, clock=make_clock(), look_s=0.05, settled_ns=0
        ) as watch:
            yield watch

    async def status(self) -> StatusReport:
        report = await self._answers.answer(GetStatus())
        assert isinstance(report, StatusReport)
        return report

    async def venue(self, venue: str) -> VenueLine:
        (line,) = [one for one in (await self.status()).venues if one.venue == venue]
        return line

    async def instruments(self, venue: str) -> dict[str, InstrumentLine]:
        report = await self._answers.answer(GetVenues())
        assert isinstance(report, VenuesReport)
        lines = [one for one in report.instruments if one.venue == venue]
        assert len({one.pair for one in lines}) == len(lines)
        return {one.pair: one for one in lines}

    async def outcomes(self, venue: str) -> set[str]:
        """Return what became of the routes that go through a venue."""
        report = await self._answers.answer(GetOpportunities(limit=1_000))
        assert isinstance(report, OpportunitiesReport)
        return {
            one.outcome for one in report.opportunities if venue in (one.buy_venue, one.sell_venue)
        }

    async def has_traded_at(self, venue: str) -> bool:
        """Say whether a route through a venue was traded; through Bitstamp, found.

        What is recorded of it has gaps with another venue only in routes that are not traded.
        """
        outcomes = await self.outcomes(venue)
        return bool(outcomes) if venue == "bitstamp" else "traded" in outcomes


async def change(paths: Paths, venue: str, **changes: Any) -> None:
    announced = json.loads(paths.sandbox_announce.read_bytes())
    async with (
        aiohttp.ClientSession() as client,
        client.post(announced["control_url"] + "/listing", json={"venue": venue} | changes) as told,
    ):
        assert told.status == 200, await told.text()


@asynccontextmanager
async def running(paths: Paths) -> AsyncIterator[Market]:
    """Run an engine on the sandbox; at its end its recording must replay to the same decisions."""
    async with open_ledger(ledger_settings(SETTINGS, paths), clock=SteadyClock().now_ns) as ledger:
        caller: Caller = MemoryCaller(requests_of("ledger"), ledger)
        async with open_engine(SETTINGS, paths, caller, clock=SteadyClock()) as answers:
            yield Market(paths, answers, ledger)
    (run,) = paths.recordings.iterdir()
    replayed = replay(run, lines=[])
    assert replayed.first_difference is None
    assert replayed.decisions > 0


@pytest.fixture
async def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Paths]:
    monkeypatch.setattr(lists, "LIST_S", 1.0)
    monkeypatch.setattr(lists, "LIST_S_MIN", 0.5)
    paths = prepared(tmp_path)
    async with open_markets(SETTINGS, paths):
        yield paths


@pytest.mark.parametrize(
    ("venue", "down", "up"),
    [
        *MAINTENANCE[:2],
        *[pytest.param(*case, marks=pytest.mark.campaign) for case in MAINTENANCE[2:]],
    ],
)
async def test_a_venue_in_maintenance_at_the_start_trades_once_it_is_back_in_the_same_run(
    paths: Paths,
    venue: str,
    down: dict[str, Any],
    up: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outages, "SEEN_AFTER_NS", 0)
    await change(paths, venue, **down)
    async with running(paths) as market:
        await until(lambda: _has_live(market, ALL - {venue}))
        run_id = (await market.status()).run_id
        line = await market.venue(venue)
        assert line.books_live == 0
        instruments = await market.instruments(venue)
        assert line.note or all(one.note for one in instruments.values())
        assert not await market.outcomes(venue)

        await change(paths, venue, **up)

        await until(lambda: market.has_traded_at(venue))
        assert (await market.status()).run_id == run_id
        line = await market.venue(venue)
        assert line.note == ""
        assert line.books_live > 0
        if "state" not in down:
            return  # its books go on without a list

        async with market.watching() as watch:
            await until(lambda: _stands(watch, venue, Health.WELL))
            await change(paths, venue, **down)
            await until(lambda: _stands(watch, venue, Health.DOWN))
            (opened,) = watch.incidents(1).incidents
            assert opened.components == (f"feed/{venue}",)
            assert not opened.ended_at_ns
            await change(paths, venue, **up)
            await until(lambda: _is_over(watch, opened.number))


async def test_a_pair_that_a_venue_lists_later_is_taken_in(paths: Paths) -> None:
    await change(paths, "coinbase", instrument="BTC-USD", is_listed=False)
    async with running(paths) as market:
        await until(lambda: _has_live(market, {"coinbase"}))
        assert "BTC-USD" not in await market.instruments("coinbase")
        books = (await market.venue("coinbase")).books

        await change(paths, "coinbase", instrument="BTC-USD", is_listed=True)

        await until(lambda: _is_live(market, "coinbase", "BTC-USD"))
        assert (await market.venue("coinbase")).books == books + 1
        with _shared(paths) as reader:
            assert "BTC-USD at coinbase" in {str(place) for place in reader.places}

        await change(paths, "coinbase", instrument="BTC-USD", is_listed=False)
        await until(lambda: _is_closed(market, "coinbase", "BTC-USD", "not listed any more"))


async def test_changed_rules_are_a_new_row_and_the_former_one_is_out(paths: Paths) -> None:
    async with running(paths) as market:
        await until(lambda: _is_live(market, "binance", "BTC-USDT"))
        with _shared(paths) as reader:
            before = list(reader.places)

        await change(paths, "binance", instrument="BTCUSDT", size_min="0.01")

        await until(lambda: _former(paths))
        assert await _former(paths) == ["BTC-USDT at binance"]
        await until(lambda: _is_live(market, "binance", "BTC-USDT"))
        with _shared(paths) as reader:
            assert len(reader.places) == len(before) + 1
            row = next(n for n, of in enumerate(reader.places) if of.kind is RowKind.FORMER)
            assert not reader.row(row).is_live

        await change(paths, "binance", instrument="BTCUSDT", size_min="0.00001")
        await until(lambda: market.has_traded_at("binance"))


async def test_a_halt_that_a_frame_tells_is_obeyed_before_the_next_list(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "LIST_S", 3_600.0)
    monkeypatch.setattr(lists, "LIST_S_MIN", 0.1)
    async with running(paths) as market:
        await until(lambda: _is_live(market, "coinbase", "BTC-USD"))

        await change(paths, "coinbase", instrument="BTC-USD", state="offline")
        await until(lambda: _is_closed(market, "coinbase", "BTC-USD", "status offline"))

        await change(paths, "coinbase", instrument="BTC-USD", state="")
        await until(lambda: _is_live(market, "coinbase", "BTC-USD"))


async def _stands(watch: Watch, venue: str, health: Health) -> bool:
    lines = {one.name: one.health for one in watch.health().components}
    return lines.get(f"feed/{venue}") is health


async def _is_over(watch: Watch, number: int) -> bool:
    report = watch.incident(number)
    assert isinstance(report, IncidentReport)
    return not report.incident.is_open


async def _has_live(market: Market, venues: set[str]) -> bool:
    status = await market.status()
    return {line.venue for line in status.venues if line.books_live}.issuperset(venues)


async def _is_live(market: Market, venue: str, pair: str) -> bool:
    line = (await market.instruments(venue)).get(pair)
    return line is not None and line.is_live


async def _is_closed(market: Market, venue: str, pair: str, note: str) -> bool:
    line = (await market.instruments(venue))[pair]
    return not line.is_live and line.note == note


async def _former(paths: Paths) -> list[str]:
    with _shared(paths) as reader:
        return [str(place) for place in reader.places if place.kind is RowKind.FORMER]


@contextmanager
def _shared(paths: Paths) -> Iterator[PriceMatrixReader]:
    reader = PriceMatrixReader.open(shared_path(paths.run))
    try:
        yield reader
    finally:
        reader.close()


async def until(is_met: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not await is_met():
            await asyncio.sleep(0.02)
