"""When frames arrived: a connection that notes the time as bytes come from the socket.

Frames may wait in the library's queue while others are taken; their age counts from here.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame

WAIT_NS_MIN = 1_000_000
"""A frame that waited for less counts as received when it is taken."""


class TimedConnection(ClientConnection):
    """A client connection whose `arrivals` hold one time per message that nobody took yet."""

    def __init__(self, *args: Any, now_ns: Callable[[], int], **options: Any) -> None:
        super().__init__(*args, **options)
        self.arrivals: deque[int] = deque()
        self._now_ns = now_ns
        self._read_at_ns = 0

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket."""
        self._read_at_ns = self._now_ns()
        super().data_received(data)

    def process_event(self, event: Any) -> None:
        """Take what the bytes made whole; the last frame of a message gives it its time."""
        if type(event) is Frame and event.fin and event.opcode in DATA_OPCODES:
            self.arrivals.append(self._read_at_ns)
        super().process_event(event)


def timed_by(now_ns: Callable[[], int]) -> type[TimedConnection]:
    """Return the class of connections that note times of this clock."""

    class Connection(TimedConnection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, now_ns=now_ns, **options)

    return Connection


def wait_text(received_at_ns: int, at_ns: int) -> str:
    """Return the key of a frame's input: when it was received, if it had to wait since."""
    return str(received_at_ns) if at_ns - received_at_ns >= WAIT_NS_MIN else ""
