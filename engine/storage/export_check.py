"""Whether an exported file holds what the ledger does: its rows, and of trades their sums."""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.exact import exact_sum
from engine.domain.modes import Money
from engine.domain.performance import By, Sums
from engine.storage.export import Export, Span
from engine.storage.performance import Known, load_performance
from engine.storage.whose import Whose

_AHEAD_NS: Final = 2**62
"""Later than anything that is stored."""

Transact = Callable[[Callable[[AsyncConnection], Awaitable[Any]]], Awaitable[Any]]


async def compare(
    transact: Transact,
    *,
    table: str,
    export: Export,
    span: Span,
    rows: Sequence[tuple[object, ...]],
    known: Known,
) -> tuple[str, bool]:
    """Return what of a file was compared, in words, and whether it came to the same."""
    if table != "trades":
        stored = await transact(partial(_count, export=export, span=span))
        return f"{len(rows):,} of {stored:,} rows", len(rows) == stored
    names = [column.key for column in export.columns]
    kind = names.index("money")
    said, is_alike = [], True
    for money in Money:
        own = [row for row in rows if row[kind] == money]
        words, is_same = await _compare(transact, names, own, span=span, money=money, known=known)
        is_alike = is_alike and is_same
        if own or not is_same or money is Money.PAPER:
            said.append(words)
    return "; ".join(said), is_alike


async def _compare(
    transact: Transact,
    names: Sequence[str | None],
    rows: Sequence[tuple[object, ...]],
    *,
    span: Span,
    money: Money,
    known: Known,
) -> tuple[str, bool]:
    """Compare what a file holds of one kind of money: paper and live are never one sum."""
    parts = [names.index(name) for name in ("profit_usd", "correction_usd")]
    amounts = (row[part] for row in rows for part in parts)
    total = exact_sum(amount for amount in amounts if isinstance(amount, Decimal))
    stored = await _came(transact, span=span, money=money, known=known)
    live = "live " if money is Money.LIVE else ""
    if (len(rows), total) == (stored.trades, stored.realised):
        return f"{len(rows):,} {live}trades, {total:.2f} USD", True
    ledger = f"{stored.trades:,}, {stored.realised:f} USD"
    return f"{len(rows):,} {live}trades, {total:f} USD; ledger {ledger}", False


async def _came(transact: Transact, *, span: Span, money: Money, known: Known) -> Sums:
    report = await load_performance(
        transact,
        since_ns=span.since_ns,
        until_ns=_AHEAD_NS if span.until_ns is None else span.until_ns,
        by=By.ALL,
        whose=Whose(money=money),
        known=known,
    )
    return report.all


async def _count(connection: AsyncConnection, *, export: Export, span: Span) -> int:
    within = export.rows.where(span.holds(export.columns[0])).subquery()
    found = await connection.execute(select(func.count()).select_from(within))
    return found.scalar_one()
