"""The way of signed calls to one venue over HTTP, on connections that are kept open.

A call is written once: nothing here follows a redirection or tries again, as a second send may make
a second order. What has no answer has none.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp
import h11
from aiohttp_socks import ProxyConnector
from python_socks import ProxyError

from engine.connectors.limiter import BANNED, Limiter
from engine.gateways.calls import Call, SignedCall
from engine.trading.connections import KEPT_S, Connections

CALL_S: Final = 5.0
"""From the first byte of a call to the last of its answer."""

_REFUSALS: Final = (BANNED, 429)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whoever gave it: a proxy's page is one, too."""

    status: int
    body: bytes


class Wire(Protocol):
    """Takes a call to its venue."""

    async def send(self, call: SignedCall) -> Reply | str:
        """Send a call; return its answer, or why there is none."""
        ...

    def rehearse(self, call: Call) -> None:
        """Go through writing a call that nobody signed; nothing is written."""
        ...


class HttpWire:
    """Obeys `Wire`.

    Attributes:
        connections: to the venue.

    Args:
        connections: to the venue.
        limiter: hears how the venue wants to be asked.
    """

    def __init__(self, connections: Connections, limiter: Limiter) -> None:
        self.connections: Final = connections
        self._limiter = limiter

    async def send(self, call: SignedCall) -> Reply | str:
        """See `Wire.send`."""
        try:
            async with asyncio.timeout(CALL_S):
                answer = await self.connections.ask(
                    call.method, call.target, call.headers, call.body
                )
        except TimeoutError:
            return f"no answer within {CALL_S:g} s"
        except (h11.ProtocolError, ProxyError, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        if answer.status in _REFUSALS or answer.retry_after:
            self._limiter.refused(answer.status, answer.retry_after)
        return Reply(answer.status, answer.body)

    def rehearse(self, call: Call) -> None:
        """See `Wire.rehearse`."""
        self.connections.rehearse(call.method, call.path)


def open_client(proxy: str | None = None) -> aiohttp.ClientSession:
    """Return a client for user streams, without cookies.

    `proxy` resolves names, too; without one addresses are reached directly.
    """
    connector: aiohttp.BaseConnector = (
        aiohttp.TCPConnector(keepalive_timeout=KEPT_S)
        if proxy is None
        else ProxyConnector.from_url(proxy, rdns=True, keepalive_timeout=KEPT_S)
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
