"""One connected client: its session, its bounded queue and what faults do to its frames."""

import asyncio
import random
import re
from collections import deque
from collections.abc import Sequence

from engine.sandbox.dialects.base import Session
from engine.sandbox.fault_script import FaultKind, ScriptedFault

QUOTED_NUMBER = re.compile(rb'"\d+\.\d+"')
BAD_NUMBERS = (b'"NaN"', b'"-1.00"', b'"1e999"', b'"12.3.4"', b'""', b"null")
BAD_BYTES = (b"#", b"\x01", b"}", b"{")


class Client:
    """A client of one feed.

    Attributes:
        session: the dialect's side of the connection.
        is_overrun: more frames waited than allowed; the connection must be reset.
        closing: None while open, else "close" or "reset".
        ready: set while the queue has frames or the connection is to be closed.
        broken: set when the connection is to be reset, even while a frame is being sent.
        idle: set while the queue is empty.
        frames: what has left.
    """

    def __init__(
        self, *, venue: str, feed: str, session: Session, frames_max: int, bytes_max: int
    ) -> None:
        self.venue = venue
        self.feed = feed
        self.session = session
        self.is_overrun = False
        self.closing: str | None = None
        self.ready = asyncio.Event()
        self.broken = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()
        self.frames = 0
        self._frames_max = frames_max
        self._bytes_max = bytes_max
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._held: bytes | None = None
        self._delayed: list[bytes] = []
        self._delayed_until_ns = 0

    def push(
        self,
        frames: Sequence[bytes],
        *,
        at_ns: int,
        faults: Sequence[ScriptedFault] = (),
        rng: random.Random | None = None,
    ) -> None:
        """Queue frames, changed by faults, behind any delayed ones."""
        for frame in frames:
            for changed in _apply_faults(frame, faults, rng or random.Random(0)):  # noqa: S311
                self._pass_on(changed, faults, at_ns)

    def release(self, at_ns: int) -> None:
        """Queue the delayed frames whose time has come."""
        if self._delayed and at_ns >= self._delayed_until_ns:
            delayed, self._delayed = self._delayed, []
            for frame in delayed:
                self._enqueue(frame)

    def close(self, how: str) -> None:
        """End the connection: "close" after the queued frames, "reset" at once."""
        self.closing = how
        self.ready.set()
        if how == "reset":
            self.broken.set()

    def take(self) -> bytes | None:
        """Take the next frame to send, or None when there is none."""
        if not self._queue:
            self.idle.set()
            if self.closing is None:
                self.ready.clear()
            return None
        frame = self._queue.popleft()
        self._queued_bytes -= len(frame)
        self.frames += 1
        return frame

    def _pass_on(self, frame: bytes, faults: Sequence[ScriptedFault], at_ns: int) -> None:
        for fault in faults:
            if fault.fault is FaultKind.DELAY:
                until_ns = at_ns + int(fault.duration_s * 1e9)
                self._delayed_until_ns = max(self._delayed_until_ns, until_ns)
            elif fault.fault is FaultKind.REORDER and self._held is None:
                self._held = frame
                return
        self._emit(frame, at_ns)
        if self._held is not None:
            held, self._held = self._held, None
            self._emit(held, at_ns)

    def _emit(self, frame: bytes, at_ns: int) -> None:
        if self._delayed or at_ns < self._delayed_until_ns:
            self._delayed.append(frame)
            if len(self._delayed) > self._frames_max:
                self._overrun()
        else:
            self._enqueue(frame)

    def _enqueue(self, frame: bytes) -> None:
        is_full = len(self._queue) >= self._frames_max
        is_heavy = bool(self._queue) and self._queued_bytes + len(frame) > self._bytes_max
        if self.closing is not None:
            return
        if is_full or is_heavy:
            self._overrun()
            return
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        self.idle.clear()
        self.ready.set()

    def _overrun(self) -> None:
        self.is_overrun = True
        self._queue.clear()
        self._delayed.clear()
        self._queued_bytes = 0
        self.close("reset")


def _apply_faults(frame: bytes, faults: Sequence[ScriptedFault], rng: random.Random) -> list[bytes]:
    frames = [frame]
    for fault in faults:
        match fault.fault:
            case FaultKind.DROP:
                return []
            case FaultKind.DUPLICATE:
                frames = frames * 2
            case FaultKind.TRUNCATE:
                frames = [part[: max(1, rng.randrange(len(part)))] for part in frames]
            case FaultKind.CORRUPT:
                frames = [_corrupt(part, fault.variant, rng) for part in frames]
            case FaultKind.OVERSIZE:
                frames = [part.ljust(fault.size_bytes) for part in frames]
            case _:
                pass
    return frames


def _corrupt(frame: bytes, form: str, rng: random.Random) -> bytes:
    """Damage a frame so that it can be noticed: no book shows a wrong digit by itself."""
    numbers = list(QUOTED_NUMBER.finditer(frame))
    if form == "number" and numbers:
        start, end = rng.choice(numbers).span()
        return frame[:start] + rng.choice(BAD_NUMBERS) + frame[end:]
    quotes = [index for index, byte in enumerate(frame) if byte == ord('"')]
    at = rng.choice(quotes) if quotes else 0
    return frame[:at] + rng.choice(BAD_BYTES) + frame[at + 1 :]
