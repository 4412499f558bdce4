"""Frames at once: a connection that hands them over where their bytes come from the socket.

The library's way leads through a queue and another turn of the loop, a third of the time from the
socket to the feed. Frames wait in that queue only while there are too many; their age counts from
here.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import CONT, DATA_OPCODES, Frame

from engine.domain.traffic import Meter

WAIT_NS_MIN = 1_000_000
"""A frame that waited for less counts as received when it is taken."""


class TimedConnection(ClientConnection):
    """A client connection that can hand messages over as soon as their bytes are there.

    Attributes:
        hand_over: takes a message and the time at which its bytes were read; None lets all wait.
        arrivals: one time for each message that waits in the library's queue.
    """

    def __init__(
        self,
        *args: Any,
        now_ns: Callable[[], int],
        at_once: int,
        meter: Meter | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._meter = meter or Meter()
        self.hand_over: Callable[[bytes, int], None] | None = None
        self.arrivals: deque[int] = deque()
        self._now_ns = now_ns
        self._at_once = at_once
        self._room = at_once
        self._room_at_ns = 0
        self._read_at_ns = 0

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket."""
        at_ns = self._read_at_ns = self._now_ns()
        self._meter.received_bytes += len(data)
        if not 0 <= at_ns - self._room_at_ns < WAIT_NS_MIN:
            self._room, self._room_at_ns = self._at_once, at_ns
        super().data_received(data)

    def process_event(self, event: Any) -> None:
        """Take what the bytes made whole; the last frame of a message gives it its time."""
        if type(event) is Frame and event.fin and event.opcode in DATA_OPCODES:
            # The last part of a message follows those that are in the queue; so do all behind it.
            is_whole = event.opcode is not CONT
            if is_whole and self._room and not self.arrivals and self.hand_over is not None:
                self._room -= 1
                self.hand_over(bytes(event.data), self._read_at_ns)
                return
            self.arrivals.append(self._read_at_ns)
        super().process_event(event)


def timed_by(
    now_ns: Callable[[], int], *, at_once: int, meter: Meter | None = None
) -> type[TimedConnection]:
    """Return the class of connections that note times of this clock.

    Args:
        now_ns: wall clock.
        meter: counts bytes.
        at_once: so many messages are handed over within `WAIT_NS_MIN`; more wait in the queue.
    """

    class Connection(TimedConnection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, now_ns=now_ns, at_once=at_once, meter=meter, **options)

    return Connection


def wait_text(received_at_ns: int, at_ns: int) -> str:
    """Return the key of a frame's input: when it was received, if it had to wait since."""
    return str(received_at_ns) if at_ns - received_at_ns >= WAIT_NS_MIN else ""
