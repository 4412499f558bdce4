"""What happened lately, for research: read in pages, so that others get their turn in between."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from math import isfinite
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Row, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.past_reports import EpisodesReport, PastTradesReport
from engine.domain.opportunities import Hop, HopKind, Reason, route_name
from engine.domain.orders import OrderState
from engine.domain.past import REVERTED, TRADED, UNFILLED, VOID, Episode, Trade
from engine.domain.rebalancing import Draws
from engine.storage.exact_sql import StorySlippage, StoryUsd
from engine.storage.tables.trades import executions, opportunities, transactions
from engine.storage.whose import Whose

PAGE: Final = 500
PLANNED: Final = "planned"
MOST: Final = 5_000
"""Most rows of one answer: some 2 MB."""

_OF_EXECUTIONS: Final = (
    *("execution_id", "opportunity_id", "pair", "buy_venue", "sell_venue"),
    *("decided_at_ns", "closed_at_ns", "size_base"),
    *("profit_usd", "expected_usd", "correction_usd", "void"),
)

T = TypeVar("T")
Transact = Callable[[Callable[[AsyncConnection], Awaitable[T]]], Awaitable[T]]


async def load_episodes(
    transact: Transact[Any], *, since_ns: int, most: int, whose: Whose
) -> EpisodesReport:
    """Load the newest opportunities that were seen since an instant."""
    order = (opportunities.c.seen_at_ns, opportunities.c.opportunity_id)
    query = select(opportunities).where(order[0] >= since_ns, whose.rows(opportunities))
    rows, left_out = await _newest(transact, query, order=order, most=most)
    return EpisodesReport(episodes=[_episode(row) for row in rows], left_out=left_out)


async def load_past_trades(
    transact: Transact[Any], *, since_ns: int, most: int, whose: Whose
) -> PastTradesReport:
    """Load the newest trades that ended since an instant."""
    order = (executions.c.closed_at_ns, executions.c.execution_id)
    query = (
        select(
            *(executions.c[name] for name in _OF_EXECUTIONS),
            StoryUsd(executions.c.story, "gas").label("gas"),
            StorySlippage(executions.c.story).label("slippage"),
            *(opportunities.c[name] for name in ("seen_at_ns", "net_edge_bps", "hops")),
            *(transactions.c[name] for name in ("state", "chain", "block")),
        )
        .outerjoin(opportunities, opportunities.c.opportunity_id == executions.c.opportunity_id)
        .outerjoin(transactions, transactions.c.execution_id == executions.c.execution_id)
        .where(order[0] >= since_ns, whose.rows(executions))
    )
    rows, left_out = await _newest(transact, query, order=order, most=most)
    return PastTradesReport(trades=[_trade(row) for row in rows], left_out=left_out)


async def load_draws(
    transact: Transact[Any], *, since_ns: int, most: int, whose: Whose
) -> tuple[list[Draws], int]:
    """Load what routes through order books drew, or were refused for want of, since an instant.

    Returns:
        The newest ones, oldest first, and how many older ones were left out.
    """
    order = (opportunities.c.seen_at_ns, opportunities.c.opportunity_id)
    outcomes = (PLANNED, Reason.BALANCE_TOO_LOW.value)
    columns = (*order, opportunities.c.hops, opportunities.c.profit_usd, opportunities.c.outcome)
    query = select(*columns).where(
        order[0] >= since_ns, opportunities.c.outcome.in_(outcomes), whose.rows(opportunities)
    )
    rows, left_out = await _newest(transact, query, order=order, most=most)
    routes = [(row, _hops(row.hops)) for row in rows]
    return [
        Draws(
            given=tuple((hop.venue, hop.source, _exact(hop.amount_in)) for hop in hops),
            received=tuple((hop.venue, hop.target, _exact(hop.amount_out)) for hop in hops),
            usd=_exact(row.profit_usd or 0.0),
            is_missed=row.outcome != PLANNED,
        )
        for row, hops in routes
        if hops and all(hop.kind is HopKind.BOOK for hop in hops)
    ], left_out


def _exact(value: float) -> Decimal:
    return Decimal(repr(value)) if isfinite(value) else Decimal(0)


async def _newest(
    transact: Transact[Any], query: Select[Any], *, order: tuple[Any, Any], most: int
) -> tuple[list[Row[Any]], int]:
    """Return the newest rows, oldest first, and how many more there are."""
    most = max(1, min(most, MOST))
    rows: list[Row[Any]] = []
    while len(rows) < most:
        page = await transact(
            partial(
                _page, query=query, order=order, most=min(PAGE, most - len(rows)), before=rows[-1:]
            )
        )
        rows += page
        if len(page) < PAGE:
            break
    left_out = 0
    if len(rows) >= most:
        at = _key(rows[-1], order)
        left_out = await transact(partial(_count, query=query.where(tuple_(*order) < tuple_(*at))))
    return rows[::-1], left_out


async def _page(
    connection: AsyncConnection,
    *,
    query: Select[Any],
    order: tuple[Any, Any],
    most: int,
    before: list[Row[Any]],
) -> list[Row[Any]]:
    if before:
        query = query.where(tuple_(*order) < tuple_(*_key(before[0], order)))
    newest_first = (order[0].desc(), order[1].desc())
    found = await connection.execute(query.order_by(*newest_first).limit(most))
    return list(found.all())


async def _count(connection: AsyncConnection, *, query: Select[Any]) -> int:
    counted = await connection.execute(select(func.count()).select_from(query.subquery()))
    return counted.scalar_one()


def _key(row: Row[Any], order: tuple[Any, Any]) -> tuple[Any, ...]:
    return tuple(getattr(row, column.name) for column in order)


def _episode(row: Row[Any]) -> Episode:
    hops = _hops(row.hops)
    refusals = msgspec.json.decode(row.refusals or "[]", type=list[tuple[str, str]])
    profit_usd, peak_usd = row.profit_usd or 0.0, 0.0
    if row.profit_quote and row.peak_profit_quote is not None:
        peak_usd = profit_usd * row.peak_profit_quote / row.profit_quote
    return Episode(
        opportunity_id=row.opportunity_id,
        seen_at_ns=row.seen_at_ns,
        closed_at_ns=row.closed_at_ns or 0,
        pair=row.pair,
        route=route_name(hops),
        venues=_venues(row, hops),
        places=tuple(hop.place for hop in hops),
        chain=next((hop.chain for hop in hops if hop.chain), ""),
        legs=len(hops) or 2,
        net_edge_bps=row.net_edge_bps,
        profit_usd=profit_usd,
        peak_usd=max(peak_usd, profit_usd),
        outcome=row.outcome,
        ended=row.ended or "",
        reasons=tuple(reason for reason, _ in refusals),
    )


def _trade(row: Row[Any]) -> Trade:
    hops = _hops(row.hops)
    return Trade(
        execution_id=row.execution_id,
        opportunity_id=row.opportunity_id,
        seen_at_ns=row.seen_at_ns or 0,
        decided_at_ns=row.decided_at_ns,
        closed_at_ns=row.closed_at_ns,
        pair=row.pair,
        route=route_name(hops),
        venues=_venues(row, hops),
        legs=len(hops) or 2,
        net_edge_bps=row.net_edge_bps or 0.0,
        expected_usd=float(row.expected_usd),
        realised_usd=float(row.profit_usd + (row.correction_usd or 0)),
        gas_usd=float(row.gas or 0),
        slippage_usd=-float(row.slippage or 0),
        outcome=_outcome(row),
        chain=row.chain or "",
        block=row.block or 0,
    )


def _outcome(row: Row[Any]) -> str:
    if row.void:
        return VOID
    if row.size_base:
        return TRADED
    # A transaction's life, see `orders.Transaction`.
    return REVERTED if row.state == OrderState.CANCELLED else UNFILLED


def _hops(text: str | None) -> tuple[Hop, ...]:
    return msgspec.json.decode(text or "[]", type=tuple[Hop, ...])


def _venues(row: Row[Any], hops: tuple[Hop, ...]) -> tuple[str, ...]:
    """Return each leg's venue; rows of earlier versions have two legs and do not hold them."""
    return tuple(hop.venue for hop in hops) or (row.buy_venue, row.sell_venue)
