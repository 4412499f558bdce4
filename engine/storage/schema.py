"""The schema's revision: what the database has, what the code has, and what is below."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from engine.domain.errors import FatalError
from engine.storage.tables.every import metadata

MIGRATIONS_DIR = Path(__file__).resolve().parents[2] / "migrations"
BASE = "base"
_SAYS: Final = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)


@cache
def _below() -> dict[str, str]:
    """Return each revision of the code with the one below it, as the files of migrations say."""
    files = sorted((MIGRATIONS_DIR / "versions").glob("*.py"))
    found = [dict(_SAYS.findall(path.read_text(encoding="utf-8"))) for path in files]
    return {said["revision"]: said.get("down_revision", BASE) for said in found}


def newest_revision() -> str:
    """Return the revision that the code works with."""
    below = _below()
    (head,) = below.keys() - set(below.values())
    return head


def current_revision(connection: Connection) -> str | None:
    """Return the database's revision, None before the first migration."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def needs_upgrade(connection: Connection, *, shown: str) -> bool:
    """Say whether the database is older than the code.

    Raises:
        FatalError: it is newer than the code, or its tables are not the ledger's.
    """
    current = current_revision(connection)
    if current is None:
        taken = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
        if taken:
            raise FatalError(
                f"the database {shown} has tables named {', '.join(taken)} that the ledger did not "
                "make; use an empty database"
            )
        return True
    if current not in _below():
        raise FatalError(
            f"the database {shown} has schema {current}, newer than this program's "
            f"{newest_revision()}; run the newer program, or restore a backup from before it"
        )
    return current != newest_revision()


def revision_below(connection: Connection) -> str:
    """Return the revision one step below the database's; a fixed target can be run twice."""
    current = current_revision(connection)
    return BASE if current is None else _below()[current]
