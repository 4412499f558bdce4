"""The sender's file: what is written outlives the process, and what is synced a loss of power."""

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
