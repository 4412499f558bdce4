"""Whether an exported file holds what the ledger does: its rows, and of trades their sum."""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.exact import exact_sum
from engine.domain.performance import By
from engine.storage.export import Export, Span
from engine.storage.performance import Known, load_performance

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
    parts = [names.index(name) for name in ("profit_usd", "correction_usd")]
    amounts = (row[part] for row in rows for part in parts)
    total = exact_sum(amount for amount in amounts if isinstance(amount, Decimal))
    until_ns = _AHEAD_NS if span.until_ns is None else span.until_ns
    report = await load_performance(
        transact, since_ns=span.since_ns, until_ns=until_ns, by=By.ALL, basis=None, known=known
    )
    is_alike = (len(rows), total) == (report.all.trades, report.all.realised)
    if is_alike:
        return f"{len(rows):,} trades, {total:.2f} USD", True
    ledger = f"{report.all.trades:,}, {report.all.realised:f} USD"
    return f"{len(rows):,} trades, {total:f} USD; ledger {ledger}", False


async def _count(connection: AsyncConnection, *, export: Export, span: Span) -> int:
    within = export.rows.where(span.holds(export.columns[0])).subquery()
    found = await connection.execute(select(func.count()).select_from(within))
    return found.scalar_one()
