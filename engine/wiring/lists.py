"""The venues' instrument lists: asked for at the start, by period and when a feed wants them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from engine.connectors.rest import RestClient
from engine.domain.errors import BadValueError, TransientError
from engine.ports import Listed, VenueSpec

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


class VenueList:
    """The list of one venue; each answer becomes an input.

    Attributes:
        trouble: why it cannot be had now; empty while it can.
        had: set once the venue has listed something.

    Args:
        fetch: asks the venue.
        take: takes an answer.
        wanted: set when the feed wants the list at once.
    """

    def __init__(
        self,
        *,
        fetch: Callable[[], Awaitable[list[Listed]]],
        take: Callable[[Sequence[Listed]], None],
        wanted: asyncio.Event,
        trouble: str,
    ) -> None:
        self.trouble = trouble
        self.had = asyncio.Event()
        self._fetch = fetch
        self._take = take
        self._wanted = wanted

    def take(self, listing: Sequence[Listed]) -> None:
        """Take what the venue lists now, nothing if it has listed nothing yet."""
        if listing:
            self._take(listing)
            self.had.set()

    async def run(self) -> None:
        """Ask for ever; cancel to stop."""
        while True:
            await asyncio.sleep(LIST_S_MIN)
            try:
                async with asyncio.timeout(LIST_S - LIST_S_MIN):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()
            try:
                listing = await self._fetch()
            except TransientError as error:
                # What is traded goes on: a list that fails says nothing of the books.
                self.trouble = f"its instrument list cannot be had: {error}"
                log.info("%s", self.trouble)
                continue
            self.trouble = ""
            self.take(listing)
