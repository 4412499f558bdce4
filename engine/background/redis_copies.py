"""Copies of what tasks keep, in a Redis server; a file of its own, as few load that library."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from engine.background.sealed import Kind
from engine.bus.background_copies import TaskCopy
from engine.bus.redis_client import FAILURES, Within, connect, shown
from engine.domain.errors import TransientError

REDIS_S: Final = 5.0
"""Longest wait for the server, to put copies and to get them."""
EXPIRE_S: Final = 30 * 86_400
SPACE: Final = "syndicate:background:1"


class RedisStore:
    """Copies in a Redis server, at hand for a start without the data folder."""

    def __init__(self, url: str) -> None:
        self.name = f"Redis at {shown(url)}"
        self._client: Redis = connect(url)
        self._within = Within()

    async def keep(self, copies: Sequence[TaskCopy]) -> None:
        """See `CopyStore.keep`."""
        for one in copies:
            key, value = _key(one.task, one.kind), msgspec.msgpack.encode(one)
            await self._call(self._client.set(key, value, ex=EXPIRE_S))

    async def load(self, task: str) -> list[TaskCopy]:
        """See `CopyStore.load`."""
        found = await self._call(self._client.mget([_key(task, kind) for kind in Kind]))
        copies = []
        for value in found:
            try:
                copies.append(msgspec.msgpack.decode(value or b"", type=TaskCopy))
            except msgspec.MsgspecError:  # none, or what others put there
                continue
        return [one for one in copies if one.task == task]

    async def aclose(self) -> None:
        """See `CopyStore.aclose`."""
        await self._within.aclose()
        await self._client.aclose()

    async def _call(self, call: Any) -> Any:
        async def made() -> Any:
            return await call

        try:
            return await self._within.run(made(), timeout_s=REDIS_S)
        except TimeoutError as error:
            raise TransientError(f"{self.name} did not answer within {REDIS_S:g} s") from error
        except FAILURES as error:
            raise TransientError(f"{self.name}: {error}") from error


def _key(task: str, kind: int) -> str:
    return f"{SPACE}:{task}:{int(kind)}"
