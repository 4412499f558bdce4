"""What only Unix sockets have: a file that leads to them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.bus import unix_socket
from engine.bus.unix_socket import SocketCaller, open_server
from engine.domain.errors import FatalError
from tests.bus.asking import REQUESTS, Hall, Said, Say
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
