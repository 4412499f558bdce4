import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.bus import unix_socket
from engine.bus.memory import MemoryCaller
from engine.bus.unix_socket import SocketCaller, open_server
from engine.domain.errors import FatalError, TransientError
from tests.bus.asking import REQUESTS, Hall, Refuse, Said, Say, Wait
from tests.patience import PATIENCE_S


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def fatal_errors() -> list[FatalError]:
    return []


@pytest.fixture
async def caller(
    tmp_path: Path, hall: Hall, fatal_errors: list[FatalError]
) -> AsyncIterator[SocketCaller]:
    path = tmp_path / "run" / "e.sock"
    caller = SocketCaller(path, role="engine")
    async with open_server(path, REQUESTS, hall, on_fatal=fatal_errors.append):
        yield caller
        await caller.aclose()


async def test_a_reply_belongs_to_its_request(caller: SocketCaller) -> None:
    replies = await asyncio.gather(*(caller.call(Say(text=str(n))) for n in range(200)))

    assert [reply.text for reply in replies] == [str(n) for n in range(200)]


async def test_a_slow_request_does_not_hold_up_the_next(caller: SocketCaller, hall: Hall) -> None:
    slow = asyncio.create_task(caller.call(Wait()))
    await hall.waiting.wait()

    assert await caller.call(Say(text="quick")) == Said(text="quick")

    hall.release.set()
    assert await slow == Said(text="waited")


async def test_a_transient_error_crosses_the_socket_as_one(
    caller: SocketCaller,
) -> None:
    with pytest.raises(TransientError, match="not now"):
        await caller.call(Refuse(kind="not now"))


async def test_a_fatal_error_reaches_the_role_that_answers(
    caller: SocketCaller, fatal_errors: list[FatalError]
) -> None:
    with pytest.raises(TransientError, match="disk on fire"):
        await caller.call(Refuse(kind="disk on fire"))

    assert [str(error) for error in fatal_errors] == ["disk on fire"]


async def test_a_role_that_is_away_is_a_transient_error_and_comes_back(
    tmp_path: Path, hall: Hall
) -> None:
    path = tmp_path / "e.sock"
    caller = SocketCaller(path, role="engine")
    with pytest.raises(TransientError, match="engine is away"):
        await caller.call(Say(text="a"))

    for _ in range(2):
        async with open_server(path, REQUESTS, hall, on_fatal=lambda _: None):
            assert await caller.call(Say(text="a")) == Said(text="a")
        with pytest.raises(TransientError):
            await caller.call(Say(text="a"))
    await caller.aclose()


async def test_a_request_under_way_fails_when_the_role_dies(tmp_path: Path, hall: Hall) -> None:
    path = tmp_path / "e.sock"
    caller = SocketCaller(path, role="engine")
    async with open_server(path, REQUESTS, hall, on_fatal=lambda _: None):
        slow = asyncio.create_task(caller.call(Wait()))
        await hall.waiting.wait()

    with pytest.raises(TransientError):
        await slow
    await caller.aclose()


async def test_the_socket_belongs_to_this_user_alone(caller: SocketCaller, tmp_path: Path) -> None:
    assert (tmp_path / "run" / "e.sock").stat().st_mode & 0o077 == 0


async def test_a_server_at_its_end_leaves_the_socket_of_another(tmp_path: Path, hall: Hall) -> None:
    path, aside = tmp_path / "e.sock", tmp_path / "other.sock"
    caller = SocketCaller(path, role="engine")
    async with open_server(aside, REQUESTS, hall, on_fatal=lambda _: None):
        async with open_server(path, REQUESTS, hall, on_fatal=lambda _: None):
            aside.rename(path)

        assert await caller.call(Say(text="a")) == Said(text="a")
        await caller.aclose()


async def test_a_socket_that_was_removed_is_made_again(
    tmp_path: Path, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unix_socket, "LOOK_S", 0.01)
    path = tmp_path / "e.sock"
    async with open_server(path, REQUESTS, hall, on_fatal=lambda _: None):
        path.unlink()
        async with asyncio.timeout(PATIENCE_S):
            while not path.exists():
                await asyncio.sleep(0.01)
        caller = SocketCaller(path, role="engine")

        assert await caller.call(Say(text="a")) == Said(text="a")
        assert path.stat().st_mode & 0o077 == 0
        await caller.aclose()


async def test_a_path_too_long_for_a_socket_is_refused_in_one_sentence(
    tmp_path: Path, hall: Hall
) -> None:
    path = tmp_path / ("x" * 120) / "e.sock"

    with pytest.raises(FatalError, match="too long for sockets"):
        async with open_server(path, REQUESTS, hall, on_fatal=lambda _: None):
            pass


async def test_the_memory_transport_shares_no_objects(hall: Hall) -> None:
    caller = MemoryCaller(REQUESTS, hall)

    assert await caller.call(Say(text="a")) == Said(text="a")
    with pytest.raises(TransientError):
        await caller.call(Wait(), timeout_s=0.01)


async def test_a_slow_role_is_told_as_slow_and_not_as_away(
    caller: SocketCaller,
) -> None:
    with pytest.raises(TransientError, match="did not answer within"):
        await caller.call(Wait(), timeout_s=0.05)


async def test_a_role_that_ended_for_good_is_told_with_its_reason(tmp_path: Path) -> None:
    caller = SocketCaller(tmp_path / "none.sock", role="engine")
    caller.ended = "the disk is full"

    with pytest.raises(TransientError, match="the engine has ended: the disk is full"):
        await caller.call(Say(text="a"))
