"""The life of a trade: every step that was stored of it, in the order of time."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.life import LifeEvent, LifeReport
from engine.bus.reports import Unknown
from engine.domain.exact import exact_sum
from engine.domain.modes import Basis, Mode, Money, basis_of
from engine.storage.tables.trades import (
    executions,
    fills,
    intents,
    opportunities,
    orders,
    transactions,
)
from engine.storage.totals import realised_usd


async def load_life(connection: AsyncConnection, *, ref: str) -> LifeReport | Unknown:
    """Load all of a trade by its id, or that of its opportunity; of the newest for an empty one."""
    query = select(executions).where(executions.c.corrects.is_(None))
    if ref:
        query = query.where(
            or_(executions.c.execution_id == ref, executions.c.opportunity_id == ref)
        )
    found = await connection.execute(
        query.order_by(executions.c.closed_at_ns.desc(), executions.c.execution_id.desc()).limit(1)
    )
    trade = found.one_or_none()
    if trade is None:
        return Unknown(what=f"trade {ref}" if ref else "no trade yet")
    corrections = await connection.execute(
        select(executions)
        .where(executions.c.corrects == trade.execution_id)
        .order_by(executions.c.closed_at_ns)
    )
    late = corrections.all()
    events = [
        *await _before(connection, trade),
        *await _of_orders(connection, trade.execution_id),
        *await _of_transaction(connection, trade.execution_id),
        *_after(trade, list(late)),
    ]
    return LifeReport(
        opportunity_id=trade.opportunity_id,
        execution_id=trade.execution_id,
        basis=basis_of(Basis(trade.basis), Money(trade.money)),
        pair=trade.pair,
        mode=Mode(trade.mode),
        money=Money(trade.money),
        profit_usd=exact_sum(realised_usd(row) for row in (trade, *late)),
        events=sorted(events, key=lambda event: event.at_ns),
    )


async def _before(connection: AsyncConnection, trade: Any) -> list[LifeEvent]:
    found = await connection.execute(
        select(opportunities.c.seen_at_ns).where(
            opportunities.c.opportunity_id == trade.opportunity_id
        )
    )
    seen_at_ns = found.scalar_one_or_none()
    intended = await connection.execute(
        select(intents.c.at_ns).where(intents.c.plan_id == trade.plan_id).order_by(intents.c.at_ns)
    )
    events = [
        LifeEvent(at_ns=trade.decided_at_ns, what="decided", usd=trade.expected_usd),
        *(LifeEvent(at_ns=row.at_ns, what="intended") for row in intended),
    ]
    if seen_at_ns is not None:
        events.insert(0, LifeEvent(at_ns=seen_at_ns, what="found", usd=trade.found_usd))
    return events


async def _of_orders(connection: AsyncConnection, execution_id: str) -> list[LifeEvent]:
    sent = await connection.execute(
        select(orders).where(orders.c.execution_id == execution_id).order_by(orders.c.position)
    )
    rows = sent.all()
    filled = await connection.execute(
        select(fills, orders.c.venue, orders.c.side, orders.c.pair)
        .join_from(fills, orders)
        .where(orders.c.execution_id == execution_id)
    )
    return [
        *(
            LifeEvent(
                at_ns=row.sent_at_ns,
                what="sent",
                text=f"{row.purpose} {row.side} {row.venue} {_short(row.size_base)} {row.pair}"
                f" at {_short(row.price_limit)} at worst",
            )
            for row in rows
        ),
        *(
            LifeEvent(
                at_ns=row.filled_at_ns,
                what="filled",
                text=f"{row.side} {row.venue} {_short(row.size_base)} at {_short(row.price)}",
            )
            for row in filled
        ),
    ]


async def _of_transaction(connection: AsyncConnection, execution_id: str) -> list[LifeEvent]:
    found = await connection.execute(
        select(transactions).where(transactions.c.execution_id == execution_id)
    )
    row = found.one_or_none()
    if row is None:
        return []
    events = [LifeEvent(at_ns=row.sent_at_ns, what="sent", text=f"transaction on {row.chain}")]
    if row.landed_at_ns is not None:
        gas = f"gas {_short(row.gas)} {row.gas_asset}"
        what = "reverted" if row.why else "landed"
        text = f"{row.why}; {gas}" if row.why else gas
        events.append(LifeEvent(at_ns=row.landed_at_ns, what=what, text=text))
    return events


def _after(trade: Any, late: list[Any]) -> Iterator[LifeEvent]:
    what = "void" if trade.void else "closed"
    yield LifeEvent(
        at_ns=trade.closed_at_ns, what=what, text=trade.void or "", usd=realised_usd(trade)
    )
    for row in late:
        yield LifeEvent(at_ns=row.closed_at_ns, what="corrected", usd=realised_usd(row))


def _short(amount: Decimal) -> str:
    """Return an amount without zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
