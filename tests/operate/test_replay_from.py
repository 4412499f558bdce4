"""A replay begins at any segment, and says in words what it cannot begin at or go on behind."""

from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from engine.connectors.specs import all_specs
from engine.core.inputs.listed import LISTED, InstrumentList
from engine.core.inputs.tick import TICK
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.holdings import Capital
from engine.operate.recorder import Recorder, RecorderSettings
from engine.operate.recording import (
    Entry,
    EntryKind,
    number_of,
    read_entries,
    segment_before,
    segments_of,
)
from engine.operate.run_header import RunHeader, StreamSpec, encode_header
from engine.ports import Listed
from engine.tools.replaying import replay
from engine.wiring.core import build_core
from engine.wiring.engine_recording import begin_segment
from tests.reference.run_core import make_header, make_surroundings
from tests.reference.world import SECOND, START_NS, make_instrument

VENUES = all_specs()

INSTRUMENTS = [make_instrument(venue) for venue in VENUES]
SEGMENTS = len(INSTRUMENTS)


def header_of_all() -> RunHeader:
    streams = [
        StreamSpec(venue=one.venue, feed=next(iter(VENUES[one.venue].feeds)), books=[book])
        for book, one in enumerate(INSTRUMENTS)
    ]
    return make_header(INSTRUMENTS, [], streams)


def record(directory: Path) -> tuple[Path, list[list[bytes]]]:
    """Record a run with a segment for each venue; return where, and the log by segment.

    Each lists a place that gets its money with the next tick: no tick, no decision.
    """
    header = header_of_all()
    settings = RecorderSettings(directory=directory, segment_bytes=1, total_bytes_max=1 << 30)
    recorder = Recorder(settings, header.run_id)
    recorder.write(0, EntryKind.HEADER, 0, 0, "", encode_header(header))
    lines: list[list[bytes]] = []

    def log(line: bytes) -> None:
        recorder.write(0, EntryKind.DECIDED, 0, 0, "", line)
        lines[-1].append(line)

    core = build_core(header, make_surroundings(log=log, recorder=recorder))
    recorder.begin_with(partial(begin_segment, core))
    for stream, one in enumerate(INSTRUMENTS):
        lines.append([])
        at_ns = START_NS + stream * SECOND
        capital = [Capital(venue=one.venue, asset=AssetCode("USD"), usd=Decimal(100 + stream))]
        listed = InstrumentList(listed=[Listed(instrument=one)], capital=capital)
        core.hot_path.accept(
            LISTED.number, stream=stream, key="", payload=LISTED.encode(listed), at_ns=at_ns
        )
        core.hot_path.tick(at_ns)
        if stream < SEGMENTS - 1:
            recorder.flush()
    recorder.write(0, EntryKind.ENDED, 0, 0, "", b"")
    recorder.close()
    return recorder.run_directory, lines


def rewrite(directory: Path, entries: list[Entry]) -> Path:
    settings = RecorderSettings(directory=directory, segment_bytes=1 << 26, total_bytes_max=1 << 30)
    recorder = Recorder(settings, "changed")
    for entry in entries:
        recorder.write(entry.seq, entry.kind, entry.stream, entry.at_ns, entry.key, entry.payload)
    recorder.close()
    return recorder.run_directory


def test_a_replay_from_any_segment_decides_the_rest_byte_for_byte(tmp_path: Path) -> None:
    run, lines = record(tmp_path)
    assert [number_of(segment) for segment in segments_of(run)] == list(range(1, SEGMENTS + 1))
    assert all(len(of_segment) == 1 for of_segment in lines)

    for first in range(1, SEGMENTS + 1):
        replayed: list[bytes] = []
        result = replay(run, lines=replayed, first=first)

        assert result.first_difference is None
        assert result.is_complete
        assert replayed == [line for of_segment in lines[first - 1 :] for line in of_segment]


def test_a_segment_alone_is_replayed_too(tmp_path: Path) -> None:
    run, lines = record(tmp_path)

    replayed: list[bytes] = []
    replay(segments_of(run)[-1], lines=replayed)

    assert replayed == lines[-1]


