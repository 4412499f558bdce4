"""Transactions of executions, and their swaps, in rows of their own."""

from decimal import Decimal
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.orders import OrderState, Receipt, Swap, Transaction
from engine.storage.tables import trades

_RECEIPT: Final = (
    *("why", "flash_fee", "gas_asset", "gas", "gas_quote"),
    *("landed_at_ns", "block", "tip"),
)


async def insert_transaction(
    connection: AsyncConnection, execution_id: str, transaction: Transaction
) -> None:
    """Store the transaction of an execution that is new."""
    receipt = transaction.receipt
    await connection.execute(
        insert(trades.transactions).values(
            execution_id=execution_id,
            client_order_id=transaction.client_order_id,
            plan_id=transaction.plan_id,
            chain=transaction.chain,
            wallet=transaction.wallet,
            sent_at_ns=transaction.sent_at_ns,
            state=transaction.state.value,
            gains_at=transaction.gains_at,
            version=transaction.version or None,
            **{name: None if receipt is None else getattr(receipt, name) for name in _RECEIPT},
        )
    )
    if receipt is not None and receipt.swaps:
        await connection.execute(
            insert(trades.swaps),
            [
                {
                    "execution_id": execution_id,
                    "position": position,
                    "venue": swap.venue,
                    "address": swap.address,
                    "source": swap.source,
                    "target": swap.target,
                    "amount_in": swap.amount_in,
                    "amount_out": swap.amount_out,
                    "frame_seq": swap.frame_seq,
                }
                for position, swap in enumerate(receipt.swaps)
            ],
        )


async def load_transaction(connection: AsyncConnection, execution_id: str) -> Transaction | None:
    """Load the transaction of an execution, None if it was none."""
    found = await connection.execute(
        select(trades.transactions).where(trades.transactions.c.execution_id == execution_id)
    )
    row = found.one_or_none()
    if row is None:
        return None
    stored = await connection.execute(
        select(trades.swaps)
        .where(trades.swaps.c.execution_id == execution_id)
        .order_by(trades.swaps.c.position)
    )
    receipt = None
    if row.landed_at_ns is not None:
        receipt = Receipt(
            why=row.why,
            swaps=tuple(
                Swap(
                    venue=VenueId(swap.venue),
                    address=swap.address,
                    source=AssetCode(swap.source),
                    target=AssetCode(swap.target),
                    amount_in=swap.amount_in,
                    amount_out=swap.amount_out,
                    frame_seq=swap.frame_seq,
                )
                for swap in stored.all()
            ),
            flash_fee=row.flash_fee,
            gas_asset=AssetCode(row.gas_asset),
            gas=row.gas,
            gas_quote=row.gas_quote,
            landed_at_ns=row.landed_at_ns,
            block=row.block,
            tip=row.tip or Decimal(0),
        )
    return Transaction(
        client_order_id=row.client_order_id,
        plan_id=row.plan_id,
        chain=row.chain,
        wallet=VenueId(row.wallet),
        sent_at_ns=row.sent_at_ns,
        state=OrderState(row.state),
        receipt=receipt,
        gains_at=None if row.gains_at is None else VenueId(row.gains_at),
        version=row.version or 0,
    )
