"""Each fault does what its name says, is counted, and leaves the truth alone."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.sandbox.fault_script import FaultKind, make_fault_script
from engine.sandbox.lineup import load_wire_names
from engine.sandbox.server import Sandbox, open_sandbox
from tests.sandbox.rig import (
    FEEDS,
    Link,
    connect,
    fault,
    fetch,
    paused,
    request,
    seed_from_rest,
    until_true,
    write_small_lineup,
)
from tests.sandbox.wire_books import WireError


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with open_sandbox(paused(lineup_path=write_small_lineup(tmp_path))) as opened:
        yield opened


NAMES = {
    "coinbase": "ETH-BTC",
    "gemini": "ETHBTC",
    "bitstamp": "ethbtc",
    "binance": "ETHBTC",
    "kraken": "ETHXBT",
}


async def frames_with(sandbox: Sandbox, kind: FaultKind, **changes: Any) -> list[str]:
    """Return a Coinbase client's frames of two seconds during which one fault strikes."""
    async with connect(sandbox, "coinbase", "level2") as link:
        before = len(link.raw)
        sandbox.inject(fault(kind, **changes))
        await sandbox.play(2)
        await read_all(sandbox, link)
        assert sandbox.stage.box.counts["coinbase", kind] == changes.get("count", 1)
        return link.raw[before:]


async def read_all(sandbox: Sandbox, link: Link) -> None:
    """Wait until the client has read what was sent to it."""
    (client,) = sandbox.stage.clients()
    await link.until(lambda: len(link.raw) >= client.frames)


def sequences(frames: list[str]) -> list[int]:
    return [json.loads(frame)["sequence_num"] for frame in frames]


async def test_dropped_frames_are_missing_from_the_sequence(sandbox: Sandbox) -> None:
    async with connect(sandbox, "coinbase", "level2") as link:
        await sandbox.play(1)
        await read_all(sandbox, link)
        last = sequences(link.raw)[-1]
        sandbox.inject(fault(FaultKind.DROP, count=2))
        await sandbox.play(0.9)
        await read_all(sandbox, link)

        numbers = sequences(link.raw)
        assert numbers[numbers.index(last) + 1] == last + 3
        assert isinstance(link.error, WireError)


async def test_duplicated_frame_comes_twice(sandbox: Sandbox) -> None:
    frames = await frames_with(sandbox, FaultKind.DUPLICATE)

    assert frames[0] == frames[1] != frames[2]


async def test_reordered_frame_comes_after_its_follower(sandbox: Sandbox) -> None:
    numbers = sequences(await frames_with(sandbox, FaultKind.REORDER))

    assert numbers[0] == numbers[1] + 1
    assert sorted(numbers) == list(range(numbers[1], numbers[1] + len(numbers)))


async def test_truncated_frame_is_no_json(sandbox: Sandbox) -> None:
    frames = await frames_with(sandbox, FaultKind.TRUNCATE)

    with pytest.raises(json.JSONDecodeError):
        json.loads(frames[0])
    json.loads(frames[1])


async def test_corrupt_frame_is_no_json(sandbox: Sandbox) -> None:
    frames = await frames_with(sandbox, FaultKind.CORRUPT, form="json")

    with pytest.raises(json.JSONDecodeError):
        json.loads(frames[0])


async def test_corrupt_number_is_json_without_a_good_number(sandbox: Sandbox) -> None:
    frames = await frames_with(sandbox, FaultKind.CORRUPT, form="number", count=5)

    texts = [
        text
        for frame in frames[:5]
        for event in json.loads(frame)["events"]
        for update in event["updates"]
        for text in (update["price_level"], update["new_quantity"])
    ]
    assert sum(text in ("NaN", "-1.00", "1e999", "12.3.4", "", None) for text in texts) == 5


async def test_oversize_frame_has_the_size_asked_for(sandbox: Sandbox) -> None:
    frames = await frames_with(sandbox, FaultKind.OVERSIZE, size_bytes=300_000)

    assert len(frames[0]) == 300_000
    assert len(frames[1]) < 10_000


