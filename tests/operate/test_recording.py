import random
import resource
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from engine.operate.recorder import BUFFER_BYTES, Recorder, RecorderSettings, open_recorder
from engine.operate.recording import Entry, EntryKind, read_entries, segments_of
from engine.ports import InputKind

ENTRIES = st.lists(
    st.builds(
        Entry,
        st.integers(0, 2**63),
        st.sampled_from([*InputKind, *EntryKind]),
        st.integers(0, 65_535),
        st.integers(-(2**62), 2**62),
        st.text(max_size=20),
        st.binary(max_size=2_000),
    ),
    max_size=30,
)


def settings(
    directory: Path, *, segment_bytes: int = 10_000, total: int = 10**9
) -> RecorderSettings:
    return RecorderSettings(directory=directory, segment_bytes=segment_bytes, total_bytes_max=total)


def write(recorder: Recorder, entry: Entry) -> None:
    recorder.write(entry.seq, entry.kind, entry.stream, entry.at_ns, entry.key, entry.payload)


@given(entries=ENTRIES, flush_every=st.integers(1, 7))
def test_what_was_recorded_is_read_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], flush_every: int
) -> None:
    directory = tmp_path_factory.mktemp("recording")
    recorder = Recorder(settings(directory, segment_bytes=3_000), "run")
    for number, entry in enumerate(entries):
        write(recorder, entry)
        if number % flush_every == 0:
            recorder.flush()
    recorder.flush()
    recorder.close()

    if entries:
        assert list(read_entries(directory / "run")) == entries


def test_what_was_flushed_outlives_the_process_that_recorded_it(tmp_path: Path) -> None:
    recorder = Recorder(settings(tmp_path), "run")
    entries = [Entry(n, InputKind.FRAME, 0, n, "", b"frame") for n in range(3)]
    for entry in entries:
        write(recorder, entry)

    recorder.flush()

    shutil.copytree(tmp_path / "run", tmp_path / "left by a crash")
    assert list(read_entries(tmp_path / "left by a crash")) == entries
    recorder.close()


@pytest.mark.parametrize(("age_ns", "segments"), [(0, 3), (10**18, 1)])
def test_a_segment_is_ended_by_its_age_however_little_is_in_it(
    tmp_path: Path, age_ns: int, segments: int
) -> None:
    recorder = Recorder(replace(settings(tmp_path), segment_ns=age_ns), "run")
    entries = [Entry(n, InputKind.FRAME, 0, n, "", b"frame") for n in range(3)]
    for entry in entries:
        write(recorder, entry)
        recorder.flush()
    recorder.close()

    assert len(segments_of(tmp_path / "run")) == segments
    assert list(read_entries(tmp_path / "run")) == entries


def test_entries_larger_than_a_buffer_are_recorded_and_leave_none_of_their_size(
    tmp_path: Path,
) -> None:
    recorder = Recorder(settings(tmp_path, segment_bytes=10**9), "run")
    large = [
        Entry(n, InputKind.FETCHED, 0, n, "book", bytes([n]) * (BUFFER_BYTES + n)) for n in range(3)
    ]
    small = [Entry(n, InputKind.FRAME, 0, n, "", bytes([n]) * 700) for n in range(3, 6)]
    for entry in (small[0], *large):
        write(recorder, entry)
    for entry in small[1:]:
        recorder.flush()
        write(recorder, entry)
        assert len(recorder._buffer) == BUFFER_BYTES
    recorder.close()

    assert list(read_entries(tmp_path / "run")) == [small[0], *large, *small[1:]]


def test_a_recording_cut_by_a_crash_is_read_up_to_its_last_whole_entry(tmp_path: Path) -> None:
    recorder = Recorder(settings(tmp_path, segment_bytes=10**9), "run")
    entries = [Entry(n, InputKind.FRAME, 0, n, "", bytes([n % 256]) * 500) for n in range(400)]
    for entry in entries:
        write(recorder, entry)
        recorder.flush()
    (segment,) = segments_of(tmp_path / "run")
    content = segment.read_bytes()

    for cut in range(1, len(content), 97):
        segment.write_bytes(content[:cut])
        read = list(read_entries(segment))
        assert read == entries[: len(read)]
    recorder.close()


def test_the_oldest_segments_go_first_when_the_disk_budget_is_used_up(tmp_path: Path) -> None:
    source = random.Random(1)
    for run in ("a", "b"):
        recorder = Recorder(settings(tmp_path, segment_bytes=20_000, total=60_000), run)
        for n in range(60):
            write(recorder, Entry(n, InputKind.FRAME, 0, n, "", source.randbytes(2_000)))
            recorder.flush()
        recorder.close()

    held = sorted(tmp_path.glob("*/*.zst"))
    assert sum(path.stat().st_size for path in held) <= 60_000 + 25_000
    assert {path.parent.name for path in held} == {"b"}


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.zst"
    file.write_bytes(b"not zstd at all")

    with pytest.raises(BadValueError, match="no recording"):
        list(read_entries(file))
    with pytest.raises(BadValueError, match="holds no recording"):
        list(read_entries(tmp_path / "nothing"))


def test_a_full_disk_ends_the_recording_but_not_the_run(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    recorder = Recorder(settings(tmp_path), "run")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
        for n in range(20):
            payload = random.Random(n).randbytes(5_000)
            write(recorder, Entry(n, InputKind.FRAME, 0, n, "", payload))
            recorder.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)

    assert recorder.failure is not None
    write(recorder, Entry(99, InputKind.FRAME, 0, 99, "", b"x"))
    recorder.close()


async def test_an_open_recorder_flushes_by_itself_and_marks_its_end(tmp_path: Path) -> None:
    async with open_recorder(settings(tmp_path), "run") as recorder:
        write(recorder, Entry(1, InputKind.FRAME, 3, 5, "k", b"x"))

    assert [entry.kind for entry in read_entries(tmp_path / "run")] == [
        InputKind.FRAME,
        EntryKind.ENDED,
    ]


async def test_an_error_that_ends_a_run_loses_nothing_of_its_recording(tmp_path: Path) -> None:
    entries = [Entry(n, InputKind.FRAME, 0, n, "", b"frame") for n in range(3)]
    with pytest.RaisesGroup(ZeroDivisionError):
        async with open_recorder(settings(tmp_path), "run") as recorder:
            for entry in entries:
                write(recorder, entry)
            raise ZeroDivisionError

    *kept, ended = read_entries(tmp_path / "run")
    assert kept == entries
    assert ended.kind is EntryKind.ENDED
    assert recorder.failure is None


def test_a_run_whose_name_was_used_before_leaves_that_recording_as_it_is(tmp_path: Path) -> None:
    first, second = (
        Entry(1, InputKind.FETCHED, 0, 1, "a", b"1"),
        Entry(9, InputKind.FETCHED, 0, 9, "b", b"2"),
    )
    for entry in (first, second):
        recorder = Recorder(settings(tmp_path), "run")
        write(recorder, entry)
        recorder.flush()
        recorder.close()

    assert list(read_entries(tmp_path / "run")) == [first]
    assert recorder.failure is not None
    assert "File exists" in recorder.failure