def test_a_run_whose_beginning_is_gone_is_replayed_on_request(tmp_path: Path) -> None:
    run, lines = record(tmp_path)
    segments_of(run)[0].unlink()

    with pytest.raises(BadValueError, match=r"first segment is gone.*FROM=2"):
        replay(run, lines=[])
    replayed: list[bytes] = []
    replay(run, lines=replayed, first=2)

    assert replayed == [line for of_segment in lines[1:] for line in of_segment]
    with pytest.raises(BadValueError, match="has no segment 1"):
        replay(run, lines=[], first=1)
    with pytest.raises(BadValueError, match="has no segment 99"):
        replay(run, lines=[], first=99)


def test_a_replay_stops_at_a_missing_segment_and_says_where_to_go_on(tmp_path: Path) -> None:
    run, lines = record(tmp_path)
    segments_of(run)[1].unlink()

    with pytest.raises(BadValueError, match="has no segment 2; FROM=3"):
        replay(run, lines=[])
    replayed: list[bytes] = []
    replay(run, lines=replayed, first=3)

    assert replayed == [line for of_segment in lines[2:] for line in of_segment]


@pytest.mark.parametrize("how", ["bytes", "cut", "empty"])
def test_a_replay_stops_at_a_damaged_segment_and_says_where_to_go_on(
    tmp_path: Path, how: str
) -> None:
    run, lines = record(tmp_path)
    segment = segments_of(run)[1]
    whole = segment.read_bytes()
    segment.write_bytes(
        {"bytes": b"\xff" * len(whole), "cut": whole[: len(whole) // 2], "empty": b""}[how]
    )

    with pytest.raises(BadValueError, match=r"FROM=3|an input has number"):
        replay(run, lines=[])
    replayed: list[bytes] = []
    replay(run, lines=replayed, first=3)

    assert replayed == [line for of_segment in lines[2:] for line in of_segment]


def test_a_segment_without_a_checkpoint_is_nothing_to_begin_at(tmp_path: Path) -> None:
    settings = RecorderSettings(directory=tmp_path, segment_bytes=1, total_bytes_max=1 << 30)
    recorder = Recorder(settings, "r1")
    recorder.begin_with(list)
    for seq in (1, 2):
        recorder.write(0, EntryKind.HEADER, 0, 0, "", encode_header(header_of_all()))
        recorder.write(seq, TICK.number, 0, START_NS, "", b"")
        recorder.flush()
    recorder.close()

    with pytest.raises(BadValueError, match="it has no checkpoint"):
        replay(recorder.run_directory, lines=[], first=2)


def test_a_checkpoint_that_is_not_of_its_input_is_refused(tmp_path: Path) -> None:
    run, _ = record(tmp_path)
    entries = list(read_entries(segments_of(run)[1]))
    entries[1] = replace(entries[1], seq=entries[1].seq + 1)

    with pytest.raises(BadValueError, match="a checkpoint is of input"):
        replay(segments_of(rewrite(tmp_path, entries))[0], lines=[])


def test_a_recording_without_ticks_is_no_recording(tmp_path: Path) -> None:
    """A recorder that skips ticks is found by the hole, and by what the ticks decided."""
    run, lines = record(tmp_path)
    assert all(b"deposited" in line for of_segment in lines for line in of_segment)
    without = [entry for entry in read_entries(run) if entry.kind != TICK.number]

    with pytest.raises(BadValueError, match="an input has number 3 behind 1"):
        replay(rewrite(tmp_path / "holes", without), lines=[])

    number = 0
    renumbered = []
    for entry in without:
        number += entry.is_input
        renumbered.append(replace(entry, seq=number) if entry.is_input else entry)
    replayed: list[bytes] = []
    result = replay(rewrite(tmp_path / "close", renumbered), lines=replayed)
    assert result.first_difference == 1
    assert replayed == []


def test_a_trace_begins_at_the_last_segment_before_its_inputs(tmp_path: Path) -> None:
    run, _ = record(tmp_path)

    assert [segment_before(run, seq) for seq in (1, 2, 3, 4, 5, 6)] == [0, 0, 2, 2, 3, 3]