async def test_delayed_frames_come_late_in_order_and_none_is_lost(sandbox: Sandbox) -> None:
    async with connect(sandbox, "coinbase", "level2") as link:
        sandbox.inject(fault(FaultKind.DELAY, duration_s=2.0))
        (client,) = sandbox.stage.clients()
        sent = client.frames
        await sandbox.play(1.5)
        assert client.frames == sent

        await sandbox.play(2.0)
        await until_true(sandbox, "coinbase", link)


async def test_crossed_frame_crosses_the_wire_book_and_the_next_frame_mends_it(
    sandbox: Sandbox,
) -> None:
    async with connect(sandbox, "coinbase", "level2") as link:
        book = link.client.books["ETH-BTC"]
        crossed = []
        link_take = link.client.take_message

        def watch(message: dict[str, Any]) -> None:
            link_take(message)
            crossed.append(max(book.bids) >= min(book.asks))

        link.client.take_message = watch  # type: ignore[method-assign]
        sandbox.inject(fault(FaultKind.CROSSED))
        await sandbox.play(3)

        await until_true(sandbox, "coinbase", link)
        assert crossed.count(True) >= 1
        assert not crossed[-1]


@pytest.mark.parametrize(("venue", "feed"), list(FEEDS))
async def test_gap_is_seen_where_the_venue_has_numbers(
    sandbox: Sandbox, venue: str, feed: str
) -> None:
    async with connect(sandbox, venue, feed) as link:
        await seed_from_rest(sandbox, venue, link)
        sandbox.inject(fault(FaultKind.GAP, venue))
        await sandbox.play(6)
        await read_all(sandbox, link)

        assert sandbox.stage.box.counts[venue, FaultKind.GAP] == 1
        # By a checksum it is seen only among the best levels, as here.
        if sandbox.stage.markets[venue].dialect.feeds[feed].has_sequence or venue == "kraken":
            assert isinstance(link.error, WireError)
        else:
            assert link.error is None


@pytest.mark.parametrize(("venue", "feed"), list(FEEDS))
async def test_late_stall_holds_the_instrument_back_and_then_catches_up(
    sandbox: Sandbox, venue: str, feed: str
) -> None:
    async with connect(sandbox, venue, feed) as link:
        await seed_from_rest(sandbox, venue, link)
        sandbox.inject(fault(FaultKind.STALL, venue, instrument=NAMES[venue], duration_s=8.0))
        updates = link.client.books[NAMES[venue]].updates
        await sandbox.play(7.9)
        await read_all(sandbox, link)
        assert link.client.books[NAMES[venue]].updates == updates
        if (venue, feed) in {("coinbase", "level2"), ("gemini", "l2")}:
            assert link.client.heartbeats >= 1

        await sandbox.play(0.2)
        await until_true(sandbox, venue, link)


@pytest.mark.parametrize(("venue", "feed"), [("coinbase", "level2"), ("binance", "depth")])
async def test_lost_stall_shows_as_a_gap(sandbox: Sandbox, venue: str, feed: str) -> None:
    async with connect(sandbox, venue, feed) as link:
        await seed_from_rest(sandbox, venue, link)
        sandbox.inject(fault(FaultKind.STALL, venue, duration_s=3.0, form="lost"))
        await sandbox.play(8)
        await read_all(sandbox, link)

        assert isinstance(link.error, WireError)


@pytest.mark.parametrize("form", ["close", "reset"])
async def test_disconnected_client_may_come_back(sandbox: Sandbox, form: str) -> None:
    async with connect(sandbox, "coinbase", "level2") as link:
        sandbox.inject(fault(FaultKind.DISCONNECT, form=form))
        await link.until(lambda: link.is_closed)
        assert link.socket.close_code == (1001 if form == "close" else 1006)

    async with connect(sandbox, "coinbase", "level2") as link:
        await until_true(sandbox, "coinbase", link)


