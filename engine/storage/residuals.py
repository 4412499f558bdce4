"""What executions left over, folded from their stored rows."""

from collections.abc import Collection
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.assets import Amount, AssetCode
from engine.domain.exact import exact_product, exact_sum
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.orders import Purpose
from engine.domain.residuals import Residual, fold_residuals
from engine.storage.tables.trades import executions, fills, orders, residuals
from engine.storage.whose import Whose

FLOOR: Final = Context(prec=100, rounding=ROUND_FLOOR)
QUOTE_STEP: Final = Decimal("0.00000001")


async def load_residuals(connection: AsyncConnection, *, whose: Whose) -> list[Residual]:
    """Fold what executions left over and what closed it, by venue, asset and quote."""
    rows = await connection.execute(
        select(residuals).join_from(residuals, executions).where(whose.rows(executions))
    )
    # Earlier versions did not record what closing a residual realised: what was closed then is
    # left out as a whole, before anything newer is added.
    old, mended = await _load_old(connection, whose=whose)
    return list(fold_residuals([*fold_residuals(old), *mended, *map(residual_of, rows.all())]))


def residual_of(row: Row[*tuple[Any, ...]]) -> Residual:
    """Return the residual of a stored row."""
    return Residual(
        venue=VenueId(row.venue),
        held=Amount(row.held, AssetCode(row.asset)),
        carry=Amount(row.carry, AssetCode(row.carry_asset)),
    )


async def load_left_over(
    connection: AsyncConnection, execution_ids: Collection[str]
) -> dict[str, tuple[Amount, ...]]:
    """Return what each of some executions left over; those that left nothing are not in it."""
    found: dict[str, tuple[Amount, ...]] = {}
    old = await connection.execute(
        select(executions.c.execution_id, executions.c.residual_base, executions.c.base).where(
            executions.c.residual_sign != 0, executions.c.execution_id.in_(execution_ids)
        )
    )
    for row in old.all():
        found[row.execution_id] = (Amount(row.residual_base, AssetCode(row.base)),)
    rows = await connection.execute(
        select(residuals)
        .where(residuals.c.execution_id.in_(execution_ids))
        .order_by(residuals.c.execution_id, residuals.c.position)
    )
    for row in rows.all():
        held = residual_of(row).held
        found[row.execution_id] = (*found.get(row.execution_id, ()), held)
    return found


async def _load_old(
    connection: AsyncConnection, *, whose: Whose
) -> tuple[list[Residual], list[Residual]]:
    """Return what earlier versions left over: without and with what closing it realised."""
    rows = await connection.execute(
        select(
            executions.c.execution_id,
            executions.c.buy_venue,
            executions.c.sell_venue,
            executions.c.base,
            executions.c.quote,
            executions.c.residual_base,
            executions.c.carry_quote,
            executions.c.correction_quote,
        ).where(executions.c.residual_sign != 0, whose.rows(executions))
    )
    old, mended = [], []
    for row in rows.all():
        if row.carry_quote is None:
            old.append(_old_residual(row, await _old_carry_quote(connection, row)))
        else:
            carry = exact_sum((row.carry_quote, row.correction_quote))
            mended.append(_old_residual(row, carry))
    return old, mended


def _old_residual(row: Row[*tuple[Any, ...]], carry_quote: Decimal) -> Residual:
    """Say where it lies: too much where it was bought, too little where it was sold."""
    return Residual(
        venue=VenueId(row.buy_venue if row.residual_base > 0 else row.sell_venue),
        held=Amount(row.residual_base, AssetCode(row.base)),
        carry=Amount(carry_quote, AssetCode(row.quote)),
    )


async def _old_carry_quote(connection: AsyncConnection, row: Row[*tuple[Any, ...]]) -> Decimal:
    """Value what an earlier version left over at the average price of the leg it comes from."""
    side = Side.BUY if row.residual_base > 0 else Side.SELL
    stored = await connection.execute(
        select(fills.c.price, fills.c.size_base)
        .join_from(fills, orders)
        .where(
            orders.c.execution_id == row.execution_id,
            orders.c.side == side.value,
            orders.c.purpose == Purpose.LEG.value,
        )
    )
    parts = stored.all()
    notional = exact_sum(exact_product(part.price, part.size_base) for part in parts)
    filled = exact_sum(part.size_base for part in parts)
    if not filled:
        return Decimal(0)
    value = FLOOR.divide(exact_product(row.residual_base, notional), filled)
    return value.quantize(QUOTE_STEP, context=FLOOR)
