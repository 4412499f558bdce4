"""One provider of a chain, asked with one key: its ways in, and what became of its answers."""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Final

from engine.chains.ports import Json, Topic
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.links import HttpLink, Limited, Link, LinkLimits, Way
from engine.chains.rpc.messages import Asked
from engine.chains.rpc.sockets import SocketLink
from engine.chains.rpc.troubles import ProviderError, Trouble
from engine.domain.traffic import METERS


class Provider:
    """Asks one provider; nothing is tried twice here.

    Attributes:
        name: host and a number, never a key.
        troubles: how often it gave no answer, by kind.
        meter: counts what is used of its host, by all chains of this process.
    """

    def __init__(self, access: Access, way: Way, limits: LinkLimits, limited: Limited) -> None:
        self.name: Final = access.name
        self.access: Final = access
        self.troubles: Final = Counter[Trouble]()
        self.meter: Final = METERS.of(f"rpc/{access.host}")
        self._socket: SocketLink | None = None
        self._link: Link
        self._number = 1
        if access.socket_url is not None:
            proxy = way.websocket_proxy(access.socket_url)
            self._link = self._socket = SocketLink(
                access.socket_url, proxy, limits, limited, meter=self.meter
            )
        if access.http_url is not None:
            client = way.client_for(access.http_url)
            self._link = HttpLink(client, access.http_url, limits, limited, meter=self.meter)
        self.has_subscriptions: Final = self._socket is not None

    async def ask(self, asked: Sequence[Asked], *, within_s: float) -> list[Json | ProviderError]:
        """Return the answers in the order of the questions.

        Raises:
            ProviderError: there is none to any of them.
        """
        first_id = self._number
        self._number += len(asked)
        return await self._link.ask(asked, first_id, within_s=within_s)

    async def subscribe(
        self, topic: Topic, params: Mapping[str, Json] | None = None
    ) -> AsyncGenerator[Json, None]:
        """Give what a subscription tells until its connection breaks or falls silent.

        Raises:
            ProviderError: it ended, or could not be had.
        """
        if self._socket is None:
            raise ProviderError(Trouble.REFUSED, "no WebSocket address")
        async with aclosing(self._socket.subscribe(topic, params)) as told:
            async for word in told:
                yield word

    async def close(self) -> None:
        """Close what is kept open."""
        if self._socket is not None:
            await self._socket.close()
