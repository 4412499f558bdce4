"""What was sent not long ago, and what of it failed: limits on that go on over a restart."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.instruments import VenueId
from engine.domain.orders import Intent, OrderState
from engine.storage.tables.trades import executions, fills, orders, transactions
from engine.storage.whose import Whose


async def load_sent_at_ns(
    connection: AsyncConnection, *, since_ns: int, whose: Whose, under_way: Iterable[Intent]
) -> tuple[int, ...]:
    """Return when each order and transaction was sent since an instant, oldest first."""
    found = [
        one.sent_at_ns
        for intent in under_way
        for one in intent.sendables
        if one.sent_at_ns > since_ns
    ]
    for table in (orders, transactions):
        sent = await connection.execute(
            select(table.c.sent_at_ns)
            .join(executions, executions.c.execution_id == table.c.execution_id)
            .where(
                table.c.sent_at_ns > since_ns,
                executions.c.corrects.is_(None),
                whose.rows(executions),
            )
        )
        found += sent.scalars()
    return tuple(sorted(found))


async def load_failures(
    connection: AsyncConnection, *, since_ns: int, whose: Whose
) -> dict[VenueId, tuple[int, int]]:
    """Return by venue how many real orders failed since the last that was filled, and when last."""
    found = await connection.execute(
        select(
            orders.c.venue,
            orders.c.state,
            orders.c.version,
            executions.c.closed_at_ns,
            func.count(fills.c.fill_id).label("filled"),
        )
        .join(executions, executions.c.execution_id == orders.c.execution_id)
        .outerjoin(fills, fills.c.client_order_id == orders.c.client_order_id)
        .where(executions.c.closed_at_ns > since_ns, whose.rows(executions))
        .group_by(
            orders.c.client_order_id,
            orders.c.venue,
            orders.c.state,
            orders.c.version,
            orders.c.position,
            executions.c.closed_at_ns,
            executions.c.seq,
        )
        .order_by(executions.c.seq, orders.c.position)
    )
    failures: dict[VenueId, tuple[int, int]] = {}
    for row in found:
        venue = VenueId(row.venue)
        if row.filled:
            failures.pop(venue, None)
        elif row.version and row.state == OrderState.REJECTED:
            failures[venue] = failures.get(venue, (0, 0))[0] + 1, row.closed_at_ns
    return failures
