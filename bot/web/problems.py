"""Refusals of the HTTP front-end, as problem documents of RFC 9457."""

from http import HTTPStatus

import msgspec
from aiohttp import web

PROBLEM = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused.

    Attributes:
        title: the status in words.
        status: of HTTP.
        detail: what was wrong, with the value, and what to do.
    """

    title: str
    status: int
    detail: str = ""


class RefusedError(Exception):
    """A request is refused.

    Attributes:
        headers: that go with the answer.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def refusal(error: RefusedError) -> web.Response:
    """Return the answer to a request that is refused."""
    return problem(error.status, error.detail, headers=error.headers)


def problem(
    status: HTTPStatus, detail: str, *, headers: dict[str, str] | None = None
) -> web.Response:
    """Return a problem document."""
    body = Problem(title=status.phrase, status=status, detail=detail)
    return web.Response(
        status=status, body=msgspec.json.encode(body), content_type=PROBLEM, headers=headers
    )
