"""The venues' doors: WebSocket upgrades go to sessions, everything else to REST answers."""

import asyncio

from aiohttp import hdrs, web

from engine.sandbox.client import Client
from engine.sandbox.connection import serve_client
from engine.sandbox.dialects.base import RestAnswer
from engine.sandbox.exchange.front import USER, PrivateFront
from engine.sandbox.fault_script import FaultKind
from engine.sandbox.settings import SandboxSettings
from engine.sandbox.stage import Market, Stage

JSON = "application/json"
BITSTAMP = "bitstamp"
MAINTENANCE_PAGE = "<!DOCTYPE html><html><body>We are down for maintenance.</body></html>"


class Front:
    """Routes requests to venues and commits the faults of REST requests."""

    def __init__(self, stage: Stage, settings: SandboxSettings, accounts: PrivateFront) -> None:
        self._stage = stage
        self._accounts = accounts
        self._settings = settings
        self._cached: dict[str, tuple[int, RestAnswer]] = {}

    def add_routes(self, application: web.Application) -> None:
        """Add the venues' paths to an application."""
        for method in (hdrs.METH_GET, hdrs.METH_POST, hdrs.METH_DELETE):
            application.router.add_route(method, "/{venue}/{tail:.*}", self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        market = self._stage.markets.get(request.match_info["venue"])
        if market is None:
            raise web.HTTPNotFound
        if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            return await self._connect(request, market)
        path = "/" + request.match_info["tail"]
        if self._accounts.is_private(market.dialect.venue, request.method, path):
            return await self._accounts.answer(request)
        if request.method != hdrs.METH_GET:
            raise web.HTTPNotFound
        return await self._answer_rest(request, market)

    async def _connect(self, request: web.Request, market: Market) -> web.StreamResponse:
        name, _, path = request.match_info["tail"].partition("/")
        feed = market.dialect.feeds.get(name)
        is_user = name == USER and market.dialect.venue in self._accounts.accounts
        if feed is None and not is_user:
            raise web.HTTPNotFound
        if sum(1 for _ in self._stage.clients()) >= self._settings.clients_max:
            self._stage.counts["clients_refused"] += 1
            raise web.HTTPServiceUnavailable(text="too many clients")
        if feed is None:
            return await self._accounts.connect(request, f"/{path}")
        client = Client(
            venue=market.dialect.venue,
            feed=name,
            session=feed.open(market, path, request.query),
            frames_max=self._settings.queue_frames_max,
            bytes_max=self._settings.queue_bytes_max,
        )
        return await serve_client(
            request, stage=self._stage, market=market, client=client, feed=feed
        )

    async def _answer_rest(self, request: web.Request, market: Market) -> web.Response:
        venue = market.dialect.venue
        self._stage.counts[f"rest_{venue}"] += 1
        fault = self._stage.box.take_request(venue, self._stage.now_ns)
        if fault is not None and fault.fault is FaultKind.HTTP_429:
            headers = {hdrs.RETRY_AFTER: str(max(1, round(fault.duration_s)))}
            body = market.dialect.rate_limited
            return web.Response(status=429, body=body, content_type=JSON, headers=headers)
        if fault is not None and fault.fault is FaultKind.HTTP_5XX:
            return web.Response(status=fault.status, text="<html>unavailable</html>")
        if market.is_page:
            return web.Response(text=MAINTENANCE_PAGE, content_type="text/html")
        answer = self._make_answer(request, market)
        if fault is not None:
            # A slow answer was true when it was made, not when it arrives.
            await asyncio.sleep(fault.duration_s / self._settings.speed)
        if answer is None:
            return web.Response(status=404, body=b'{"error":"not found"}', content_type=JSON)
        return web.Response(status=answer.status, body=answer.body, content_type=JSON)

    def _make_answer(self, request: web.Request, market: Market) -> RestAnswer | None:
        path = "/" + request.match_info["tail"]
        keep_ns = int(self._settings.bitstamp_cache_s * 1e9)
        if market.dialect.venue != BITSTAMP or not keep_ns:
            return market.dialect.rest(market, path, request.query)
        kept = self._cached.get(path)
        if kept is not None and self._stage.now_ns - kept[0] < keep_ns:
            return kept[1]
        answer = market.dialect.rest(market, path, request.query)
        if answer is not None:
            self._cached[path] = (self._stage.now_ns, answer)
        return answer
