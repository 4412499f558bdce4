"""Migrations, which a database needs that is new or older than the code: only they load Alembic."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from engine.storage.schema import MIGRATIONS_DIR


def make_config(connection: Connection | None = None) -> Config:
    """Make Alembic's configuration; migrations run on `connection`, within its transaction."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def upgrade(connection: Connection) -> None:
    """Migrate to the newest revision."""
    command.upgrade(make_config(connection), "head")


def downgrade(connection: Connection, revision: str) -> None:
    """Migrate back to a revision, ``base`` for an empty database."""
    command.downgrade(make_config(connection), revision)