async def test_bitstamp_asks_to_reconnect(sandbox: Sandbox) -> None:
    async with connect(sandbox, "bitstamp", "diff") as link:
        sandbox.inject(fault(FaultKind.RECONNECT_REQUEST, "bitstamp"))
        await link.until(lambda: any("bts:request_reconnect" in text for text in link.raw))


@pytest.mark.parametrize("venue", ["coinbase", "gemini", "bitstamp", "binance", "kraken"])
async def test_rest_faults_hit_as_many_requests_as_told(sandbox: Sandbox, venue: str) -> None:
    path = {
        "coinbase": "/api/v3/brokerage/market/products",
        "gemini": "/v1/symbols",
        "bitstamp": "/api/v2/markets/",
        "binance": "/api/v3/exchangeInfo",
        "kraken": "/0/public/AssetPairs",
    }[venue]
    sandbox.inject(fault(FaultKind.HTTP_429, venue, count=2, duration_s=7))
    sandbox.inject(fault(FaultKind.HTTP_5XX, venue, status=502))
    sandbox.inject(fault(FaultKind.SLOW_REST, venue, duration_s=0.05))

    answers = [await request(sandbox, venue, path) for _ in range(5)]

    assert [status for status, _, _ in answers] == [429, 429, 502, 200, 200]
    assert answers[0][1]["Retry-After"] == "7"
    assert sandbox.stage.box.report()["venues"] == {
        venue: {"http_429": 2, "http_5xx": 1, "slow_rest": 1}
    }


async def test_old_snapshot_is_older_than_the_feed(sandbox: Sandbox) -> None:
    await sandbox.play(6)
    async with connect(sandbox, "binance", "depth") as link:
        await sandbox.play(4)
        sandbox.inject(fault(FaultKind.WRONG_SNAPSHOT, "binance", form="old"))
        await read_all(sandbox, link)

        with pytest.raises(WireError, match="older"):
            await seed_from_rest(sandbox, "binance", link)
        await seed_from_rest(sandbox, "binance", link)
        await until_true(sandbox, "binance", link)


async def test_false_snapshot_has_other_prices_and_is_counted(sandbox: Sandbox) -> None:
    path = "/api/v2/order_book/ethbtc/"
    true_book = await fetch(sandbox, "bitstamp", path)
    sandbox.inject(fault(FaultKind.WRONG_SNAPSHOT, "bitstamp", form="false"))

    false_book = await fetch(sandbox, "bitstamp", path)

    assert float(false_book["bids"][0][0]) > float(true_book["asks"][0][0])
    assert await fetch(sandbox, "bitstamp", path) == true_book
    assert sandbox.stage.box.report()["kinds"] == {"wrong_snapshot": 1}


def test_same_seed_makes_the_same_script_and_another_seed_another() -> None:
    names = load_wire_names()

    first = make_fault_script(7, 60, "heavy", wire_names=names)

    assert first == make_fault_script(7, 60, "heavy", wire_names=names)
    assert first != make_fault_script(8, 60, "heavy", wire_names=names)
    assert {item.fault for item in first} == set(FaultKind)


async def test_same_seed_gives_the_same_frames_and_the_same_order_of_effects(
    tmp_path: Path,
) -> None:
    names = {"coinbase": ["ETH-BTC"]}
    kinds = [kind for kind in FaultKind if kind not in {FaultKind.DISCONNECT, FaultKind.OVERSIZE}]
    script = make_fault_script(3, 12, "heavy", wire_names=names, kinds=kinds)
    runs = []
    for _ in range(2):
        settings = paused(lineup_path=write_small_lineup(tmp_path), faults=script)
        async with (
            open_sandbox(settings) as sandbox,
            connect(sandbox, "coinbase", "level2") as link,
        ):
            await sandbox.play(13)
            await read_all(sandbox, link)
            runs.append((link.raw, list(sandbox.stage.box.effects)))

    assert runs[0] == runs[1]
    assert len(runs[0][1]) > 10
