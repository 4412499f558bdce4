"""What every transport of requests keeps: in memory, on Unix sockets, over Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from redis.asyncio import Redis

from engine.bus import wire
from engine.bus.memory import MemoryCaller
from engine.bus.over_redis import OVER_REDIS
from engine.bus.redis_client import SPACE
from engine.bus.request import Caller
from engine.bus.transport import Transport
from engine.bus.unix_socket import SocketCaller, open_server
from engine.domain.errors import BadValueError, FatalError, TransientError, UnstoredError
from tests.bus.asking import REQUESTS, Hall, Refuse, Said, Say, Wait
from tests.bus.pretend_transport import Rooms
from tests.bus.redis_server import running_redis
from tests.patience import PATIENCE_S

WAITING = 100
"""More than any transport answers at once."""

Fatal = Callable[[FatalError], None]


class Asking(Protocol):
    """A transport under test."""

    def serve(self, hall: Hall, on_fatal: Fatal, /) -> AbstractAsyncContextManager[None]: ...

    def caller(self) -> AbstractAsyncContextManager[Caller]: ...


@dataclass
class InMemory:
    hall: Hall | None = None

    @asynccontextmanager
    async def serve(self, hall: Hall, _on_fatal: Fatal) -> AsyncIterator[None]:
        self.hall = hall
        yield

    @asynccontextmanager
    async def caller(self) -> AsyncIterator[Caller]:
        assert self.hall is not None
        yield MemoryCaller(REQUESTS, self.hall)


@dataclass
class OnSockets:
    path: Path

    def serve(self, hall: Hall, on_fatal: Fatal) -> AbstractAsyncContextManager[None]:
        return open_server(self.path, REQUESTS, hall, on_fatal=on_fatal)

    @asynccontextmanager
    async def caller(self) -> AsyncIterator[Caller]:
        caller = SocketCaller(self.path, role="engine")
        yield caller
        await caller.aclose()


@dataclass
class Over:
    """A transport of the list, at a URL."""

    transport: Transport
    url: str

    @asynccontextmanager
    async def serve(self, hall: Hall, on_fatal: Fatal) -> AsyncIterator[None]:
        served = self.transport.served(self.url, "engine", REQUESTS, hall, on_fatal=on_fatal)
        async with served:
            async with self.caller() as caller:
                await insist(caller, "are you there")
            yield

    @asynccontextmanager
    async def caller(self) -> AsyncIterator[Caller]:
        caller = self.transport.caller(self.url, role="engine")
        yield caller
        await caller.aclose()


@asynccontextmanager
async def asking_by(kind: str, directory: Path) -> AsyncIterator[Asking]:
    """Make a transport ready; a new one is a line here."""
    if kind == "redis":
        async with running_redis(directory) as server:
            yield Over(OVER_REDIS, server.url)
    elif kind == "rooms":
        yield Over(Rooms(), "room://test")
    else:
        yield InMemory() if kind == "memory" else OnSockets(directory / "run" / "e.sock")


async def insist(caller: Caller, text: str) -> Said:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await caller.call(Say(text=text))
            except TransientError:
                await asyncio.sleep(0.01)


@pytest.fixture(params=["memory", "sockets", "redis", "rooms"])
async def asking(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Asking]:
    async with asking_by(request.param, tmp_path) as asking:
        yield asking


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def fatal_errors() -> list[FatalError]:
    return []


@pytest.fixture
async def caller(
    asking: Asking, hall: Hall, fatal_errors: list[FatalError]
) -> AsyncIterator[Caller]:
    async with asking.serve(hall, fatal_errors.append), asking.caller() as caller:
        yield caller


async def test_a_reply_belongs_to_its_request(caller: Caller) -> None:
    replies = await asyncio.gather(
        *(caller.call(Say(text=str(n)), timeout_s=PATIENCE_S) for n in range(100))
    )

    assert [reply.text for reply in replies] == [str(n) for n in range(100)]


async def test_two_callers_get_their_own_replies(asking: Asking, hall: Hall) -> None:
    async with (
        asking.serve(hall, lambda _: None),
        asking.caller() as one,
        asking.caller() as other,
    ):
        replies = await asyncio.gather(
            *((one, other)[n % 2].call(Say(text=str(n)), timeout_s=PATIENCE_S) for n in range(50))
        )

    assert [reply.text for reply in replies] == [str(n) for n in range(50)]


async def test_a_slow_request_does_not_hold_up_the_next(caller: Caller, hall: Hall) -> None:
    slow = asyncio.create_task(caller.call(Wait(), timeout_s=PATIENCE_S))
    await hall.waiting.wait()

    assert await caller.call(Say(text="quick")) == Said(text="quick")

    hall.release.set()
    assert await slow == Said(text="waited")


async def test_a_role_that_never_answers_is_told_as_slow_in_time(caller: Caller) -> None:
    with pytest.raises(TransientError, match=r"answer.* within 0\.2 s; try again"):
        await caller.call(Wait(), timeout_s=0.2)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("not now", TransientError),
        ("done all the same", UnstoredError),
        ("never", BadValueError),
    ],
)
async def test_a_refusal_crosses_as_what_it_is(
    caller: Caller, kind: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=kind) as told:
        await caller.call(Refuse(kind=kind))
    assert type(told.value) is error


async def test_what_is_too_large_is_refused_and_the_next_request_is_answered(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "FRAME_BYTES_MAX", 100_000)

    assert await caller.call(Say(text="x" * 99_000)) == Said(text="x" * 99_000)
    with pytest.raises(BadValueError, match="100000 are allowed"):
        await caller.call(Say(text="x" * 100_000))

    assert await caller.call(Say(text="small")) == Said(text="small")


async def test_a_large_message_arrives_whole(caller: Caller) -> None:
    text = "x" * (8 << 20)

    assert await caller.call(Say(text=text), timeout_s=PATIENCE_S) == Said(text=text)


async def test_more_requests_than_are_answered_at_once_are_all_answered(
    caller: Caller, hall: Hall
) -> None:
    waiting = [
        asyncio.create_task(caller.call(Wait(), timeout_s=PATIENCE_S)) for _ in range(WAITING)
    ]
    await hall.waiting.wait()
    hall.release.set()

    assert await asyncio.gather(*waiting) == [Said(text="waited")] * WAITING


class BetweenProcesses:
    """What holds where the role may be away."""

    @pytest.fixture(params=["sockets", "redis", "rooms"])
    async def asking(self, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Asking]:
        async with asking_by(request.param, tmp_path) as asking:
            yield asking


class TestBetweenProcesses(BetweenProcesses):
    async def test_a_fatal_error_reaches_the_role_that_answers(
        self, caller: Caller, fatal_errors: list[FatalError]
    ) -> None:
        with pytest.raises(TransientError, match="disk on fire"):
            await caller.call(Refuse(kind="disk on fire"))

        assert [str(error) for error in fatal_errors] == ["disk on fire"]

    async def test_a_mistake_ends_one_request_only(self, caller: Caller) -> None:
        with pytest.raises(TransientError, match="internal error"):
            await caller.call(Refuse(kind="a mistake"))

        assert await caller.call(Say(text="next")) == Said(text="next")

    async def test_a_role_that_is_away_is_told_so_and_comes_back(
        self, asking: Asking, hall: Hall
    ) -> None:
        async with asking.caller() as caller:
            with pytest.raises(TransientError, match="engine is away"):
                await caller.call(Say(text="a"))
            for _ in range(2):
                async with asking.serve(hall, lambda _: None):
                    assert await insist(caller, "a") == Said(text="a")
                with pytest.raises(TransientError):
                    await caller.call(Say(text="a"))

    async def test_a_request_under_way_fails_when_the_role_ends(
        self, asking: Asking, hall: Hall
    ) -> None:
        async with asking.caller() as caller:
            async with asking.serve(hall, lambda _: None):
                slow = asyncio.create_task(caller.call(Wait(), timeout_s=PATIENCE_S))
                await hall.waiting.wait()

            with pytest.raises(TransientError, match=r"away|closed|connection"):
                await slow

    async def test_a_role_that_ended_for_good_is_told_with_its_reason(self, asking: Asking) -> None:
        async with asking.caller() as caller:
            caller.ended = "the disk is full"  # type: ignore[attr-defined]
            with pytest.raises(TransientError, match="the engine has ended: the disk is full"):
                await caller.call(Say(text="a"))


async def test_a_redis_that_is_killed_and_back_serves_on(tmp_path: Path, hall: Hall) -> None:
    async with running_redis(tmp_path) as server:
        asking = Over(OVER_REDIS, server.url)
        async with asking.serve(hall, lambda _: None), asking.caller() as caller:
            slow = asyncio.create_task(caller.call(Wait(), timeout_s=PATIENCE_S))
            await hall.waiting.wait()
            await server.kill()

            with pytest.raises(TransientError, match="away"):
                await slow
            with pytest.raises(TransientError, match="the bus at unix://") as told:
                await caller.call(Say(text="a"))
            assert "hunter2" not in str(told.value)

            await server.start()
            assert await insist(caller, "b") == Said(text="b")


async def test_a_redis_that_hangs_is_told_in_time(tmp_path: Path, hall: Hall) -> None:
    async with running_redis(tmp_path) as server:
        asking = Over(OVER_REDIS, server.url)
        async with asking.serve(hall, lambda _: None), asking.caller() as caller:
            assert await caller.call(Say(text="a")) == Said(text="a")
            server.freeze()

            with pytest.raises(TransientError, match="did not answer within"):
                await caller.call(Say(text="a"), timeout_s=0.5)


async def test_what_nobody_took_in_time_is_never_carried_out(tmp_path: Path, hall: Hall) -> None:
    async with running_redis(tmp_path) as server:
        asking = Over(OVER_REDIS, server.url)
        async with asking.caller() as caller:
            async with asking.serve(hall, lambda _: None):
                pass
            async with Redis.from_url(server.url) as client:
                await client.set(f"{SPACE}:here:engine", b"1", px=1_000)  # it says so and hangs
                with pytest.raises(TransientError, match="did not answer within"):
                    await caller.call(Wait(), timeout_s=0.2)
            async with asking.serve(hall, lambda _: None):
                assert await insist(caller, "b") == Said(text="b")

    assert not hall.waiting.is_set()


async def test_a_reply_that_is_none_ends_no_caller(tmp_path: Path, hall: Hall) -> None:
    async with running_redis(tmp_path) as server:
        asking = Over(OVER_REDIS, server.url)
        async with asking.serve(hall, lambda _: None), asking.caller() as caller:
            assert await insist(caller, "a") == Said(text="a")
            async with Redis.from_url(server.url) as client:
                for junk in (b"", b"1", b"one:0:x", b"1:kind:x"):
                    await client.rpush(f"{SPACE}:replies:{caller._name}", junk)  # type: ignore[attr-defined]

            assert await insist(caller, "b") == Said(text="b")
