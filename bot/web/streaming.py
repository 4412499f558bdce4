"""The live stream: stored notices as server-sent events, from where a client left off.

Each event has the notice's number in the ledger as its id, so that `Last-Event-ID` goes on without
a gap over restarts of gateway, ledger and client. A client that reads too slowly holds up itself.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

from bot.web.problems import RefusedError
from bot.web.rates import Pace, Rates
from bot.web.route import Ask, Asked, Route
from engine.domain.errors import SyndicateError
from engine.domain.people import Rank
from engine.requests.chat import GetNotices

WAIT_MS: Final = 10_000
"""A comment goes out so often at least, so that whoever is between sees a living connection."""

WRITE_S_MAX: Final = 20.0
RETRY_S: Final = 1.0
NOTICES_MAX: Final = 100
_DIGITS_MAX: Final = 15


def streaming_route(ask: Ask, rates: Rates) -> Route:
    """Return the route of the stream."""

    async def stream(asked: Asked) -> web.StreamResponse:
        after = asked.request.headers.get("Last-Event-ID", asked.request.query.get("after", ""))
        if after and not (after.isascii() and after.isdecimal() and len(after) <= _DIGITS_MAX):
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "Last-Event-ID and after are numbers of events",
            )
        name = f"key {asked.who.key_id}"
        rates.open_stream(name)
        try:
            return await _serve(asked, ask, int(after) if after else None)
        finally:
            rates.close_stream(name)

    return Route(
        method="GET",
        path="/v1/stream",
        operation="stream",
        tag="stream",
        summary="Notices as they are stored, as server-sent events; Last-Event-ID goes on.",
        handler=stream,
        rank=Rank.VIEWER,
        paces=(Pace.GENERAL,),
        query=(("after", {"type": "integer", "minimum": 0}, False),),
        replies_as="text/event-stream",
        is_endless=True,
    )


async def _serve(asked: Asked, ask: Ask, after_seq: int | None) -> web.StreamResponse:
    reader = f"api {asked.who.name}"
    newest = await ask(GetNotices(reader=reader, limit=1))
    seq = newest.newest_seq if after_seq is None else min(after_seq, newest.newest_seq)
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    )
    await response.prepare(asked.request)
    await _write(response, f"retry: 2000\nid: {seq}\n: from here on\n\n")
    loop = asyncio.get_running_loop()
    try:
        while True:
            began_s = loop.time()
            try:
                report = await ask(
                    GetNotices(reader=reader, after_seq=seq, limit=NOTICES_MAX, wait_ms=WAIT_MS)
                )
            except SyndicateError:
                await _write(response, ": the ledger is away\n\n")
                await asyncio.sleep(RETRY_S)
                continue
            for stamped in report.notices:
                await _write(response, event_of(stamped.seq, stamped.notice))
                seq = stamped.seq
            if not report.notices:
                await _write(response, ": nothing new\n\n")
                # A ledger that does not wait is asked once a second, not as fast as it answers.
                await asyncio.sleep(max(0.0, RETRY_S - (loop.time() - began_s)))
    except (ConnectionError, TimeoutError):
        return response


def event_of(seq: int, notice: Any) -> str:
    """Return a notice as an event."""
    body = msgspec.json.encode(notice).decode()
    return f"id: {seq}\nevent: {type(notice).__name__}\ndata: {body}\n\n"


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(WRITE_S_MAX):
        await response.write(text.encode())
