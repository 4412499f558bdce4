"""How far realised profit was below its highest point, from all that was ever realised."""

from collections import deque
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.drawdown import Drawdown
from engine.domain.exact import exact_sum
from engine.storage.tables.balances import costs
from engine.storage.tables.trades import executions
from engine.storage.whose import Whose


async def load_drawdown_usd(connection: AsyncConnection, *, since_ns: int, whose: Whose) -> Decimal:
    """Fold what was realised since an instant, in the order in which it was stored.

    That is the order in which the engine booked it, whatever its clock said. Costs have no number
    of their own in that order; each is taken before the first execution that closed after it.
    """
    spent = await connection.execute(
        select(costs.c.at_ns, costs.c.usd)
        .where(costs.c.at_ns >= since_ns, costs.c.usd.is_not(None), whose.rows(costs))
        .order_by(costs.c.at_ns, costs.c.record_id)
    )
    waiting = deque(spent.all())
    found = await connection.execute(
        select(executions.c.closed_at_ns, executions.c.profit_usd, executions.c.correction_usd)
        .where(executions.c.closed_at_ns >= since_ns, whose.rows(executions))
        .order_by(
            executions.c.seq.asc().nulls_first(),
            executions.c.closed_at_ns,
            executions.c.execution_id,
        )
    )
    drawdown = Drawdown()
    for row in found:
        while waiting and waiting[0].at_ns <= row.closed_at_ns:
            drawdown.add(-waiting.popleft().usd)
        drawdown.add(exact_sum((row.profit_usd, row.correction_usd or Decimal(0))))
    for cost in waiting:
        drawdown.add(-cost.usd)
    return drawdown.usd
