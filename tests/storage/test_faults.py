"""Whatever is wrong with the database's surroundings ends in one sentence that says what to do."""

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.domain.errors import BadValueError, FatalError
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, trades
from tests.storage.conftest import Clock
from tests.storage.killing import end, start_child, wait_for_line
from tests.storage.model import put_empty_ledger

PAGE_BYTES = 4096


async def _refusal(settings: LedgerSettings, clock: Clock) -> str:
    with pytest.raises(FatalError) as caught:
        async with open_ledger(settings, clock=clock):
            pytest.fail("the ledger opened")
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


async def test_a_second_process_is_refused_with_the_first_ones_id(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    child = start_child(sqlite_settings.data_dir, first=1, count=0)
    try:
        wait_for_line(child, b"ready\n")
        refusal = await _refusal(sqlite_settings, clock)
    finally:
        end(child)

    assert f"process {child.pid}" in refusal
    async with open_ledger(sqlite_settings, clock=clock):
        pass


async def test_a_database_is_not_opened_twice_through_another_directory(
    sqlite_settings: LedgerSettings, clock: Clock, tmp_path: Path
) -> None:
    other = LedgerSettings(
        data_dir=tmp_path / "other", url=f"sqlite:///{sqlite_settings.data_dir}/ledger.sqlite3"
    )
    async with open_ledger(sqlite_settings, clock=clock):
        refusal = await _refusal(other, clock)

    assert "another program has the database open" in refusal


async def test_a_full_disk_ends_the_ledger_and_keeps_what_was_acknowledged(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    acknowledged = 0

    async def role() -> None:
        nonlocal acknowledged
        async with open_ledger(sqlite_settings, clock=clock) as ledger:
            # The database's own limit answers exactly as a full disk does.
            await ledger._writer.transact(
                lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=80")
            )
            for number in range(1_000):
                await append(ledger, makers.make_execution_record(number=number))
                acknowledged += 1

    with pytest.raises(FatalError, match=r"the disk is full.*free space"):
        await role()

    assert 0 < acknowledged < 1_000
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        assert (await trades(ledger)).total == acknowledged


async def test_damage_within_the_file_is_found_at_the_start(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        for number in range(50):
            await append(ledger, makers.make_execution_record(number=number))
        backup = await ledger.backup()
    database = sqlite_settings.data_dir / "ledger.sqlite3"
    content = bytearray(database.read_bytes())
    # A page that opening alone does not read: one with an execution's row.
    page = content.index(b"exec-run1-25") // PAGE_BYTES * PAGE_BYTES
    content[page : page + PAGE_BYTES] = b"\x5a" * PAGE_BYTES
    database.write_bytes(content)

    refusal = await _refusal(sqlite_settings, clock)

    assert "is damaged" in refusal
    assert f"make restore FILE={backup}" in refusal


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(
    bare_sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    bare_sqlite_settings.data_dir.mkdir()
    database = bare_sqlite_settings.data_dir / "ledger.sqlite3"
    database.write_bytes(b"shopping list: milk, bread, eggs" * 300)

    refusal = await _refusal(bare_sqlite_settings, clock)

    assert "is damaged" in refusal
    assert "there is no backup" in refusal
    assert database.read_bytes().startswith(b"shopping list")


async def test_a_data_directory_that_is_a_file_is_refused(
    bare_sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    bare_sqlite_settings.data_dir.write_text("")

    assert f"cannot use {bare_sqlite_settings.data_dir}" in await _refusal(
        bare_sqlite_settings, clock
    )


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A directory that a process without rights may enter; the usual ones are private."""
    directory = Path(tempfile.mkdtemp(prefix="ledger-rights-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.mark.slow
async def test_a_read_only_directory_is_refused(open_to_all: Path) -> None:
    data_dir = open_to_all / "var"
    data_dir.mkdir(mode=0o555)

    ended = end(start_child(data_dir, first=1, count=1, options=["--as-nobody"]), kill=False)

    assert ended.code == 3
    assert ended.complaint == (
        f"FatalError: the ledger cannot use {data_dir}: Permission denied; "
        "make it a directory that this user may write to, or choose another\n"
    )


@pytest.mark.slow
async def test_a_read_only_database_is_refused(open_to_all: Path, clock: Clock) -> None:
    data_dir = open_to_all / "var"
    put_empty_ledger(data_dir)
    async with open_ledger(LedgerSettings(data_dir=data_dir), clock=clock):
        pass
    data_dir.chmod(0o777)
    (data_dir / "ledger.lock").chmod(0o666)
    (data_dir / "ledger.sqlite3").chmod(0o444)

    ended = end(start_child(data_dir, first=1, count=1, options=["--as-nobody"]), kill=False)

    assert ended.code == 3
    assert "read-only" in ended.complaint
    assert "writable for this user" in ended.complaint
    assert ended.complaint.count("\n") == 1


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:"],
)
async def test_an_address_that_cannot_be_used_is_refused_without_its_password(
    sqlite_settings: LedgerSettings, clock: Clock, url: str
) -> None:
    settings = dataclasses.replace(sqlite_settings, url=url)
    with pytest.raises(BadValueError) as caught:
        async with open_ledger(settings, clock=clock):
            pytest.fail("the ledger opened")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["retention_days", "backup_s", "backups_kept", "jobs_max"])
def test_a_setting_of_nothing_is_refused(tmp_path: Path, name: str) -> None:
    nothing: dict[str, Any] = {name: 0}
    with pytest.raises(BadValueError, match=f"{name} is 0"):
        LedgerSettings(data_dir=tmp_path, **nothing)
