"""What is booked of transactions that were told, in whichever run that was."""

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.exact import exact_sum
from engine.domain.orders import Receipt, Swap, Transaction
from engine.domain.plans import AtomicPlan, decode_plan
from engine.domain.told import Booked
from engine.storage.tables import costs, executions, transactions
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
    if not isinstance(plan, AtomicPlan):
        return None
    whole = _added_up(parts)
    return Booked(
        client_order_id=client_order_id, version=whole.version, plan=plan, transaction=whole
    )


def _added_up(parts: list[Transaction]) -> Transaction:
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
    swaps = next((one.swaps for one in receipts if one.swaps), ())
    shown = receipts[-1]
    whole: tuple[Swap, ...] = ()
    if swaps and gain:
        source = swaps[0].source
        whole = (
            replace(
                swaps[0],
                target=source,
                amount_in=max(-gain, Decimal(0)),
                amount_out=max(gain, Decimal(0)),
            ),
        )
    return replace(
        shown,
        swaps=whole,
        flash_fee=Decimal(0),
        gas=gas,
        gas_quote=exact_sum(one.gas_quote for one in receipts),
        tip=exact_sum(one.tip for one in receipts),
    )


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
