import os
from pathlib import Path

import pytest

from engine.domain.errors import FatalError
from engine.operate.kill_latch import KillLatch


def test_a_missing_latch_means_killed(tmp_path: Path) -> None:
    assert KillLatch(tmp_path).is_killed()


def test_a_new_installation_is_clear_and_stays_as_it_was_at_the_next_start(tmp_path: Path) -> None:
    latch = KillLatch(tmp_path)
    latch.create()
    assert not latch.is_killed()

    latch.kill(by="operator", why="test")
    latch.create()

    assert latch.is_killed()
    assert "operator" in latch.why()


@pytest.mark.parametrize("content", [b"", b"clear", b"clear\nx", b"CLEAR\n", b"\x00", b"killed"])
def test_anything_but_clear_means_killed(tmp_path: Path, content: bytes) -> None:
    latch = KillLatch(tmp_path)
    latch.path.write_bytes(content)

    assert latch.is_killed()


def test_the_latch_is_set_from_a_shell_and_seen_by_another_process_object(tmp_path: Path) -> None:
    seen, other = KillLatch(tmp_path), KillLatch(tmp_path)
    seen.create()
    assert not seen.is_killed()

    os.system(f"echo stop > {other.path}")  # noqa: S605 - a person's shell is the point

    assert seen.is_killed()


def test_a_disk_that_refuses_new_files_still_kills_by_removing_the_latch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latch = KillLatch(tmp_path)
    latch.create()
    _refuse_writing(monkeypatch)

    latch.kill(by="operator", why="disk full")

    assert not latch.path.exists()
    assert KillLatch(tmp_path).is_killed()


def test_if_even_removing_is_refused_this_process_is_killed_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latch = KillLatch(tmp_path)
    latch.create()
    _refuse_writing(monkeypatch)
    monkeypatch.setattr(Path, "unlink", _refused)

    with pytest.raises(FatalError, match="neither written nor removed"):
        latch.kill(by="operator", why="read-only disk")

    assert latch.is_killed()


def test_clearing_a_latch_is_durable(tmp_path: Path) -> None:
    latch = KillLatch(tmp_path)
    latch.kill(by="operator", why="test")

    latch.clear()

    assert not KillLatch(tmp_path).is_killed()
    assert [path.name for path in tmp_path.iterdir()] == ["kill-latch"]


def _refused(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def _refuse_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = os.open

    def refuse(path: object, flags: int, *arguments: int, **options: int) -> int:
        if flags & os.O_CREAT:
            _refused()
        return real_open(path, flags, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
