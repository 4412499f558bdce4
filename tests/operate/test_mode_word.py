"""The mode as a file: whoever reads it knows it, or is allowed nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.domain.errors import FatalError
from engine.domain.modes import Mode
from engine.operate.mode_word import ModeWord


@pytest.mark.parametrize("mode", Mode)
def test_what_is_written_is_read_by_this_user_alone(tmp_path: Path, mode: Mode) -> None:
    word = ModeWord(tmp_path)
    word.write(mode)
    assert ModeWord(tmp_path).read() is mode
    assert word.path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["mode"]


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"APPROVE", b"approve paper", b"\xff\xfe", b"live?"]
)
def test_a_file_that_says_no_mode_allows_none(tmp_path: Path, content: bytes) -> None:
    word = ModeWord(tmp_path)
    word.path.write_bytes(content)
    assert word.read() is None


def test_a_file_that_is_missing_or_a_folder_allows_none(tmp_path: Path) -> None:
    word = ModeWord(tmp_path)
    assert word.read() is None
    word.path.mkdir()
    assert word.read() is None


def test_where_a_mode_cannot_be_written_the_old_one_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = ModeWord(tmp_path)
    word.write(Mode.APPROVE)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    word.write(Mode.PAPER)
    assert word.read() is None
    assert list(tmp_path.iterdir()) == []


def test_where_it_can_be_neither_written_nor_taken_away_that_is_fatal(tmp_path: Path) -> None:
    word = ModeWord(tmp_path / "gone")
    word.path.parent.mkdir()
    word.path.mkdir()
    (word.path / "in the way").touch()
    with pytest.raises(FatalError, match="neither written to"):
        word.write(Mode.PAPER)


WRITES = """
import sys
from pathlib import Path
from engine.domain.modes import Mode
from engine.operate.mode_word import ModeWord
word = ModeWord(Path(sys.argv[1]))
word.write(Mode.PAPER)
word.write(Mode.LIVE)
print("written", flush=True)
sys.stdin.read()
"""


def test_what_a_killed_engine_left_allows_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == b"written\n"
        while_it_lived = ModeWord(tmp_path).read()
        engine.kill()
        engine.wait()

    assert while_it_lived is Mode.LIVE
    assert (tmp_path / "mode").read_text() == "live\n"
    assert ModeWord(tmp_path).read() is None


def test_the_next_engine_is_believed_over_what_was_left(tmp_path: Path) -> None:
    (tmp_path / "mode").write_text("live\n")
    next_one = ModeWord(tmp_path)

    next_one.write(Mode.PAPER)

    assert ModeWord(tmp_path).read() is Mode.PAPER
    next_one.remove()
    assert ModeWord(tmp_path).read() is None
