import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.bus import unix_socket
from engine.bus.commands import EngineCommand, GetStatus, GetWhy, Kill, Pause
from engine.bus.memory import MemoryCaller
from engine.bus.reports import Report, Unknown
from engine.bus.unix_socket import SocketCaller, open_server
from engine.bus.wire import engine_wire
from engine.domain.errors import FatalError, TransientError
from tests.patience import PATIENCE_S


class Echo:
    """Answers with what it was asked; some commands wait or fail."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.waiting = asyncio.Event()

    async def answer(self, request: EngineCommand) -> Report:
        if isinstance(request, Pause):
            self.waiting.set()
            await self.release.wait()
        if isinstance(request, GetStatus):
            raise TransientError("not now")
        if isinstance(request, Kill):
            raise FatalError("disk on fire")
        return Unknown(what=request.ref if isinstance(request, GetWhy) else "paused")


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def fatal_errors() -> list[FatalError]:
    return []


@pytest.fixture
async def caller(
    tmp_path: Path, echo: Echo, fatal_errors: list[FatalError]
) -> AsyncIterator[SocketCaller[EngineCommand, Report]]:
    path = tmp_path / "run" / "e.sock"
    caller = SocketCaller(path, engine_wire(), role="engine")
    async with open_server(path, engine_wire(), echo, on_fatal=fatal_errors.append):
        yield caller
        await caller.aclose()


async def test_a_reply_belongs_to_its_request(caller: SocketCaller[EngineCommand, Report]) -> None:
    replies = await asyncio.gather(*(caller.call(GetWhy(ref=str(n))) for n in range(200)))

    assert [reply.what for reply in replies if isinstance(reply, Unknown)] == [
        str(n) for n in range(200)
    ]


async def test_a_slow_request_does_not_hold_up_the_next(
    caller: SocketCaller[EngineCommand, Report], echo: Echo
) -> None:
    slow = asyncio.create_task(caller.call(Pause(by="x")))
    await echo.waiting.wait()

    assert await caller.call(GetWhy(ref="quick")) == Unknown(what="quick")

    echo.release.set()
    assert await slow == Unknown(what="paused")


async def test_a_transient_error_crosses_the_socket_as_one(
    caller: SocketCaller[EngineCommand, Report],
) -> None:
    with pytest.raises(TransientError, match="not now"):
        await caller.call(GetStatus())


async def test_a_fatal_error_reaches_the_role_that_answers(
    caller: SocketCaller[EngineCommand, Report], fatal_errors: list[FatalError]
) -> None:
    with pytest.raises(TransientError, match="disk on fire"):
        await caller.call(Kill(by="x", why="y", at_ns=0))

    assert [str(error) for error in fatal_errors] == ["disk on fire"]


async def test_a_role_that_is_away_is_a_transient_error_and_comes_back(
    tmp_path: Path, echo: Echo
) -> None:
    path = tmp_path / "e.sock"
    caller = SocketCaller(path, engine_wire(), role="engine")
    with pytest.raises(TransientError, match="engine is away"):
        await caller.call(GetWhy(ref="a"))

    for _ in range(2):
        async with open_server(path, engine_wire(), echo, on_fatal=lambda _: None):
            assert await caller.call(GetWhy(ref="a")) == Unknown(what="a")
        with pytest.raises(TransientError):
            await caller.call(GetWhy(ref="a"))
    await caller.aclose()


async def test_a_request_under_way_fails_when_the_role_dies(tmp_path: Path, echo: Echo) -> None:
    path = tmp_path / "e.sock"
    caller = SocketCaller(path, engine_wire(), role="engine")
    async with open_server(path, engine_wire(), echo, on_fatal=lambda _: None):
        slow = asyncio.create_task(caller.call(Pause(by="x")))
        await echo.waiting.wait()

    with pytest.raises(TransientError):
        await slow
    await caller.aclose()


async def test_the_socket_belongs_to_this_user_alone(
    caller: SocketCaller[EngineCommand, Report], tmp_path: Path
) -> None:
    assert (tmp_path / "run" / "e.sock").stat().st_mode & 0o077 == 0


async def test_a_server_at_its_end_leaves_the_socket_of_another(tmp_path: Path, echo: Echo) -> None:
    path, aside = tmp_path / "e.sock", tmp_path / "other.sock"
    caller = SocketCaller(path, engine_wire(), role="engine")
    async with open_server(aside, engine_wire(), echo, on_fatal=lambda _: None):
        async with open_server(path, engine_wire(), echo, on_fatal=lambda _: None):
            aside.rename(path)

        assert await caller.call(GetWhy(ref="a")) == Unknown(what="a")
        await caller.aclose()


async def test_a_socket_that_was_removed_is_made_again(
    tmp_path: Path, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unix_socket, "LOOK_S", 0.01)
    path = tmp_path / "e.sock"
    async with open_server(path, engine_wire(), echo, on_fatal=lambda _: None):
        path.unlink()
        async with asyncio.timeout(PATIENCE_S):
            while not path.exists():
                await asyncio.sleep(0.01)
        caller = SocketCaller(path, engine_wire(), role="engine")

        assert await caller.call(GetWhy(ref="a")) == Unknown(what="a")
        assert path.stat().st_mode & 0o077 == 0
        await caller.aclose()


async def test_a_path_too_long_for_a_socket_is_refused_in_one_sentence(
    tmp_path: Path, echo: Echo
) -> None:
    path = tmp_path / ("x" * 120) / "e.sock"

    with pytest.raises(FatalError, match="too long for sockets"):
        async with open_server(path, engine_wire(), echo, on_fatal=lambda _: None):
            pass


async def test_the_memory_transport_shares_no_objects(echo: Echo) -> None:
    caller = MemoryCaller(engine_wire(), echo)

    assert await caller.call(GetWhy(ref="a")) == Unknown(what="a")
    with pytest.raises(TransientError):
        await caller.call(Pause(by="x"), timeout_s=0.01)


async def test_a_slow_role_is_told_as_slow_and_not_as_away(
    caller: SocketCaller[EngineCommand, Report],
) -> None:
    with pytest.raises(TransientError, match="did not answer within"):
        await caller.call(Pause(by="test"), timeout_s=0.05)


async def test_a_role_that_ended_for_good_is_told_with_its_reason(tmp_path: Path) -> None:
    caller = SocketCaller(tmp_path / "none.sock", engine_wire(), role="engine")
    caller.ended = "the disk is full"

    with pytest.raises(TransientError, match="the engine has ended: the disk is full"):
        await caller.call(GetStatus())
