"""What the assets of leftovers were worth as they were filled last, from their stored rows."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.assets import AssetCode
from engine.domain.residuals import LastPrice, Residual, prices_of
from engine.storage.residuals import residual_of
from engine.storage.tables.trades import executions, residuals
from engine.storage.whose import Whose


class _Plan(msgspec.Struct):
    usd_per_quote: Decimal


async def load_last_prices(
    connection: AsyncConnection, left_over: Iterable[Residual], *, whose: Whose
) -> list[LastPrice]:
    """Load what is known of the assets that are left over; of some it may be nothing."""
    assets = {asset for one in left_over for asset in (one.held.asset, one.carry.asset)}
    newest: dict[AssetCode, Row[*tuple[Any, ...]]] = {}
    rows = await connection.execute(
        select(residuals, executions.c.decided_at_ns, executions.c.correction_quote)
        .join_from(residuals, executions)
        .where(whose.rows(executions), executions.c.corrects.is_(None))
        .order_by(executions.c.decided_at_ns, executions.c.seq)
    )
    for row in rows.all():
        # What closing earlier ones realised is in the carry: such a row says nothing of a price.
        if not row.correction_quote:
            newest.update(dict.fromkeys({row.asset, row.carry_asset} & assets, row))
    plans = await _load_plans(connection, {row.execution_id for row in newest.values()})
    return sorted(
        (
            price
            for asset, row in newest.items()
            for price in prices_of(
                [residual_of(row)],
                usd_per_quote=plans[row.execution_id].usd_per_quote,
                at_ns=row.decided_at_ns,
            )
            if price.asset == asset
        ),
        key=lambda price: price.asset,
    )


async def _load_plans(connection: AsyncConnection, execution_ids: set[str]) -> dict[str, _Plan]:
    stored = await connection.execute(
        select(executions.c.execution_id, executions.c.plan).where(
            executions.c.execution_id.in_(execution_ids)
        )
    )
    return {row.execution_id: msgspec.json.decode(row.plan, type=_Plan) for row in stored.all()}
