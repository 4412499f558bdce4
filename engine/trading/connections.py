"""Connections to one venue that are kept open: a call is written at once, on one that is there.

HTTP/1.1, one call at a time on each. While all are in use another one is opened ahead, so that an
order never waits for a handshake behind a reading. Nothing is compressed and nothing tried again.
"""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlsplit

import h11
from python_socks.async_.asyncio import Proxy

log = logging.getLogger(__name__)

KEPT_S: Final = 75.0
"""An idle connection is used again for so long; readings of the account come more often."""

CONNECT_S: Final = 5.0
CONNECTIONS_MAX: Final = 8
ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
_BODILESS: Final = frozenset({"GET", "HEAD", "DELETE"})
_HEAD: Final = re.compile(
    r"[A-Z]+ [!-~]+ HTTP/1\.1\r\n(?:[A-Za-z0-9-]+: [!-~](?:[ -~]*[!-~])?\r\n)+\r\n"
)
_OURS: Final = frozenset({"content-length", "host", "accept-encoding", "connection"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        retry_after: as the header says; empty without one.
    """

    status: int
    retry_after: str
    body: bytes


class Connections:
    """See the module.

    Attributes:
        open: all that are.

    Args:
        base_url: of the venue.
        proxy: through which it is reached, names resolved there; None for directly.
    """

    def __init__(self, base_url: str, *, proxy: str | None = None) -> None:
        url = urlsplit(base_url)
        is_tls = url.scheme == "https"
        self._host = url.hostname or ""
        self._port = url.port or (443 if is_tls else 80)
        self._host_header = url.netloc.rpartition("@")[2]
        self._prefix = url.path.rstrip("/")
        self._tls = ssl.create_default_context() if is_tls else None
        self._proxy = proxy
        self._idle: list[_Connection] = []
        self._opening: asyncio.Task[None] | None = None
        self.open: Final[set[_Connection]] = set()

    async def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Write a call, once, and wait for its answer.

        Raises:
            OSError: there is no connection, or it ended.
            h11.ProtocolError: it cannot be written so, or what came is no answer.
            ValueError: the answer is too long.
        """
        head = self._head(method, target, headers, body)
        connection = self._taken() or await self._connected()
        try:
            answer = connection.ask(method, head, body)
            self._open_ahead()
            return await answer
        except BaseException:
            connection.close()  # what comes later is nobody's
            raise
        finally:
            if connection.is_ready:
                self._idle.append(connection)

    def rehearse(self, method: str, target: str) -> None:
        """Go through writing a call; nothing is written."""
        self._head(method, target, {"Content-Type": "application/json"}, b"{}")

    async def aclose(self) -> None:
        """Close all."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        for one in [*self.open]:
            one.close()

    def _head(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return all of a call before its body.

        Raises:
            h11.LocalProtocolError: something in it would make another call of it.
        """
        written = [("Host", self._host_header)]
        written += [(name, value) for name, value in headers.items() if name.lower() not in _OURS]
        names = {name.lower() for name, _ in written}
        if "user-agent" not in names:
            written.append(("User-Agent", "syndicate"))
        written.append(("Accept-Encoding", "identity"))
        if body or method not in _BODILESS:
            written.append(("Content-Length", str(len(body))))
        if body and "content-type" not in names:
            written.append(("Content-Type", "application/octet-stream"))
        lines = [f"{method} {self._prefix}{target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in written]
        head = "\r\n".join((*lines, "", ""))
        # A value with an end of line in it would be a header, or a call, of its own.
        if not _HEAD.fullmatch(head) or head.count("\r\n") != len(lines) + 1:
            raise h11.LocalProtocolError("a call has in it what cannot be written so")
        return head.encode("ascii")

    def _taken(self) -> "_Connection | None":
        """Return the one that was used last, if it may still be used."""
        now_s = asyncio.get_running_loop().time()
        while self._idle:
            one = self._idle.pop()
            if one.is_ready and now_s - one.used_s < KEPT_S:
                return one
            one.close()
        return None

    def _open_ahead(self) -> None:
        is_busy = self._opening is not None and not self._opening.done()
        if not self._idle and not is_busy and len(self.open) < CONNECTIONS_MAX:
            self._opening = asyncio.get_running_loop().create_task(self._open_another())

    async def _open_another(self) -> None:
        try:
            self._idle.insert(0, await self._connected())
        except OSError as error:
            log.info("no further connection to %s: %s", self._host, error)

    async def _connected(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        name = self._host if self._tls is not None else None
        one = _Connection(self.open)
        async with asyncio.timeout(CONNECT_S):
            if self._proxy is None:
                await loop.create_connection(
                    lambda: one, self._host, self._port, ssl=self._tls, server_hostname=name
                )
            else:
                proxy = Proxy.from_url(self._proxy, rdns=True)
                socket = await proxy.connect(dest_host=self._host, dest_port=self._port)
                await loop.create_connection(
                    lambda: one, sock=socket, ssl=self._tls, server_hostname=name
                )
        return one


class _Connection(asyncio.Protocol):
    """One of them.

    Attributes:
        used_s: when it was used last, by the loop's clock.

    Args:
        among: all that are open.
    """

    def __init__(self, among: "set[_Connection]") -> None:
        self.used_s = 0.0
        self._among = among
        self._http = h11.Connection(h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._written = ""
        self._head: h11.Response | None = None
        self._body = bytearray()

    @property
    def is_ready(self) -> bool:
        """Whether a call may be written now."""
        transport = self._transport
        return (
            self._answer is None
            and transport is not None
            and not transport.is_closing()
            and self._http.our_state is h11.IDLE
        )

    def ask(self, method: str, head: bytes, body: bytes) -> "asyncio.Future[Answer]":
        """Write a call; return what its answer comes to."""
        assert self._transport is not None
        self._transport.write(head + body)
        self._written = method
        self._answer = asyncio.get_running_loop().create_future()
        return self._answer

    def close(self) -> None:
        """End it; what is waited for ends without an answer."""
        if self._transport is not None:
            self._transport.abort()
        self._fail(ConnectionError("the connection was closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self.used_s = asyncio.get_running_loop().time()
        self._among.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._among.discard(self)
        with contextlib.suppress(h11.ProtocolError, ValueError):
            self._hear(b"")  # an answer without a length ends so
        self._fail(ConnectionError(f"the connection ended: {exc}" if exc else "it ended"))

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        try:
            self._hear(data)
        except (h11.ProtocolError, ValueError) as error:
            self._fail(error)
            self.close()

    def _hear(self, data: bytes) -> None:
        if self._answer is None:
            self.close()  # nobody asked
            return
        self._note_call()
        self._http.receive_data(data)
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Response):
                self._head = event
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > ANSWER_BYTES_MAX:
                    raise ValueError(f"an answer of more than {ANSWER_BYTES_MAX} bytes")
            elif isinstance(event, h11.EndOfMessage):
                self._answered()
                return
            elif not isinstance(event, h11.InformationalResponse):
                return  # more is to come

    def _note_call(self) -> None:
        """Have the reader of answers know what was called, once one comes: not as it is written."""
        if self._written:
            self._http.send(_CALLED.get(self._written) or _called(self._written))
            self._http.send(h11.EndOfMessage())
            self._written = ""

    def _answered(self) -> None:
        head, body, answer = self._head, bytes(self._body), self._answer
        assert head is not None
        assert answer is not None
        self._head, self._answer = None, None
        self._body.clear()
        self.used_s = asyncio.get_running_loop().time()
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        if self._http.our_state is not h11.IDLE or self._http.trailing_data[0]:
            self.close()
        if not answer.done():
            said = dict(head.headers.raw_items())
            wait = next((said[name] for name in said if name.lower() == b"retry-after"), b"")
            answer.set_result(Answer(head.status_code, wait.decode("latin-1"), body))

    def _fail(self, why: Exception) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(why)


def _called(method: str) -> h11.Request:
    """Return a call by this method without a body: all that reading an answer depends on."""
    headers = [("Host", "venue"), ("Content-Length", "0")]
    return h11.Request(method=method, target="/", headers=headers)


_CALLED: Final = {method: _called(method) for method in ("GET", "POST", "DELETE")}
