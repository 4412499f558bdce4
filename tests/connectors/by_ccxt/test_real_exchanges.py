"""ccxt's own exchanges against the sandbox's: the engine's books are the venue's, either way.

The code that speaks to the sandbox is ccxt's, as it would speak to the exchange.
"""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import ccxt
import pytest

from engine.connectors.by_ccxt.exchange import Exchange, Place
from engine.connectors.by_ccxt.losses import LostError, UnservedError
from engine.connectors.by_ccxt.markets import PrecisionMode
from engine.connectors.by_ccxt.names import FEEDS, exchange_of, known_exchanges, venue_of
from engine.domain.faults import Fault
from engine.sandbox.fault_script import FaultKind
from engine.sandbox.server import Sandbox
from tests.connectors.by_ccxt.rig import PAIR, is_the_truth, place_of, small_sandbox, watched
from tests.connectors.proxies import ProxyServer
from tests.sandbox.rig import fault

pytestmark = pytest.mark.slow

QUICK = (("coinbase", "stream"), ("bitstamp", "poll"))
WAYS = tuple(
    (name, feed) for name in ("binance", "bitstamp", "coinbase", "kraken") for feed in FEEDS
)
"""Of Binance the stream that breaks below is enough; Kraken takes a request a second."""


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with small_sandbox(tmp_path) as opened:
        yield opened


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
        await one.leave()
        # What is followed by the next connection begins with new books.
        kept = one.exchange._ccxt
        await one.until(lambda: not kept.clients and not kept.orderbooks)


def test_the_ways_in_which_steps_are_meant_are_ccxts() -> None:
    assert {one.name: one.value for one in PrecisionMode} == {
        name: getattr(ccxt, name) for name in ("DECIMAL_PLACES", "SIGNIFICANT_DIGITS", "TICK_SIZE")
    }


def test_names_are_marked_and_known_without_loading_ccxt() -> None:
    assert exchange_of(venue_of("okx")) == "okx"
    assert exchange_of("okx") == exchange_of("kraken") == ""
    assert set(known_exchanges()) == set(ccxt.exchanges)


async def test_an_exchange_that_is_away_says_why_and_names_no_market() -> None:
    away = Place(rest_url="http://127.0.0.1:9", websocket_url="ws://127.0.0.1:9")
    exchange = Exchange("bitstamp", pairs=[PAIR], now_ns=time.time_ns, place=away)
    try:
        with pytest.raises(LostError, match="ExchangeNotAvailable") as lost:
            await exchange.markets()
        with pytest.raises(LostError):
            await exchange.ready()
        with pytest.raises(UnservedError):
            await exchange.fetch_book("ETH/BTC")
        terms = exchange.terms()
    finally:
        await exchange.close()

    assert lost.value.fault is Fault.DISCONNECTED
    assert terms.feed == "stream"
    assert float(terms.fee_bps_taker) > 0


async def test_a_stream_that_breaks_is_counted_and_followed_again(sandbox: Sandbox) -> None:
    async with watched(sandbox, "binance", "stream") as one:
        await one.until(lambda: one.board.is_live(0))
        changed_at_ns = one.board.changed_at_ns(0)
        await one.until(lambda: one.board.changed_at_ns(0) > changed_at_ns)

        sandbox.inject(fault(FaultKind.DISCONNECT, "binance"))

        await one.until(lambda: one.faults(Fault.DISCONNECTED) > 0)
        await one.until(lambda: one.board.is_live(0))
        sandbox.pause()
        await one.until(lambda: is_the_truth(sandbox, "binance", one.board))


@pytest.mark.campaign
async def test_a_change_that_ccxt_lost_is_found_by_the_audit(sandbox: Sandbox) -> None:
    async with watched(sandbox, "bitstamp", "stream") as one:
        await one.until(lambda: one.audits > 0)
        while not one.faults(Fault.AUDIT_DIVERGED):
            losses = one.audits
            sandbox.inject(fault(FaultKind.GAP, "bitstamp"))
            await one.until(
                lambda: one.faults(Fault.AUDIT_DIVERGED) > 0 or one.audits > losses + 4  # noqa: B023
            )

        await one.until(lambda: one.board.is_live(0))
        sandbox.pause()
        await one.until(lambda: is_the_truth(sandbox, "bitstamp", one.board))


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_all_of_it_goes_through_the_proxy_which_resolves_the_names(
    sandbox: Sandbox, scheme: str
) -> None:
    async with ProxyServer(scheme, {"venue.test": sandbox.port}).serve() as proxy:
        here = place_of(sandbox, "binance")
        there = Place(
            rest_url=here.rest_url.replace("127.0.0.1", "venue.test"),
            websocket_url=here.websocket_url.replace("127.0.0.1", "venue.test"),
        )
        exchange = Exchange(
            "binance", pairs=[PAIR], now_ns=time.time_ns, proxy=proxy.url, place=there
        )
        try:
            (market,) = await exchange.markets()
            fetched = await exchange.fetch_book(market.symbol)
            asked = len(proxy.asked)
            watched_book = await exchange.watch_book(market.symbol)
        finally:
            await exchange.close()

    assert fetched["bids"]
    assert watched_book["bids"]
    assert len(proxy.asked) > asked > 0
    assert set(proxy.asked) == {"venue.test"}


async def test_too_many_requests_are_waited_out_by_all_that_is_asked(sandbox: Sandbox) -> None:
    exchange = Exchange(
        "binance", pairs=[PAIR], now_ns=time.time_ns, place=place_of(sandbox, "binance")
    )
    try:
        (market,) = await exchange.markets()
        full_again_s = exchange._limiter._full_again_s
        await exchange.fetch_book(market.symbol)
        assert exchange._limiter._full_again_s > full_again_s
        assert not exchange._limiter.note()

        sandbox.inject(fault(FaultKind.HTTP_429, "binance", duration_s=30.0))
        with pytest.raises(LostError) as lost:
            await exchange.fetch_book(market.symbol)

        assert lost.value.fault is Fault.VENUE_ERROR
        assert "wants no requests until" in exchange._limiter.note()
    finally:
        await exchange.close()
