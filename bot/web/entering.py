"""Routes by which somebody comes in and leaves: a key, or Telegram's word, becomes a session."""

import logging
from http import HTTPStatus
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from bot.web.bodies import read_body
from bot.web.guard import Guard
from bot.web.init_data import CHARACTERS_MAX, InitData, Unbelieved
from bot.web.problems import RefusedError
from bot.web.rates import Pace
from bot.web.route import Asked, Route, reply_with
from bot.web.sessions import Principal, Tokens
from engine.domain.people import Rank

_log = logging.getLogger(__name__)


class SessionBegun(msgspec.Struct, frozen=True, kw_only=True):
    """A session.

    Attributes:
        access_token: shown with each request, as `Authorization: Bearer`.
        refresh_token: good once, for the next pair.
        expires_s: how long the access token counts.
        name: as records name whoever began it.
    """

    access_token: str
    refresh_token: str
    expires_s: int
    name: str
    rank: Rank


class Refresh(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A refresh token, to be used up."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


class Opened(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What Telegram gave the page when a person opened it."""

    init_data: Annotated[str, Meta(min_length=1, max_length=CHARACTERS_MAX)]


def entering_routes(guard: Guard, init_data: InitData | None) -> list[Route]:
    """Return the routes around sessions.

    Args:
        guard: holds them.
        init_data: None where no phone is set up.
    """

    def begun(tokens: Tokens) -> web.Response:
        who = guard.sessions.principal(tokens.access)
        assert who is not None  # it was made just now, and nothing was awaited since
        return reply_with(
            SessionBegun(
                access_token=tokens.access,
                refresh_token=tokens.refresh,
                expires_s=tokens.expires_s,
                name=who.by,
                rank=who.rank,
            )
        )

    async def begin(asked: Asked) -> web.StreamResponse:
        if asked.who.session:
            raise RefusedError(
                HTTPStatus.FORBIDDEN, "a session begins with a key, not with another session"
            )
        return begun(guard.sessions.begin(asked.who))

    async def open_page(asked: Asked) -> web.StreamResponse:
        body = await read_body(asked.request, Opened)
        if init_data is None:
            raise RefusedError(
                HTTPStatus.FORBIDDEN, "no Telegram bot is set up here: come in with a key"
            )
        who = init_data.judge(body.init_data)
        if isinstance(who, Unbelieved):
            _log.warning("the page lets nobody in with what it was opened with: %s", who)
            guard.rates.check_not_refused(asked.address)
            guard.rates.count_refused(asked.address)
            # Whoever is no person of the chat is not told that Telegram's word was right.
            shown = Unbelieved.FORGED if who is Unbelieved.STRANGER else who
            raise RefusedError(HTTPStatus.UNAUTHORIZED, shown)
        opener = Principal(name=who.name, key_id=who.name, rank=who.rank)
        return begun(guard.sessions.begin(opener))

    async def refresh(asked: Asked) -> web.StreamResponse:
        body = await read_body(asked.request, Refresh)
        tokens = guard.sessions.refresh(body.refresh_token)
        if tokens is None:
            guard.rates.count_refused(asked.address)
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED, "this refresh token counts no more: begin anew with a key"
            )
        return begun(tokens)

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
            path="/v1/session/telegram",
            operation="openPage",
            tag="session",
            summary="Begin a session with what Telegram gave the page: fresh, once, of the chat's"
            " people.",
            handler=open_page,
            rank=None,
            paces=(Pace.GENERAL,),
            body=Opened,
            reply=SessionBegun,
            example={"init_data": "auth_date=1733509682&signature=0&hash=0"},
            errors=(401, 403),
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
            status=HTTPStatus.NO_CONTENT,
            handler=end,
            rank=Rank.VIEWER,
        ),
    ]
