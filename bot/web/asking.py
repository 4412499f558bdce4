"""Routes that show: each question of the list of requests that a viewer may ask, by its own type.

There is no second list: what is asked by `Get…` in `engine/requests` and is not the chat's own has
a route, with its fields as the query and its report as the answer.
"""

import re
from typing import Any, Final

import msgspec
from aiohttp import web

from bot.web.bodies import INT64_MAX, INT64_MIN, read_query
from bot.web.rates import Pace
from bot.web.route import Ask, Asked, Route, reply_with
from engine.bus.request import Request
from engine.domain.people import Rank
from engine.requests.request_list import REQUESTS

_ROOM: Final = "engine.requests."
_OF_THE_CHAT: Final = f"{_ROOM}chat"
_STATUS: Final = ("GetStatus", "GetEngines", "GetVersion")


def asked_types() -> list[type[Request[Any]]]:
    """Return the questions that have a route."""
    return [
        one
        for one in REQUESTS
        if one.__module__.startswith(_ROOM)
        and one.__module__ != _OF_THE_CHAT
        and one.__name__.startswith("Get")
        and _fits_a_query(one)
    ]


def _fits_a_query(kind: type[Request[Any]]) -> bool:
    """Say whether all fields are single values, or lists of them: others are a program's own."""
    _, shapes = msgspec.json.schema_components([kind], ref_template="{name}")
    return all(_is_single(shape, shapes) for shape in shapes[kind.__name__]["properties"].values())


def _is_single(shape: dict[str, Any], shapes: dict[str, Any]) -> bool:
    if "$ref" in shape:
        return _is_single(shapes[shape["$ref"]], shapes)
    if "anyOf" in shape:
        return all(_is_single(one, shapes) for one in shape["anyOf"])
    if shape.get("type") == "array":
        return isinstance(shape.get("items"), dict) and _is_single(shape["items"], shapes)
    return shape.get("type") != "object"


def _bounded(shape: dict[str, Any]) -> dict[str, Any]:
    """Return a field's shape with the bounds of all whole numbers."""
    if shape.get("type") == "integer":
        return {"minimum": INT64_MIN, "maximum": INT64_MAX, **shape}
    return (
        {**shape, "anyOf": [_bounded(one) for one in shape["anyOf"]]} if "anyOf" in shape else shape
    )


def path_of(kind: type[Request[Any]]) -> str:
    """Return the path of a question: `GetPoolRates` is asked at `/v1/pool-rates`."""
    words = re.findall(r"[A-Z][a-z0-9]*", kind.__name__.removeprefix("Get"))
    return "/v1/" + "-".join(word.lower() for word in words)


def asking_routes(ask: Ask) -> list[Route]:
    """Return a route for each question."""
    return [_route(kind, ask) for kind in asked_types()]


def _route(kind: type[Request[Any]], ask: Ask) -> Route:
    async def handler(asked: Asked) -> web.StreamResponse:
        return reply_with(await ask(read_query(asked.request, kind)))

    _, shapes = msgspec.json.schema_components([kind], ref_template="{name}")
    own = shapes[kind.__name__]
    required = set(own.get("required", ()))
    return Route(
        method="GET",
        path=path_of(kind),
        operation=kind.__name__[0].lower() + kind.__name__[1:],
        tag="ask",
        summary=(kind.__doc__ or "").strip().partition("\n")[0],
        handler=handler,
        rank=Rank.VIEWER,
        paces=(Pace.STATUS,) if kind.__name__ in _STATUS else (Pace.GENERAL,),
        query=tuple(
            (name, _bounded(shapes.get(shape.get("$ref", ""), shape)), name in required)
            for name, shape in own.get("properties", {}).items()
            if name != "type"
        ),
        reply=kind.reply_type(),
    )
