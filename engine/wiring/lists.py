"""The venues' instrument lists: asked for at the start, by period and when a feed wants them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from engine.connectors.rest import RestClient
from engine.connectors.session import Accept, Session
from engine.domain.errors import BadValueError, TransientError
from engine.domain.instruments import Instrument
from engine.operate.hot_path import encode_closed
from engine.ports import InputKind, Listed, VenueSpec

log = logging.getLogger(__name__)

LIST_S: Final = 60.0
"""Interval at which a venue's list is asked for."""

LIST_S_MIN: Final = 10.0
"""Least time between two requests for it, however often a feed wants it."""


async def fetch_list(spec: VenueSpec, rest: RestClient, pairs: Sequence[str]) -> list[Listed]:
    """Return the instruments of those pairs, those that may not be traded now too.

    Raises:
        TransientError: the venue does not answer, answers with something else (a page about its
            maintenance), or lists nothing.
    """
    payload = await rest.get(spec.instruments_path)
    try:
        # Megabytes at some venues: not on the loop that takes frames.
        listing = await asyncio.to_thread(spec.parse_instruments, payload, pairs)
    except BadValueError as error:
        raise TransientError(str(error)) from error
    if not listing:
        raise TransientError(f"it lists none of {', '.join(pairs)}")
    return listing


def closed_of(instruments: Sequence[Instrument], listing: Sequence[Listed]) -> dict[str, str]:
    """Return why instruments may not be traded now, by wire name; those that may are not in it."""
    by_name = {one.instrument.wire_name: one for one in listing}
    closed = {}
    for instrument in instruments:
        one = by_name.get(instrument.wire_name)
        if one is None:
            closed[instrument.wire_name] = "not listed any more"
        elif one.closed:
            closed[instrument.wire_name] = one.closed
        elif one.instrument != instrument:
            closed[instrument.wire_name] = "its rules changed; a new run takes them in"
    return closed


def news_of(instruments: Sequence[Instrument], listing: Sequence[Listed]) -> str:
    """Say what of a list may be traded and is not in a run of these instruments; else empty."""
    own = {one.wire_name: one for one in instruments}
    news = []
    for one in listing:
        instrument = one.instrument
        if one.closed or own.get(instrument.wire_name) == instrument:
            continue
        is_new = instrument.wire_name not in own
        pair = instrument.pair
        news.append(f"{pair} is listed" if is_new else f"the rules of {pair} changed")
    return ", ".join(news)


async def keep_listed(
    session: Session,
    accept: Accept,
    fetch: Callable[[], Awaitable[list[Listed]]],
    instruments: Sequence[Instrument],
    now_ns: Callable[[], int],
    *,
    want: Callable[[str], None],
) -> None:
    """Ask for the list for ever; each answer becomes an input. Cancel to stop.

    `want` is told after each what only a new run could take in, empty if nothing.
    """
    while True:
        await asyncio.sleep(LIST_S_MIN)
        try:
            async with asyncio.timeout(LIST_S - LIST_S_MIN):
                await session.list_wanted.wait()
        except TimeoutError:
            pass
        session.list_wanted.clear()
        try:
            listing = await fetch()
        except TransientError as error:
            # What is traded goes on: a list that fails says nothing of the books.
            log.info("the instrument list cannot be had: %s", error)
            continue
        want(news_of(instruments, listing))
        payload = encode_closed(closed_of(instruments, listing))
        session.perform(accept(InputKind.LISTED, "", payload, now_ns()))
