"""A backup can be restored, and a lost database is never replaced by an empty one."""

import asyncio
import dataclasses
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.bus.lease import held_lease
from engine.domain.errors import FatalError, TransientError
from engine.storage import restore as restore_module
from engine.storage.backup import list_backups
from engine.storage.ledger import LedgerSettings, open_ledger
from engine.storage.restore import restore
from tests.patience import PATIENCE_S
from tests.storage import makers
from tests.storage.asking import append, trades
from tests.storage.conftest import Clock


def _database(settings: LedgerSettings) -> Path:
    return settings.data_dir / "ledger.sqlite3"


async def _backed_up(settings: LedgerSettings, clock: Clock) -> Path:
    """Make a ledger with one execution in its backup and another one only in its database."""
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_execution_record(number=1))
        backup = await ledger.backup()
        await append(ledger, makers.make_execution_record(number=2))
    return backup


async def _ids(settings: LedgerSettings, clock: Clock) -> set[str]:
    async with open_ledger(settings, clock=clock) as ledger:
        return {trade.execution_id for trade in (await trades(ledger)).trades}


async def test_a_restored_backup_holds_what_was_acknowledged_before_it(
    sqlite_settings: LedgerSettings, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = await _backed_up(sqlite_settings, clock)
    _database(sqlite_settings).write_bytes(b"not a database at all" * 1_000)

    with pytest.raises(FatalError) as refusal:
        await _ids(sqlite_settings, clock)
    assert f"make restore FILE={backup}" in str(refusal.value)
    arguments = ["--file", str(backup), "--data-dir", str(sqlite_settings.data_dir)]
    assert await asyncio.to_thread(restore_module.main, arguments) == 0

    assert await _ids(sqlite_settings, clock) == {"exec-run1-1"}
    assert "what was there is kept in" in capsys.readouterr().out
    assert backup.exists()


async def test_restoring_keeps_the_replaced_database_aside(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    backup = await _backed_up(sqlite_settings, clock)
    database = _database(sqlite_settings)

    aside = restore(
        backup=backup, database=database, data_dir=sqlite_settings.data_dir, now_ns=clock()
    )

    assert aside is not None
    kept = dataclasses.replace(sqlite_settings, data_dir=aside)
    assert await _ids(kept, clock) == {"exec-run1-1", "exec-run1-2"}
    assert await _ids(sqlite_settings, clock) == {"exec-run1-1"}


async def test_nothing_is_restored_while_a_ledger_runs(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    backup = await _backed_up(sqlite_settings, clock)

    with (
        held_lease(sqlite_settings.data_dir / "ledger.lock", what="ledger"),
        pytest.raises(FatalError, match=str(os.getpid())),
    ):
        restore(
            backup=backup,
            database=_database(sqlite_settings),
            data_dir=sqlite_settings.data_dir,
            now_ns=clock(),
        )

    assert await _ids(sqlite_settings, clock) == {"exec-run1-1", "exec-run1-2"}


async def test_an_unsound_backup_is_refused_and_the_database_stays(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    backup = await _backed_up(sqlite_settings, clock)
    content = bytearray(backup.read_bytes())
    content[4096 : 4096 * 3] = b"\xff" * 4096 * 2
    broken = backup.with_name("broken.sqlite3")
    broken.write_bytes(content)

    for file in (broken, backup.with_name("missing.sqlite3")):
        with pytest.raises(FatalError, match=file.name):
            restore(
                backup=file,
                database=_database(sqlite_settings),
                data_dir=sqlite_settings.data_dir,
                now_ns=clock(),
            )

    assert await _ids(sqlite_settings, clock) == {"exec-run1-1", "exec-run1-2"}


@pytest.mark.parametrize("is_emptied", [True, False], ids=["emptied", "deleted"])
async def test_a_lost_database_is_never_replaced_by_an_empty_one(
    sqlite_settings: LedgerSettings, clock: Clock, *, is_emptied: bool
) -> None:
    backup = await _backed_up(sqlite_settings, clock)
    database = _database(sqlite_settings)
    database.unlink()
    if is_emptied:
        database.touch()

    with pytest.raises(FatalError, match=f"missing or empty.*FILE={backup}"):
        await _ids(sqlite_settings, clock)


async def test_a_backup_is_one_plain_sound_file(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    backup = await _backed_up(sqlite_settings, clock)

    assert [path.name for path in sqlite_settings.backups_dir.iterdir()] == [backup.name]
    with closing(sqlite3.connect(f"file:{backup}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM executions").fetchone() == (1,)


async def test_only_the_newest_backups_are_kept(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    settings = dataclasses.replace(sqlite_settings, backups_kept=2)
    async with open_ledger(settings, clock=clock) as ledger:
        made = []
        for _ in range(4):
            clock.now_ns += makers.SECOND_NS
            made.append(await ledger.backup())

    assert list_backups(settings.backups_dir) == made[-2:]


async def test_an_unchanged_ledger_does_not_push_out_older_backups(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        assert await ledger.backup_if_changed() is not None
        assert await ledger.backup_if_changed() is None
        await append(ledger, makers.make_execution_record())
        clock.now_ns += makers.SECOND_NS

        assert await ledger.backup_if_changed() is not None


async def test_a_failed_backup_harms_neither_ledger_nor_earlier_backups(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        sqlite_settings.backups_dir.write_text("a file where the directory should be")
        with pytest.raises(TransientError, match=r"the backup .* failed"):
            await ledger.backup()
        await append(ledger, makers.make_execution_record())

        assert (await trades(ledger)).total == 1


async def test_a_partial_backup_of_a_killed_process_is_cleared_away(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    sqlite_settings.backups_dir.mkdir(parents=True)
    (sqlite_settings.backups_dir / "ledger-20200101T000000.000Z.sqlite3.partial").write_text("x")

    backup = await _backed_up(sqlite_settings, clock)

    assert list(sqlite_settings.backups_dir.iterdir()) == [backup]


async def test_appends_go_on_around_a_backup(sqlite_settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        async with asyncio.TaskGroup() as tasks:
            for number in range(10):
                tasks.create_task(append(ledger, makers.make_execution_record(number=number)))
            tasks.create_task(ledger.backup())
            for number in range(10, 20):
                tasks.create_task(append(ledger, makers.make_execution_record(number=number)))

        assert (await trades(ledger)).total == 20


async def test_the_backup_job_runs_by_itself(sqlite_settings: LedgerSettings, clock: Clock) -> None:
    settings = dataclasses.replace(sqlite_settings, backup_s=1)
    async with open_ledger(settings, clock=clock), asyncio.timeout(PATIENCE_S):
        while not list_backups(settings.backups_dir):
            await asyncio.sleep(0.02)


async def test_a_backup_of_postgresql_is_left_to_its_operator(
    postgres_settings: LedgerSettings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="engine.storage"):
        async with open_ledger(postgres_settings, clock=clock) as ledger:
            with pytest.raises(TransientError, match="pg_dump"):
                await ledger.backup()

    assert "the backup job is off" in caplog.text
