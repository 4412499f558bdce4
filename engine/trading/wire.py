"""The way of signed calls to one venue over HTTP, on connections that are kept open.

A call is written once: nothing here follows a redirection or tries again, as a second send may make
a second order. What has no answer has none.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp
from aiohttp_socks import ProxyConnector, ProxyError
from yarl import URL

from engine.connectors.limiter import BANNED, Limiter
from engine.gateways.calls import SignedCall

CALL_S: Final = 5.0
"""From the first byte of a call to the last of its answer."""

ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
_CHUNK_BYTES: Final = 65_536
_REFUSALS: Final = (BANNED, 429)
_WRITTEN_BY_US: Final = frozenset({"content-length", "host"})


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


class HttpWire:
    """Obeys `Wire`.

    Args:
        client: keeps connections; see `open_client`.
        base_url: of the venue.
        limiter: hears how the venue wants to be asked.
    """

    def __init__(self, client: aiohttp.ClientSession, base_url: str, limiter: Limiter) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._limiter = limiter

    async def send(self, call: SignedCall) -> Reply | str:
        """See `Wire.send`."""
        headers = {k: v for k, v in call.headers.items() if k.lower() not in _WRITTEN_BY_US}
        try:
            async with (
                asyncio.timeout(CALL_S),
                self._client.request(
                    call.method,
                    URL(self._base_url + call.target, encoded=True),
                    headers=headers,
                    data=call.body or None,
                    allow_redirects=False,
                ) as answer,
            ):
                retry_after = answer.headers.get("Retry-After", "")
                if answer.status in _REFUSALS or retry_after:
                    self._limiter.refused(answer.status, retry_after)
                return Reply(answer.status, await _body(answer))
        except TimeoutError:
            return f"no answer within {CALL_S:g} s"
        except (aiohttp.ClientError, ProxyError, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    chunks = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
        chunks += chunk
        if len(chunks) > ANSWER_BYTES_MAX:
            raise ValueError(f"an answer of more than {ANSWER_BYTES_MAX} bytes")
    return bytes(chunks)


def open_client(proxy: str | None = None) -> aiohttp.ClientSession:
    """Return a client that keeps connections for longer than between two readings, and no cookies.

    `proxy` resolves names, too; without one addresses are reached directly.
    """
    connector: aiohttp.BaseConnector = (
        aiohttp.TCPConnector(keepalive_timeout=KEPT_S)
        if proxy is None
        else ProxyConnector.from_url(proxy, rdns=True, keepalive_timeout=KEPT_S)
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


KEPT_S: Final = 75.0
"""An idle connection is kept so long; readings of the account come more often."""
