"""Whether the gateway lives, for whoever asks, and what it offers, for whoever reads."""

from typing import Any

import msgspec
from aiohttp import web

from bot.web.route import Asked, Route, reply_with


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway answers; of the engine that says nothing."""

    is_alive: bool = True


def watching_routes(document: dict[str, Any]) -> list[Route]:
    """Return the routes that are open to all."""

    async def alive(asked: Asked) -> web.StreamResponse:
        del asked
        return reply_with(Alive())

    async def described(asked: Asked) -> web.StreamResponse:
        del asked
        return reply_with(document)

    return [
        Route(
            method="GET",
            path="/healthz",
            operation="alive",
            tag="watch",
            summary="Whether the gateway lives.",
            handler=alive,
            rank=None,
            reply=Alive,
        ),
        Route(
            method="GET",
            path="/openapi.json",
            operation="describe",
            tag="watch",
            summary="This description.",
            handler=described,
            rank=None,
            reply={"type": "object"},
        ),
    ]
