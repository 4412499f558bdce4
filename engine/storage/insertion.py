"""Rows that are stored once, on SQLite and PostgreSQL alike."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Row = dict[str, Any]


async def insert_new(connection: AsyncConnection, table: Table, rows: Sequence[Row] | Row) -> int:
    """Insert rows whose key is not there yet; return their number (of a single row only)."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    result = await connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
    return result.rowcount
