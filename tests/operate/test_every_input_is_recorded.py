"""What a core takes is in its recording, input by input, and so is every look at the world."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

from engine.core.inputs.kind import NO_STREAM
from engine.core.inputs.limits_set import LimitsSet
from engine.core.inputs.tick import TICK
from engine.domain.corrections import Correction
from engine.operate.recorder import Recorder, RecorderSettings
from engine.operate.recording import Entry, EntryKind, read_entries
from engine.ports import InputKind
from tests.reference.engine import MS, Engine, header_of


def make_recorder(directory: Path) -> Recorder:
    settings = RecorderSettings(directory=directory, segment_bytes=1 << 20, total_bytes_max=1 << 20)
    return Recorder(settings, "r1")


def test_every_input_is_recorded_as_it_was_taken(tmp_path: Path) -> None:
    recorder = make_recorder(tmp_path)
    engine = Engine(header_of(), recorder=recorder)
    hot_path, at_ns = engine.core.hot_path, engine.now_ns
    given: list[tuple[int, int, int, str, bytes]] = []

    def accept(kind: InputKind, stream: int, key: str, payload: bytes) -> None:
        nonlocal at_ns
        at_ns += MS
        given.append((kind, stream, at_ns, key, payload))
        hot_path.accept(kind, stream=stream, key=key, payload=payload, at_ns=at_ns)

    for stream in (0, 1):
        accept(InputKind.OPENED, stream, "", b"")
        accept(InputKind.FRAME, stream, "", b"no frame")
        accept(InputKind.FRAME, stream, str(at_ns - 5), b"no frame, and late")
        accept(InputKind.FETCHED, stream, "/a/book", b"{}")
        accept(InputKind.FETCH_FAILED, stream, "/a/book", b"no")
        accept(InputKind.CLOSED, stream, "", b"gone")
    for _ in range(7):
        at_ns += MS
        given.append((TICK.number, NO_STREAM, at_ns, "", b""))
        hot_path.tick(at_ns)
    at_ns += 3_600_000 * MS
    hot_path.correct(Correction(step_ns=3_600_000 * MS, asleep_ns=0), at_ns)
    hot_path.command(LimitsSet(limits={"position_usd": Decimal(5)}), at_ns)

    recorder.close()
    found = [entry for entry in read_entries(recorder.run_directory) if entry.is_input]
    assert [entry.seq for entry in found] == list(range(1, len(given) + 3))
    assert [_taken(entry) for entry in found[: len(given)]] == given
    assert [entry.at_ns for entry in found[len(given) :]] == [at_ns, at_ns]


def test_every_look_at_the_world_is_recorded_whatever_was_seen(tmp_path: Path) -> None:
    recorder = make_recorder(tmp_path)
    engine = Engine(header_of(), recorder=recorder)
    engine.fund()
    engine.show(0, [("100.00", "9")], [("100.10", "9")])
    engine.show(1, [("101.00", "9")], [("101.20", "9")])
    assert engine.core.journal.counts.planned == 1

    recorder.close()

    looks = [one for one in read_entries(recorder.run_directory) if one.kind == EntryKind.OBSERVED]
    assert len(engine.looks) > 2
    assert Counter(one.key for one in looks) == Counter(engine.looks)
    assert {one.payload for one in looks} == {b"0"}


def _taken(entry: Entry) -> tuple[int, int, int, str, bytes]:
    return (entry.kind, entry.stream, entry.at_ns, entry.key, entry.payload)
