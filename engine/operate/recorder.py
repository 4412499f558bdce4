"""Write a run's recording without ever holding up the hot path.

The hot path appends entries to a list. Several times a second a task hands that list to a thread
that compresses and writes it. If the disk cannot keep up or refuses, the recording ends there,
loudly: a recording with holes could not be replayed.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import zstandard

from engine.operate.recording import SUFFIX, EntryKind, encode_entry

log = logging.getLogger(__name__)

BUFFERED_BYTES_MAX: Final = 256 * 1024 * 1024
FLUSH_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """Where and how much to record.

    Attributes:
        directory: parent of the runs' folders.
        segment_bytes: uncompressed size after which the next flush begins a new segment.
        total_bytes_max: compressed size of all runs; the oldest segments go first.
    """

    directory: Path
    segment_bytes: int
    total_bytes_max: int


class Recorder:
    """Entries of one run; `write` is the hot path's side and costs less than a microsecond."""

    def __init__(self, settings: RecorderSettings, run_id: str) -> None:
        self.run_directory = settings.directory / run_id
        self.failure: str | None = None
        self._settings = settings
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._segment: BinaryIO | None = None
        self._compressor: zstandard.ZstdCompressionWriter | None = None
        self._segment_number = 0
        self._segment_bytes = 0

    def write(  # noqa: PLR0917 - an entry's fields in their order, on the hot path
        self, seq: int, kind: int, stream: int, at_ns: int, key: str, payload: bytes
    ) -> None:
        """Append an entry; it reaches the disk within about a quarter of a second."""
        if self.failure is not None:
            return
        entry = encode_entry(seq, kind, stream, at_ns, key.encode(), payload)
        self._waiting.append(entry)
        self._waiting_bytes += len(entry)
        if self._waiting_bytes > BUFFERED_BYTES_MAX:
            self._fail(f"the disk is too slow: {self._waiting_bytes >> 20} MB were waiting")

    def flush(self) -> None:
        """Compress and write what is waiting; runs in a thread, one call at a time."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not waiting or self.failure is not None:
            return
        try:
            if self._compressor is None or self._segment_bytes >= self._settings.segment_bytes:
                self._next_segment()
            assert self._compressor is not None
            # One call for all: between calls this thread would ask for the interpreter's lock.
            chunk = b"".join(waiting)
            self._compressor.write(chunk)
            self._segment_bytes += len(chunk)
            self._compressor.flush(zstandard.FLUSH_BLOCK)
            assert self._segment is not None
            self._segment.flush()
        except OSError as error:
            self._fail(f"{error.strerror or error} at {self.run_directory}")

    def close(self) -> None:
        """Write what waits and end the recording in order."""
        self.flush()
        try:
            self._close_segment()
        except OSError as error:
            self._fail(f"{error.strerror or error} at {self.run_directory}")

    def _fail(self, why: str) -> None:
        self.failure = why
        self._waiting, self._waiting_bytes = [], 0
        log.error("recording stopped: %s; trading goes on without it", why)

    def _next_segment(self) -> None:
        self._close_segment()
        self.run_directory.mkdir(parents=True, exist_ok=True)
        self._segment_number += 1
        path = self.run_directory / f"{self._segment_number:06d}{SUFFIX}"
        self._segment = path.open("wb")
        self._compressor = zstandard.ZstdCompressor(level=3).stream_writer(
            self._segment, closefd=False
        )
        self._segment_bytes = 0
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
            await asyncio.to_thread(recorder.flush)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(flush_often())
        try:
            yield recorder
        finally:
            recorder.write(0, EntryKind.ENDED, 0, 0, "", b"")
            closing.set()
    await asyncio.to_thread(recorder.close)
