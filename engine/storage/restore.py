"""Restore a backup: `python -m engine.storage.restore --file BACKUP --data-dir DIRECTORY`.

What was there is kept aside. A crash at any point leaves the old database, the new one, or none;
without one the ledger refuses to start until the restore is run again.
"""

import argparse
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from engine.bus.lease import held_lease
from engine.domain.errors import FatalError, SyndicateError
from engine.storage.backup import sync, verify
from engine.storage.ledger_settings import DATABASE_NAME, LEASE_NAME


def restore(*, backup: Path, database: Path, data_dir: Path, now_ns: int) -> Path | None:
    """Put a verified copy of `backup` in the place of `database`; the backup stays.

    Returns:
        the directory that holds what was replaced, None if nothing was there.

    Raises:
        FatalError: the backup is missing or unsound, a ledger runs, or the disk is full.
    """
    if not backup.is_file():
        raise FatalError(f"there is no backup {backup}; name a file of {data_dir / 'backups'}")
    with held_lease(data_dir / LEASE_NAME, what="ledger"):
        copy = database.with_name(f"{database.name}.restoring")
        try:
            shutil.copyfile(backup, copy)
            verify(copy, shown=backup)
            sync(copy)
            aside = _put_aside(database, data_dir=data_dir, now_ns=now_ns)
            copy.replace(database)
            sync(database.parent)
        except OSError as error:
            raise FatalError(
                f"{backup} could not be restored to {database}: {error.strerror}; "
                "correct that and run the restore again"
            ) from error
        finally:
            copy.unlink(missing_ok=True)
    return aside


def _put_aside(database: Path, *, data_dir: Path, now_ns: int) -> Path | None:
    names = [f"{database.name}{suffix}" for suffix in ("", "-wal", "-shm")]
    present = [path for path in map(database.with_name, names) if path.exists()]
    if not present:
        return None
    stamp = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    aside = data_dir / f"replaced-{stamp:%Y%m%dT%H%M%S}.{now_ns // 1_000_000 % 1_000:03d}Z"
    aside.mkdir()
    for path in present:
        path.rename(aside / path.name)
    sync(aside)
    sync(database.parent)
    return aside


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Restore a backup of the ledger (SQLite).")
    parser.add_argument("--file", type=Path, required=True, help="backup to restore")
    parser.add_argument("--data-dir", type=Path, required=True, help="directory of the ledger")
    parser.add_argument("--database", type=Path, help=f"default: DATA_DIR/{DATABASE_NAME}")
    chosen = parser.parse_args(arguments)
    database: Path = chosen.database or chosen.data_dir / DATABASE_NAME
    try:
        aside = restore(
            backup=chosen.file,
            database=database,
            data_dir=chosen.data_dir,
            now_ns=time.time_ns(),
        )
    except SyndicateError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    kept = f"; what was there is kept in {aside}" if aside else ""
    sys.stdout.write(f"restored {chosen.file} to {database}{kept}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
