"""Stands before each route: who asks, whether they may, and how often; and what an answer carries.

Whoever is not known is told nothing but that. A kill is let through before anything is counted.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from aiohttp import web

from bot.web.addresses import check_came_by_tls, who_asks
from bot.web.api_keys import ApiKeys
from bot.web.connections import Connections
from bot.web.problems import RefusedError, problem, refusal
from bot.web.rates import Rates
from bot.web.route import Asked, Route
from bot.web.sessions import Principal, Sessions
from bot.web.tickets import Tickets
from engine.domain.errors import AbsentError, BadValueError, FatalError, SyndicateError

_log = logging.getLogger(__name__)

ANSWER_S_MAX: Final = 60.0
TOKEN_CHARACTERS_MAX: Final = 2_048


@dataclass(slots=True, kw_only=True)
class Guard:
    """Judges requests.

    Attributes:
        connections: that requests come by.
        trusts_proxy: the last address of `X-Forwarded-For` is who asks.
        answered: answers by status, for the metrics.
    """

    keys: ApiKeys
    sessions: Sessions
    tickets: Tickets
    rates: Rates
    connections: Connections
    trusts_proxy: bool
    answered: Counter[int] = field(default_factory=Counter, init=False)
    _hashing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def guarded(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return what serves a route."""

        async def serve(request: web.Request) -> web.StreamResponse:
            address = who_asks(request, trusts_proxy=self.trusts_proxy)
            principal = None
            if self.trusts_proxy and not route.is_kill:
                check_came_by_tls(request)
            if route.rank is not None:
                principal = await self._let_in(request, address, route)
                if not principal.rank.is_at_least(route.rank):
                    raise RefusedError(
                        HTTPStatus.FORBIDDEN,
                        f"this takes the rank {route.rank}, the key {principal.name} has"
                        f" {principal.rank}",
                    )
            if not route.is_kill:
                who = (address,) if principal is None else (f"key {principal.key_id}", address)
                for pace in route.paces:
                    self.rates.check(pace, *who)
            asked = Asked(request=request, principal=principal, address=address)
            if route.is_endless:
                return await route.handler(asked)
            async with asyncio.timeout(ANSWER_S_MAX):
                if route.is_kill:
                    return await route.handler(asked)
                with self.rates.under_way(address):
                    return await route.handler(asked)

        return serve

    def middleware(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        """Return what turns every failure into a problem document."""

        @web.middleware
        async def answer(
            request: web.Request,
            handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        ) -> web.StreamResponse:
            self.connections.begin(request)
            try:
                response = await _answered(request, handler)
            finally:
                self.connections.end(request)
            self.answered[response.status] += 1
            return response

        return answer

    def counts(self, who: Principal) -> bool:
        """Say whether somebody who was let in would be again, as a stream has to ask meanwhile."""
        if who.session:
            return self.sessions.of(who.session) is not None
        return self.keys.rank_of(who.key_id) is not None

    async def _let_in(self, request: web.Request, address: str, route: Route) -> Principal:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip()
        principal = None
        if kind.lower() == "bearer" and len(token) <= TOKEN_CHARACTERS_MAX:
            principal = await self._principal(token, address)
        elif route.takes_ticket and "ticket" in request.query:
            session_id = self.tickets.take(request.query["ticket"])
            principal = None if session_id is None else self.sessions.of(session_id)
        if principal is None:
            self.rates.check_not_refused(address)
            self.rates.count_refused(address)
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "show a key or the token of a session as Authorization: Bearer",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return principal

    async def _principal(self, token: str, address: str) -> Principal | None:
        """Return whose a token is: one that is right is never held up by those that are wrong."""
        if not token.startswith("syn_"):
            return self.sessions.principal(token)
        async with self._hashing:  # one slow hash at a time: they take memory
            is_pressed = self.rates.is_refused(address)
            key = await asyncio.to_thread(self.keys.find, token, is_pressed=is_pressed)
        return None if key is None else Principal(name=key.name, key_id=key.id, rank=key.rank)


async def _answered(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as error:
        return refusal(error)
    except web.HTTPMethodNotAllowed as error:
        allowed = {"Allow": ", ".join(sorted(error.allowed_methods))}
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, "", headers=allowed)
    except web.HTTPException as error:
        return problem(HTTPStatus(error.status), "")
    except (SyndicateError, TimeoutError) as error:
        return _trouble(error)
    except Exception:  # noqa: BLE001 - the boundary of a request; logged, counted, answered
        _log.exception("%s %s failed", request.method, request.match_info.route.resource)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the gateway's log has the details")


def _trouble(error: Exception) -> web.Response:
    """Return the answer where a role did not answer as it should."""
    if isinstance(error, AbsentError | BadValueError):
        # What can be read was looked at before: this is of something that is not there.
        return problem(HTTPStatus.NOT_FOUND, str(error))
    if isinstance(error, FatalError):
        _log.error("%s", error)
        detail = "the gateway has to be mended: see its log"
    else:
        detail = str(error) or "no answer in time: try again"
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "1"})
