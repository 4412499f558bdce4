"""Bounds: clients, queues, addresses; and the pages for tests in other processes."""

import asyncio
import json
import socket
from pathlib import Path

import aiohttp
import pytest

from engine.sandbox.client import Client
from engine.sandbox.dialects.bitstamp import BitstampSession
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.fault_script import FaultKind
from engine.sandbox.server import open_sandbox
from engine.sandbox.settings import SandboxSettings
from tests.sandbox.rig import (
    EPOCH_NS,
    connect,
    fault,
    paused,
    until_true,
    write_small_lineup,
)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.org", "::"])
def test_only_loopback_addresses_are_accepted(host: str) -> None:
    with pytest.raises(SandboxStartError, match="loopback"):
        SandboxSettings(host=host)


@pytest.mark.parametrize("speed", [0.0, -1.0, 1e9])
def test_speed_out_of_range_is_refused(speed: float) -> None:
    with pytest.raises(SandboxStartError, match="speed"):
        SandboxSettings(speed=speed)


def make_client(*, frames_max: int = 10, bytes_max: int = 100) -> Client:
    session = BitstampSession(None)  # type: ignore[arg-type]
    return Client(
        venue="bitstamp", feed="diff", session=session, frames_max=frames_max, bytes_max=bytes_max
    )


async def test_queue_takes_its_most_frames_and_not_one_more() -> None:
    client = make_client(frames_max=10)

    outcomes = []
    for count in (10, 1):
        client.push([b"x"] * count, at_ns=0)
        outcomes.append((client.is_overrun, client.closing))

    assert outcomes == [(False, None), (True, "reset")]
    assert client.take() is None


async def test_queue_takes_its_most_bytes_but_always_one_frame() -> None:
    client = make_client(bytes_max=100)

    outcomes = []
    for frame in (b"x" * 500, b"x"):
        client.push([frame], at_ns=0)
        outcomes.append(client.is_overrun)

    assert outcomes == [False, True]


async def test_one_client_too_many_is_refused_and_counted(tmp_path: Path) -> None:
    settings = paused(lineup_path=write_small_lineup(tmp_path), clients_max=1)
    async with open_sandbox(settings) as sandbox, connect(sandbox, "coinbase", "level2"):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            async with connect(sandbox, "binance", "depth"):
                pass
        assert sandbox.stage.counts["clients_refused"] == 1


async def test_client_that_does_not_read_is_disconnected_and_counted(tmp_path: Path) -> None:
    settings = SandboxSettings(
        lineup_path=write_small_lineup(tmp_path), speed=100.0, queue_frames_max=200
    )
    async with open_sandbox(settings) as sandbox, connect(sandbox, "gemini", "l2") as good:
        reader, writer = await asyncio.open_connection(
            sock=slow_socket("127.0.0.1", sandbox.port), limit=1024
        )
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked('{"type":"subscribe","product_ids":["ETH-BTC"],"channel":"level2"}'))
        await writer.drain()
        sandbox.inject(fault(FaultKind.OVERSIZE, count=40, size_bytes=1_000_000))

        await good.until(lambda: sandbox.stage.counts["slow_clients"] == 1)

        sandbox.pause()
        await until_true(sandbox, "gemini", good)
        writer.close()


HANDSHAKE = (
    b"GET /coinbase/level2 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)


def slow_socket(host: str, port: int) -> socket.socket:
    """Connect with the least receive buffer, so that unread frames block the sender soon."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    made.connect((host, port))
    made.setblocking(False)
    return made


def masked(text: str) -> bytes:
    """Frame a short text with a mask of zeros."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


async def test_control_pages_show_faults_truth_and_status(tmp_path: Path) -> None:
    settings = paused(lineup_path=write_small_lineup(tmp_path))
    async with (
        open_sandbox(settings) as sandbox,
        aiohttp.ClientSession(sandbox.announcement()["control_url"] + "/") as session,
    ):
        ok = {"at_s": 0, "venue": "binance", "fault": "http_429"}
        async with session.post("faults", json=ok) as answer:
            assert answer.status == 200
        async with session.post("faults", json=ok | {"venue": "mars"}) as answer:
            assert answer.status == 400
        async with session.get(sandbox.rest_url("binance") + "/api/v3/exchangeInfo") as answer:
            assert answer.status == 429
        async with session.get("faults") as answer:
            shown = await answer.json()
            assert set(shown.pop("accounts")) == set(sandbox.stage.markets)
            assert shown == {
                "kinds": {"http_429": 1},
                "venues": {"binance": {"http_429": 1}},
                "waiting": 0,
            }
        async with session.get("truth/binance/ethbtc") as answer:
            truth = json.loads(await answer.text())
            assert len(truth["bids"]) == len(sandbox.truth("binance", "ETHBTC")["bids"])
        stall = {"at_s": 0, "venue": "binance", "fault": "stall", "instrument": "ethbtc"}
        async with session.post("faults", json=stall) as answer:
            assert answer.status == 200
        assert sandbox.stage.box.stalled("binance", "ETHBTC", 0) is not None
        async with session.post("resume") as answer:
            assert (await answer.json()) == {"is_paused": False}
        async with session.post("pause"), session.get("status") as answer:
            status = await answer.json()
            assert status["is_paused"]
            assert status["market_note"] == sandbox.market_note


@pytest.mark.parametrize(("speed", "venue_s"), [(0.25, 8.0), (1.0, 2.0), (4.0, 2.0)])
async def test_the_venues_clocks_never_run_slower_than_ours(
    tmp_path: Path, speed: float, venue_s: float
) -> None:
    settings = paused(lineup_path=write_small_lineup(tmp_path), speed=speed)
    async with open_sandbox(settings) as sandbox:
        await sandbox.play(2.0)

        venue_ns = sandbox.stage.markets["binance"].venue_now_ns()

    assert venue_ns - EPOCH_NS == venue_s * 1e9
