"""A recording is a file from anywhere: whatever it holds, a replay ends in a sentence."""

import contextlib
from pathlib import Path

import pytest
import zstandard

from engine.core.inputs.switched import SWITCHED
from engine.core.inputs.tick import TICK
from engine.domain.errors import BadValueError
from engine.operate.recording import ENTRY, Entry, EntryKind, encode_entry, read_entries
from engine.operate.run_header import StreamSpec, encode_header
from engine.ports import InputKind
from engine.tools import replaying
from tests.reference.run_core import make_run_core
from tests.reference.world import START_NS, make_instrument


def write(path: Path, *entries: bytes) -> Path:
    path.write_bytes(zstandard.ZstdCompressor().compress(b"".join(entries)))
    return path


@pytest.mark.parametrize("header", [b"{}", b"[" * 100_000, b"\xff"])
def test_a_bad_header_ends_in_a_sentence(tmp_path: Path, header: bytes) -> None:
    path = write(tmp_path / "1.zst", encode_entry(0, EntryKind.HEADER, 0, 0, b"", header))

    with pytest.raises(BadValueError):
        replaying.replay(path, lines=[])


def test_what_follows_one_input_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "STEP_BYTES_MAX", 10_000)
    tick = Entry(1, TICK.number, 0, 0, "", b"")
    decided = Entry(0, EntryKind.DECIDED, 0, 0, "", b"x" * 1_000)
    result = replaying.ReplayResult(
        run_id="r", inputs=0, frames=0, decisions=0, first_difference=None, is_complete=False,
        seconds=0, found=0, planned=0, traded=0, profit_usd_paper=0,
    )  # fmt: skip

    with pytest.raises(BadValueError, match="damaged"):
        list(replaying._steps(iter([tick, *[decided] * 20]), result))


def test_an_entry_that_claims_more_than_an_entry_has_is_refused_unread(tmp_path: Path) -> None:
    claims = ENTRY.pack(1, InputKind.FRAME, 0, 0, 0, 1 << 31)
    path = write(tmp_path / "1.zst", claims, bytes(1_000))

    with pytest.raises(BadValueError, match="claims"):
        list(read_entries(path))


def test_a_file_that_wants_a_window_of_gigabytes_is_refused(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=True)
    path = tmp_path / "1.zst"
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    with path.open("wb") as file, compressor.stream_writer(file) as writer:
        writer.write(bytes(1_000))

    with pytest.raises(BadValueError, match="no recording"):
        list(read_entries(path))


@pytest.mark.parametrize(
    "entries",
    [
        [(99, 0, b"", b"")],
        [(InputKind.FRAME, 60_000, b"", b"{}")],
        [(InputKind.FRAME, 0, b"9" * 5_000, b"{}")],
        [(TICK.number, 0, b"", b""), (SWITCHED.number, 0, b"", b"\x81")],
        [(InputKind.LISTED, 0, b"", b"[]")],
        [(InputKind.FETCHED, 0, b"nowhere", b"[" * 100_000)],
    ],
)
def test_inputs_that_no_engine_wrote_end_in_a_sentence_or_are_as_nothing(
    tmp_path: Path, entries: list[tuple[int, int, bytes, bytes]]
) -> None:
    instruments = [make_instrument("gemini"), make_instrument("gemini", "ETH-USD")]
    streams = [StreamSpec(venue=instruments[0].venue, feed="depth", books=[0, 1])]
    header = encode_header(make_run_core(instruments, [], streams).header)
    path = write(
        tmp_path / "1.zst",
        encode_entry(0, EntryKind.HEADER, 0, 0, b"", header),
        *(
            encode_entry(seq, kind, stream, START_NS, key, payload)
            for seq, (kind, stream, key, payload) in enumerate(entries, 1)
        ),
        encode_entry(9, EntryKind.ENDED, 0, START_NS, b"", b""),
    )

    with contextlib.suppress(BadValueError):
        assert replaying.replay(path, lines=[]).found == 0


def test_nothing_that_steers_a_terminal_is_shown() -> None:
    entry = Entry(1, InputKind.FRAME, 0, 0, "\x1b[2J", b"\x1b]0;x\x07\x9b{}\r\n")

    shown = replaying._shown(entry)

    assert shown.isprintable()
