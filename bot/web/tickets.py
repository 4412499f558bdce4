"""Tickets: a browser's `EventSource` shows no token, so it shows a ticket in the address instead.

A ticket opens the live stream once, within half a minute, for the session that it was given to: an
address that somebody finds in a log opens nothing.
"""

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web

from bot.web.problems import RefusedError
from bot.web.rates import Pace
from bot.web.route import Asked, Route, reply_with
from engine.domain.people import Rank
from engine.domain.units import NS_PER_S

TICKET_S: Final = 30
TICKETS_MAX: Final = 256
"""Given and not used; the oldest gives way."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket for `/v1/stream?ticket=…`, good once."""

    ticket: str
    expires_s: int


class Tickets:
    """The tickets of one process.

    Args:
        clock: wall clock, nanoseconds since 1970.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._given: dict[str, tuple[str, int]] = {}

    def give(self, session_id: str) -> str:
        """Return a new ticket of a session."""
        now_ns = self._clock()
        self._given = {name: one for name, one in self._given.items() if one[1] > now_ns}
        while len(self._given) >= TICKETS_MAX:
            del self._given[next(iter(self._given))]
        ticket = secrets.token_urlsafe(32)
        self._given[ticket] = (session_id, now_ns + TICKET_S * NS_PER_S)
        return ticket

    def take(self, ticket: str) -> str | None:
        """Return whose session a ticket is of, and use it up; None where it counts no more."""
        session_id, ends_at_ns = self._given.pop(ticket, ("", 0))
        return session_id if self._clock() < ends_at_ns else None


def ticket_route(tickets: Tickets) -> Route:
    """Return the route that gives tickets."""

    async def give(asked: Asked) -> web.StreamResponse:
        if not asked.who.session:
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "a ticket is given to a session; with a key, show the key to the stream itself",
            )
        return reply_with(Ticket(ticket=tickets.give(asked.who.session), expires_s=TICKET_S))

    return Route(
        method="POST",
        path="/v1/stream/ticket",
        operation="giveTicket",
        tag="stream",
        summary="Get a ticket, good once within 30 s, for a browser's EventSource.",
        handler=give,
        rank=Rank.VIEWER,
        paces=(Pace.GENERAL,),
        reply=Ticket,
    )
