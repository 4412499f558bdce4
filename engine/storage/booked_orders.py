"""What is booked of live plans of orders: the orders with all their fills, in whichever run."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.assets import AssetCode
from engine.domain.modes import Money
from engine.domain.opportunities import Side
from engine.domain.orders import Fill, Order, OrderState, OtherFee, Purpose
from engine.domain.orders_booked import BookedOrders
from engine.domain.plans import LeggedPlan, decode_plan
from engine.storage.tables import executions, fills, orders


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
        if isinstance(plan, LeggedPlan):
            sent = await _orders(connection, row.execution_id, plan)
            found.append(BookedOrders(plan=plan, orders=tuple(sent)))
    return found


async def _orders(connection: AsyncConnection, execution_id: str, plan: LeggedPlan) -> list[Order]:
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
