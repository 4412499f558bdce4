"""The sender's file: what is written outlives the process, and what is synced a loss of power."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.domain.errors import FatalError
from engine.sending import table_file
from engine.sending.table_file import TableFile

SCHEMA = "create table if not exists one (number integer primary key);"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[TableFile]:
    opened = TableFile(tmp_path / "one.sqlite3", SCHEMA)
    yield opened
    opened.close()


def add(file: TableFile, number: int, *, is_synced: bool = True) -> None:
    with file.together(is_synced=is_synced):
        file.run("insert into one values (?)", (number,))


def test_a_change_is_synced_unless_whoever_makes_it_syncs_later(file: TableFile) -> None:
    told: list[bool] = []
    file.when_synced = lambda: told.append(file.is_synced)
    add(file, 1, is_synced=False)
    was_synced = file.is_synced

    add(file, 2)

    assert (was_synced, file.is_synced, told) == (False, True, [True])


def test_what_is_synced_already_takes_the_disk_no_time(
    file: TableFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[int] = []
    monkeypatch.setattr(table_file, "_sync", syncs.append)
    add(file, 1)
    file.sync()

    with file.together():
        file.run("insert or ignore into one values (1)")

    assert len(syncs) == 1


def test_a_sync_that_fails_is_fatal_and_what_it_was_for_is_not_taken_for_synced(
    file: TableFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_file: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(table_file, "_sync", fails)

    with pytest.raises(FatalError, match="cannot be synced"):
        add(file, 1)
    assert not file.is_synced


def test_what_was_not_synced_outlives_the_process(file: TableFile, tmp_path: Path) -> None:
    add(file, 1, is_synced=False)

    # What a killed process leaves: its files as they are, nothing closed and nothing rolled back.
    for name in ("one.sqlite3", "one.sqlite3-wal"):
        (tmp_path / f"killed-{name}").write_bytes((tmp_path / name).read_bytes())
    next_one = TableFile(tmp_path / "killed-one.sqlite3", SCHEMA)

    assert next_one.run("select number from one") == [(1,)]
    next_one.close()


def test_a_change_that_breaks_off_changes_nothing(file: TableFile) -> None:
    def break_off() -> None:
        with file.together():
            file.run("insert into one values (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()

    assert file.run("select number from one") == []


def test_the_log_is_moved_to_its_places_once_there_is_enough_of_it(
    file: TableFile, tmp_path: Path
) -> None:
    place = tmp_path / "one.sqlite3"
    before = place.read_bytes()
    for number in range(3):
        add(file, number)

    file.tidy(after=4)
    is_left = place.read_bytes() == before
    file.tidy(after=3)

    assert is_left
    assert place.read_bytes() != before
    assert file.run("select count(*) from one") == [(3,)]


def test_a_log_with_room_behind_it_does_not_grow_by_changes_nor_by_being_moved(
    file: TableFile, tmp_path: Path
) -> None:
    log = tmp_path / "one.sqlite3-wal"
    add(file, 1)
    file.allocate(256 * 1024)

    for number in range(2, 20):
        add(file, number)
    file.tidy(after=0)
    for number in range(20, 40):
        add(file, number)

    assert log.stat().st_size == 256 * 1024
    file.allocate(1024)
    assert log.stat().st_size == 256 * 1024


@pytest.mark.parametrize("is_first", [True, False])
def test_what_a_kill_leaves_in_a_log_with_room_behind_it_is_all_found_again(
    file: TableFile, tmp_path: Path, *, is_first: bool
) -> None:
    if is_first:
        file.allocate(256 * 1024)
    for number in range(10):
        add(file, number)
    file.allocate(512 * 1024)
    add(file, 10)
    left = tmp_path / "left"
    left.mkdir()
    for one in tmp_path.glob("one.sqlite3*"):
        shutil.copy(one, left)

    again = TableFile(left / "one.sqlite3", SCHEMA)

    found = again.run("select number from one order by number")
    assert [number for (number,) in found] == list(range(11))
    add(again, 11)
    again.close()


def test_a_disk_that_has_no_room_for_the_log_is_said(
    file: TableFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)

    with pytest.raises(FatalError, match="has no room for its log"):
        file.allocate(1024 * 1024)
