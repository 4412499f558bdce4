"""What is booked of transactions that were told, in whichever run that was."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.exact import exact_sum
from engine.domain.orders import Order, Receipt, Swap, Transaction
from engine.domain.plans import LeggedPlan, MixedPlan, decode_plan
from engine.domain.told import Booked
from engine.storage.order_rows import booked_orders
from engine.storage.tables.balances import costs
from engine.storage.tables.trades import executions, transactions
from engine.storage.transactions import load_transaction


async def load_booked(
    connection: AsyncConnection, client_order_ids: Collection[str]
) -> list[Booked]:
    """Load what is known of each; of which nothing is booked is left out."""
    found = []
    for client_order_id in client_order_ids:
        booked = await _of_plan(connection, client_order_id) or await _of_chore(
            connection, client_order_id
        )
        if booked is not None:
            found.append(booked)
    return found


async def _of_plan(connection: AsyncConnection, client_order_id: str) -> Booked | None:
    stored = await connection.execute(
        select(executions.c.execution_id, executions.c.plan, executions.c.corrects)
        .join_from(transactions, executions)
        .where(transactions.c.client_order_id == client_order_id)
        .order_by(executions.c.seq)
    )
    rows = stored.all()
    if not rows:
        return None
    known = [await load_transaction(connection, row.execution_id) for row in rows]
    parts = [one for one in known if one is not None]
    try:
        plan = decode_plan(rows[0].plan)
    except msgspec.DecodeError:
        return None
    if isinstance(plan, LeggedPlan):
        return None
    whole = added_up(parts)
    orders: Sequence[Order] = ()
    if isinstance(plan, MixedPlan):
        orders = await booked_orders(connection, rows[0].execution_id, plan)
    return Booked(
        client_order_id=client_order_id,
        version=whole.version,
        plan=plan,
        transaction=whole,
        orders=tuple(orders),
    )


def added_up(parts: Sequence[Transaction]) -> Transaction:
    """Return the transaction as it was known last: corrections hold what they changed alone."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return first
    receipts = [one.receipt for one in parts if one.receipt is not None]
    gas = exact_sum(one.gas for one in receipts)
    if not receipts or not gas:
        return replace(last, receipt=None)  # what lands pays: it was undone, or never was
    gain = exact_sum(one.gain for one in parts)
    return replace(last, receipt=_receipt(receipts, gain=gain, gas=gas))


def _receipt(receipts: list[Receipt], *, gain: Decimal, gas: Decimal) -> Receipt:
    return replace(
        receipts[-1],
        swaps=_whole([one.swaps for one in receipts if one.swaps], gain),
        flash_fee=Decimal(0),
        gas=gas,
        gas_quote=exact_sum(one.gas_quote for one in receipts),
        tip=exact_sum(one.tip for one in receipts),
    )


def _whole(told: Sequence[tuple[Swap, ...]], gain: Decimal) -> tuple[Swap, ...]:
    """Return as one swap what all that was told comes to: of a cycle, what it gained."""
    if not told:
        return ()
    first, last = told[0][0], told[0][-1]
    if first.source == last.target:
        took, gave = max(-gain, Decimal(0)), max(gain, Decimal(0))
    else:
        took = exact_sum(swaps[0].amount_in for swaps in told)
        gave = exact_sum(swaps[-1].amount_out for swaps in told)
    if not (took or gave):
        return ()
    return (replace(first, target=last.target, amount_in=took, amount_out=gave),)


async def _of_chore(connection: AsyncConnection, client_order_id: str) -> Booked | None:
    own = costs.c.client_order_id == client_order_id
    newest = await connection.execute(select(func.max(costs.c.version)).where(own))
    version = newest.scalar_one_or_none()
    if version is None:
        return None
    stored = await connection.execute(select(costs.c.amount).where(own))
    return Booked(
        client_order_id=client_order_id,
        version=version,
        gas=exact_sum(row.amount for row in stored.all()),
    )
