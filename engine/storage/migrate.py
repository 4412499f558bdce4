"""Migrate by hand: `python -m engine.storage.migrate up|down|current --url URL`.

Opening the ledger migrates up by itself. This is for going back before an older program is started,
and for looking.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from sqlalchemy import Connection, func, select

from engine.bus.lease import held_lease
from engine.domain.errors import FatalError, SyndicateError
from engine.storage import schema
from engine.storage.backup import take_backup
from engine.storage.database import parse_url
from engine.storage.ledger_settings import LEASE_NAME, LedgerSettings
from engine.storage.migrating import downgrade, upgrade
from engine.storage.opening import open_writer
from engine.storage.tables.trades import executions

DEFAULT_DIR = Path("var")
ONE_STEP = "-1"


async def migrate(
    action: str, *, settings: LedgerSettings, to: str = ONE_STEP, may_discard: bool = False
) -> str | None:
    """Migrate ``up``, ``down`` (by one step, or to a revision), or look at ``current``.

    SQLite is backed up before it is taken down.

    Returns:
        the revision afterwards, None for an empty database.

    Raises:
        FatalError: a ledger runs, the database is newer than the code or damaged, or going down
            would discard executions without `may_discard`.
        TransientError: the server is away.
    """
    with held_lease(settings.data_dir / LEASE_NAME, what="ledger"):
        async with open_writer(settings) as writer:
            shown = writer.database.shown
            await writer.transact_long(
                lambda connection: connection.run_sync(
                    lambda sync: schema.needs_upgrade(sync, shown=shown)
                )
            )
            if action == "up":
                await writer.transact_long(lambda connection: connection.run_sync(upgrade))
            elif action == "down":
                if writer.database.is_sqlite:
                    await take_backup(
                        writer,
                        directory=settings.backups_dir,
                        now_ns=time.time_ns(),
                        kept=settings.backups_kept,
                    )
                target = await writer.transact_long(
                    lambda connection: connection.run_sync(
                        lambda sync: schema.revision_below(sync) if to == ONE_STEP else to
                    )
                )
                await writer.transact_long(
                    lambda connection: connection.run_sync(
                        lambda sync: _down(sync, to=target, may_discard=may_discard)
                    )
                )
            return await writer.transact_long(
                lambda connection: connection.run_sync(schema.current_revision)
            )


def _down(connection: Connection, *, to: str, may_discard: bool) -> None:
    has_tables = connection.dialect.has_table(connection, executions.name)
    kept = 0
    if has_tables:
        kept = connection.execute(select(func.count()).select_from(executions)).scalar_one()
    downgrade(connection, to)
    is_gone = not connection.dialect.has_table(connection, executions.name)
    if is_gone and kept and not may_discard:
        # Raised within the transaction, so that it is rolled back.
        raise FatalError(
            f"going down to {to} would discard {kept} executions; "
            "say --discard if that is what you want"
        )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Migrate the ledger's database.")
    parser.add_argument("action", choices=("up", "down", "current"))
    parser.add_argument("--url", default="", help="default: SQLite in the data directory")
    parser.add_argument("--data-dir", type=Path, default=DEFAULT_DIR, help="default: %(default)s")
    parser.add_argument("--to", default=ONE_STEP, help="for down: a revision, -1 or base")
    parser.add_argument("--discard", action="store_true", help="for down: drop executions too")
    chosen = parser.parse_args(arguments)
    try:
        settings = LedgerSettings(data_dir=chosen.data_dir, url=chosen.url)
        revision = asyncio.run(
            migrate(chosen.action, settings=settings, to=chosen.to, may_discard=chosen.discard)
        )
        shown = parse_url(settings).render_as_string(hide_password=True)
    except SyndicateError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{shown} is at {revision or 'no revision: it is empty'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
