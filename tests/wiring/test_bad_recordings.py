"""A recording is a file from anywhere: whatever it holds, a replay ends in a sentence."""

from pathlib import Path

import pytest
import zstandard

from engine.domain.errors import BadValueError
from engine.operate.recording import Entry, EntryKind, encode_entry
from engine.ports import InputKind
from engine.wiring import replaying


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
    tick = Entry(1, EntryKind(int(InputKind.TICK)), 0, 0, "", b"")
    decided = Entry(0, EntryKind.DECIDED, 0, 0, "", b"x" * 1_000)
    result = replaying.ReplayResult(
        run_id="r", inputs=0, frames=0, decisions=0, first_difference=None, is_complete=False,
        seconds=0, found=0, planned=0, traded=0, profit_usd_paper=0,
    )  # fmt: skip

    with pytest.raises(BadValueError, match="damaged"):
        list(replaying._steps(iter([tick, *[decided] * 20]), result))


def test_nothing_that_steers_a_terminal_is_shown() -> None:
    entry = Entry(1, EntryKind.FRAME, 0, 0, "\x1b[2J", b"\x1b]0;x\x07\x9b{}\r\n")

    shown = replaying._shown(entry)

    assert shown.isprintable()
