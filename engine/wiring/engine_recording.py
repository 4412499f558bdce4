"""The recording of an engine's run: where it goes, and what each of its segments begins with."""

import logging
from contextlib import AsyncExitStack

from engine.domain.errors import BadValueError
from engine.domain.units import NS_PER_S
from engine.operate.core_parts import Core
from engine.operate.recorder import Recorder, RecorderSettings, open_recorder
from engine.operate.recording import EntryKind, encode_beginning
from engine.operate.run_header import RunHeader, encode_header
from engine.settings.schema import Settings
from engine.wiring.paths import Paths

log = logging.getLogger(__name__)


async def open_recording(
    stack: AsyncExitStack, settings: Settings, paths: Paths, header: RunHeader
) -> Recorder | None:
    """Record a run until the stack ends; None where nothing is to be recorded."""
    if not settings.recording.is_on:
        return None
    own = RecorderSettings(
        directory=paths.recordings,
        segment_bytes=settings.recording.segment_mb << 20,
        segment_ns=settings.recording.segment_s * NS_PER_S,
        total_bytes_max=settings.recording.total_mb_max << 20,
    )
    recorder = await stack.enter_async_context(open_recorder(own, header.run_id))
    recorder.write(0, EntryKind.HEADER, 0, header.started_at_ns, "", encode_header(header))
    return recorder


def begin_segment(core: Core) -> list[bytes]:
    """Return what a segment of a recording begins with now."""
    header, seq = encode_header(core.header), core.hot_path.seq
    try:
        return encode_beginning(header, seq, core.frame.save())
    except BadValueError:
        log.exception("no replay can begin at the next segment")
        return encode_beginning(header, seq, [])
