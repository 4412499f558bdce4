"""Runs migrations on the connection that `engine.storage.schema` hands over."""

from alembic import context

from engine.storage.tables.every import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
