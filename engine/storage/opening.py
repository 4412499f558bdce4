"""Opening the database: the writer around it, its checks and its schema."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.errors import FatalError
from engine.storage import schema
from engine.storage.backup import check_present, one_line, restore_hint, take_backup
from engine.storage.database import Database, parse_url
from engine.storage.ledger_settings import LedgerSettings
from engine.storage.sqlite import SqliteDatabase
from engine.storage.writer import Writer

Clock = Callable[[], int]
"""Returns the wall-clock instant in nanoseconds."""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_writer(settings: LedgerSettings) -> AsyncIterator[Writer]:
    """Run the writer of a database whose lock is held; raise the one error that ends it."""
    writer = Writer(database=_make_database(settings), settings=settings)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(writer.run(), name="ledger writer")
            try:
                yield writer
            finally:
                await writer.stop()
    except BaseExceptionGroup as group:
        raise _told_once(group) from None


def _make_database(settings: LedgerSettings) -> Database:
    url = parse_url(settings)
    if url.get_backend_name() == "sqlite":
        database = SqliteDatabase(url=url, restore_hint=lambda: restore_hint(settings.backups_dir))
        check_present(database.path, backups_dir=settings.backups_dir)
        return database
    from engine.storage.postgres import PostgresDatabase  # noqa: PLC0415 - a driver few need

    return PostgresDatabase(url=url, transaction_s=settings.transaction_s)


async def prepare(writer: Writer, *, settings: LedgerSettings, clock: Clock) -> None:
    """Check the database and bring its schema up to date."""
    database = writer.database
    if isinstance(database, SqliteDatabase):
        finding = await writer.transact_long(_quick_check)
        if finding != "ok":
            raise database.damaged(finding)
    shown = database.shown

    async def read_revision(connection: AsyncConnection) -> tuple[bool, str | None]:
        is_old = await connection.run_sync(lambda sync: schema.needs_upgrade(sync, shown=shown))
        return is_old, await connection.run_sync(schema.current_revision)

    is_old, current = await writer.transact_long(read_revision)
    if is_old:
        await _upgrade(writer, current, settings=settings, clock=clock)
    if isinstance(database, SqliteDatabase) and settings.log_bytes:
        await writer.alone(partial(database.allocate, log_bytes=settings.log_bytes))


async def _upgrade(
    writer: Writer, current: str | None, *, settings: LedgerSettings, clock: Clock
) -> None:
    if current is not None and writer.database.is_sqlite:
        path = await take_backup(
            writer,
            directory=settings.backups_dir,
            now_ns=clock(),
            kept=settings.backups_kept,
        )
        _log.info("backed up the database to %s before migrating its schema", path)
    from engine.storage.migrating import upgrade  # noqa: PLC0415 - Alembic: 6 MB, seldom needed

    await writer.transact_long(lambda connection: connection.run_sync(upgrade))


async def _quick_check(connection: AsyncConnection) -> str:
    findings = await connection.exec_driver_sql("PRAGMA quick_check(3)")
    return one_line(findings.scalars())


def _told_once(group: BaseExceptionGroup) -> BaseException:
    """Return the one error that ended the ledger: the database's before all others."""
    fatal = group.subgroup(FatalError)
    error: BaseException = fatal if fatal is not None else group
    while isinstance(error, BaseExceptionGroup) and (fatal or len(error.exceptions) == 1):
        error = error.exceptions[0]
    return error
