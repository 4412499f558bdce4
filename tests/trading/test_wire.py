"""A call is written once, whatever is answered or is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from engine.connectors.limiter import Limiter
from engine.gateways.calls import SignedCall
from engine.ports import RequestBudget
from engine.trading.turns import Turns, Urgency
from engine.trading.wire import HttpWire, Reply, open_client

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

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.came.append((request.raw_path, await request.read()))
        if self.is_cut:
            assert request.transport is not None
            request.transport.abort()
        if self.is_silent:
            await self.over.wait()
        return self.answer


@asynccontextmanager
async def wired() -> AsyncIterator[tuple[Server, HttpWire, Limiter]]:
    server = Server()
    runner = web.ServerRunner(web.Server(server))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    limiter = Limiter(RequestBudget(weight_per_s=100.0), now_ns=lambda: 0)
    try:
        async with open_client() as client:
            yield server, HttpWire(client, site.name, limiter), limiter
    finally:
        server.over.set()
        await runner.cleanup()


async def test_a_call_goes_out_as_it_was_signed() -> None:
    async with wired() as (server, wire, _):
        assert await wire.send(CALL) == Reply(200, b"taken")
        assert server.came == [("/order?price=1%2C5&signature=a%2Fb", b"abc")]


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
