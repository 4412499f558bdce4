"""Orders of an execution as they are booked, each with its fills and what was told of it later."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.assets import AssetCode
from engine.domain.opportunities import Side
from engine.domain.orders import Fill, Order, OrderState, OtherFee, Purpose
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.storage.tables.trades import fills, orders


async def booked_orders(
    connection: AsyncConnection, execution_id: str, plan: LeggedPlan | MixedPlan
) -> list[Order]:
    """Load the orders of an execution, each with what was told of it later."""
    stored = await connection.execute(
        select(orders).where(orders.c.execution_id == execution_id).order_by(orders.c.position)
    )
    instruments = {(leg.venue, str(leg.instrument.pair)): leg.instrument for leg in plan.legs}
    found = []
    for row in stored.all():
        parts = await connection.execute(
            select(fills)
            .where(fills.c.client_order_id == row.client_order_id)
            .order_by(fills.c.position)
        )
        filled = list(parts)
        versions = (row.version or 0, *(one.version or 0 for one in filled))
        found.append(
            Order(
                client_order_id=row.client_order_id,
                plan_id=plan.plan_id,
                purpose=Purpose(row.purpose),
                instrument=instruments[row.venue, row.pair],
                side=Side(row.side),
                size_base=row.size_base,
                price_limit=row.price_limit,
                sent_at_ns=row.sent_at_ns,
                arrives_at_ns=row.arrives_at_ns,
                state=OrderState(row.state),
                fills=tuple(_fill(one) for one in filled),
                version=max(versions),
            )
        )
    return found


def _fill(row: "Row[Any]") -> Fill:
    other = None
    if row.other_fee_asset is not None:
        other = OtherFee(
            asset=AssetCode(row.other_fee_asset),
            amount=row.other_fee,
            worth_quote=row.other_fee_quote,
        )
    return Fill(
        fill_id=row.fill_id,
        client_order_id=row.client_order_id,
        filled_at_ns=row.filled_at_ns,
        price=row.price,
        size_base=row.size_base,
        fee_quote=row.fee_quote,
        frame_seq=row.frame_seq,
        fee_base=row.fee_base or Decimal(0),
        other_fee=other,
    )
