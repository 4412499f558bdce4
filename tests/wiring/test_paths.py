from pathlib import Path

import pytest

from engine.domain.errors import FatalError
from engine.operate.kill_latch import KillLatch
from engine.wiring.paths import prepare, prepare_engine


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


def test_a_folder_of_a_version_before_gets_latches_of_engines_and_loses_nothing(
    tmp_path: Path,
) -> None:
    old = tmp_path / "recordings" / "t0ab3x"
    old.mkdir(parents=True)
    KillLatch(tmp_path).create()
    (tmp_path / "installation").write_text("1\n")
    KillLatch(tmp_path).kill(by="me", why="before")

    paths = prepare(str(tmp_path))
    prepare_engine(paths)

    assert paths.recording("t0ab3x") == old
    latches = paths.latches()
    assert (latches.of_all.is_killed(), latches.own.is_killed()) == (True, False)


def test_an_engines_own_latch_removed_later_kills_it_and_no_other(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path))
    for engine_id in ("main", "base"):
        prepare_engine(paths.of(engine_id))
    paths.of("base").latches().own.path.unlink()

    prepare_engine(paths.of("base"))

    assert paths.of("base").latches().is_killed()
    assert not paths.latches().is_killed()


def test_nothing_of_two_engines_lies_in_one_place_but_ledger_and_chat(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path))
    base = paths.of("base")

    assert paths.engine_ids() == ["main"], "what was only asked for is no engine"
    prepare_engine(base)
    assert paths.engine_ids() == ["base", "main"]

    for name in ("run", "recordings", "engine_socket"):
        assert getattr(paths, name) != getattr(base, name), name
    for role in ("engine", "supervisor"):
        assert paths.lease(role) != base.lease(role)
        assert paths.log(role) != base.log(role)
    for role in ("ledger", "bot"):
        assert paths.lease(role) == base.lease(role)
    assert (paths.ledger_socket, paths.sandbox_announce) == (
        base.ledger_socket,
        base.sandbox_announce,
    )


def test_a_file_that_another_role_takes_away_meanwhile_is_no_reason_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All roles start together, and each tries whether it can write."""
    gone = tmp_path / "var" / "run" / ".probe-1"
    monkeypatch.setattr("engine.wiring.paths._private", lambda _paths: iter([gone]))

    assert prepare(str(tmp_path / "var")).data_dir.exists()
