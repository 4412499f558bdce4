"""Who is slow, says nothing whole, or sends what is no request is cut, and holds up nobody."""

import asyncio
import contextlib
import gzip
import logging
import socket
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.web import bodies
from bot.web.addresses import who_asks
from bot.web.connections import BOUNDS, Bounds, Cut
from bot.web.rates import UNDER_WAY_MAX
from engine.domain.people import Rank
from tests.bot.fake_facade import FakeFacade
from tests.bot.web.conftest import Web, serving
from tests.patience import PATIENCE_S

SHORT = Bounds(header_s=0.05, idle_s=0.05)
Made = tuple[Path, dict[Rank, str]]


async def _until_cut(web: Web, sent: bytes, more: bytes = b"") -> bytes:
    """Send something, then one more byte at a time until the other end cuts; return its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    answer = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            writer.write(sent)
            with contextlib.suppress(ConnectionError):
                while not reader.at_eof():
                    with contextlib.suppress(TimeoutError):
                        answer += await asyncio.wait_for(reader.read(65_536), 0.01)
                    writer.write(more)
                    await writer.drain()
    finally:
        writer.transport.abort()  # what nobody read is not waited for
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return answer


HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
SLOW = {
    "headers byte by byte": (b"GET /healthz HTTP/1.1\r\nX-Slow: ", b"a", b"", Cut.HEADERS),
    "nothing at all": (b"", b"", b"", Cut.HEADERS),
    "headers of a second request": (HEALTH + b"GET /he", b"a", b"HTTP/1.1 200", Cut.HEADERS),
    "nothing more": (HEALTH, b"", b"HTTP/1.1 200", Cut.IDLE),
    "a body that nobody reads": (
        b"POST /kill HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n",
        b"x",
        b"HTTP/1.1 401",
        Cut.HEADERS,
    ),
}


async def test_whoever_is_slow_is_cut(tmp_path: Path, made_keys: Made) -> None:
    async with serving(tmp_path, made_keys, FakeFacade(), bounds=SHORT) as web:
        connections = web.gateway.guard.connections
        for name, (sent, more, answer, why) in SLOW.items():
            connections.cut.clear()

            said = await _until_cut(web, sent, more)

            assert said[: len(answer)] == answer, name
            assert bool(said) == bool(answer), name
            assert connections.cut == {why: 1}, name
            assert not len(connections)


async def test_a_body_that_comes_byte_by_byte_is_refused(
    tmp_path: Path, made_keys: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S_MAX", 0.05)
    async with serving(tmp_path, made_keys, FakeFacade(), bounds=SHORT) as web:
        said = await _until_cut(
            web,
            b"POST /v1/commands/status HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Content-Length: 60000\r\nAuthorization: Bearer "
            + web.keys[Rank.VIEWER].encode()
            + b"\r\n\r\n",
            b" ",
        )

    assert said.startswith(b"HTTP/1.1 408")
    assert b"longer than" in said


async def test_whoever_takes_no_answers_is_cut(tmp_path: Path, made_keys: Made) -> None:
    async with serving(tmp_path, made_keys, FakeFacade(), bounds=Bounds(write_s=0.05)) as web:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, ("127.0.0.1", web.port))
        connections = web.gateway.guard.connections

        await loop.sock_sendall(deaf, b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 40)

        async with asyncio.timeout(PATIENCE_S):
            while not connections.cut:
                await web.ask("GET", "/healthz", rank=None)
        deaf.close()
        assert connections.cut == {Cut.READS_NOTHING: 1}


async def test_the_system_gives_up_on_whoever_is_gone(web: Web) -> None:
    await web.ask("GET", "/healthz", rank=None)

    (transport,) = web.gateway.guard.connections._open
    option = transport.get_extra_info("socket").getsockopt(
        socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT
    )

    assert option == BOUNDS.write_s * 1_000


class Held:
    """Commands that are answered once `may_go_on` is set."""

    def __init__(self, web: Web) -> None:
        self.may_go_on = asyncio.Event()
        self.asked: list[asyncio.Future[tuple[int, Any]]] = []
        self._web = web
        self._waiting = 0
        self._ask = web.facade.ask
        web.gateway.commanding.facade = SimpleNamespace(ask=self._slow)

    async def ask(self, count: int) -> None:
        """Ask for so many, and wait until all of them are being answered."""
        for _ in range(count):
            asking = self._web.ask("POST", "/v1/commands/status", body={})
            self.asked.append(asyncio.ensure_future(asking))
        async with asyncio.timeout(PATIENCE_S):
            while self._waiting < count:
                await asyncio.sleep(0)

    async def end(self) -> set[int]:
        """Let all go on; return their statuses."""
        self.may_go_on.set()
        return {status for status, _ in await asyncio.gather(*self.asked)}

    async def _slow(self, request: Any) -> Any:
        if type(request).__name__ == "GetStatus":
            self._waiting += 1
            await self.may_go_on.wait()
        return await self._ask(request)


async def test_where_all_places_are_taken_who_waits_gives_way_and_who_is_answered_does_not(
    tmp_path: Path, made_keys: Made
) -> None:
    async with serving(tmp_path, made_keys, FakeFacade(), bounds=Bounds(open_max=2)) as web:
        connections = web.gateway.guard.connections
        idle = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(2)]
        async with asyncio.timeout(PATIENCE_S):
            while len(connections) < len(idle):
                await asyncio.sleep(0)
        assert (await web.ask("POST", "/kill", rank=Rank.OPERATOR))[0] == HTTPStatus.OK
        assert connections.cut == {Cut.GAVE_WAY: 1}
        with contextlib.suppress(ConnectionError):
            assert await idle[0][0].read() == b""

        held = Held(web)
        await held.ask(2)
        assert connections.cut == {Cut.GAVE_WAY: 2}
        assert await _until_cut(web, HEALTH) == b""
        assert connections.cut == {Cut.GAVE_WAY: 2, Cut.FULL: 1}
        assert await held.end() == {HTTPStatus.OK}
        for _, writer in idle:
            writer.close()


async def test_so_many_requests_of_an_address_are_answered_at_once_and_a_kill_beside(
    web: Web,
) -> None:
    held = Held(web)
    await held.ask(UNDER_WAY_MAX)

    status, problem = await web.ask("POST", "/v1/commands/status", body={})
    assert status == HTTPStatus.TOO_MANY_REQUESTS
    assert "being answered" in problem["detail"]
    assert (await web.ask("POST", "/kill"))[0] == HTTPStatus.OK

    assert await held.end() == {HTTPStatus.OK}


NO_PATHS = (
    b"GET /../../etc/passwd HTTP/1.1",
    b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1",
    b"GET /v1/%2e%2e%2f%2e%2e%2fkeys.json HTTP/1.1",
    b"GET //etc/passwd HTTP/1.1",
    b"GET /v1/status/../../keys.json HTTP/1.1",
    b"GET /v1/confirmations/..%2f..%2fkeys.json HTTP/1.1",
    b"GET /keys.json%00 HTTP/1.1",
)
NO_REQUESTS = (
    b"GET file:///etc/passwd HTTP/1.1",
    b"GET http://[::1 HTTP/1.1",
    b"GET \xff\xfe HTTP/1.1",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 20_000,
    b"GET /healthz HTTP/1.1\r\n" + b"\r\n".join(b"X%d: a" % one for one in range(300)),
    b"POST /kill HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
    b"POST /kill HTTP/1.1\r\nContent-Length: -4",
)


async def test_what_is_no_path_or_request_is_refused_and_not_repeated(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for line in (*NO_PATHS, *NO_REQUESTS):
            said = await _until_cut(web, line + b"\r\nHost: a\r\nConnection: close\r\n\r\n")

            assert said[8:12] in {b" 400", b" 404", b" 405"}, (line, said[:200])
            assert b"application/problem+json" in said
            assert b"Server: syndicate" in said
            assert b"passwd" not in said
            assert b"argon2" not in said
    assert not caplog.records  # whoever sends such fills no log


@pytest.mark.parametrize(
    ("named", "counted"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["[2001:db8::7]:4711"], "2001:db8::/64"),
        (["2001:db8:0:0:ffff::1"], "2001:db8::/64"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["a-name"], "unknown"),
        (["203.0.113.7, "], "unknown"),
        (["1" * 5_000], "unknown"),
        ([" "], "127.0.0.1"),
        ([], "127.0.0.1"),
    ],
)
def test_what_a_proxy_names_is_an_address_or_nobodys(named: list[str], counted: str) -> None:
    headers = SimpleNamespace(getall=lambda _name, _default: named)
    request: Any = SimpleNamespace(headers=headers, remote="127.0.0.1")

    assert who_asks(request, trusts_proxy=True) == counted
    assert who_asks(request, trusts_proxy=False) == "127.0.0.1"


async def test_what_came_to_the_proxy_without_tls_is_refused_and_a_kill_is_not(
    tmp_path: Path, made_keys: Made
) -> None:
    async with serving(tmp_path, made_keys, FakeFacade(), trusts_proxy=True) as web:
        for said, expected in (
            ("https", HTTPStatus.OK),
            ("http", HTTPStatus.FORBIDDEN),
            ("https, http", HTTPStatus.FORBIDDEN),
        ):
            headers = {"X-Forwarded-Proto": said}
            assert (await web.ask("GET", "/v1/status", headers=headers))[0] == expected
        assert (await web.ask("POST", "/kill", headers=headers))[0] == HTTPStatus.OK


async def test_a_compressed_body_is_not_unpacked(web: Web) -> None:
    packed = gzip.compress(b"{}")
    status, problem = await web.ask(
        "POST", "/v1/commands/status", raw=packed, headers={"Content-Encoding": "gzip"}
    )

    assert status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    assert problem["detail"] == "a body is sent as it is, not compressed"
