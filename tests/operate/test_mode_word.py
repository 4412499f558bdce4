"""The mode as a file: whoever reads it knows it, or is allowed nothing."""

import os
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
