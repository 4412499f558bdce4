"""One proxy for all that leaves the machine: real proxies on loopback, names only they know."""

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from engine.connectors.limiter import Limiter
from engine.connectors.outbound import Outbound, open_outbound
from engine.connectors.rest import RestClient, RestLimits
from engine.domain.errors import TransientError
from engine.domain.network import is_loopback
from engine.ports import InputKind, RequestBudget
from tests.connectors.proxies import ProxyServer
from tests.connectors.test_session import Recorder, Venue, rest_server, running, venue_of


@pytest.fixture(params=["http", "socks5"])
async def proxy(request: pytest.FixtureRequest) -> AsyncIterator[ProxyServer]:
    async with ProxyServer(request.param, {}).serve() as serving:
        yield serving


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def rest_of(outbound: Outbound, url: str) -> RestClient:
    return RestClient(
        client=outbound.client_for(url),
        base_url=url,
        limiter=Limiter(RequestBudget(weight_per_s=1e4, weight_burst=10.0), now_ns=time.time_ns),
        limits=RestLimits(timeout_s=5.0, retry_s=0.01, attempts_max=2),
    )


async def test_a_request_goes_through_the_proxy_which_resolves_its_name(
    proxy: ProxyServer,
) -> None:
    async with rest_server(lambda _: web.Response(text="ok")) as url:
        proxy.ports["venue.test"] = port_of(url)
        async with open_outbound(proxy.url) as outbound:
            answer = await rest_of(outbound, f"http://venue.test:{port_of(url)}").get("/")

    assert answer == b"ok"
    assert proxy.asked == ["venue.test"]


async def test_a_feed_goes_through_the_proxy_which_resolves_its_name(proxy: ProxyServer) -> None:
    venue, recorder = Venue(), Recorder()
    venue.greetings = ["hello"]
    async with venue_of(venue) as url:
        proxy.ports["feed.test"] = port_of(url)
        far = f"ws://feed.test:{port_of(url)}"
        async with open_outbound(proxy.url) as outbound:
            through = outbound.websocket_proxy(far)
            async with running(far, recorder, proxy=through):
                await recorder.until(InputKind.FRAME)

    assert set(proxy.asked) == {"feed.test"}


async def test_loopback_never_goes_through_the_proxy(proxy: ProxyServer) -> None:
    async with (
        rest_server(lambda _: web.Response(text="ok")) as url,
        open_outbound(proxy.url) as outbound,
    ):
        assert await rest_of(outbound, url).get("/") == b"ok"
        assert outbound.websocket_proxy(url.replace("http", "ws")) is None

    assert proxy.asked == []


async def test_a_proxy_that_refuses_is_a_transient_error_with_its_reason(
    proxy: ProxyServer,
) -> None:
    async with open_outbound(proxy.url) as outbound:
        with pytest.raises(TransientError, match="Proxy"):
            await rest_of(outbound, "http://elsewhere.test:80").get("/")

    assert proxy.asked == ["elsewhere.test"] * 2


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("api.localhost.", True),
        ("localhost.example.com", False),
        ("10.0.0.1", False),
        ("api.telegram.org", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, *, is_here: bool) -> None:
    assert is_loopback(host) is is_here
