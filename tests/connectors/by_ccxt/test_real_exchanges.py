"""ccxt's own exchanges against the sandbox's: the engine's books are the venue's, either way.

The code that speaks to the sandbox is ccxt's, as it would speak to the exchange.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import ccxt
import pytest

from engine.connectors.by_ccxt.exchange import Exchange, Place
from engine.connectors.by_ccxt.markets import PrecisionMode
from engine.connectors.by_ccxt.names import FEEDS, exchange_of, known_exchanges, venue_of
from engine.connectors.by_ccxt.server import open_doors
from engine.connectors.by_ccxt.spec import spec_by_ccxt
from engine.connectors.limiter import Limiter
from engine.connectors.rest import RestClient, RestLimits
from engine.connectors.session import Session, SessionLimits
from engine.market.board import Board
from engine.ports import Action, Feed, FeedLimits, InputKind
from engine.sandbox.server import Sandbox, open_sandbox
from engine.sandbox.settings import SandboxSettings
from tests.patience import PATIENCE_S
from tests.sandbox.rig import write_small_lineup

pytestmark = pytest.mark.slow

PAIR = "ETH-BTC"

QUICK = (("binance", "stream"), ("coinbase", "stream"), ("bitstamp", "poll"))
WAYS = tuple(
    (name, feed) for name in ("binance", "bitstamp", "coinbase", "kraken") for feed in FEEDS
)
"""Kraken takes a request a second, and Bitstamp's stream is believed after six changes."""


def place_of(sandbox: Sandbox, name: str) -> Place:
    said = sandbox.announcement()
    (websocket_url, *_) = said["websocket_urls"][name].values()
    return Place(rest_url=said["rest_urls"][name], websocket_url=websocket_url)


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    settings = SandboxSettings(lineup_path=write_small_lineup(tmp_path, pair=PAIR))
    async with open_sandbox(settings) as opened:
        yield opened


class Watched:
    """An engine's part: a board that the feed keeps, over a real connection to the role."""

    def __init__(self, feed: Feed, board: Board) -> None:
        self.feed = feed
        self.board = board
        self.audits = 0

    def accept(self, kind: InputKind, key: str, payload: bytes, at_ns: int) -> list[Action]:
        match kind:
            case InputKind.OPENED:
                return list(self.feed.opened(at_ns))
            case InputKind.FRAME:
                return list(self.feed.frame(payload, at_ns))
            case InputKind.FETCHED:
                self.audits += 1
                return list(self.feed.fetched(key, payload, at_ns))
            case InputKind.FETCH_FAILED:
                return list(self.feed.fetch_failed(key, payload.decode(), at_ns))
            case _:
                return list(self.feed.closed(at_ns))

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_true():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def watched(sandbox: Sandbox, name: str, feed: str) -> AsyncIterator[Watched]:
    """Follow an exchange of the sandbox through ccxt, as role and engine do."""
    exchange = Exchange(name, pairs=[PAIR], now_ns=time.time_ns, place=place_of(sandbox, name))
    spec = spec_by_ccxt(name)
    async with open_doors({name: exchange}) as port, aiohttp.ClientSession() as client:
        rest = RestClient(
            client=client,
            base_url=f"http://127.0.0.1:{port}/{name}",
            limiter=Limiter(spec.budget, now_ns=time.time_ns),
            limits=RestLimits(),
        )
        listed = spec.parse_instruments(await rest.get(spec.instruments_path), [PAIR])
        instruments = [one.instrument for one in listed]
        board = Board(instruments)
        one = Watched(spec.feeds[feed](instruments, range(1), board, FeedLimits(audit_s=1)), board)
        session = Session(
            websocket_url=f"ws://127.0.0.1:{port}/{name}/{feed}",
            rest=rest,
            accept=one.accept,
            now_ns=time.time_ns,
            jitter=random.random,
            limits=SessionLimits(),
        )

        async def tick() -> None:
            while True:
                await asyncio.sleep(0.1)
                session.perform(one.feed.tick(time.time_ns()))

        tasks = [asyncio.create_task(session.run()), asyncio.create_task(tick())]
        try:
            yield one
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def is_the_truth(sandbox: Sandbox, name: str, board: Board) -> bool:
    """Say whether all that the board has is the best of the venue's book, and enough of it."""
    (listing,) = sandbox.stage.markets[name].listings()
    truth, rules = sandbox.truth(name, listing.wire_name), board.instruments[0]
    for side, levels in zip(("bids", "asks"), board.top_levels(0, 50), strict=True):
        held = [(rules.price_of(price), rules.size_of(size)) for price, size in levels]
        best = sorted(truth[side].items(), reverse=side == "bids")[: len(held)]
        if held != best or len(held) < 5:
            return False
    return True


@pytest.mark.parametrize(
    ("name", "feed"),
    [
        pytest.param(*way, marks=() if way in QUICK else pytest.mark.campaign, id="-".join(way))
        for way in WAYS
    ],
)
async def test_the_books_are_the_exchanges(
    sandbox: Sandbox, name: str, feed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.connectors.by_ccxt.following.POLL_S", 0.1)
    async with watched(sandbox, name, feed) as one:
        rules = one.board.instruments[0]
        (listing,) = sandbox.stage.markets[name].listings()
        assert str(rules.pair) == PAIR
        assert rules.tick_quote == listing.rules.tick_quote
        assert rules.lot_base == listing.rules.lot_base

        await one.until(lambda: one.board.is_live(0))
        changed_at_ns = one.board.changed_at_ns(0)
        await one.until(lambda: one.board.changed_at_ns(0) > changed_at_ns)
        sandbox.pause()
        await one.until(lambda: is_the_truth(sandbox, name, one.board))

        assert one.board.is_live(0)
        assert not {fault for _, fault in one.board.faults}


def test_the_ways_in_which_steps_are_meant_are_ccxts() -> None:
    assert {one.name: one.value for one in PrecisionMode} == {
        name: getattr(ccxt, name) for name in ("DECIMAL_PLACES", "SIGNIFICANT_DIGITS", "TICK_SIZE")
    }


def test_names_are_marked_and_known_without_loading_ccxt() -> None:
    assert exchange_of(venue_of("okx")) == "okx"
    assert exchange_of("okx") == exchange_of("kraken") == ""
    assert set(known_exchanges()) == set(ccxt.exchanges)
