"""Routes by which somebody comes in and leaves: a key becomes a session."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from bot.web.bodies import read_body
from bot.web.guard import Guard
from bot.web.problems import RefusedError
from bot.web.rates import Pace
from bot.web.route import Asked, Route, reply_with
from bot.web.sessions import Tokens
from engine.domain.people import Rank


class SessionBegun(msgspec.Struct, frozen=True, kw_only=True):
    """A session.

    Attributes:
        access_token: shown with each request, as `Authorization: Bearer`.
        refresh_token: good once, for the next pair.
        expires_s: how long the access token counts.
    """

    access_token: str
    refresh_token: str
    expires_s: int


class Refresh(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A refresh token, to be used up."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


def entering_routes(guard: Guard) -> list[Route]:
    """Return the routes around sessions."""

    async def begin(asked: Asked) -> web.StreamResponse:
        if asked.who.session:
            raise RefusedError(
                HTTPStatus.FORBIDDEN, "a session begins with a key, not with another session"
            )
        return _begun(guard.sessions.begin(asked.who))

    async def refresh(asked: Asked) -> web.StreamResponse:
        body = await read_body(asked.request, Refresh)
        tokens = guard.sessions.refresh(body.refresh_token)
        if tokens is None:
            guard.rates.count_refused(asked.address)
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED, "this refresh token counts no more: begin anew with a key"
            )
        return _begun(tokens)

    async def end(asked: Asked) -> web.StreamResponse:
        guard.sessions.end(asked.who.session)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    return [
        Route(
            method="POST",
            path="/v1/session",
            operation="beginSession",
            tag="session",
            summary="Begin a session with a key.",
            handler=begin,
            rank=Rank.VIEWER,
            paces=(Pace.GENERAL, Pace.CONTROL),
            reply=SessionBegun,
        ),
        Route(
            method="POST",
            path="/v1/session/refresh",
            operation="refreshSession",
            tag="session",
            summary="Get the next pair of tokens; one that was used before ends the session.",
            handler=refresh,
            rank=None,
            body=Refresh,
            reply=SessionBegun,
            example={"refresh_token": "0123456789abcdef"},
            errors=(401,),
        ),
        Route(
            method="DELETE",
            path="/v1/session",
            operation="endSession",
            tag="session",
            summary="End the session: its tokens count no more.",
            handler=end,
            rank=Rank.VIEWER,
        ),
    ]


def _begun(tokens: Tokens) -> web.Response:
    return reply_with(
        SessionBegun(
            access_token=tokens.access,
            refresh_token=tokens.refresh,
            expires_s=tokens.expires_s,
        )
    )
