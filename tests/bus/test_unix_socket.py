"""What only Unix sockets have: a file that leads to them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from engine.bus import unix_socket
from engine.bus.unix_socket import SocketCaller, open_server
from engine.bus.wire import PROTOCOL_VERSION, Kind, encode
from engine.domain.errors import BadValueError, FatalError, TransientError
from tests.bus.asking import REQUESTS, Hall, Refuse, Said, Say
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


def frame_of(text: str) -> bytes:
    """Return the end of a question's frame: all but its number."""
    return bytes([Kind.REQUEST]) + encode(Say(text=text))


def with_peer(path: Path, work: Callable[[SocketCaller, socket.socket], Awaitable[None]]) -> None:
    """Work with a caller and the other end of its connection, which nobody reads by himself.

    The loop is the one that roles have: it writes at the end of a turn.
    """

    async def connected() -> None:
        loop, greeting = asyncio.get_running_loop(), PROTOCOL_VERSION.to_bytes(4)
        caller = SocketCaller(path, role="engine")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            listener.setblocking(False)
            assert caller.ask_now(Say(text="early")) is None, "there is no connection"
            first = asyncio.create_task(caller.call(Say(text="first")))
            peer, _ = await loop.sock_accept(listener)
            with peer:
                await loop.sock_sendall(peer, greeting)
                got = b""
                while not got.endswith(frame_of("first")):
                    got += await loop.sock_recv(peer, 65_536)
                await work(caller, peer)
                first.cancel()
                await caller.aclose()

    async def in_time() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await connected()

    uvloop.run(in_time())


def test_what_is_asked_now_is_there_before_the_turn_of_the_loop_ends(tmp_path: Path) -> None:
    async def work(caller: SocketCaller, peer: socket.socket) -> None:
        assert caller.ask_now(Say(text="a")) is not None
        assert caller.ask_now(Say(text="b")) is not None
        got = peer.recv(65_536)

        assert got.index(frame_of("a")) < got.index(frame_of("b"))

    with_peer(tmp_path / "e.sock", work)


def test_nothing_asked_now_overtakes_what_waits_for_the_end_of_the_turn(tmp_path: Path) -> None:
    async def work(caller: SocketCaller, peer: socket.socket) -> None:
        line = caller._line
        assert line is not None
        line.write(99, Kind.REQUEST, encode(Say(text="waits")))
        assert caller.ask_now(Say(text="a")) is None
        with contextlib.suppress(BlockingIOError):
            assert not peer.recv(1), "it waits, or this says nothing"
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert caller.ask_now(Say(text="b")) is not None
        got = peer.recv(65_536)

        assert got.index(frame_of("waits")) < got.index(frame_of("b"))

    with_peer(tmp_path / "e.sock", work)


def test_what_the_system_does_not_take_at_once_follows_whole(tmp_path: Path) -> None:
    async def work(caller: SocketCaller, peer: socket.socket) -> None:
        text = "long" * 500_000
        assert caller.ask_now(Say(text=text)) is not None
        assert caller.ask_now(Say(text="a")) is None, "it would be in the middle"
        loop, got = asyncio.get_running_loop(), b""
        while not got.endswith(frame_of(text)):
            got += await loop.sock_recv(peer, 1_000_000)

        assert len(got) == len(frame_of(text)) + 12

    with_peer(tmp_path / "e.sock", work)


def test_what_is_asked_now_and_not_answered_in_time_is_forgotten(tmp_path: Path) -> None:
    async def work(caller: SocketCaller, peer: socket.socket) -> None:
        del peer
        waiting = len(caller._waiting)
        asked = caller.ask_now(Say(text="a"), timeout_s=0.01)
        assert asked is not None
        with pytest.raises(TransientError, match="did not answer"):
            await asked()

        assert len(caller._waiting) == waiting

    with_peer(tmp_path / "e.sock", work)


async def test_what_is_asked_now_is_answered_like_anything_else(caller: SocketCaller) -> None:
    await caller.call(Say(text="first"))
    said, refused = caller.ask_now(Say(text="a")), caller.ask_now(Refuse(kind="never"))
    assert said is not None
    assert refused is not None
    await caller.call(Say(text="last"))

    assert await said() == Said(text="a")
    with pytest.raises(BadValueError, match="never"):
        await refused()
