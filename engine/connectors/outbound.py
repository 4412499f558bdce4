"""How the connectors leave this machine: directly, or through the one proxy of the settings."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
from aiohttp_socks import ProxyConnector

from engine.domain.network import proxy_for


class Outbound:
    """Chooses the way to an address; loopback is always reached directly.

    Names are resolved by the proxy, so that a machine without a resolver of its own will do.
    """

    def __init__(
        self, direct: aiohttp.ClientSession, proxied: aiohttp.ClientSession, proxy: str | None
    ) -> None:
        self._direct = direct
        self._proxied = proxied
        self._proxy = proxy

    def client_for(self, url: str) -> aiohttp.ClientSession:
        """Return the HTTP client for an address."""
        return self._direct if proxy_for(url, self._proxy) is None else self._proxied

    def websocket_proxy(self, url: str) -> str | None:
        """Return the proxy of a WebSocket address, None for directly."""
        proxy = proxy_for(url, self._proxy)
        # By this scheme the library leaves names to the proxy.
        return None if proxy is None else proxy.replace("socks5://", "socks5h://", 1)


@asynccontextmanager
async def open_outbound(proxy: str | None) -> AsyncIterator[Outbound]:
    """Open the HTTP clients of a run, closed at the end of the block."""
    async with AsyncExitStack() as stack:
        direct = await stack.enter_async_context(aiohttp.ClientSession())
        proxied = direct
        if proxy is not None:
            connector = ProxyConnector.from_url(proxy, rdns=True)
            proxied = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        yield Outbound(direct, proxied, proxy)
