"""A call is written once, whatever is answered or is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import web

from engine.connectors.limiter import Limiter
from engine.gateways.calls import SignedCall
from engine.ports import RequestBudget
from engine.trading.connections import Connections
from engine.trading.turns import Turns, Urgency
from engine.trading.wire import HttpWire, Reply
from tests.patience import PATIENCE_S

CALL = SignedCall(
    method="POST",
    target="/order?price=1%2C5&signature=a%2Fb",
    headers={"X-Key": "k", "Content-Length": "3", "Content-Type": "text/plain"},
    body=b"abc",
)


class Server:
    """A venue that answers as it is told, and keeps what came."""

    def __init__(self) -> None:
        self.came: list[tuple[str, bytes]] = []
        self.answer = web.Response(text="taken")
        self.is_cut = self.is_silent = False
        self.over = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.peers: list[int] = []

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        self.came.append((request.raw_path, await request.read()))
        self.peers.append(request.transport.get_extra_info("peername")[1])
        await self.may_answer.wait()
        if self.is_cut:
            assert request.transport is not None
            request.transport.abort()
        if self.is_silent:
            await self.over.wait()
        like = self.answer
        return web.Response(status=like.status, body=like.body, headers=like.headers)


@asynccontextmanager
async def wired() -> AsyncIterator[tuple[Server, HttpWire, Limiter]]:
    server = Server()
    runner = web.ServerRunner(web.Server(server))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    limiter = Limiter(RequestBudget(weight_per_s=100.0), now_ns=lambda: 0)
    connections = Connections(site.name)
    try:
        yield server, HttpWire(connections, limiter), limiter
    finally:
        server.over.set()
        await connections.aclose()
        await runner.cleanup()


async def test_a_call_goes_out_as_it_was_signed() -> None:
    async with wired() as (server, wire, _):
        assert await wire.send(CALL) == Reply(200, b"taken")
        assert server.came == [("/order?price=1%2C5&signature=a%2Fb", b"abc")]


@pytest.mark.parametrize(
    "change",
    [
        {"headers": {"X-Key": "k\r\nX-Other: o"}},
        {"headers": {"X-Key": "k\n"}},
        {"headers": {"X-Key": "k\r\n\r\nPOST /other HTTP/1.1"}},
        {"headers": {"X-Key: k\r\nX-Other": "o"}},
        {"headers": {"X-Key": "\x00"}},
        {"headers": {"X-Key": "k\u0100"}},
        {"target": "/order HTTP/1.1\r\nX-Other: o\r\nX-Rest:"},
        {"target": "/or der"},
        {"method": "POST /other"},
    ],
)
async def test_nothing_in_a_call_makes_another_call_or_header_of_it(change: dict[str, Any]) -> None:
    async with wired() as (server, wire, _):
        reply = await wire.send(msgspec.structs.replace(CALL, **change))

        assert isinstance(reply, str)
        assert server.came == []
        assert await wire.send(CALL) == Reply(200, b"taken")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_calls_of_all_kinds_follow_each_other_on_one_connection(method: str) -> None:
    async with wired() as (server, wire, _):
        for body in (b"", b"abc" * 9_000, b""):
            call = msgspec.structs.replace(CALL, method=method, body=body)
            assert await wire.send(call) == Reply(200, b"taken")

        assert [body for _, body in server.came] == [b"", b"abc" * 9_000, b""]
        assert len(set(server.peers)) == 1


async def test_a_redirection_is_an_answer_and_is_not_followed() -> None:
    async with wired() as (server, wire, _):
        server.answer = web.Response(status=307, headers={"Location": "/order"})
        reply = await wire.send(CALL)
        assert isinstance(reply, Reply)
        assert reply.status == 307
        assert len(server.came) == 1


async def test_a_connection_that_breaks_is_no_answer_and_nothing_is_sent_again() -> None:
    async with wired() as (server, wire, _):
        await wire.send(CALL)  # so that the next one goes out on a connection that was kept
        server.is_cut = True
        assert isinstance(await wire.send(CALL), str)
        assert len(server.came) == 2


async def test_a_venue_that_asks_for_a_wait_is_left_alone() -> None:
    async with wired() as (server, wire, limiter):
        assert limiter.note() == ""
        server.answer = web.Response(status=429, headers={"Retry-After": "60"})
        await wire.send(CALL)
        assert "wants no requests" in limiter.note()


async def test_of_those_that_wait_what_places_goes_first() -> None:
    turns, went = Turns(1), list[str]()

    async def go(name: str, urgency: Urgency) -> None:
        async with turns.turn(urgency):
            went.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for name, urgency in (
            ("read", Urgency.READ),
            ("read too", Urgency.READ),
            ("look up", Urgency.LOOK_UP),
            ("place", Urgency.PLACE),
            ("place too", Urgency.PLACE),
        ):
            tasks.create_task(go(name, urgency))

    assert went == ["read", "place", "place too", "look up", "read too"]


async def test_a_turn_whose_owner_gave_up_goes_to_the_next() -> None:
    turns, went = Turns(1), list[str]()

    async def go(name: str) -> None:
        async with turns.turn(Urgency.READ):
            went.append(name)
            await asyncio.sleep(0)

    async with turns.turn(Urgency.READ):
        first = asyncio.create_task(go("first"))
        second = asyncio.create_task(go("second"))
        await asyncio.sleep(0)
        first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)

    assert went == ["second"]


async def test_a_connection_is_kept_and_another_one_is_there_before_it_is_needed() -> None:
    async with wired() as (server, wire, _):
        for _ in range(3):
            await wire.send(CALL)
        assert len(set(server.peers)) == 1, "what was used last is used again"
        assert len(wire.connections.open) == 2
        async with asyncio.TaskGroup() as tasks:
            server.may_answer.clear()
            both = [tasks.create_task(wire.send(CALL)) for _ in range(2)]
            async with asyncio.timeout(PATIENCE_S):
                while len(server.came) < 5:
                    await asyncio.sleep(0)
            server.may_answer.set()

        assert [one.result() for one in both] == [Reply(200, b"taken")] * 2
        assert len(wire.connections.open) <= 3


async def test_a_connection_that_the_venue_closed_is_not_written_to() -> None:
    async with wired() as (server, wire, _):
        server.answer = web.Response(text="taken", headers={"Connection": "close"})
        assert await wire.send(CALL) == Reply(200, b"taken")
        assert await wire.send(CALL) == Reply(200, b"taken")
        assert len(server.came) == 2


async def test_an_answer_that_comes_too_late_is_never_taken_for_that_of_another_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with wired() as (server, wire, _):
        await wire.send(CALL)
        monkeypatch.setattr("engine.trading.wire.CALL_S", 0.05)
        server.may_answer.clear()
        assert await wire.send(CALL) == "no answer within 0.05 s"
        for _ in range(100):  # it is closed, and counts no more among those that are open
            await asyncio.sleep(0)
        assert all(one.is_ready for one in wire.connections.open)
        monkeypatch.setattr("engine.trading.wire.CALL_S", PATIENCE_S)
        server.answer = web.Response(text="another")
        server.may_answer.set()

        assert await wire.send(CALL) == Reply(200, b"another")


async def test_an_answer_that_is_none_or_is_too_long_is_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with wired() as (server, wire, _):
        monkeypatch.setattr("engine.trading.connections.ANSWER_BYTES_MAX", 4)
        said = await wire.send(CALL)
        assert isinstance(said, str)
        assert "more than 4 bytes" in said
        server.answer = web.Response(text="ok")
        assert await wire.send(CALL) == Reply(200, b"ok")
        cut = SignedCall(method="POST", target="/a\r\nX-Other: 1", headers={}, body=b"")
        assert isinstance(await wire.send(cut), str)
        assert len(server.came) == 2


async def test_a_venue_that_is_not_there_is_no_answer() -> None:
    async with wired() as (_, wire, _):
        gone = wire
    said = await gone.send(CALL)

    assert isinstance(said, str)
    assert "Error" in said
