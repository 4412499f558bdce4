"""Plays one instrument's recording in a loop and keeps its truth book.

A cycle lasts as long as the recording plus a short pause. When it ends, the book moves back to
the start book by one ordinary change, never by a reset.
"""

from decimal import Decimal

from engine.sandbox.errors import SandboxStartError
from engine.sandbox.levels import Change, Side
from engine.sandbox.recordings import RecordedInstrument
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
        padding_levels: int,
        tide: Scale | None = None,
    ) -> None:
        """Begin at an offset of the recording; every second cycle is scaled by `tide`, if given."""
        self._scales = (scale, tide or scale)
        self._recorded = recorded
        self._cycle_ns = CYCLE_LEAD_NS + recorded.window_ns + CYCLE_PAUSE_NS
        self._began_at_ns = -offset_ns - CYCLE_LEAD_NS
        self._index = 0
        self.cycles = 0
        self.book = TruthBook(scale, recorded.start, padding_levels=padding_levels)
        while self.next_at_ns <= 0:
            self.step()
        if self.cycles % 2:
            self.book.restart(scale)
        self.cycles = 0

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


def recorded_mid_price(recorded: RecordedInstrument, *, offset_ns: int, name: str) -> Decimal:
    """Return the middle of a recording's best bid and ask at an offset, in recorded prices.

    Raises:
        SandboxStartError: the offset is outside the recording, or a side is empty there.
    """
    if not 0 <= offset_ns <= recorded.window_ns:
        raise SandboxStartError(
            f"offset of {name} is {offset_ns / 1e9:g} s; its recording is "
            f"{recorded.window_ns / 1e9:g} s long"
        )
    sides: tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]] = ({}, {})
    levels = list(recorded.start)
    for event in recorded.events:
        if event.at_ns > offset_ns:
            break
        levels.extend(recorded.parse(event.frame))
    for side, price, size in levels:
        sides[side][Decimal(price)] = Decimal(size)
    bids = [price for price, size in sides[Side.BID].items() if size]
    asks = [price for price, size in sides[Side.ASK].items() if size]
    if not bids or not asks:
        raise SandboxStartError(f"recording of {name} has an empty side at its offset")
    return (max(bids) + min(asks)) / 2
