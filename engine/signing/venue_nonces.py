"""Numbers of calls: of each key strictly rising, over restarts, kills and losses of power.

A venue takes no number that is not above all before it, so one that is used twice, or falls, shuts
the key out or lets a call overtake another. Numbers are the time in milliseconds where that is
above the last one, since some venues hold them against their clock. They are reserved on disk ahead
of their use; after a restart they go on above all that was reserved.
"""

from collections.abc import Mapping
from typing import Final

from engine.domain.errors import FatalError
from engine.signing.venue_journal import VenueJournal

AHEAD_MS: Final = 4_000
"""So far ahead numbers are reserved: with each restart they get ahead of the clock by as much. A
venue that takes them for its time allows 30 s."""

RENEWED_MS: Final = 2_000
"""If fewer than so many are left, more are reserved before anybody asks for them."""

IN_USE_MS: Final = 60_000
"""A key that made no number for so long is not kept ahead."""


class VenueNonces:
    """The numbers of all keys.

    Args:
        journal: where it stands up to where they are reserved.
    """

    def __init__(self, journal: VenueJournal) -> None:
        self._journal = journal
        self._reserved = journal.nonces()
        # What was reserved may have been used: nobody knows how much of it.
        self._last = dict(self._reserved)
        self._unsynced: set[str] = set()

    def next(self, key: str, now_ms: int) -> int:
        """Return a number that is above all before it with this key.

        What was reserved in time is on disk. Else it is written here, where only the loss of power
        within the moment until `keep_ahead` could lose it; and then the clock is above it.

        Raises:
            FatalError: the disk does not take a reservation: no number is safe any more.
        """
        number = max(now_ms, self._last.get(key, 0) + 1)
        if number > self._reserved.get(key, 0):
            self._reserve({key: number + AHEAD_MS}, is_durable=False)
            self._unsynced.add(key)
        self._last[key] = number
        return number

    def keep_ahead(self, now_ms: int) -> None:
        """Reserve more for keys in use, with a sync, so that no signature waits for the disk.

        Raises:
            FatalError: see `next`.
        """
        short = {}
        for key, last in self._last.items():
            top = max(now_ms, last)
            is_short = self._reserved.get(key, 0) - top < RENEWED_MS and now_ms - last < IN_USE_MS
            if is_short or key in self._unsynced:
                short[key] = max(top + AHEAD_MS, self._reserved.get(key, 0))
        if short:
            self._reserve(short, is_durable=True)
            self._unsynced.clear()

    def _reserve(self, up_to: Mapping[str, int], *, is_durable: bool) -> None:
        for key, number in up_to.items():
            if number < self._reserved.get(key, 0):
                raise FatalError(f"numbers of {key} would be reserved downwards")
        self._journal.reserve_nonces(up_to, is_durable=is_durable)
        self._reserved.update(up_to)
