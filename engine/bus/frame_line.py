"""Frames on a connection: taken where their bytes arrive, with no task and no stream between.

A frame is ``length (4 bytes) | request id (8 bytes) | kind (1 byte) | payload``; before the first
each end says which version of the protocol it speaks (4 bytes).
"""

import asyncio
import os
import struct
from collections.abc import Callable
from typing import Final, cast

from engine.bus.wire import FRAME_BYTES_MAX, PROTOCOL_VERSION

_HEADER: Final = struct.Struct(">IQB")
_VERSION_BYTES: Final = 4

Take = Callable[[int, int, bytes], None]
"""Takes a frame: request id, kind, payload."""


class FrameLine(asyncio.Protocol):
    """One end of a connection.

    Args:
        greeted: is told once which version the other end speaks.
        take: takes each frame.
        gone: is told once why the connection ended.
    """

    def __init__(
        self, *, greeted: Callable[[int], None], take: Take, gone: Callable[[str], None]
    ) -> None:
        self._greeted = greeted
        self._take = take
        self._gone = gone
        self._buffer = bytearray()
        self._is_greeted = False
        self._is_held = False
        self._why = "connection closed"
        self._transport: asyncio.Transport | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._ended = asyncio.Event()

    # ---- what is done with it ----------------------------------------------------------------

    def greet(self) -> None:
        """Say which version this end speaks."""
        self._own.write(PROTOCOL_VERSION.to_bytes(_VERSION_BYTES))

    def write(self, request_id: int, kind: int, payload: bytes) -> None:
        """Send a frame.

        Raises:
            ConnectionError: the other end is gone.
        """
        if self._own.is_closing():
            raise ConnectionError(self._why)
        self._own.write(_HEADER.pack(len(payload), request_id, kind) + payload)

    def write_now(self, request_id: int, kind: int, payload: bytes) -> bool:
        """Give a frame to the system before this returns; say whether that could be.

        The loop gives away what is written at the end of its turn, which may be long. What waits
        for that is not overtaken.
        """
        if self._own.is_closing() or self._own.get_write_buffer_size():
            return False
        frame = _HEADER.pack(len(payload), request_id, kind) + payload
        try:
            sent = os.write(self._own.get_extra_info("socket").fileno(), frame)
        except OSError:  # its buffer is full, or the other end is gone
            return False
        if sent < len(frame):
            self._own.write(frame[sent:])
        return True

    async def has_room(self) -> None:
        """Wait while the other end does not read what it was sent.

        Raises:
            ConnectionError: it is gone.
        """
        if not self._room.is_set():
            await self._room.wait()
            if self._own.is_closing():
                raise ConnectionError(self._why)

    def hold(self) -> None:
        """Take no more frames until `go_on`; what comes waits in the system's buffers."""
        self._is_held = True
        if not self._own.is_closing():
            self._own.pause_reading()

    def go_on(self) -> None:
        """Take frames again."""
        if self._is_held and not self._own.is_closing():
            self._is_held = False
            self._own.resume_reading()
            self._read()

    def close(self) -> None:
        """End the connection; what was not read by the other end is lost."""
        if self._transport is not None:
            self._transport.abort()

    async def ended(self) -> None:
        """Wait until it has ended."""
        if self._transport is not None:
            await self._ended.wait()

    # ---- what the loop tells it --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._buffer += data
        self._read()

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._room.clear()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._room.set()

    def connection_lost(self, error: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._ended.set()
        self._room.set()
        self._gone(str(error or self._why))

    @property
    def _own(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _read(self) -> None:
        buffer, at = self._buffer, 0
        if not self._is_greeted:
            if len(buffer) < _VERSION_BYTES:
                return
            at, self._is_greeted = _VERSION_BYTES, True
            self._greeted(int.from_bytes(buffer[:_VERSION_BYTES]))
        while len(buffer) - at >= _HEADER.size and not self._is_held:
            length, request_id, kind = _HEADER.unpack_from(buffer, at)
            if length > FRAME_BYTES_MAX:
                self._why = f"frame of {length} bytes; {FRAME_BYTES_MAX} are allowed"
                self.close()
                break
            end = at + _HEADER.size + length
            if len(buffer) < end or self._own.is_closing():
                break
            self._take(request_id, kind, bytes(buffer[at + _HEADER.size : end]))
            at = end
        del buffer[:at]
