"""What a route of the API is: all that serves it, guards it and describes it, in one place."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from aiohttp import web

from bot.web.rates import Pace
from bot.web.sessions import Principal
from engine.bus.request import Reply, Request
from engine.domain.people import Rank

BODY_BYTES_MAX = 65_536


class Ask(Protocol):
    """Has a request answered."""

    async def __call__(self, request: Request[Reply], /) -> Reply:
        """Ask; raises `SyndicateError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that was let in.

    Attributes:
        principal: who asks; None at a route that is open to all.
        address: where they come from.
    """

    request: web.Request
    principal: Principal | None
    address: str

    @property
    def who(self) -> Principal:
        """Return who asks, at a route that is not open to all."""
        assert self.principal is not None
        return self.principal


Handler = Callable[[Asked], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route.

    Attributes:
        operation: its name, of which there is one.
        rank: that it takes; None where it is open to all.
        paces: how often it may be asked, each of them.
        query: fields of the query; their names, JSON schemas, and whether they must be there.
        body, reply: types of the two; a dict is a JSON schema. None for no body.
        needs_body: without one it is refused.
        replies_as: content type of the answer.
        status: of an answer that is as asked.
        errors: statuses beside those that any route may answer with.
        is_kill: it is never counted against how often somebody may ask.
        is_endless: it ends when the client leaves.
        takes_ticket: a ticket in its query lets in as a token does.
        example: a body, for the description.
    """

    method: str
    path: str
    operation: str
    tag: str
    summary: str
    handler: Handler
    rank: Rank | None
    paces: tuple[Pace, ...] = (Pace.GENERAL,)
    query: tuple[tuple[str, dict[str, Any], bool], ...] = ()
    parameters: tuple[str, ...] = ()
    body: Any = None
    needs_body: bool = True
    reply: Any = None
    replies_as: str = "application/json"
    status: int = 200
    errors: tuple[int, ...] = ()
    is_kill: bool = False
    is_endless: bool = False
    takes_ticket: bool = False
    example: dict[str, Any] = field(default_factory=dict)


def reply_with(value: Any, *, status: int = 200) -> web.Response:
    """Return a value as JSON."""
    return web.Response(
        status=status, body=msgspec.json.encode(value), content_type="application/json"
    )
