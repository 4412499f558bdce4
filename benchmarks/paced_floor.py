"""The floor of the paced figures: a receiver on the same kind of loop that does nothing.

`python -m benchmarks.paced_floor PORT FOLDER INTERVAL_NS:FRAMES ...`, with the venue's certificate
in SSL_CERT_FILE. What came when is stored per connection.
"""

import asyncio
import os
import sys
import time
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import uvloop

from benchmarks.paced_sender import PATIENCE_S, Pace
from engine.operate.own_core import own_core

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

Times = np.ndarray[Any, Any]


class Arrivals:
    """When how many bytes of a connection had come."""

    def __init__(self, room: int) -> None:
        self._at_ns = array("q", bytes(8 * room))
        self._ends = array("q", bytes(8 * room))
        self._count = 0
        self._bytes = 0

    def add(self, size: int, at_ns: int) -> None:
        """Take that so many more bytes came at this instant."""
        self._bytes += size
        self._at_ns[self._count] = at_ns
        self._ends[self._count] = self._bytes
        self._count += 1

    def table(self) -> Times:
        """Return int64 (arrivals, 2): the instant, and the bytes there were by it."""
        return np.array([self._at_ns, self._ends], np.int64).T[: self._count]


class _Floor(asyncio.Protocol):
    """Notes when decrypted bytes came, and does nothing with them."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.ended = asyncio.Event()
        self._arrivals = arrivals

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(REQUEST)

    def data_received(self, data: bytes) -> None:
        self._arrivals.add(len(data), time.monotonic_ns())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.ended.set()


async def receive(port: int, pace: Pace, path: Path) -> None:
    """Receive one connection with the least that can receive it."""
    arrivals = Arrivals(room_for(pace))
    loop = asyncio.get_running_loop()
    _, floor_of = await loop.create_connection(
        lambda: _Floor(arrivals), "127.0.0.1", port, ssl=True
    )
    async with asyncio.timeout(PATIENCE_S):
        await floor_of.ended.wait()
    np.savez(path, bytes=arrivals.table())


def room_for(pace: Pace) -> int:
    """Return how many times bytes may come: snapshots come in pieces."""
    return 10_000 + 2 * pace.frames


async def main(arguments: Sequence[str]) -> None:
    """Receive the paces in their order."""
    port, folder, *paces = arguments
    async with own_core(os.environ):
        for number, text in enumerate(paces):
            await receive(int(port), Pace.parse(text), Path(folder) / f"floor-{number}.npz")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
