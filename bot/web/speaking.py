"""The library's protocol of a connection, but for what it says of what is no request of HTTP.

It would repeat what was sent, name itself, and write a traceback into the log for each.
"""

import logging
from http import HTTPStatus
from typing import Final

from aiohttp import web

from bot.web.problems import problem

_log = logging.getLogger(__name__)

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Server": "syndicate",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer; a route may say otherwise."""


class Speaking(web.RequestHandler):
    """Speaks HTTP on one connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuse what cannot be read; see `RequestHandler.handle_error`."""
        del message
        _log.debug("what came from %s is no request: %r", request.remote, exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is on its way already")
        response = problem(HTTPStatus(status), "this is no request of HTTP", headers=HEADERS)
        response.force_close()
        return response
