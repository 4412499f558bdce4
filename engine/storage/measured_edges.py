"""What earlier trades came to against what was expected of them."""

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.exact import exact_sum
from engine.domain.measured_edge import MeasuredEdge
from engine.domain.plans import is_closing
from engine.storage.tables.trades import executions
from engine.storage.whose import Whose


async def load_measured_edge(connection: AsyncConnection, *, whose: Whose) -> MeasuredEdge:
    """Fold all trades in the order in which they were stored."""
    found = await connection.execute(
        select(
            executions.c.opportunity_id,
            executions.c.profit_usd,
            executions.c.correction_usd,
            executions.c.expected_usd,
        )
        .where(whose.rows(executions))
        .order_by(
            executions.c.seq.asc().nulls_first(),
            executions.c.closed_at_ns,
            executions.c.execution_id,
        )
    )
    edge = MeasuredEdge()
    for row in found:
        if is_closing(row.opportunity_id):
            continue
        edge = edge.learn(
            realised_usd=exact_sum((row.profit_usd, row.correction_usd or Decimal(0))),
            expected_usd=row.expected_usd,
        )
    return edge
