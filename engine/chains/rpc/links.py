"""How questions go to a provider and answers come back; this file has the way by HTTP.

Each wait has a deadline and each answer a largest size. An address holds a key, so that no error
repeats one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp
from aiohttp_socks import ProxyError

from engine.chains.ports import Json
from engine.chains.rpc.messages import Asked, answers_to, decode, encode
from engine.chains.rpc.troubles import ProviderError, Trouble
from engine.domain.traffic import Meter

_CHUNK_BYTES: Final = 65_536
_LIMITED: Final = (402, 429)
"""By the first Infura tells that a day's credits are spent."""

_SERVER_ERROR: Final = 500
_KEY_REFUSED: Final = (401, 403)
_REDIRECTS: Final = range(300, 400)

_HEADERS: Final = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
"""Unpacked sizes could not be bounded before they are unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLimits:
    """Limits of what goes to and fro.

    Attributes:
        answer_s: longest wait for a whole answer.
        answer_bytes_max: larger answers, and larger messages of a subscription, are given up.
        ping_s: a WebSocket is pinged so often, and is dead if no pong comes within as long.
        head_silence_s: heads that stay away for longer have ended, though the socket stands.
        sockets_kept: idle WebSockets kept for the next questions.
    """

    answer_s: float = 5.0
    answer_bytes_max: int = 8 * 1024 * 1024
    open_s: float = 5.0
    close_s: float = 1.0
    ping_s: float = 5.0
    head_silence_s: float = 60.0
    sockets_kept: int = 4


class Way(Protocol):
    """How the machine is left: directly, or through a proxy."""

    def client_for(self, url: str) -> aiohttp.ClientSession:
        """Return the HTTP client for an address."""
        ...

    def websocket_proxy(self, url: str) -> str | None:
        """Return the proxy of a WebSocket address, None for directly."""
        ...


Limited = Callable[[str], None]
"""Told of a refusal for asking too often: its Retry-After, empty if it has none."""


class Link(Protocol):
    """Takes questions to a provider."""

    async def ask(
        self, asked: Sequence[Asked], first_id: int, *, within_s: float
    ) -> list[Json | ProviderError]:
        """Return the answers in the order of the questions.

        Raises:
            ProviderError: there is none to any of them.
        """
        ...

    async def close(self) -> None:
        """Close what is kept open."""
        ...


class HttpLink:
    """Asks by POST."""

    def __init__(
        self,
        client: aiohttp.ClientSession,
        url: str,
        limits: LinkLimits,
        limited: Limited,
        *,
        meter: Meter | None = None,
    ) -> None:
        self._meter = meter or Meter()
        self._client = client
        self._url = url
        self._limits = limits
        self._limited = limited

    async def ask(
        self, asked: Sequence[Asked], first_id: int, *, within_s: float
    ) -> list[Json | ProviderError]:
        """Return what the answer's body says, also that of an error."""
        timeout = aiohttp.ClientTimeout(total=min(within_s, self._limits.answer_s))
        content = encode(asked, first_id)
        self._meter.sent_bytes += len(content)
        try:
            async with self._client.post(
                self._url,
                data=content,
                headers=_HEADERS,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                self._check(answer)
                body = await self._body(answer)
        except TimeoutError:
            raise ProviderError(Trouble.TIMEOUT, "no answer in time") from None
        except (aiohttp.ClientError, ProxyError, OSError, ValueError) as error:
            raise ProviderError(Trouble.DISCONNECTED, type(error).__name__) from None
        return answers_to(asked, first_id, decode(body, asked))

    async def close(self) -> None:
        """Leave the client to whom it belongs."""

    def _check(self, answer: aiohttp.ClientResponse) -> None:
        if trouble := trouble_of(answer.status):
            if trouble is Trouble.LIMITED:
                self._limited(answer.headers.get("Retry-After", ""))
            raise ProviderError(trouble, f"status {answer.status}")

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        most = self._limits.answer_bytes_max
        chunks = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            chunks += chunk
            self._meter.received_bytes += len(chunk)
            if len(chunks) > most:
                raise ProviderError(Trouble.OVERSIZE, f"an answer of over {most} bytes")
        return bytes(chunks)


def trouble_of(status: int) -> Trouble | None:
    """Return what is wrong with an answer of this HTTP status, None if its body is to be read."""
    if status in _LIMITED:
        return Trouble.LIMITED
    if status in _KEY_REFUSED:
        return Trouble.KEY_REFUSED
    if status >= _SERVER_ERROR or status in _REDIRECTS:
        return Trouble.HTTP_STATUS
    return None
