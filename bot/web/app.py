"""The HTTP front-end put together: one list of routes feeds the server and its description."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from bot.web.alerting import alerting_route
from bot.web.api_keys import ApiKeys
from bot.web.asking import asking_routes
from bot.web.commanding import Commanding
from bot.web.connections import BOUNDS, Bounds, Connections
from bot.web.entering import entering_routes
from bot.web.guard import Guard
from bot.web.hooks.opening import Hooks, add_hooks
from bot.web.init_data import InitData
from bot.web.killing import killing_route
from bot.web.metrics import metrics_route
from bot.web.openapi import describe
from bot.web.page_files import page_routes
from bot.web.rates import Rates
from bot.web.route import BODY_BYTES_MAX, Route
from bot.web.sessions import OF_THE_CHAT, Sessions
from bot.web.speaking import HEADERS, Speaking
from bot.web.streaming import streaming_route
from bot.web.tickets import Tickets, ticket_route
from bot.web.watching import watching_routes
from engine.domain.errors import FatalError
from engine.domain.people import Rank
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings
from engine.facade.web import WebTerms

HOST: Final = "127.0.0.1"
CLOSE_S: Final = 1.0
"""The library waits so long for answers under way, and once more for what it then cancels."""

LINGER_S: Final = 5.0
"""In which the rest of a body that nobody reads may still come, so that its sender sees why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The application and its parts."""

    application: web.Application
    routes: list[Route]
    guard: Guard
    commanding: Commanding
    hooks: Hooks


def make_gateway(
    facade: Facade,
    settings: FrontEndSettings,
    terms: WebTerms,
    clock: Callable[[], int],
    *,
    bounds: Bounds = BOUNDS,
) -> Gateway:
    """Put the front-end together; the bounds are those of its connections."""
    keys = ApiKeys(terms.directory, clock)
    init_data = None if terms.page is None else InitData(terms.page, clock)
    guard = Guard(
        keys=keys,
        sessions=Sessions(ranks_of(keys, init_data), clock),
        tickets=Tickets(clock),
        rates=Rates(),
        connections=Connections(bounds),
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
        alerting_route(facade.ask, clock=clock),
    ]
    routes += watching_routes(lambda: describe(routes))
    application = web.Application(middlewares=[guard.middleware()], client_max_size=BODY_BYTES_MAX)
    application.on_response_prepare.append(_add_headers)
    application.on_shutdown.append(close)
    for route in routes:
        application.router.add_route(route.method, route.path, guard.guarded(route))
    hooks = add_hooks(application, facade.ask, terms, clock)
    return Gateway(
        application=application,
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
    response.headers["Server"] = HEADERS["Server"]  # the library has set its own


@contextlib.asynccontextmanager
async def serve_gateway(gateway: Gateway, *, port: int) -> AsyncIterator[int]:
    """Listen on loopback; yields the port.

    Raises:
        FatalError: the port cannot be had.
    """
    connections = gateway.guard.connections
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(
        gateway.application, access_log=None, handle_signals=False, shutdown_timeout=CLOSE_S
    )
    await runner.setup()
    assert runner.server is not None
    try:
        try:
            speaking = partial(
                Speaking,
                runner.server,
                loop=loop,
                access_log=None,  # type: ignore[arg-type] # as the runner says it: none
                keepalive_timeout=2 * connections.bounds.idle_s,  # it is cut before that
                lingering_time=LINGER_S,
                auto_decompress=False,  # a stranger's is not unpacked before it is known whose
            )
            listening = await loop.create_server(connections.factory(speaking), HOST, port)
        except OSError as error:
            raise FatalError(
                f"the gateway cannot listen on port {port} of {HOST} ({error.strerror}):"
                " set SYNDICATE_GATEWAY_PORT to a free one"
            ) from error
        try:
            yield listening.sockets[0].getsockname()[1]
        finally:
            listening.close()
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
