"""Acknowledgements, refusals, heartbeats and REST answers, as the venues document them."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.connectors.specs import spec_of
from engine.domain.errors import BadValueError
from engine.ports import Listed
from engine.sandbox.server import Sandbox, open_sandbox
from tests.patience import PATIENCE_S
from tests.sandbox.rig import (
    connect,
    fetch,
    paused,
    request,
    until_true,
    write_small_lineup,
)
from tests.sandbox.wire_books import KrakenClient


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with open_sandbox(paused(lineup_path=write_small_lineup(tmp_path))) as opened:
        yield opened


async def say(url: str, *texts: str, answers: int) -> list[dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url) as socket,
    ):
        for text in texts:
            await socket.send_str(text)
        return [json.loads(await socket.receive_str(timeout=PATIENCE_S)) for _ in range(answers)]


async def test_coinbase_confirms_after_the_snapshot_and_refuses_unknown_products(
    sandbox: Sandbox,
) -> None:
    ask = '{"type":"subscribe","product_ids":["%s"],"channel":"level2"}'
    url = sandbox.websocket_url("coinbase", "level2")

    book, confirmed, refused = await say(
        url,
        ask % "ETH-BTC",
        '{"type":"subscribe","product_ids":["NO-PE"],"channel":"level2"}',
        answers=3,
    )

    assert (book["channel"], book["sequence_num"]) == ("l2_data", 0)
    assert book["events"][0]["type"] == "snapshot"
    assert confirmed["sequence_num"] == 1
    assert confirmed["events"] == [{"subscriptions": {"level2": ["ETH-BTC"]}}]
    assert refused["type"] == "error"


async def test_coinbase_snapshot_may_have_several_megabytes(tmp_path: Path) -> None:
    lineup = write_small_lineup(tmp_path, pair="BTC-USD")
    settings = paused(lineup_path=lineup, coinbase_padding_levels=12_000)
    async with (
        open_sandbox(settings) as sandbox,
        connect(sandbox, "coinbase", "level2") as link,
    ):
        await until_true(sandbox, "coinbase", link)
        assert max(len(text) for text in link.raw) > 2_500_000


async def test_gemini_v2_refuses_lower_case_symbols(sandbox: Sandbox) -> None:
    ask = '{"type":"subscribe","subscriptions":[{"name":"l2","symbols":["ethbtc"]}]}'

    (refused,) = await say(sandbox.websocket_url("gemini", "l2"), ask, answers=1)

    assert refused["result"] == "error"


async def test_gemini_fast_sends_the_book_before_the_confirmation(sandbox: Sandbox) -> None:
    ask = '{"id":7,"method":"subscribe","params":["ethbtc@depth@100ms"]}'
    bad = '{"id":8,"method":"SUBSCRIBE","params":["ethbtc@depth","nope@depth"]}'
    url = sandbox.websocket_url("gemini", "depth")

    book, confirmed, refused, pong = await say(url, ask, bad, '{"id":9,"method":"ping"}', answers=4)

    assert book["e"] == "depthUpdate"
    assert book["U"] == book["u"]
    assert confirmed == {"id": 7, "status": 200}
    assert refused["error"]["code"] == -1013
    assert pong == {"id": 9, "status": 200}


async def test_gemini_fast_without_snapshot_parameter_sends_no_book(sandbox: Sandbox) -> None:
    url = sandbox.websocket_url("gemini", "depth").partition("?")[0]
    ask = '{"id":7,"method":"subscribe","params":["ethbtc@depth@100ms"]}'

    (first,) = await say(url, ask, answers=1)

    assert first == {"id": 7, "status": 200}


async def test_bitstamp_confirms_unknown_markets_and_refuses_bad_channels(
    sandbox: Sandbox,
) -> None:
    ask = '{"event":"bts:subscribe","data":{"channel":"%s"}}'
    url = sandbox.websocket_url("bitstamp", "diff")

    answers = await say(
        url,
        ask % "diff_order_book_foobar",
        ask % "diff_order_book_ETHBTC",
        "no json",
        '{"event":"bts:heartbeat"}',
        answers=4,
    )

    assert [answer["event"] for answer in answers] == [
        "bts:subscription_succeeded",
        "bts:error",
        "bts:error",
        "bts:heartbeat",
    ]
    assert answers[3]["data"] == {"status": "success"}


async def test_bitstamp_closes_on_a_long_request(sandbox: Sandbox) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(sandbox.websocket_url("bitstamp", "diff")) as socket,
    ):
        await socket.send_str(" " * 700)
        await socket.receive(timeout=PATIENCE_S)
        assert socket.close_code == 1009


async def test_binance_takes_streams_from_the_address_and_answers_requests(
    sandbox: Sandbox,
) -> None:
    url = sandbox.websocket_url("binance", "depth")

    listed, refused = await say(
        f"{url}?streams=ethbtc@depth@100ms/nope@depth",
        '{"method":"LIST_SUBSCRIPTIONS","id":3}',
        "no json",
        answers=2,
    )

    assert listed == {"result": ["ethbtc@depth@100ms"], "id": 3}
    assert refused["code"] == 3


async def test_binance_raw_stream_has_no_envelope(sandbox: Sandbox) -> None:
    url = sandbox.websocket_url("binance", "depth")
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/ws/ethbtc@depth@100ms") as socket,
    ):
        await sandbox.play(3)
        update = json.loads(await socket.receive_str(timeout=PATIENCE_S))

    assert update["e"] == "depthUpdate"
    assert set(update) == {"e", "E", "s", "U", "u", "b", "a"}


async def test_heartbeats_come_each_second_at_coinbase_and_each_fifth_at_gemini(
    sandbox: Sandbox,
) -> None:
    async with (
        connect(sandbox, "coinbase", "level2") as coinbase,
        connect(sandbox, "gemini", "l2") as gemini,
    ):
        await sandbox.play(10.5)

        await coinbase.until(lambda: coinbase.client.heartbeats == 10)
        await gemini.until(lambda: gemini.client.heartbeats == 2)


async def test_instrument_lists_carry_the_rules(sandbox: Sandbox) -> None:
    products = await fetch(sandbox, "coinbase", "/api/v3/brokerage/market/products")
    one = await fetch(sandbox, "coinbase", "/api/v3/brokerage/market/products/ETH-BTC")
    names = await fetch(sandbox, "gemini", "/v1/symbols")
    details = await fetch(sandbox, "gemini", "/v1/symbols/details/ETHBTC")
    every = await fetch(sandbox, "gemini", "/v1/symbols/details/all")
    pairs = await fetch(sandbox, "bitstamp", "/api/v2/trading-pairs-info/")
    markets = await fetch(sandbox, "bitstamp", "/api/v2/markets/")
    symbols = await fetch(sandbox, "binance", '/api/v3/exchangeInfo?symbols=["ETHBTC"]')

    assert one == products["products"][0]
    assert (one["product_id"], one["price_increment"]) == ("ETH-BTC", "0.00001")
    assert names == ["ethbtc"]
    assert every == [details]
    assert details["quote_increment"] == 1e-05
    assert pairs[0]["url_symbol"] == markets[0]["market_symbol"] == "ethbtc"
    assert markets[0]["counter_decimals"] == 8
    filters = {item["filterType"]: item for item in symbols["symbols"][0]["filters"]}
    assert Decimal(filters["PRICE_FILTER"]["tickSize"]) == Decimal("0.00001")
    assert Decimal(filters["LOT_SIZE"]["stepSize"]) == Decimal("0.0001")


async def test_rest_books_obey_their_limits(sandbox: Sandbox) -> None:
    coinbase = await fetch(
        sandbox, "coinbase", "/api/v3/brokerage/market/product_book?product_id=ETH-BTC&limit=3"
    )
    short = await fetch(sandbox, "gemini", "/v1/book/ethbtc?limit_bids=2&limit_asks=0")
    binance = await fetch(sandbox, "binance", "/api/v3/depth?symbol=ETHBTC&limit=5")

    truth = sandbox.truth("gemini", "ETHBTC")
    assert len(coinbase["pricebook"]["bids"]) == 3
    assert (len(short["bids"]), len(short["asks"])) == (2, len(truth["asks"]))
    assert Decimal(short["bids"][0]["price"]) == max(truth["bids"])
    assert (len(binance["bids"]), len(binance["asks"])) == (5, 5)


@pytest.mark.parametrize(
    ("venue", "path", "status"),
    [
        ("coinbase", "/api/v3/brokerage/market/product_book?product_id=NO-PE", 400),
        ("coinbase", "/api/v3/brokerage/market/products/NO-PE", 404),
        ("gemini", "/v1/book/nope", 400),
        ("gemini", "/v1/book/ethbtc?limit_bids=x", 400),
        ("bitstamp", "/api/v2/order_book/nope/", 404),
        ("binance", "/api/v3/depth?symbol=NOPE", 400),
        ("binance", "/api/v3/depth?symbol=ETHBTC&limit=-1", 400),
        ("binance", "/api/v3/exchangeInfo?symbols=nope", 400),
        ("binance", "/api/v3/nothing", 404),
    ],
)
async def test_wrong_requests_are_refused_by_status(
    sandbox: Sandbox, venue: str, path: str, status: int
) -> None:
    assert (await request(sandbox, venue, path))[0] == status


async def test_cached_bitstamp_book_is_old_until_the_cache_ends(tmp_path: Path) -> None:
    settings = paused(lineup_path=write_small_lineup(tmp_path), bitstamp_cache_s=10.0)
    async with open_sandbox(settings) as sandbox:
        first = await fetch(sandbox, "bitstamp", "/api/v2/order_book/ethbtc/")
        await sandbox.play(9)
        assert await fetch(sandbox, "bitstamp", "/api/v2/order_book/ethbtc/") == first
        await sandbox.play(2)
        assert await fetch(sandbox, "bitstamp", "/api/v2/order_book/ethbtc/") != first


async def change_listing(sandbox: Sandbox, **changes: Any) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{sandbox.port}/_sandbox/listing", json=changes) as answer,
    ):
        return answer.status


LISTS = {
    "binance": "/api/v3/exchangeInfo",
    "coinbase": "/api/v3/brokerage/market/products",
    "bitstamp": "/api/v2/markets/",
    "gemini": "/v1/symbols/details/all",
    "kraken": "/0/public/AssetPairs",
}


@pytest.mark.parametrize("venue", LISTS)
async def test_a_venue_lists_what_it_is_told_to(sandbox: Sandbox, venue: str) -> None:
    (wire,) = [one.wire_name for one in sandbox.stage.markets[venue].listings()]
    state = {"gemini": "limit_only", "coinbase": "limit_only"}.get(venue, "BREAK")

    async def listed() -> list[Listed]:
        _, _, body = await request(sandbox, venue, LISTS[venue])
        return spec_of(venue).parse_instruments(body.encode(), ["ETH-BTC"])

    (before,) = await listed()
    assert before.closed == ""
    assert await change_listing(sandbox, venue=venue, instrument=wire, state=state) == 200
    assert state.replace("_", " ") in (await listed())[0].closed.replace("_", " ")
    await change_listing(sandbox, venue=venue, state="", tick="0.0001")
    (after,) = await listed()
    assert after.closed == ""
    if venue != "bitstamp":  # its list gives decimals and no ticks
        assert after.instrument.tick_quote == Decimal("0.0001")
        assert after.instrument.tick_quote != before.instrument.tick_quote
    await change_listing(sandbox, venue=venue, is_listed=False)
    assert await listed() == []
    await change_listing(sandbox, venue=venue, is_page=True)
    with pytest.raises(BadValueError):
        await listed()
    assert await change_listing(sandbox, venue=venue, instrument="NO-PE", state="") == 400
    assert await change_listing(sandbox, venue="nowhere") == 400
    assert await change_listing(sandbox, venue=venue, tick="-1") == 400


async def test_coinbase_tells_the_states_that_were_asked_for_again_and_again(
    sandbox: Sandbox,
) -> None:
    url = sandbox.websocket_url("coinbase", "level2")
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_str('{"type":"subscribe","product_ids":["ETH-BTC"],"channel":"status"}')
        first = json.loads(await socket.receive_str(timeout=5))
        confirmed = json.loads(await socket.receive_str(timeout=5))
        await change_listing(sandbox, venue="coinbase", state="offline")
        await sandbox.play(6)
        second = json.loads(await socket.receive_str(timeout=5))

    assert [first["channel"], confirmed["channel"], second["channel"]] == [
        "status",
        "subscriptions",
        "status",
    ]
    assert confirmed["events"] == [{"subscriptions": {"status": ["ETH-BTC"]}}]
    assert [first["sequence_num"], confirmed["sequence_num"], second["sequence_num"]] == [0, 1, 2]
    products = [frame["events"][0]["products"][0] for frame in (first, second)]
    assert [(one["id"], one["status"]) for one in products] == [
        ("ETH-BTC", "online"),
        ("ETH-BTC", "offline"),
    ]


async def test_kraken_answers_each_symbol_by_itself_and_refuses_what_it_does_not_know(
    sandbox: Sandbox,
) -> None:
    url = sandbox.websocket_url("kraken", "book")
    params = {"channel": "book", "symbol": ["ETH/BTC", "NO/PE"], "depth": 10}
    ask = {"method": "subscribe", "params": params}

    status, done, snapshot, refused = await say(url, json.dumps(ask), answers=4)

    assert status["data"][0]["system"] == "online"
    assert (done["success"], done["result"]["symbol"]) == (True, "ETH/BTC")
    assert snapshot["type"] == "snapshot"
    assert len(snapshot["data"][0]["bids"]) == len(snapshot["data"][0]["asks"]) == 10
    assert refused["success"] is False
    assert "NO/PE" in refused["error"]


@pytest.mark.parametrize(
    "params",
    [
        {"channel": "level3", "symbol": ["ETH/BTC"]},
        {"channel": "book", "symbol": ["ETH/BTC"], "depth": 11},
        {"channel": "book", "symbol": "ETH/BTC"},
        None,
    ],
)
async def test_kraken_refuses_what_it_does_not_offer(sandbox: Sandbox, params: object) -> None:
    url = sandbox.websocket_url("kraken", "book")

    _, refused = await say(url, json.dumps({"method": "subscribe", "params": params}), answers=2)

    assert refused["success"] is False


async def test_kraken_tells_no_more_than_the_depth_and_its_checksum_is_of_that(
    sandbox: Sandbox,
) -> None:
    url = sandbox.websocket_url("kraken", "book")
    client = KrakenClient(["ETHXBT"])
    client.depth = 10
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        for text in client.subscriptions():
            await socket.send_str(text)
        while client.checked < 1:
            client.take(await socket.receive_str(timeout=PATIENCE_S))
        await sandbox.play(31.0)
        while client.checked < 60:  # each frame is held against its checksum
            client.take(await socket.receive_str(timeout=PATIENCE_S))

    assert len(client.books["ETHXBT"].bids) == len(client.books["ETHXBT"].asks) == 10


async def test_kraken_names_pairs_of_rest_in_its_own_way_and_knows_no_others(
    sandbox: Sandbox,
) -> None:
    book = await fetch(sandbox, "kraken", "/0/public/Depth?pair=ETHXBT&count=3")
    unknown = await fetch(sandbox, "kraken", "/0/public/Depth?pair=ETHBTC")

    assert [len(book["result"]["ETHXBT"][side]) for side in ("bids", "asks")] == [3, 3]
    assert unknown["error"] == ["EQuery:Unknown asset pair"]
