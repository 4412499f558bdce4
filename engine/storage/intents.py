"""What plans were about to send: kept before anything leaves, looked up when an engine begins."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.orders import Intent
from engine.storage.generations import role_of
from engine.storage.insertion import Row
from engine.storage.sqlite import driver_of
from engine.storage.tables.trades import executions, intents
from engine.storage.whose import Whose

_COLUMNS: Final = tuple(column.name for column in intents.columns)


async def keep_at_once(
    connection: AsyncConnection, rows: Sequence[Row], *, generation: int, engine_id: str
) -> bool:
    """Keep intents by one statement, which is one change with one sync; SQLite only.

    A transaction takes some thirty turns between the loop and the driver's thread, and whoever
    sends waits for all of them.

    Returns:
        whether all are kept now. If not, some were kept before, the engine has lost its place, or
        the database refuses one; what was new may be kept all the same.
    """
    driver = await driver_of(connection)
    row = f"({', '.join('?' * len(_COLUMNS))})"
    statement = (
        f"insert into intents ({', '.join(_COLUMNS)})"  # noqa: S608 - names of our own columns
        f" select * from (values {', '.join([row] * len(rows))})"
        " where exists (select 1 from generations where role = ? and generation = ?)"
        " on conflict do nothing"
    )
    values = [one[name] for one in rows for name in _COLUMNS]
    try:
        cursor = await driver.execute(statement, (*values, role_of(engine_id), generation))
    except sqlite3.IntegrityError:
        return False
    return cursor.rowcount == len(rows)


async def load_open_plans(connection: AsyncConnection, *, whose: Whose) -> list[Intent]:
    """Load each plan that has not ended, with all that it intended, in the order of intents."""
    query = select(intents.c.plan_id, intents.c.intent).where(
        ~exists().where(executions.c.plan_id == intents.c.plan_id), whose.rows(intents)
    )
    rows = await connection.execute(query.order_by(intents.c.at_ns, intents.c.record_id))
    found: dict[str, Intent] = {}
    for row in rows.all():
        intent = msgspec.json.decode(row.intent, type=Intent)
        first = found.get(row.plan_id)
        if first is not None:
            intent = Intent.of(first.plan, (*first.sendables, *intent.sendables))
        found[row.plan_id] = intent
    return list(found.values())
