"""Whether the gateway lives, for whoever asks, and what it offers, for whoever reads."""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from aiohttp import web

from bot.web.route import Asked, Route, reply_with


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway answers; of the engine that says nothing."""

    is_alive: bool = True


def watching_routes(describe: Callable[[], dict[str, Any]]) -> list[Route]:
    """Return the routes that are open to all.

    Args:
        describe: makes the description, once it is asked for; kept are its bytes, which are one
            for all answers.
    """
    described_as = cache(lambda: msgspec.json.encode(describe()))

    async def alive(asked: Asked) -> web.StreamResponse:
        del asked
        return reply_with(Alive())

    async def described(asked: Asked) -> web.StreamResponse:
        del asked
        return web.Response(body=described_as(), content_type="application/json")

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
