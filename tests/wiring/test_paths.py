from pathlib import Path

import pytest

from engine.domain.errors import FatalError
from engine.operate.kill_latch import KillLatch
from engine.wiring.paths import prepare


def test_a_new_installation_starts_with_a_clear_latch(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "new"))

    assert not KillLatch(paths.data_dir).is_killed()


def test_a_latch_removed_later_stays_killed_over_a_restart(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path))
    KillLatch(paths.data_dir).path.unlink()

    prepare(str(tmp_path))

    assert KillLatch(paths.data_dir).is_killed()


def test_a_directory_that_cannot_be_written_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")

    with pytest.raises(FatalError, match=r"cannot be written.*SYNDICATE_DATA_DIR"):
        prepare(str(file / "below"))


def test_a_path_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="too long"):
        prepare(str(tmp_path / ("x" * 120)))


def test_what_an_installation_keeps_is_nobody_elses(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    old = [
        data_dir / name
        for name in ("ledger.sqlite3", "ledger.sqlite3-wal", "logs/bot.log", "backups/one.sqlite3",
                     "recordings/run/000001.zst")
    ]  # fmt: skip
    for path in old:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        path.write_text("chat")
        path.chmod(0o644)
    (data_dir / "recordings").chmod(0o755)

    prepare(str(data_dir))
    (data_dir / "logs" / "new.log").write_text("new")

    for path in [data_dir, *data_dir.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_foreign_file_or_one_beyond_a_link_keeps_its_mode(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    beyond = tmp_path / "beyond"
    beyond.write_text("x")
    beyond.chmod(0o644)
    (data_dir / "logs").mkdir(parents=True)
    (data_dir / "logs" / "link.log").symlink_to(beyond)
    foreign = data_dir / "notes.txt"
    foreign.write_text("x")
    foreign.chmod(0o644)

    prepare(str(data_dir))

    assert beyond.stat().st_mode & 0o777 == 0o644
    assert foreign.stat().st_mode & 0o777 == 0o644
