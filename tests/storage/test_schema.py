"""The schema goes up and down, equals the models, and refuses what it does not know."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, delete, inspect, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.reports import WhyReport
from engine.domain.errors import BadValueError, FatalError
from engine.requests.why import GetStoredWhy
from engine.storage import discovery_words, schema
from engine.storage import migrate as migrate_module
from engine.storage.backup import list_backups
from engine.storage.ledger import LedgerSettings, open_ledger
from engine.storage.migrate import migrate
from engine.storage.migrating import make_config, upgrade
from engine.storage.opening import open_writer
from engine.storage.tables.acts import operator_state
from engine.storage.tables.every import metadata
from engine.storage.tables.trades import executions, fills, orders
from tests.storage import makers
from tests.storage.asking import append, trades
from tests.storage.conftest import Clock

T = TypeVar("T")
FIRST = "20261121_ledger_tables"


async def _inspect(settings: LedgerSettings, look: Callable[[Connection], T]) -> T:
    async with open_writer(settings) as writer:

        async def work(connection: AsyncConnection) -> T:
            return await connection.run_sync(look)

        return await writer.transact(work)


def _is_index_of_words(table: str) -> bool:
    """Whether a table is of the full-text index, which no model describes."""
    return table.startswith(discovery_words.NAME)


def _shape(connection: Connection) -> dict[str, Any]:
    """Everything about the schema that the database can tell."""
    looker = inspect(connection)
    triggers = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"
    )
    return {
        "triggers": list(connection.execute(text(triggers)).scalars()),
        **{
            table: (
                [(column["name"], str(column["type"])) for column in looker.get_columns(table)],
                sorted(str(index["name"]) for index in looker.get_indexes(table)),
            )
            for table in looker.get_table_names()
            if table != "alembic_version"
        },
    }


async def test_the_migrated_schema_equals_the_models(
    bare_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(bare_settings, clock=clock):
        pass

    differences = await _inspect(
        bare_settings,
        lambda connection: compare_metadata(
            MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    "compare_server_default": True,
                    "include_name": lambda name, kind, _parents: (
                        kind != "table" or not _is_index_of_words(name)
                    ),
                },
            ),
            metadata,
        ),
    )

    assert differences == []


def test_the_files_of_migrations_say_what_alembic_makes_of_them() -> None:
    newest_first = list(ScriptDirectory.from_config(make_config()).walk_revisions())

    assert schema._below() == {one.revision: one.down_revision or "base" for one in newest_first}
    assert schema.newest_revision() == newest_first[0].revision


async def test_up_down_up_ends_where_it_began(bare_settings: LedgerSettings) -> None:
    await migrate("up", settings=bare_settings)
    before = await _inspect(bare_settings, _shape)

    newest_first = ScriptDirectory.from_config(make_config()).walk_revisions()
    for below in [script.revision for script in newest_first][1:]:
        assert await migrate("down", settings=bare_settings) == below
    assert await migrate("down", settings=bare_settings, to="base") is None
    empty = await _inspect(bare_settings, _shape)
    assert await migrate("up", settings=bare_settings) == schema.newest_revision()

    assert empty == {"triggers": []}
    assert await _inspect(bare_settings, _shape) == before


async def test_opening_an_older_database_keeps_its_records(
    bare_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(bare_settings, clock=clock) as ledger:
        await append(ledger, makers.make_opportunity_record(), makers.make_execution_record())
    assert await migrate("down", settings=bare_settings, to=FIRST) == FIRST
    backups = len(list_backups(bare_settings.backups_dir))

    async with open_ledger(bare_settings, clock=clock) as ledger:
        assert (await trades(ledger)).total == 1
        why = await ledger.answer(GetStoredWhy(ref="run1-1"))
        assert isinstance(why, WhyReport)
        assert (why.line.pair, why.line.hops) == ("BTC-USD", ())  # the column came later

    assert await migrate("current", settings=bare_settings) == schema.newest_revision()
    if not bare_settings.url:
        assert len(list_backups(bare_settings.backups_dir)) == backups + 1


async def test_going_down_never_discards_executions_unasked(
    bare_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(bare_settings, clock=clock) as ledger:
        await append(ledger, makers.make_execution_record())

    with pytest.raises(FatalError, match="would discard 1 executions"):
        await migrate("down", settings=bare_settings, to="base")

    async with open_ledger(bare_settings, clock=clock) as ledger:
        assert (await trades(ledger)).total == 1
    assert await migrate("down", settings=bare_settings, to="base", may_discard=True) is None


async def test_a_database_newer_than_the_program_is_refused(
    bare_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(bare_settings, clock=clock):
        pass

    await _inspect(
        bare_settings,
        lambda connection: connection.execute(
            text("UPDATE alembic_version SET version_num = '20990101_later'")
        ),
    )

    with pytest.raises(FatalError, match="20990101_later, newer than this program's"):
        async with open_ledger(bare_settings, clock=clock):
            pytest.fail("a newer database was opened")


async def test_tables_of_another_program_are_refused(
    bare_settings: LedgerSettings, clock: Clock
) -> None:
    bare_settings.data_dir.mkdir()
    await _inspect(
        bare_settings,
        lambda connection: connection.execute(text("CREATE TABLE orders (id INTEGER)")),
    )

    with pytest.raises(FatalError, match="tables named orders"):
        async with open_ledger(bare_settings, clock=clock):
            pytest.fail("another program's database was opened")


@pytest.mark.parametrize("table", [executions, orders, fills, operator_state], ids=str)
async def test_the_database_itself_refuses_to_change_or_delete_money(
    bare_settings: LedgerSettings, clock: Clock, table: Any
) -> None:
    async with open_ledger(bare_settings, clock=clock) as ledger:
        await append(ledger, makers.make_execution_record(), makers.make_state_record())
    column = list(table.c)[-1]

    for statement in (delete(table), update(table).values({column: column})):
        with pytest.raises(BadValueError, match="never changed or deleted"):
            await _inspect(bare_settings, partial(Connection.execute, statement=statement))


def test_the_command_line_migrates_and_shows_where_it_is(
    bare_sqlite_settings: LedgerSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data-dir", str(bare_sqlite_settings.data_dir)]

    assert migrate_module.main(["up", *where]) == 0
    assert migrate_module.main(["current", *where]) == 0
    assert migrate_module.main(["current", "--url", "mysql://x/y", *where]) == 1

    shown = capsys.readouterr()
    assert shown.out.count(f"is at {schema.newest_revision()}\n") == 2
    assert shown.err == ("the database URL names mysql; only sqlite and postgresql are supported\n")


async def test_a_migration_cut_short_leaves_the_schema_as_it_was(
    bare_settings: LedgerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(connection: Connection) -> None:
        upgrade(connection)
        raise asyncio.CancelledError

    await migrate("up", settings=bare_settings)
    await migrate("down", settings=bare_settings, to=FIRST)
    before = await _inspect(bare_settings, _shape)
    monkeypatch.setattr("engine.storage.migrate.upgrade", cut)
    with pytest.raises(asyncio.CancelledError):
        await migrate("up", settings=bare_settings)

    assert await _inspect(bare_settings, _shape) == before


def test_models_and_migrations_know_every_table_by_the_same_name(
    bare_sqlite_settings: LedgerSettings,
) -> None:
    migrate_module.main(["up", "--data-dir", str(bare_sqlite_settings.data_dir)])

    engine = create_engine(f"sqlite:///{bare_sqlite_settings.data_dir / 'ledger.sqlite3'}")
    tables = set(inspect(engine).get_table_names())
    engine.dispose()

    assert {table for table in tables if not _is_index_of_words(table)} == {
        *metadata.tables,
        "alembic_version",
    }
