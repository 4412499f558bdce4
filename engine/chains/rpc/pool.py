"""Several providers of one chain as one node."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Final

from engine.chains.ports import Json, NodeError, Topic
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.links import LinkLimits, Way
from engine.chains.rpc.messages import Asked
from engine.chains.rpc.provider import Provider
from engine.chains.rpc.troubles import ProviderError, Trouble

_FINAL: Final = (Trouble.REVERTED, Trouble.TOO_MANY)
"""What another provider would answer too."""


class ProviderPool:
    """A chain's providers as one node: whoever cannot answer is followed by the next."""

    def __init__(self, providers: Sequence[Provider], limits: LinkLimits) -> None:
        self.providers: Final = tuple(providers)
        self._limits = limits

    async def request(self, method: str, *params: Json) -> Json:
        """Ask one thing."""
        [answer] = await self.batch([(method, params)])
        if isinstance(answer, NodeError):
            raise answer
        return answer

    async def batch(self, asked: Sequence[Asked]) -> list[Json | NodeError]:
        """Ask several things of one and the same provider."""
        if not asked:
            return []
        last = ProviderError(Trouble.DISCONNECTED, "no provider")
        for provider in self.providers:
            try:
                return [*await provider.ask(asked, within_s=self._limits.answer_s)]
            except ProviderError as error:
                last = error
        raise last

    async def subscribe(
        self, topic: Topic, params: Mapping[str, Json] | None = None
    ) -> AsyncGenerator[Json, None]:
        """Give what the first provider tells that has subscriptions."""
        for provider in self.providers:
            if provider.has_subscriptions:
                async with aclosing(provider.subscribe(topic, params)) as told:
                    async for word in told:
                        yield word
        raise ProviderError(Trouble.DISCONNECTED, "no provider has subscriptions")


@asynccontextmanager
async def open_pool(
    accesses: Sequence[Access], way: Way, limits: LinkLimits | None = None
) -> AsyncIterator[ProviderPool]:
    """Open the providers of one chain for the block."""
    limits = limits or LinkLimits()
    async with AsyncExitStack() as stack:
        providers = [Provider(access, way, limits) for access in accesses]
        for provider in providers:
            stack.push_async_callback(provider.close)
        yield ProviderPool(providers, limits)
