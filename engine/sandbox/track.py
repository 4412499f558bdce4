"""Plays one instrument's recording in a loop and keeps its truth book.

A cycle lasts as long as the recording plus a short pause. When it ends, the book moves back to
the start book by one ordinary change, never by a reset.
"""

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from functools import cache

from engine.sandbox.errors import SandboxStartError
from engine.sandbox.levels import Change, RawLevel, Side, same_price
from engine.sandbox.recordings import RecordedEvent, RecordedInstrument
from engine.sandbox.truth import Scale, TruthBook

CYCLE_PAUSE_NS = 500_000_000
"""Time between a recording's last frame and its next cycle."""

CYCLE_LEAD_NS = 1_000_000
"""Time between the change back to the start book and the first recorded frame."""


class Track:
    """One instrument's recording as seen by the replay.

    Attributes:
        book: the truth book.
        cycles: number of times that the recording has begun again.
        next_at_ns: replay time of the next change.
    """

    def __init__(
        self,
        recorded: RecordedInstrument,
        scale: Scale,
        *,
        offset_ns: int,
        now: Sequence[RawLevel],
        padding_levels: int,
        tide: Scale | None = None,
    ) -> None:
        """Begin at an offset of the recording with the book that is `now` there.

        Every second cycle is scaled by `tide`, if given.
        """
        self._scales = (scale, tide or scale)
        self._recorded = recorded
        self._cycle_ns = CYCLE_LEAD_NS + recorded.window_ns + CYCLE_PAUSE_NS
        self._began_at_ns = -offset_ns - CYCLE_LEAD_NS
        self._index = bisect_right(recorded.events, offset_ns, key=_at_ns)
        self.cycles = 0
        self.book = TruthBook(scale, recorded.start, padding_levels=padding_levels, now=now)

    @property
    def next_at_ns(self) -> int:
        """Replay time of the next change."""
        if self._index < len(self._recorded.events):
            return self._began_at_ns + CYCLE_LEAD_NS + self._recorded.events[self._index].at_ns
        return self._began_at_ns + self._cycle_ns

    def step(self) -> list[Change]:
        """Apply the next change to the truth book and return it."""
        if self._index < len(self._recorded.events):
            event = self._recorded.events[self._index]
            self._index += 1
            return self.book.apply(self._recorded.parse(event.frame))
        self._began_at_ns += self._cycle_ns
        self._index = 0
        self.cycles += 1
        return self.book.restart(self._scales[self.cycles % 2])


def mid_price_of(levels: Sequence[RawLevel], *, name: str) -> Decimal:
    """Return the middle of the best bid and ask of a recorded book, in recorded prices.

    Raises:
        SandboxStartError: a side is empty.
    """
    bids = [Decimal(price) for side, price, _ in levels if side is Side.BID]
    asks = [Decimal(price) for side, price, _ in levels if side is Side.ASK]
    if not bids or not asks:
        raise SandboxStartError(f"recording of {name} has an empty side at its offset")
    return (max(bids) + min(asks)) / 2


@cache
def levels_at(recorded: RecordedInstrument, *, offset_ns: int, name: str) -> Sequence[RawLevel]:
    """Return a recorded book at an offset: what was said last of each price, if not zero.

    Raises:
        SandboxStartError: the offset is outside the recording.
    """
    if not 0 <= offset_ns <= recorded.window_ns:
        raise SandboxStartError(
            f"offset of {name} is {offset_ns / 1e9:g} s; its recording is "
            f"{recorded.window_ns / 1e9:g} s long"
        )
    last = {(level[0], same_price(level[1])): level for level in recorded.start}
    for event in recorded.events:
        if event.at_ns > offset_ns:
            break
        for level in recorded.parse(event.frame):
            last[level[0], same_price(level[1])] = level
    return tuple(level for level in last.values() if Decimal(level[2]))


def _at_ns(event: RecordedEvent) -> int:
    return event.at_ns
