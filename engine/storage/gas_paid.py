"""What transactions paid for gas, in USD."""

from decimal import Decimal

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.exact import exact_product, exact_sum
from engine.storage.tables.trades import executions, transactions
from engine.storage.whose import Whose


class _Rate(msgspec.Struct):
    """Of a stored plan what its amounts were worth when it was decided."""

    usd_per_quote: Decimal


async def load_gas_usd(connection: AsyncConnection, *, since_ns: int, whose: Whose) -> Decimal:
    """Sum up what executions that closed since an instant paid, as the engine booked it."""
    found = await connection.execute(
        select(executions.c.plan, transactions.c.gas_quote)
        .join(transactions, transactions.c.execution_id == executions.c.execution_id)
        .where(
            executions.c.closed_at_ns >= since_ns,
            transactions.c.gas_quote.is_not(None),
            whose.rows(executions),
        )
    )
    return exact_sum(
        exact_product(row.gas_quote, msgspec.json.decode(row.plan, type=_Rate).usd_per_quote)
        for row in found
    )
