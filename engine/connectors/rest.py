"""GET from a venue's public REST endpoint, within the venue's rate and our own limits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp

from engine.domain.errors import TransientError

_TOO_MANY = (418, 429)
"""429, and 418 by which Binance tells a client that goes on after a 429."""

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
        burst_max: requests that may go out at once after a pause.
        retry_s: pause before the second attempt, doubled before each further one.
        retry_after_s_max: the longest pause that a venue may ask for.
    """

    timeout_s: float = 10.0
    answer_bytes_max: int = 32 * 1024 * 1024
    attempts_max: int = 4
    burst_max: int = 4
    retry_s: float = 0.5
    retry_after_s_max: float = 60.0


class _RefusedError(TransientError):
    """An answer that another attempt may better; `pause_s` is what the venue asked for."""

    def __init__(self, why: str, *, pause_s: float = 0.0) -> None:
        super().__init__(why)
        self.pause_s = pause_s


class RestClient:
    """One venue's REST endpoint. Requests share the venue's rate; a 429 pauses all of them."""

    def __init__(
        self,
        *,
        client: aiohttp.ClientSession,
        base_url: str,
        requests_per_s_max: float,
        limits: RestLimits,
        now_ns: Callable[[], int],
    ) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._interval_s = 1.0 / requests_per_s_max
        self._limits = limits
        self._now_ns = now_ns
        self._free_at_s = 0.0
        self._paused_until_s = 0.0

    async def get(self, path: str) -> bytes:
        """Return the body of the answer to GET `path`.

        Raises:
            TransientError: no answer after all attempts, or one that another attempt cannot better.
        """
        pause_s = self._limits.retry_s
        for attempt in range(1, self._limits.attempts_max + 1):
            await self._wait_for_turn()
            try:
                return await self._attempt(path)
            except _RefusedError as refused:
                if refused.pause_s:
                    self._pause(refused.pause_s)
                if attempt == self._limits.attempts_max:
                    why = f"{refused} (attempt {attempt} of {self._limits.attempts_max})"
                    raise TransientError(f"GET {path}: {why}") from refused
                if not refused.pause_s:
                    await asyncio.sleep(pause_s)
                    pause_s *= 2
        raise TransientError(f"GET {path}: no attempt allowed")

    async def _attempt(self, path: str) -> bytes:
        timeout = aiohttp.ClientTimeout(total=self._limits.timeout_s)
        try:
            async with self._client.get(self._base_url + path, timeout=timeout) as answer:
                if answer.status in _TOO_MANY:
                    pause_s = self._retry_after_s(answer.headers.get("Retry-After", ""))
                    raise _RefusedError(f"status {answer.status}", pause_s=pause_s)
                if answer.status >= _SERVER_ERROR:
                    raise _RefusedError(f"status {answer.status}")
                if answer.status != _OK:
                    raise TransientError(f"GET {path}: status {answer.status}")
                return await self._body(answer, path)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _RefusedError(f"{type(error).__name__}: {error}") from error

    async def _body(self, answer: aiohttp.ClientResponse, path: str) -> bytes:
        chunks = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            chunks += chunk
            if len(chunks) > self._limits.answer_bytes_max:
                limit = self._limits.answer_bytes_max
                raise TransientError(f"GET {path}: answer larger than {limit} bytes")
        return bytes(chunks)

    async def _wait_for_turn(self) -> None:
        """Wait for a turn: a bucket of `burst_max` turns that fills at the venue's rate."""
        now_s = asyncio.get_running_loop().time()
        full_s = now_s - (self._limits.burst_max - 1) * self._interval_s
        turn_s = max(self._free_at_s, full_s)
        self._free_at_s = turn_s + self._interval_s
        while (wait_s := max(turn_s, self._paused_until_s) - now_s) > 0:
            await asyncio.sleep(wait_s)
            now_s = asyncio.get_running_loop().time()

    def _pause(self, pause_s: float) -> None:
        until_s = asyncio.get_running_loop().time() + pause_s
        self._paused_until_s = max(self._paused_until_s, until_s)

    def _retry_after_s(self, text: str) -> float:
        """Read Retry-After: seconds or a date; a pause of our own choice if it is neither."""
        try:
            pause_s = float(text)
        except ValueError:
            try:
                at_s = parsedate_to_datetime(text).timestamp()
            except ValueError:
                return self._interval_s + self._limits.retry_s
            pause_s = at_s - self._now_ns() / 1e9
        return min(max(pause_s, self._limits.retry_s), self._limits.retry_after_s_max)


@asynccontextmanager
async def open_rest(
    *,
    base_url: str,
    requests_per_s_max: float,
    limits: RestLimits,
    now_ns: Callable[[], int],
) -> AsyncIterator[RestClient]:
    """Open a REST client of its own connections, closed at the end of the block."""
    async with aiohttp.ClientSession() as client:
        yield RestClient(
            client=client,
            base_url=base_url,
            requests_per_s_max=requests_per_s_max,
            limits=limits,
            now_ns=now_ns,
        )
