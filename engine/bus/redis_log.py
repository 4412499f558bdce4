"""A log in a Redis stream, for consumers on several machines.

Appending, and moving a position, are scripts: numbers rise without a gap, and what the slowest
consumer has had is trimmed with the move. Nothing is ever dropped by its age or number: a log that
is full refuses, and says who is behind.
"""

from collections.abc import Coroutine, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec
from redis.exceptions import ResponseError

from engine.bus.log import Entry, Item
from engine.bus.redis_client import FAILURES, LOOK_S, SPACE, Within, connect, shown
from engine.bus.wire import encode
from engine.domain.errors import FatalError, TransientError

ENTRIES_MAX: Final = 100_000
CALL_S: Final = 5.0
NEEDED: Final = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
}
"""With anything else a server acknowledges what it may lose."""

_APPEND: Final = """
local count = redis.call('XLEN', KEYS[1])
if count + #ARGV - 1 > tonumber(ARGV[1]) then return -1 end
for i = 2, #ARGV do
  redis.call('XADD', KEYS[1], redis.call('INCR', KEYS[2]) .. '-0', 'item', ARGV[i])
end
return count
"""
_DONE: Final = """
local newest = tonumber(redis.call('GET', KEYS[2]) or '0')
local position = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '0')
redis.call('HSET', KEYS[3], ARGV[1], math.max(position, math.min(tonumber(ARGV[2]), newest)))
local slowest = newest
for _, one in ipairs(redis.call('HVALS', KEYS[3])) do slowest = math.min(slowest, tonumber(one)) end
redis.call('XTRIM', KEYS[1], 'MINID', (slowest + 1) .. '-0')
"""

T = TypeVar("T")


class RefusedError(TransientError):
    """The server does not do what it was asked."""


class RedisLog(Generic[Item]):
    """Obeys `Log`.

    Args:
        url: of the server.
        name: of the log.
        kind: what its items are, for their decoder.
    """

    def __init__(self, url: str, name: str, kind: Any, *, entries_max: int = ENTRIES_MAX) -> None:
        self._where = shown(url)
        self._client: Any = connect(url)
        self._within = Within()
        self._decoder: msgspec.msgpack.Decoder[Item] = msgspec.msgpack.Decoder(kind)
        self._entries_max = entries_max
        self._stream, self._newest, self._positions = (
            f"{SPACE}:log:{name}{part}" for part in ("", ":newest", ":positions")
        )

    async def check(self) -> None:
        """Make sure that the server keeps what it acknowledges.

        Raises:
            FatalError: it does not, or does not say.
            TransientError: it is away.
        """
        wrong = []
        for key, value in NEEDED.items():
            try:
                found = (await self._run(self._client.config_get(key))).get(key)
            except RefusedError as error:
                raise FatalError(
                    f"the Redis server at {self._where} does not say what it keeps ({error}): "
                    "let its user run CONFIG GET"
                ) from error
            if found != value:
                wrong.append(f"{key} {found}")
        if wrong:
            asked = ", ".join(f"{key} {value}" for key, value in NEEDED.items())
            raise FatalError(
                f"the Redis server at {self._where} may lose what it acknowledged "
                f"({', '.join(wrong)}): set {asked}"
            )

    async def append(self, items: Sequence[Item], /) -> None:
        """See `Log.append`."""
        payloads = [encode(item) for item in items]
        keys = (self._stream, self._newest)
        work = self._client.eval(_APPEND, len(keys), *keys, self._entries_max, *payloads)
        if await self._run(work) < 0:
            raise TransientError(f"the log at {self._where} is full: {await self._slowest()}")

    async def read(
        self, consumer: str, /, *, after: int | None = None, limit: int = 100, wait_s: float = 0
    ) -> list[Entry[Item]]:
        """See `Log.read`."""
        await self._run(self._client.hsetnx(self._positions, consumer, 0))
        if after is None:
            after = int(await self._run(self._client.hget(self._positions, consumer)))
        left_s = wait_s
        while True:
            block_ms = max(1, int(min(left_s, LOOK_S) * 1_000)) if left_s > 0 else None
            found = await self._run(
                self._client.xread({self._stream: f"{after}-0"}, count=limit, block=block_ms)
            )
            left_s -= LOOK_S
            if found or left_s <= 0:
                break
        entries = found[0][1] if found else []
        return [
            Entry(int(number.partition(b"-")[0]), self._decoder.decode(fields[b"item"]))
            for number, fields in entries
        ]

    async def done(self, consumer: str, seq: int, /) -> None:
        """See `Log.done`."""
        keys = (self._stream, self._newest, self._positions)
        await self._run(self._client.eval(_DONE, len(keys), *keys, consumer, seq))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._within.aclose()
        await self._client.aclose()

    async def _slowest(self) -> str:
        positions = await self._run(self._client.hgetall(self._positions))
        if not positions:
            return "nobody reads it"
        name, position = min(positions.items(), key=lambda one: int(one[1]))
        return f"{name.decode()} had no more than {int(position)} of it"

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return await self._within.run(work, timeout_s=CALL_S)
        except TimeoutError as error:
            raise TransientError(
                f"the bus at {self._where} did not answer within {CALL_S:g} s; try again"
            ) from error
        except ResponseError as error:
            raise RefusedError(str(error)) from error
        except FAILURES as error:
            raise TransientError(f"the bus at {self._where} is away: {error}; try again") from error
