"""Write a run's recording without ever holding up the hot path.

The hot path appends entries to a buffer. Several times a second a task puts another buffer in its
place and hands what was filled to a thread that compresses and writes it. If the disk cannot keep
up or refuses, the recording ends there, loudly: a recording with holes could not be replayed.
"""

import asyncio
import contextlib
import logging
import time
from array import array
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import zstandard

from engine.domain.units import NS_PER_DAY
from engine.operate.recording import SUFFIX, EntryKind, encode_entry

log = logging.getLogger(__name__)

BUFFERED_BYTES_MAX: Final = 256 * 1024 * 1024
FLUSH_S: Final = 0.25

BUFFER_BYTES: Final = 1 << 20
"""Size of a buffer; if more comes in between two flushes, there are several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """Where and how much to record.

    Attributes:
        directory: parent of the runs' folders.
        segment_bytes: uncompressed size after which a flush ends the segment.
        segment_ns: age after which a flush ends it.
        total_bytes_max: compressed size of all runs; the oldest segments go first.
    """

    directory: Path
    segment_bytes: int
    total_bytes_max: int
    segment_ns: int = NS_PER_DAY


class Recorder:
    """Entries of one run; `write` is the hot path's side and costs less than a microsecond."""

    def __init__(self, settings: RecorderSettings, run_id: str) -> None:
        self.run_directory = settings.directory / run_id
        self.failure: str | None = None
        self._settings = settings
        self._buffer = _make_buffer()
        self._spare = _make_buffer()
        self._used = array("q", [0])
        self._full: list[memoryview] = []
        self._full_bytes = 0
        self._segment: BinaryIO | None = None
        self._compressor: zstandard.ZstdCompressionWriter | None = None
        self._segment_number = 0
        self._segment_bytes = self._segment_since_ns = 0
        self._beginning: Callable[[], Sequence[bytes]] = tuple

    def begin_with(self, beginning: Callable[[], Sequence[bytes]]) -> None:
        """Let all segments but the first begin with the entries that this makes when it is called.

        It is called between two inputs, and must be quick: it holds them up.
        """
        self._beginning = beginning

    def write(  # noqa: PLR0917 - an entry's fields in their order, on the hot path
        self, seq: int, kind: int, stream: int, at_ns: int, key: str, payload: bytes
    ) -> None:
        """Append an entry; it reaches the disk within about a quarter of a second."""
        if self.failure is not None:
            return
        entry = encode_entry(seq, kind, stream, at_ns, key.encode(), payload)
        start = self._used[0]
        end = start + len(entry)
        if end > len(self._buffer):
            self._start_buffer()
            start, end = 0, len(entry)
        self._buffer[start:end] = entry
        self._used[0] = end

    def flush(self) -> None:
        """Compress and write what is waiting."""
        self.write_out(self.take())
        if self.is_full:
            self.end_segment(self.take_last())

    @property
    def is_full(self) -> bool:
        """Whether the segment is as large, or as old, as it should be."""
        if self._compressor is None or self.failure is not None:
            return False
        own, age_ns = self._settings, time.monotonic_ns() - self._segment_since_ns
        return self._segment_bytes >= own.segment_bytes or age_ns >= own.segment_ns

    def take(self) -> list[memoryview]:
        """Return what is waiting for `write_out`, which must have ended before the next call.

        To be called where `write` is.
        """
        waiting, self._full, self._full_bytes = self._full, [], 0
        waiting.append(memoryview(self._buffer)[: self._used[0]])
        self._buffer, self._spare = self._spare, self._buffer
        self._used[0] = 0
        if len(self._buffer) > BUFFER_BYTES:  # it grew with one large entry, such as a fetched book
            self._buffer = _make_buffer()
        return waiting

    def take_last(self) -> list[memoryview]:
        """Do as `take`, for `end_segment`: what is written from now on is the next segment's."""
        waiting = self.take()
        self._full = [memoryview(piece) for piece in self._beginning()]
        self._full_bytes = sum(piece.nbytes for piece in self._full)
        return waiting

    def end_segment(self, waiting: list[memoryview]) -> None:
        """Write out what was taken and end the segment; made for a thread."""
        self.write_out(waiting)
        self._close()

    def write_out(self, waiting: list[memoryview]) -> None:
        """Compress and write what was taken; made for a thread."""
        if self.failure is not None or not any(part.nbytes for part in waiting):
            return
        try:
            if self._compressor is None:
                self._next_segment()
            assert self._compressor is not None
            # Few calls: between calls this thread would ask for the interpreter's lock.
            for part in waiting:
                self._compressor.write(part)
                self._segment_bytes += part.nbytes
            self._compressor.flush(zstandard.FLUSH_BLOCK)
            assert self._segment is not None
            self._segment.flush()
        except OSError as error:
            self._fail(f"{error.strerror or error} at {self.run_directory}")

    def close(self) -> None:
        """Write what waits and end the recording in order."""
        self.write_out(self.take())
        self._close()

    def _close(self) -> None:
        try:
            self._close_segment()
        except OSError as error:
            self._fail(f"{error.strerror or error} at {self.run_directory}")

    def _start_buffer(self) -> None:
        """Put the buffer to the full ones and start another, which a larger entry makes grow."""
        self._full.append(memoryview(self._buffer)[: self._used[0]])
        self._full_bytes += self._used[0]
        self._buffer = _make_buffer()
        if self._full_bytes > BUFFERED_BYTES_MAX:
            self._fail(f"the disk is too slow: {self._full_bytes >> 20} MB were waiting")

    def _fail(self, why: str) -> None:
        self.failure = why
        self._full, self._full_bytes = [], 0
        log.error("recording stopped: %s; trading goes on without it", why)

    def _next_segment(self) -> None:
        self._close_segment()
        # A folder that is there at first is another run's, of a ledger that is no more.
        self.run_directory.mkdir(parents=True, exist_ok=self._segment_number > 0)
        self._segment_number += 1
        path = self.run_directory / f"{self._segment_number:06d}{SUFFIX}"
        self._segment = path.open("wb")
        self._compressor = zstandard.ZstdCompressor(level=3).stream_writer(
            self._segment, closefd=False
        )
        self._segment_bytes, self._segment_since_ns = 0, time.monotonic_ns()
        self._delete_oldest(keep=path)

    def _close_segment(self) -> None:
        compressor, self._compressor = self._compressor, None
        segment, self._segment = self._segment, None
        try:
            if compressor is not None:
                compressor.close()  # type: ignore[no-untyped-call]
        finally:
            if segment is not None:
                segment.close()

    def _delete_oldest(self, *, keep: Path) -> None:
        segments = sorted(self._settings.directory.glob(f"*/*{SUFFIX}"))
        sizes = {segment: segment.stat().st_size for segment in segments}
        total = sum(sizes.values())
        for segment in segments:
            if total <= self._settings.total_bytes_max or segment == keep:
                return
            segment.unlink()
            total -= sizes[segment]
            with contextlib.suppress(OSError):
                segment.parent.rmdir()  # only an empty folder goes


def _make_buffer() -> bytearray:
    """Make a buffer whose memory is there: `bytearray(size)` would get it page by page, later."""
    return bytearray(b"\0") * BUFFER_BYTES


@contextlib.asynccontextmanager
async def open_recorder(settings: RecorderSettings, run_id: str) -> AsyncIterator[Recorder]:
    """Record a run until the block ends; what was written before stays readable after a crash."""
    recorder = Recorder(settings, run_id)
    closing = asyncio.Event()

    async def flush_often() -> None:
        while not closing.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await closing.wait()
            await _write(recorder.write_out, recorder.take())
            if recorder.is_full:
                await _write(recorder.end_segment, recorder.take_last())

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(flush_often())
            try:
                yield recorder
            finally:
                recorder.write(0, EntryKind.ENDED, 0, 0, "", b"")
                closing.set()
    finally:
        # What ends the block with an error ends the flushing too: the rest is written here.
        await asyncio.to_thread(recorder.close)


async def _write(work: Callable[[list[memoryview]], None], taken: list[memoryview]) -> None:
    """Do one piece of writing in a thread; a cancellation waits for it, as another follows it."""
    writing = asyncio.ensure_future(asyncio.to_thread(work, taken))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait({writing})
        raise
