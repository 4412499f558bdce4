"""The schema's revision: what the database has, what the code has, and the way between them."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from engine.domain.errors import FatalError
from engine.storage.tables import metadata

MIGRATIONS_DIR = Path(__file__).resolve().parents[2] / "migrations"
BASE = "base"


def make_config(connection: Connection | None = None) -> Config:
    """Make Alembic's configuration; migrations run on `connection`, within its transaction."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def newest_revision() -> str:
    """Return the revision that the code works with."""
    head = ScriptDirectory.from_config(make_config()).get_current_head()
    assert head is not None
    return head


def current_revision(connection: Connection) -> str | None:
    """Return the database's revision, None before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()


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
    known = {
        script.revision for script in ScriptDirectory.from_config(make_config()).walk_revisions()
    }
    if current not in known:
        raise FatalError(
            f"the database {shown} has schema {current}, newer than this program's "
            f"{newest_revision()}; run the newer program, or restore a backup from before it"
        )
    return current != newest_revision()


def revision_below(connection: Connection) -> str:
    """Return the revision one step below the database's; a fixed target can be run twice."""
    current = current_revision(connection)
    if current is None:
        return BASE
    below = ScriptDirectory.from_config(make_config()).get_revision(current).down_revision
    return below if isinstance(below, str) else BASE


def upgrade(connection: Connection) -> None:
    """Migrate to the newest revision."""
    command.upgrade(make_config(connection), "head")


def downgrade(connection: Connection, revision: str) -> None:
    """Migrate back to a revision, ``base`` for an empty database."""
    command.downgrade(make_config(connection), revision)
