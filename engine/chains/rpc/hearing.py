"""What one provider of a pool tells by itself, for as long as it keeps up with the others."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Protocol

from engine.chains.ports import Json, Topic
from engine.chains.rpc.parsing import parse_block
from engine.chains.rpc.pool_limits import PoolLimits
from engine.chains.rpc.standing import Standing
from engine.chains.rpc.troubles import ProviderError, Trouble
from engine.domain.errors import BadValueError


class Pool(Protocol):
    """The pool, as what is heard needs it."""

    @property
    def limits(self) -> PoolLimits:
        """How long things may take."""
        ...

    def check_split(self) -> None:
        """Refuse all while providers do not agree on the chain."""
        ...

    def failed(self, standing: Standing, error: ProviderError) -> None:
        """Learn that a provider failed."""
        ...

    async def request(self, method: str, *params: Json) -> Json:
        """Ask one thing."""
        ...


async def hear(
    pool: Pool, standing: Standing, topic: Topic, params: Mapping[str, Json] | None
) -> AsyncGenerator[Json, None]:
    """Give what a subscription tells.

    Raises:
        ProviderError: it broke or fell silent, or its provider lies or is behind.
    """
    standing.spend([("eth_subscribe", [])])
    try:
        async with aclosing(standing.provider.subscribe(topic, params)) as told:
            async for word in told:
                _check_place(pool, standing)
                if topic is Topic.HEADS:
                    standing.knows(_number_of(word))
                yield word
    except ProviderError as error:
        if topic.is_optional and error.trouble is Trouble.REFUSED:
            standing.provider.troubles[error.trouble] += 1
        else:
            pool.failed(standing, error)
        raise


async def poll_heads(pool: Pool) -> AsyncGenerator[Json, None]:
    """Give each newest block that is found by asking again and again."""
    newest = ""
    while True:
        word = await pool.request("eth_getBlockByNumber", "latest", False)
        if word is not None and (block_hash := parse_block(word).hash) != newest:
            newest = block_hash
            yield word
        await asyncio.sleep(pool.limits.poll_s)


def _check_place(pool: Pool, standing: Standing) -> None:
    pool.check_split()
    if not standing.is_trusted:
        raise ProviderError(Trouble.DISAGREED, standing.why)
    if standing.lag > pool.limits.lag_max:
        raise ProviderError(Trouble.BEHIND, f"it is {standing.lag} blocks behind others")


def _number_of(word: Json) -> int:
    try:
        return parse_block(word).number
    except BadValueError as error:
        raise ProviderError(Trouble.BAD_SHAPE, str(error)) from None
