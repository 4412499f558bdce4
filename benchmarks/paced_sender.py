"""The venue of the paced figures: recorded frames over TLS, each sent at its own instant.

`python -m benchmarks.paced_sender FOLDER INTERVAL_NS:FRAMES ...`: prints its port, serves one
connection for each pace, one after the other, and stores when each frame was due and sent. The
schedule waits for nobody: whoever stalls finds the frames in the socket.
"""

import contextlib
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from websockets.http11 import Request
from websockets.server import ServerProtocol

from benchmarks import harness
from benchmarks.real_frames import Recorded, coinbase

SNAPSHOTS = 13
"""The first frames of the recording, until every book has its snapshot."""

WARM_UP = SNAPSHOTS + harness.WARM_UP_CALLS
"""So many frames come first and do not count, `WARM_UP_NS` apart."""

WARM_UP_NS = 300_000
BEFORE_NS = 200_000_000
"""Between those and the schedule."""

SPIN_NS = 150_000
"""The last stretch to an instant is not slept through: a sleep may end 0.1 ms late."""

ANSWER_NS = 100_000
"""The receiver is listened to if this much time is left before the next frame."""

CERTIFICATE = "certificate.pem"
KEY = "key.pem"
PATIENCE_S = 240.0
QUIET_S = 0.5
"""A receiver that says nothing for so long after the last frame waits for the end."""

READ_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """So many frames, so far apart."""

    interval_ns: int
    frames: int

    @classmethod
    def parse(cls, text: str) -> Self:
        interval, _, frames = text.partition(":")
        return cls(interval_ns=int(interval), frames=int(frames))

    def __str__(self) -> str:
        return f"{self.interval_ns}:{self.frames}"


def recorded() -> Recorded:
    """Return what is sent: ten books of Coinbase, which need no REST answers."""
    return coinbase()


class Link:
    """A WebSocket within TLS on a blocking socket, whose frames are sealed before they are due.

    Attributes:
        plain_bytes: sent so far, before encryption: the receiver counts the same bytes.
    """

    def __init__(self, raw: socket.socket, context: ssl.SSLContext) -> None:
        self.plain_bytes = 0
        self._raw = raw
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._websocket = ServerProtocol(max_size=None)

    def open(self) -> None:
        """Shake hands, twice."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._raw.sendall(self._outgoing.read())
                self._take(self._raw.recv(READ_BYTES))
            else:
                break
        self._raw.sendall(self._outgoing.read())
        self._read()  # the request may have come with the last of the handshake
        while not (events := self._websocket.events_received()):
            self._take(self._raw.recv(READ_BYTES))
            self._read()
        assert isinstance(events[0], Request)
        self._websocket.send_response(self._websocket.accept(events[0]))
        self._raw.sendall(self._sealed())

    def seal(self, payload: bytes) -> bytes:
        """Return what to send for a frame."""
        self._websocket.send_text(payload)
        return self._sealed()

    def listen(self, flags: int = 0) -> bool:
        """Take what the receiver sent and answer its pings; returns whether it is still there."""
        try:
            self._take(self._raw.recv(READ_BYTES, flags))
            self._read()
        except BlockingIOError:
            return True
        except (EOFError, ssl.SSLError, OSError):
            return False
        self._websocket.events_received()
        if answer := self._sealed():
            self._raw.sendall(answer)
        return True

    def _take(self, sealed: bytes) -> None:
        if not sealed:
            raise EOFError
        self._incoming.write(sealed)

    def _read(self) -> None:
        try:
            while plain := self._tls.read(READ_BYTES):
                self._websocket.receive_data(plain)
        except ssl.SSLWantReadError:
            return
        raise EOFError

    def _sealed(self) -> bytes:
        plain = b"".join(self._websocket.data_to_send())
        if not plain:
            return b""
        self.plain_bytes += len(plain)
        self._tls.write(plain)
        return self._outgoing.read()


def serve(listener: socket.socket, context: ssl.SSLContext, pace: Pace, path: Path) -> None:
    """Serve one connection until its client leaves.

    Stores int64 (frames, 3): when each was due, when sent, and how many plain bytes there were by
    its end.
    """
    frames = [payload for _, payload in recorded().frames[: WARM_UP + pace.frames]]
    if len(frames) < WARM_UP + pace.frames:
        raise ValueError(f"{pace.frames} frames are more than the recording has")
    times = np.empty((pace.frames, 3), np.int64)
    raw, _ = listener.accept()
    with raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(raw, context)
        link.open()
        for payload in frames[:WARM_UP]:
            raw.sendall(link.seal(payload))
            link.listen(socket.MSG_DONTWAIT)
            time.sleep(WARM_UP_NS / 1e9)
        start_ns = time.monotonic_ns() + BEFORE_NS
        for number, payload in enumerate(frames[WARM_UP:]):
            sealed = link.seal(payload)
            due_ns = start_ns + number * pace.interval_ns
            _wait_until(due_ns)
            sent_ns = time.monotonic_ns()
            raw.sendall(sealed)
            times[number] = due_ns, sent_ns, link.plain_bytes
            if time.monotonic_ns() < due_ns + pace.interval_ns - ANSWER_NS:
                link.listen(socket.MSG_DONTWAIT)
        np.save(path, times)
        raw.settimeout(QUIET_S)
        while link.listen():
            pass
        with contextlib.suppress(OSError):
            raw.shutdown(socket.SHUT_WR)
            raw.settimeout(PATIENCE_S)
            while raw.recv(READ_BYTES):
                pass


def _wait_until(due_ns: int) -> None:
    now_ns = time.monotonic_ns
    if (left_ns := due_ns - now_ns() - SPIN_NS) > 0:
        time.sleep(left_ns / 1e9)
    while now_ns() < due_ns:
        pass


def main(arguments: Sequence[str]) -> None:
    """Serve the paces in their order."""
    folder = Path(arguments[0])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    recorded()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        print(listener.getsockname()[1], flush=True)
        for number, text in enumerate(arguments[1:]):
            serve(listener, context, Pace.parse(text), folder / f"sent-{number}.npy")


if __name__ == "__main__":
    main(sys.argv[1:])
