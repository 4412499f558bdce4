"""The description of the API, OpenAPI 3.1, made of the routes and the types of messages."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from bot.web.problems import PROBLEM, Problem
from bot.web.route import Route

VERSION: Final = "1"
_REF: Final = "#/components/schemas/{name}"
_ANY_ROUTE: Final = (400, 404, 405, 429, 500, 503)
_LET_IN: Final = (401, 403)
_WITH_BODY: Final = (408, 413, 415, 422)


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the document."""
    types = [one for route in routes for one in (route.body, route.reply) if _is_type(one)]
    kinds = list(dict.fromkeys([*types, Problem]))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    found = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, found)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Syndicate",
            "version": VERSION,
            "description": "What the phone can ask and do. Sums are texts of exact decimals.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, found: dict[Any, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "As asked."}
    if route.reply is not None or route.replies_as != "application/json":
        shape = {"type": "string"} if route.reply is None else _schema(route.reply, found)
        good["content"] = {route.replies_as: {"schema": shape}}
    statuses = {*_ANY_ROUTE, *route.errors}
    if route.rank is not None:
        statuses |= {*_LET_IN}
    if route.body is not None:
        statuses |= {*_WITH_BODY}
    if route.query:
        statuses |= {HTTPStatus.UNPROCESSABLE_ENTITY}
    refused = {"content": {PROBLEM: {"schema": found[Problem]}}}
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "tags": [route.tag],
        "summary": route.summary,
        "responses": {
            str(int(route.status)): good,
            **{
                str(int(status)): {"description": HTTPStatus(status).phrase, **refused}
                for status in sorted(statuses)
            },
        },
        "security": [] if route.rank is None else [{"bearer": []}],
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.parameters
    ] + [
        {"name": name, "in": "query", "required": is_required, "schema": shape}
        for name, shape, is_required in route.query
    ]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {
            "required": route.needs_body,
            "content": {"application/json": {"schema": _schema(route.body, found)}},
        }
    if route.rank is not None:
        operation["x-rank"] = str(route.rank)
    return operation


def _is_type(shape: Any) -> bool:
    return shape is not None and not isinstance(shape, dict)


def _schema(shape: Any, found: dict[Any, Any]) -> Any:
    return found[shape] if _is_type(shape) else shape
