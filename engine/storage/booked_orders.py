"""What is booked of live plans of orders: the orders with all their fills, in whichever run."""

from collections.abc import Collection

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.modes import Money
from engine.domain.orders import Transaction
from engine.domain.orders_booked import BookedOrders
from engine.domain.plans import AtomicPlan, decode_plan
from engine.storage.booked import added_up
from engine.storage.order_rows import booked_orders
from engine.storage.tables.trades import executions, orders
from engine.storage.transactions import load_transaction


async def load_booked_orders(
    connection: AsyncConnection, client_order_ids: Collection[str]
) -> list[BookedOrders]:
    """Load the plans of orders, each once; of which nothing is booked is left out."""
    stored = await connection.execute(
        select(executions.c.execution_id, executions.c.plan)
        .join_from(orders, executions)
        .where(
            orders.c.client_order_id.in_(client_order_ids),
            executions.c.money == Money.LIVE.value,
        )
        .distinct()
    )
    found = []
    for row in stored.all():
        try:
            plan = decode_plan(row.plan)
        except msgspec.DecodeError:
            continue
        if isinstance(plan, AtomicPlan):
            continue
        sent = await booked_orders(connection, row.execution_id, plan)
        found.append(
            BookedOrders(
                plan=plan,
                orders=tuple(sent),
                transaction=await _transaction(connection, row.execution_id),
            )
        )
    return found


async def _transaction(connection: AsyncConnection, execution_id: str) -> Transaction | None:
    """Load the transaction beside orders, with what was told of it later; None if it has none."""
    own = executions.c.execution_id == execution_id
    stored = await connection.execute(
        select(executions.c.execution_id)
        .where(own | (executions.c.corrects == execution_id))
        .order_by(executions.c.seq)
    )
    known = [await load_transaction(connection, row.execution_id) for row in stored.all()]
    parts = [one for one in known if one is not None]
    return added_up(parts) if parts else None
