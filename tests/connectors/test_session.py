"""The session against a real WebSocket and REST server on loopback."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from websockets.asyncio.server import Server, ServerConnection, serve

from engine.connectors import limiter
from engine.connectors.limiter import Limiter
from engine.connectors.rest import RestClient, RestLimits
from engine.connectors.session import Session, SessionLimits
from engine.domain.errors import TransientError
from engine.domain.recovery import FEED_RECONNECT, VENUE_REQUEST
from engine.ports import (
    NO_ACTIONS,
    Action,
    Fetch,
    InputKind,
    Reconnect,
    RequestBudget,
    Send,
)
from tests.patience import PATIENCE_S
from tests.recoveries import Since

Answer = Callable[[web.Request], web.StreamResponse]


class Recorder:
    """Takes the inputs, answers with prepared actions, and lets tests wait for what happens."""

    def __init__(self) -> None:
        self.inputs: list[tuple[InputKind, str, bytes, int]] = []
        self.actions: dict[tuple[InputKind, bytes], Sequence[Action]] = {}
        self._news = asyncio.Event()

    def accept(self, kind: InputKind, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        self.inputs.append((kind, key, payload, at_ns))
        self._news.set()
        return self.actions.get((kind, payload), NO_ACTIONS)

    def count(self, kind: InputKind) -> int:
        return sum(each[0] is kind for each in self.inputs)

    def last(self, kind: InputKind) -> tuple[str, bytes]:
        key, payload = [each[1:3] for each in self.inputs if each[0] is kind][-1]
        return key, payload

    async def until(self, kind: InputKind, count: int = 1) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.count(kind) < count:
                self._news.clear()
                await self._news.wait()


class Venue:
    """A WebSocket server that greets, repeats what it is told, and can be made to hang up."""

    def __init__(self) -> None:
        self.greetings: list[str | bytes] = []
        self.told: list[str | bytes] = []
        self.opened = 0
        self.hangs_up = False
        self.connections: set[ServerConnection] = set()

    async def serve(self, connection: ServerConnection) -> None:
        self.opened += 1
        self.connections.add(connection)
        for greeting in self.greetings:
            await connection.send(greeting)
        if self.hangs_up:
            return
        async for message in connection:
            self.told.append(message)
            await connection.send(message)


def limits(**changes: float) -> SessionLimits:
    small: dict[str, float] = {
        "backoff_s_min": 0.01,
        "backoff_s_max": 0.05,
        "open_timeout_s": 2.0,
        "close_timeout_s": 0.2,
        **changes,
    }
    return SessionLimits(**small)  # type: ignore[arg-type]


def rest_limits(**changes: float) -> RestLimits:
    small: dict[str, float] = {"timeout_s": 2.0, "retry_s": 0.01, **changes}
    return RestLimits(**small)  # type: ignore[arg-type]


@asynccontextmanager
async def rest_server(answer: Answer) -> AsyncIterator[str]:
    async def serve_one(request: web.Request) -> web.StreamResponse:
        return answer(request)

    application = web.Application()
    application.router.add_get("/{path:.*}", serve_one)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def open_rest(
    base_url: str, limits_used: RestLimits | None = None, budget: RequestBudget | None = None
) -> AsyncIterator[RestClient]:
    turns = Limiter(
        budget or RequestBudget(weight_per_s=1e4, weight_burst=100.0), now_ns=time.time_ns
    )
    async with aiohttp.ClientSession() as client:
        yield RestClient(
            client=client, base_url=base_url, limiter=turns, limits=limits_used or rest_limits()
        )


@asynccontextmanager
async def client_of(
    answer: Answer, limits_used: RestLimits | None = None, *, budget: RequestBudget | None = None
) -> AsyncIterator[RestClient]:
    async with rest_server(answer) as url, open_rest(url, limits_used, budget) as client:
        yield client


def url_of(server: Server) -> str:
    host, port = next(iter(server.sockets)).getsockname()[:2]
    return f"ws://{host}:{port}"


@asynccontextmanager
async def running(
    url: str,
    recorder: Recorder,
    *,
    answer: Answer = lambda _: web.Response(text="{}"),
    session_limits: SessionLimits | None = None,
    proxy: str | None = None,
) -> AsyncIterator[Session]:
    async with client_of(answer) as rest:
        session = Session(
            websocket_url=url,
            rest=rest,
            accept=recorder.accept,
            now_ns=time.time_ns,
            jitter=lambda: 0.5,
            limits=session_limits or limits(),
            proxy=proxy,
        )
        task = asyncio.create_task(session.run())
        try:
            yield session
        finally:
            task.cancel()
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()


@asynccontextmanager
async def venue_of(venue: Venue) -> AsyncIterator[str]:
    async with serve(venue.serve, "127.0.0.1", 0, max_size=None, compression=None) as server:
        yield url_of(server)


async def test_what_happens_becomes_inputs_and_actions_are_carried_out() -> None:
    venue, recorder = Venue(), Recorder()
    recorder.actions[InputKind.OPENED, b""] = (Send("hello"), Fetch(key="book:x", path="/x?y=1"))
    asked: list[str] = []

    def answer(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        return web.Response(text="[1]")

    async with venue_of(venue) as url, running(url, recorder, answer=answer):
        await recorder.until(InputKind.FRAME)
        await recorder.until(InputKind.FETCHED)

    assert venue.told == ["hello"]
    assert recorder.last(InputKind.FRAME) == ("", b"hello")
    assert recorder.last(InputKind.FETCHED) == ("book:x", b"[1]")
    assert asked == ["/x?y=1"]
    assert recorder.inputs[0][0] is InputKind.OPENED
    assert recorder.count(InputKind.CLOSED) == 1
    assert all(abs(each[3] - time.time_ns()) < 60_000_000_000 for each in recorder.inputs)


async def test_a_frame_that_waits_in_the_queue_keeps_the_time_it_arrived_at() -> None:
    venue, recorder = Venue(), Recorder()
    venue.greetings = [f"frame {number}" for number in range(8)]
    now_ns = 1_000_000_000

    def accept(kind: InputKind, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        nonlocal now_ns
        now_ns += 500_000_000  # each input takes half a second, so that the others wait
        return recorder.accept(kind, key, payload, at_ns)

    async with venue_of(venue) as url, client_of(lambda _: web.Response(text="{}")) as rest:
        session = Session(
            websocket_url=url,
            rest=rest,
            accept=accept,
            now_ns=lambda: now_ns,
            jitter=lambda: 0.5,
            limits=limits(),
        )
        task = asyncio.create_task(session.run())
        await recorder.until(InputKind.FRAME, 8)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    frames = [each for each in recorder.inputs if each[0] is InputKind.FRAME]
    assert [each[2] for each in frames] == [f"frame {number}".encode() for number in range(8)]
    received_at_ns = [int(each[1] or each[3]) for each in frames]
    assert received_at_ns == sorted(received_at_ns)
    waits_ns = [each[3] - at_ns for each, at_ns in zip(frames, received_at_ns, strict=True)]
    assert max(waits_ns) >= 500_000_000


async def test_a_connection_that_ends_is_opened_again() -> None:
    venue, recorder = Venue(), Recorder()
    venue.hangs_up = True
    since = Since(FEED_RECONNECT)

    async with venue_of(venue) as url, running(url, recorder):
        await recorder.until(InputKind.OPENED, 4)
    attempts, successes, _ = since.came_to
    assert attempts >= successes >= 3

    kinds = [each[0] for each in recorder.inputs]
    assert kinds[:6] == [InputKind.OPENED, InputKind.CLOSED] * 3
    assert recorder.last(InputKind.CLOSED)[0].startswith(("closed", "cancelled"))


async def test_a_reconnect_asked_for_by_a_frame_is_done() -> None:
    venue, recorder = Venue(), Recorder()
    venue.greetings = ["bad"]
    recorder.actions[InputKind.FRAME, b"bad"] = (Reconnect("gap: 5 after 3"),)

    async with venue_of(venue) as url, running(url, recorder):
        await recorder.until(InputKind.OPENED, 2)

    assert ("gap: 5 after 3", b"") in [each[1:3] for each in recorder.inputs]


async def test_a_reconnect_asked_for_by_a_tick_is_done() -> None:
    venue, recorder = Venue(), Recorder()

    async with venue_of(venue) as url, running(url, recorder) as session:
        await recorder.until(InputKind.OPENED)
        session.perform((Send("one"), Reconnect("stalled")))
        await recorder.until(InputKind.OPENED, 2)
        session.perform((Send("two"),))
        await recorder.until(InputKind.FRAME)

    assert "two" in venue.told


async def test_actions_without_a_connection_are_dropped() -> None:
    recorder = Recorder()

    async with running("ws://127.0.0.1:1", recorder) as session:
        session.perform((Send("x"), Fetch(key="k", path="/"), Reconnect("why")))
        await recorder.until(InputKind.CLOSED)

    assert recorder.count(InputKind.OPENED) == 0


async def test_a_refused_connection_is_told_and_tried_again_more_slowly() -> None:
    recorder = Recorder()

    async with running("ws://127.0.0.1:1", recorder):
        await recorder.until(InputKind.CLOSED, 5)

    times = [each[3] for each in recorder.inputs]
    assert recorder.last(InputKind.CLOSED)[0].startswith("cannot connect")
    assert times[4] - times[3] > 25_000_000  # 0.05 s at most, times 0.75 by jitter
    assert times[1] - times[0] > 5_000_000


async def test_an_oversize_message_ends_the_connection() -> None:
    venue, recorder = Venue(), Recorder()
    venue.greetings = [b"x" * 5_000]

    async with (
        venue_of(venue) as url,
        running(url, recorder, session_limits=limits(message_bytes_max=1_000)),
    ):
        await recorder.until(InputKind.OPENED, 2)

    assert recorder.count(InputKind.FRAME) == 0
    assert any("1009" in each[1] for each in recorder.inputs)


async def test_a_server_that_never_answers_the_handshake_is_given_up() -> None:
    recorder = Recorder()
    silent = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with running(
        f"ws://127.0.0.1:{port}", recorder, session_limits=limits(open_timeout_s=0.05)
    ):
        await recorder.until(InputKind.CLOSED)
    silent.set()
    server.close()
    await server.wait_closed()

    assert "Timeout" in recorder.last(InputKind.CLOSED)[0]


async def test_more_waiting_frames_than_the_limit_end_the_connection() -> None:
    venue, recorder = Venue(), Recorder()

    async with (
        venue_of(venue) as url,
        running(url, recorder, session_limits=limits(sends_max=3)) as session,
    ):
        await recorder.until(InputKind.OPENED)
        session.perform([Send(str(number)) for number in range(10)])
        await recorder.until(InputKind.OPENED, 2)

    assert any("3 frames wait" in each[1] for each in recorder.inputs)


async def test_the_same_key_is_fetched_once_at_a_time() -> None:
    venue, recorder = Venue(), Recorder()
    recorder.actions[InputKind.OPENED, b""] = [Fetch(key="k", path="/a")] * 3
    asked: list[str] = []

    def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="1")

    async with venue_of(venue) as url, running(url, recorder, answer=answer) as session:
        await recorder.until(InputKind.FETCHED)
        session.perform((Fetch(key="k", path="/b"),))
        await recorder.until(InputKind.FETCHED, 2)

    assert asked == ["/a", "/b"]


async def test_a_fetch_that_fails_for_good_is_told() -> None:
    venue, recorder = Venue(), Recorder()
    recorder.actions[InputKind.OPENED, b""] = (Fetch(key="k", path="/a"),)

    async with (
        venue_of(venue) as url,
        running(url, recorder, answer=lambda _: web.Response(status=404)),
    ):
        await recorder.until(InputKind.FETCH_FAILED)

    key, why = recorder.last(InputKind.FETCH_FAILED)
    assert key == "k"
    assert b"404" in why


@pytest.mark.parametrize("status", [429, 418])
async def test_retry_after_is_obeyed(status: int) -> None:
    times: list[float] = []

    def answer(_: web.Request) -> web.Response:
        times.append(time.monotonic())
        if len(times) == 1:
            return web.Response(status=status, headers={"Retry-After": "1"})
        return web.Response(text="ok")

    async with client_of(answer) as client:
        assert await client.get("/") == b"ok"

    assert times[1] - times[0] >= 0.99


async def test_retry_after_may_be_a_date_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "PAUSE_S_MAX", 0.2)
    monkeypatch.setattr(limiter, "PAUSE_S_MIN", 0.01)
    times: list[float] = []

    def answer(_: web.Request) -> web.Response:
        times.append(time.monotonic())
        if len(times) == 1:
            return web.Response(
                status=429, headers={"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}
            )
        return web.Response(text="ok")

    async with client_of(answer) as client:
        assert await client.get("/") == b"ok"

    assert 0.19 <= times[1] - times[0] < PATIENCE_S


async def test_a_429_pauses_every_request_of_the_venue() -> None:
    times: dict[str, float] = {}

    def answer(request: web.Request) -> web.Response:
        times[request.path] = time.monotonic()
        if request.path == "/a":
            return web.Response(status=429, headers={"Retry-After": "0.5"})
        return web.Response(text="ok")

    async with client_of(answer, rest_limits(attempts_max=1)) as client:
        with pytest.raises(TransientError, match="429"):
            await client.get("/a")
        await client.get("/b")

    assert times["/b"] - times["/a"] >= 0.49


async def test_server_errors_are_tried_again_and_then_given_up() -> None:
    count = 0

    def answer(_: web.Request) -> web.Response:
        nonlocal count
        count += 1
        return web.Response(status=503)

    since = Since(VENUE_REQUEST)
    async with client_of(answer) as client:
        with pytest.raises(TransientError, match="503"):
            await client.get("/")

    assert count == 4
    assert since.came_to == (3, 0, 1)


async def test_an_answer_that_is_too_large_is_given_up() -> None:
    async with client_of(
        lambda _: web.Response(body=b"x" * 300_000), rest_limits(answer_bytes_max=100_000)
    ) as client:
        with pytest.raises(TransientError, match="100000 bytes"):
            await client.get("/")


async def test_no_server_is_a_transient_error() -> None:
    async with open_rest("http://127.0.0.1:1") as client:
        with pytest.raises(TransientError, match="attempt 4 of 4"):
            await client.get("/")


async def test_requests_keep_the_venues_rate_after_a_burst() -> None:
    times: list[float] = []

    def answer(_: web.Request) -> web.Response:
        times.append(time.monotonic())
        return web.Response(text="ok")

    async with client_of(
        answer, budget=RequestBudget(weight_per_s=20.0, weight_burst=2.0)
    ) as client:
        started_s = time.monotonic()
        for _ in range(6):
            await client.get("/")

    assert times[-1] - started_s >= 4 / 20 * 0.95


async def test_a_steady_connection_ends_the_slowing_down() -> None:
    venue, recorder = Venue(), Recorder()
    venue.hangs_up = True
    hasty = limits(backoff_s_min=0.05, backoff_s_max=10.0, steady_s=0.05)

    async with venue_of(venue) as url, running(url, recorder, session_limits=hasty) as session:
        await recorder.until(InputKind.OPENED, 6)
        venue.hangs_up = False
        opened = recorder.count(InputKind.OPENED)
        await recorder.until(InputKind.OPENED, opened + 1)
        since_s = time.monotonic()
        while time.monotonic() - since_s < 0.1:
            frames = recorder.count(InputKind.FRAME)
            session.perform((Send("x"),))
            await recorder.until(InputKind.FRAME, frames + 1)
        session.perform((Reconnect("why"),))
        lost = recorder.count(InputKind.CLOSED)
        await recorder.until(InputKind.CLOSED, lost + 1)
        lost_at_ns = recorder.inputs[-1][3]
        await recorder.until(InputKind.OPENED, opened + 2)

    opened_at_ns = [each[3] for each in recorder.inputs if each[0] is InputKind.OPENED][-1]
    assert opened_at_ns - lost_at_ns < 2_000_000_000  # the next wait would be longer


@asynccontextmanager
async def refusing(status: int, body: str, headers: dict[str, str]) -> AsyncIterator[str]:
    def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers=headers)

    async with rest_server(answer) as url:
        yield url.replace("http", "ws")


@pytest.mark.parametrize(
    ("status", "body", "shown"),
    [
        (451, "not offered in your region", "status 451 .*: not offered in your region"),
        (403, "<html>blocked</html>", "status 403 Forbidden$"),
    ],
)
async def test_a_refused_handshake_is_told_with_status_and_reason(
    status: int, body: str, shown: str
) -> None:
    recorder = Recorder()

    async with refusing(status, body, {}) as url, running(url, recorder) as session:
        await recorder.until(InputKind.CLOSED)

        assert re.search(shown, session.trouble)
    assert re.search(shown, recorder.last(InputKind.CLOSED)[0])


async def test_a_connection_ends_what_was_told_of_refused_ones() -> None:
    venue, recorder = Venue(), Recorder()
    async with venue_of(venue) as url, running(url, recorder) as session:
        session.trouble = "cannot connect: status 451"
        await recorder.until(InputKind.OPENED)

        assert not session.trouble


async def test_a_wait_that_a_refused_handshake_asks_for_holds_requests_too() -> None:
    recorder = Recorder()
    async with client_of(lambda _: web.Response(text="ok")) as rest:
        async with refusing(429, "", {"Retry-After": "720"}) as url:
            session = Session(
                websocket_url=url,
                rest=rest,
                accept=recorder.accept,
                now_ns=time.time_ns,
                jitter=lambda: 0.5,
                limits=limits(),
            )
            task = asyncio.create_task(session.run())
            await recorder.until(InputKind.CLOSED)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        assert re.fullmatch(
            r"wants no requests until \d\d:\d\d:\d\d UTC \(status 429\)", rest.limiter.note()
        )
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await rest.get("/")


async def test_bytes_and_open_connections_of_a_venue_are_counted() -> None:
    venue, recorder = Venue(), Recorder()
    venue.greetings = ["x" * 1_000]

    async with venue_of(venue) as url, client_of(lambda _: web.Response(body=b"y" * 500)) as rest:
        session = Session(
            websocket_url=url,
            rest=rest,
            accept=recorder.accept,
            now_ns=time.time_ns,
            jitter=lambda: 0.5,
            limits=limits(),
        )
        meter = rest.limiter.meter
        task = asyncio.create_task(session.run())
        await recorder.until(InputKind.FRAME)
        assert meter.connections == 1
        streamed = meter.received_bytes
        assert streamed >= 1_000
        session.perform((Send("hello"),))
        await recorder.until(InputKind.FRAME, 2)
        assert meter.sent_bytes == 5
        before = meter.received_bytes
        await rest.get("/")
        assert meter.received_bytes >= before + 500
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert meter.connections == 0
