"""The live stream: stored notices as server-sent events, from where a client left off.

Each event has the notice's number in the ledger as its id, so that `Last-Event-ID` goes on without
a gap over restarts of gateway, ledger and client. A client that reads too slowly holds up itself;
one that left, or whom nothing lets in any more, takes no place among the open streams.
"""

import asyncio
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

from bot.web.problems import RefusedError
from bot.web.rates import Pace, Rates
from bot.web.route import Ask, Asked, Route
from bot.web.sessions import Principal
from engine.bus.reports import NoticesReport
from engine.domain.errors import SyndicateError
from engine.domain.people import Rank
from engine.requests.chat import GetNotices

WAIT_MS: Final = 10_000
"""A comment goes out so often at least, so that whoever is between sees a living connection."""

WRITE_S_MAX: Final = 20.0
RETRY_S: Final = 1.0
LOOK_S: Final = 0.5
"""So often it is looked whether the client is still there, and may be."""

NOTICES_MAX: Final = 100
_DIGITS_MAX: Final = 15


def streaming_route(
    ask: Ask, rates: Rates, counts: Callable[[Principal], bool], closing: asyncio.Event
) -> Route:
    """Return the route of the stream.

    Args:
        ask: has the ledger asked.
        rates: counts streams.
        counts: says whether somebody who was let in still would be; else the stream ends.
        closing: set once the gateway closes, which waits for no stream.
    """

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
            seq = int(after) if after else None
            return await _serve(asked, ask, seq, lambda: counts(asked.who), closing)
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
        query=(
            ("after", {"type": "integer", "minimum": 0}, False),
            ("ticket", {"type": "string", "maxLength": 64}, False),
        ),
        replies_as="text/event-stream",
        is_endless=True,
        takes_ticket=True,
    )


async def _serve(
    asked: Asked,
    ask: Ask,
    after_seq: int | None,
    counts: Callable[[], bool],
    closing: asyncio.Event,
) -> web.StreamResponse:
    def is_there() -> bool:
        transport = asked.request.transport
        is_open = transport is not None and not transport.is_closing()
        return is_open and counts() and not closing.is_set()

    reader = f"api {asked.who.name}"
    newest = await ask(GetNotices(reader=reader, limit=1))
    seq = newest.newest_seq if after_seq is None else min(after_seq, newest.newest_seq)
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    )
    await response.prepare(asked.request)
    await _write(response, f"retry: 2000\nid: {seq}\nevent: begun\ndata: {{}}\n\n")
    loop = asyncio.get_running_loop()
    try:
        while is_there():
            began_s = loop.time()
            newer = GetNotices(reader=reader, after_seq=seq, limit=NOTICES_MAX, wait_ms=WAIT_MS)
            try:
                report = await _answered(ask(newer), is_there, closing)
            except SyndicateError:
                await _write(response, ": the ledger is away\n\n")
                await asyncio.sleep(RETRY_S)
                continue
            if report is None:
                break
            for stamped in report.notices:
                await _write(response, event_of(stamped.seq, stamped.notice))
                seq = stamped.seq
            if not report.notices:
                await _write(response, ": nothing new\n\n")
                # A ledger that does not wait is asked once a second, not as fast as it answers.
                await asyncio.sleep(max(0.0, RETRY_S - (loop.time() - began_s)))
    except (ConnectionError, TimeoutError):
        pass
    return response


async def _answered(
    answer: Coroutine[Any, Any, NoticesReport],
    is_there: Callable[[], bool],
    closing: asyncio.Event,
) -> NoticesReport | None:
    """Wait for an answer as long as there is somebody to be told it; None if there is not."""
    waiting, closed = asyncio.ensure_future(answer), asyncio.ensure_future(closing.wait())
    try:
        while not waiting.done():
            either = asyncio.FIRST_COMPLETED
            await asyncio.wait({waiting, closed}, timeout=LOOK_S, return_when=either)
            if not is_there():
                return None
        return waiting.result()
    finally:
        waiting.cancel()
        closed.cancel()


def event_of(seq: int, notice: Any) -> str:
    """Return a notice as an event."""
    body = msgspec.json.encode(notice).decode()
    return f"id: {seq}\nevent: {type(notice).__name__}\ndata: {body}\n\n"


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(WRITE_S_MAX):
        await response.write(text.encode())
