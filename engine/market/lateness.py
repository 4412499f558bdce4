"""How late frames come: from the venue's own time to their turn here.

The venue's clock and ours differ by an unknown time, so what counts is how much longer a frame took
than the quickest one of its connection. A connection that begins late is therefore not seen as
late; one that ends late keeps its measure for the next one. The books of a stream that is later
than the limit are held: whole, but out of every decision.
"""

from array import array
from collections.abc import Sequence
from typing import Final

from engine.domain.faults import Fault
from engine.domain.units import NS_PER_MS
from engine.market.board import Board

DRIFT_PER: Final = 10_000
"""Clocks drift apart by one part in this many at most (100 ppm, as crystals do); at this pace the
quickest frame is forgotten."""

OFFSET_NS_MAX: Final = 86_400_000_000_000
"""A time that is farther from ours than a day is not what we take it for, and is not compared."""

CALM_RATIO: Final = 2
"""A late stream is in time again below the limit by this ratio, so that none flaps around it."""

_UNKNOWN: Final = 1 << 62


class Lateness:
    """Follows how late each stream's frames are.

    Attributes:
        behind: of each stream, the cell in which its feed keeps how far the venue's time of the
            newest frame is behind the time of its receipt.
        from_ns, to_ns: a frame that did not wait, and is behind by no less and no more, is in line
            with those before it: it need not be judged. Per stream.
        waits_ns_max, lags_ns_max: the longest waits here, and the longest lags at a tick.

    Args:
        books_of: of each stream, its rows on the board now; they may change.
    """

    def __init__(
        self,
        board: Board,
        behind: Sequence["array[int]"],
        books_of: Sequence[Sequence[int]],
        *,
        lag_ms_max: int,
    ) -> None:
        streams = len(behind)
        self.behind = behind
        self.from_ns = array("q", [_UNKNOWN] * streams)
        self.to_ns = array("q", [-_UNKNOWN] * streams)
        self.waits_ns_max = array("q", [0] * streams)
        self.lags_ns_max = array("q", [0] * streams)
        self._board = board
        self._books_of = books_of
        self._limit_ns = lag_ms_max * NS_PER_MS
        self._least_ns = array("q", [_UNKNOWN] * streams)
        self._lags_ns = array("q", [0] * streams)
        self._is_late = bytearray(streams)
        self._ticked_at_ns = 0

    def limit(self, lag_ms_max: int) -> None:
        """Go by another limit; the next frame of each stream is judged by it."""
        if lag_ms_max * NS_PER_MS == self._limit_ns:
            return
        self._limit_ns = lag_ms_max * NS_PER_MS
        for stream in range(len(self.behind)):
            self.from_ns[stream] = _UNKNOWN

    def opened(self, stream: int) -> None:
        """Learn of a new connection, whose quickest frame is yet to come."""
        self.from_ns[stream] = _UNKNOWN
        if not self._is_late[stream]:
            self._least_ns[stream] = _UNKNOWN
            self._lags_ns[stream] = 0

    def joined(self, stream: int, book: int, at_ns: int) -> None:
        """Learn that a row is one of the stream's now."""
        if self._is_late[stream]:
            self._board.hold(book, Fault.LATE, at_ns, "frames come late")
        else:
            self._board.release(book)

    def corrected(self) -> None:
        """Learn that our clock was corrected: no earlier comparison holds. All feeds begin anew."""
        self._ticked_at_ns = 0
        for stream in range(len(self.behind)):
            self._release(stream)
            self.opened(stream)

    def tick(self, at_ns: int) -> None:
        """Allow for clocks that drift, and note lags for reports."""
        drift_ns = max(at_ns - (self._ticked_at_ns or at_ns), 0) // DRIFT_PER
        self._ticked_at_ns = at_ns
        for stream, least_ns in enumerate(self._least_ns):
            if least_ns != _UNKNOWN:
                self._least_ns[stream] = least_ns + drift_ns
                self.from_ns[stream] = _UNKNOWN
                lag_ns = self._lag_ns(stream, self.behind[stream][0])
                self.lags_ns_max[stream] = max(self.lags_ns_max[stream], lag_ns)

    def lag_ns(self, stream: int) -> int | None:
        """Return how much longer the newest frame took than the quickest, None if not known."""
        if self._least_ns[stream] == _UNKNOWN:
            return None
        return self._lag_ns(stream, self.behind[stream][0])

    def judge(self, stream: int, wait_ns: int, at_ns: int) -> None:
        """Judge a frame that its feed has taken, and that waited so long since its receipt."""
        behind_ns = self.behind[stream][0]
        is_comparable = abs(behind_ns) <= OFFSET_NS_MAX
        if is_comparable:
            self._least_ns[stream] = min(self._least_ns[stream], behind_ns)
        self._lags_ns[stream] = lag_ns = self._lag_ns(stream, behind_ns)
        self.waits_ns_max[stream] = max(self.waits_ns_max[stream], wait_ns)
        late_ns = lag_ns + wait_ns
        if self._is_late[stream]:
            if late_ns * CALM_RATIO <= self._limit_ns:
                self._release(stream)
        elif late_ns > self._limit_ns:
            self._hold(stream, late_ns, at_ns)
        if self._is_late[stream]:
            self.from_ns[stream] = _UNKNOWN
        elif is_comparable:
            self.from_ns[stream] = least_ns = self._least_ns[stream]
            self.to_ns[stream] = least_ns + self._limit_ns
        else:
            self.from_ns[stream] = self.to_ns[stream] = behind_ns

    def _hold(self, stream: int, late_ns: int, at_ns: int) -> None:
        self._is_late[stream] = 1
        note = f"frames come {late_ns / 1e9:.1f} s late, limit {self._limit_ns / 1e9:g} s"
        for book in self._books_of[stream]:
            self._board.hold(book, Fault.LATE, at_ns, note)

    def _release(self, stream: int) -> None:
        if self._is_late[stream]:
            self._is_late[stream] = 0
            for book in self._books_of[stream]:
                self._board.release(book)

    def _lag_ns(self, stream: int, behind_ns: int) -> int:
        """Return the lag that a frame's time shows, or the last known one if it shows none."""
        least_ns = self._least_ns[stream]
        if least_ns == _UNKNOWN or abs(behind_ns) > OFFSET_NS_MAX:
            return self._lags_ns[stream]
        return max(behind_ns - least_ns, 0)
