"""GET from a venue's public REST endpoint, at the venue's pace and within our own limits."""

import asyncio
import math
from dataclasses import dataclass

import aiohttp
from aiohttp_socks import ProxyError

from engine.connectors.limiter import BANNED, Limiter
from engine.domain.backoff import Backoff
from engine.domain.errors import TransientError
from engine.domain.recovery import VENUE_REQUEST

TOO_MANY = (BANNED, 429)

_SERVER_ERROR = 500
_OK = 200
_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class RestLimits:
    """Limits of the REST client.

    Attributes:
        timeout_s: one attempt, from the request to the last byte.
        answer_bytes_max: larger answers are given up.
        attempts_max: attempts at one request before it has failed for good.
        retry_s: pause before the second attempt, doubled before each further one.
    """

    timeout_s: float = 10.0
    answer_bytes_max: int = 32 * 1024 * 1024
    attempts_max: int = 4
    retry_s: float = 0.5


class _RefusedError(TransientError):
    """An answer that another attempt may better; the venue may have asked for a wait before it."""

    def __init__(self, why: str, *, is_wait_asked: bool = False) -> None:
        super().__init__(why)
        self.is_wait_asked = is_wait_asked


class RestClient:
    """One venue's REST endpoint.

    Attributes:
        limiter: gives the turns; whatever else speaks to the venue shares it.
    """

    def __init__(
        self,
        *,
        client: aiohttp.ClientSession,
        base_url: str,
        limiter: Limiter,
        limits: RestLimits,
    ) -> None:
        self.limiter = limiter
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._limits = limits

    async def get(self, path: str) -> bytes:
        """Return the body of the answer to GET `path`.

        Raises:
            TransientError: no answer after all attempts, or one that another attempt cannot better.
        """
        backoff = Backoff(VENUE_REQUEST, first_s=self._limits.retry_s, longest_s=math.inf)
        for attempt in range(1, self._limits.attempts_max + 1):
            await self.limiter.turn(path)
            try:
                answer = await self._attempt(path)
            except _RefusedError as refused:
                if attempt == self._limits.attempts_max:
                    backoff.give_up()
                    why = f"{refused} (attempt {attempt} of {self._limits.attempts_max})"
                    raise TransientError(f"GET {path}: {why}") from refused
                if refused.is_wait_asked:
                    backoff.failed()
                else:
                    await asyncio.sleep(backoff.next_s())
            else:
                backoff.reset()
                return answer
        raise TransientError(f"GET {path}: no attempt allowed")

    async def _attempt(self, path: str) -> bytes:
        timeout = aiohttp.ClientTimeout(total=self._limits.timeout_s)
        try:
            async with self._client.get(self._base_url + path, timeout=timeout) as answer:
                retry_after = answer.headers.get("Retry-After", "")
                if answer.status in TOO_MANY or (retry_after and answer.status != _OK):
                    self.limiter.refused(answer.status, retry_after)
                    raise _RefusedError(f"status {answer.status}", is_wait_asked=True)
                self.limiter.answered(answer.headers)
                if answer.status >= _SERVER_ERROR:
                    raise _RefusedError(f"status {answer.status}")
                if answer.status != _OK:
                    raise TransientError(f"GET {path}: status {answer.status}")
                return await self._body(answer, path)
        except (aiohttp.ClientError, ProxyError, TimeoutError, OSError) as error:
            raise _RefusedError(f"{type(error).__name__}: {error}") from error

    async def _body(self, answer: aiohttp.ClientResponse, path: str) -> bytes:
        chunks = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            chunks += chunk
            self.limiter.meter.received_bytes += len(chunk)
            if len(chunks) > self._limits.answer_bytes_max:
                limit = self._limits.answer_bytes_max
                raise TransientError(f"GET {path}: answer larger than {limit} bytes")
        return bytes(chunks)
