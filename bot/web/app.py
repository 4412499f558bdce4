"""The HTTP front-end put together: one list of routes feeds the server and its description."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from bot.web.api_keys import ApiKeys
from bot.web.asking import asking_routes
from bot.web.commanding import Commanding
from bot.web.entering import entering_routes
from bot.web.guard import HEADERS, Guard
from bot.web.hooks.opening import Hooks, add_hooks
from bot.web.init_data import InitData
from bot.web.killing import killing_route
from bot.web.metrics import metrics_route
from bot.web.openapi import describe
from bot.web.page_files import page_routes
from bot.web.rates import Rates
from bot.web.route import BODY_BYTES_MAX, Route
from bot.web.sessions import OF_THE_CHAT, Sessions
from bot.web.streaming import streaming_route
from bot.web.tickets import Tickets, ticket_route
from bot.web.watching import watching_routes
from engine.domain.errors import FatalError
from engine.domain.people import Rank
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings
from engine.facade.web import WebTerms

HOST: Final = "127.0.0.1"
KEEP_ALIVE_S: Final = 30.0
CLOSE_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The application and what it is described by."""

    application: web.Application
    document: dict[str, Any]
    routes: list[Route]
    guard: Guard
    commanding: Commanding
    hooks: Hooks


def make_gateway(
    facade: Facade, settings: FrontEndSettings, terms: WebTerms, clock: Callable[[], int]
) -> Gateway:
    """Put the front-end together."""
    keys = ApiKeys(terms.directory)
    init_data = None if terms.page is None else InitData(terms.page, clock)
    guard = Guard(
        keys=keys,
        sessions=Sessions(ranks_of(keys, init_data), clock),
        tickets=Tickets(clock),
        rates=Rates(),
        trusts_proxy=terms.trusts_proxy,
    )
    closing = asyncio.Event()

    async def close(_application: web.Application) -> None:
        closing.set()

    commanding = Commanding(facade=facade, settings=settings, clock=clock, rates=guard.rates)
    routes = [
        *entering_routes(guard, init_data),
        *asking_routes(facade.ask),
        *commanding.routes(),
        killing_route(commanding),
        streaming_route(facade.ask, guard.rates, guard.counts, closing),
        ticket_route(guard.tickets),
        metrics_route(facade.ask, guard),
        *page_routes(),
    ]
    document: dict[str, Any] = {}
    routes += watching_routes(document)
    document.update(describe(routes))
    application = web.Application(middlewares=[guard.middleware()], client_max_size=BODY_BYTES_MAX)
    application.on_response_prepare.append(_add_headers)
    application.on_shutdown.append(close)
    for route in routes:
        application.router.add_route(route.method, route.path, guard.guarded(route))
    hooks = add_hooks(application, facade.ask, terms, clock)
    return Gateway(
        application=application,
        document=document,
        routes=routes,
        guard=guard,
        commanding=commanding,
        hooks=hooks,
    )


def ranks_of(keys: ApiKeys, init_data: InitData | None) -> Callable[[str], Rank | None]:
    """Return what says what whoever began a session may do now, by their key or their name."""

    def rank_of(name: str) -> Rank | None:
        if not name.startswith(OF_THE_CHAT):
            return keys.rank_of(name)
        person = None if init_data is None else init_data.person(name)
        return None if person is None else person.rank

    return rank_of


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    del request
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "syndicate"


@contextlib.asynccontextmanager
async def serve_gateway(gateway: Gateway, *, port: int) -> AsyncIterator[int]:
    """Listen on loopback; yields the port.

    Raises:
        FatalError: the port cannot be had.
    """
    runner = web.AppRunner(
        gateway.application,
        access_log=None,
        auto_decompress=False,  # what a stranger compressed is not opened before it is known whose
        handle_signals=False,
        keepalive_timeout=KEEP_ALIVE_S,
        shutdown_timeout=CLOSE_S,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise FatalError(
                f"the gateway cannot listen on port {port} of {HOST} ({error.strerror}):"
                " set SYNDICATE_GATEWAY_PORT to a free one"
            ) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def run_gateway(
    gateway: Gateway, *, port: int, stop: asyncio.Event, on_ready: Callable[[str], None]
) -> None:
    """Serve until told to stop.

    Args:
        gateway: what is served.
        port: of loopback; 0 takes any.
        stop: ends it.
        on_ready: told the address once it answers.

    Raises:
        FatalError: the port cannot be had.
    """
    async with serve_gateway(gateway, port=port) as got:
        on_ready(f"http://{HOST}:{got}")
        await stop.wait()
