"""Plans that were under way when their engine ended: they have intents and no end."""

import msgspec
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.orders import Intent
from engine.storage.tables.trades import executions, intents
from engine.storage.whose import Whose


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
