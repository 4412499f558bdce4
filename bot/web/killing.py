"""`POST /kill`: one of the ways to kill. Nothing counts it, and it waits for nothing here."""

from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web

from bot.web.bodies import read_body
from bot.web.commanding import Commanding
from bot.web.route import Asked, Route, reply_with
from engine.bus.command import seal
from engine.bus.reports import KillReport
from engine.domain.people import Rank
from engine.requests.safety import Kill

WHY_MAX: Final = 160
"""Of that is kept: a kill is not refused for many words."""


class Why(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it is killed, for the records."""

    why: str = ""


def killing_route(commanding: Commanding) -> Route:
    """Return the route that kills."""

    async def kill(asked: Asked) -> web.StreamResponse:
        why = Why()
        if asked.request.can_read_body:
            why = await read_body(asked.request, Why)
        commanding.shared.confirmations.void_all()
        commanding.shared.epoch += 1
        command = seal(
            Kill(why=why.why[:WHY_MAX] or "asked by POST /kill"),
            by=asked.who.by,
            at_ns=commanding.clock(),
            target=commanding.settings.engine_id,
        )
        report = await commanding.facade.ask(command)
        is_done = isinstance(report, KillReport) and (
            report.engine.is_done or report.latch_file.is_done
        )
        return reply_with(
            report, status=HTTPStatus.OK if is_done else HTTPStatus.SERVICE_UNAVAILABLE
        )

    return Route(
        method="POST",
        path="/kill",
        operation="kill",
        tag="command",
        summary="Kill: no plan is made any more, until a person allows plans again.",
        handler=kill,
        rank=Rank.OPERATOR,
        body=Why,
        needs_body=False,
        reply=KillReport,
        is_kill=True,
        example={"why": "it looks wrong"},
    )
