"""What trading came to over a time: summed up by the database, checked by a fold in order.

Both go through the trades in pieces: others get their turn in between.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

from cachetools import LRUCache
from sqlalchemy import (
    ColumnElement,
    Double,
    Row,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.performance import PerformanceReport
from engine.domain.exact import exact_sum
from engine.domain.modes import Money
from engine.domain.performance import By, Missed, Sums
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.storage.exact_sql import StorySlippage, StoryUsd, exact_total
from engine.storage.fold import Fold
from engine.storage.route_names import ROUTE
from engine.storage.tables.chats import notices
from engine.storage.tables.trades import executions, opportunities
from engine.storage.totals import PAGE_ROWS
from engine.storage.whose import Whose

PIECE: Final = 2_000
"""Trades that are summed up at a time."""

LASTED_NS_MIN: Final = 500_000_000
"""A refused opportunity that lasted so long could have been filled."""

MISSED_MAX: Final = 8
GROUPS_MAX: Final = 200
_NS_PER_HOUR: Final = 3_600 * NS_PER_S
_TAKEN: Final = ("planned", "traded")

T = TypeVar("T")
Transact = Callable[[Callable[[AsyncConnection], Awaitable[T]]], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Trades of one UTC day, or of a part of a busy one."""

    start_ns: int
    end_ns: int
    count: int


Named = list[tuple[str, Sums]]

Known = LRUCache[tuple[Whose, By, Piece], Named]
"""Sums by piece. Trades are only ever added: as many as before are the same."""

KNOWN_MAX: Final = 512


def make_known() -> Known:
    """Return an empty memory of sums."""
    return LRUCache(KNOWN_MAX)


_pair, _buy, _sell = executions.c.pair, executions.c.buy_venue, executions.c.sell_venue
_hour = (executions.c.closed_at_ns // _NS_PER_HOUR) % 24  # hours of the UTC day


async def load_performance(
    transact: Transact[Any],
    *,
    since_ns: int,
    until_ns: int,
    by: By,
    whose: Whose,
    known: Known,
) -> PerformanceReport:
    """Sum up the trades that closed from one instant up to another.

    Args:
        transact: runs a piece of work on the database.
        since_ns: the first instant.
        until_ns: the first instant after it.
        by: what they are grouped by as well.
        whose: figures; paper and live are asked for one after the other.
        known: sums of pieces that were made before.
    """
    load = partial(
        _load,
        transact,
        since_ns=since_ns,
        until_ns=until_ns,
        by=by,
        whose=whose,
        known=known,
    )
    report = await load()
    # A trade that is stored between the two ways of adding up is in one of them only.
    return report if report.is_summed_twice_alike else await load()


async def _load(
    transact: Transact[Any], *, since_ns: int, until_ns: int, by: By, whose: Whose, known: Known
) -> PerformanceReport:
    groups: dict[str, Sums] = {}
    total = Sums()
    start_ns = since_ns
    while True:
        piece = await transact(
            partial(_next_piece, start_ns=start_ns, until_ns=until_ns, whose=whose)
        )
        if piece is None:
            break
        for _, sums in await _sums(transact, piece, by=By.ALL, whose=whose, known=known):
            total = _both(total, sums)
        for name, sums in (
            [] if by is By.ALL else await _sums(transact, piece, by=by, whose=whose, known=known)
        ):
            groups[name] = _both(groups.get(name, Sums()), sums)
        start_ns = piece.end_ns
    fold = Fold()
    after: Row[Any] | None = None
    while True:
        page = await transact(
            partial(_page, since_ns=since_ns, until_ns=until_ns, after=after, whose=whose)
        )
        fold.add(page)
        if len(page) < PAGE_ROWS:
            break
        after = page[-1]
    outcomes, missed, told = await transact(partial(_beside, since_ns=since_ns, until_ns=until_ns))
    named = sorted(groups.items(), key=lambda item: (-abs(item[1].realised), item[0]))
    if by is By.HOUR:
        named = sorted(groups.items())
    return PerformanceReport(
        basis=whose.basis,
        money=whose.money or Money.PAPER,
        since_ns=since_ns,
        until_ns=until_ns,
        all=total,
        groups=named[:GROUPS_MAX],
        drawdown=fold.drawdown,
        points=fold.thinned(),
        best=fold.best,
        worst=fold.worst,
        outcomes=outcomes,
        missed=missed,
        notices=told,
        is_summed_twice_alike=(fold.realised, fold.count) == (total.realised, total.trades),
    )


async def _next_piece(
    connection: AsyncConnection, *, start_ns: int, until_ns: int, whose: Whose
) -> Piece | None:
    """Return the next trades that are summed up at a time; None if there are none any more.

    Pieces begin with their day wherever that is within the time that is asked for, so that another
    question meets the same ones.
    """
    at_ns = executions.c.closed_at_ns
    ahead = and_(at_ns >= start_ns, at_ns < until_ns, whose.rows(executions))
    first = await connection.execute(select(func.min(at_ns)).where(ahead))
    first_ns = first.scalar_one_or_none()
    if first_ns is None:
        return None
    start_ns = max(start_ns, first_ns // NS_PER_DAY * NS_PER_DAY)
    end_ns = min(until_ns, (start_ns // NS_PER_DAY + 1) * NS_PER_DAY)
    within = and_(at_ns >= start_ns, at_ns < end_ns, whose.rows(executions))
    found = await connection.execute(
        select(at_ns).where(within).order_by(at_ns).offset(PIECE).limit(1)
    )
    next_ns = found.scalar_one_or_none()
    if next_ns is not None:
        end_ns = max(next_ns, start_ns + 1)  # trades of one instant are never torn apart
    counted = await connection.execute(
        select(func.count())
        .select_from(executions)
        .where(at_ns >= start_ns, at_ns < end_ns, whose.rows(executions))
    )
    return Piece(start_ns, end_ns, counted.scalar_one())


async def _sums(
    transact: Transact[Any], piece: Piece, *, by: By, whose: Whose, known: Known
) -> Named:
    key = (whose, by, piece)
    named: Named | None = known.get(key)
    if named is None:
        named = await transact(
            partial(_sum_up, start_ns=piece.start_ns, end_ns=piece.end_ns, by=by, whose=whose)
        )
        # What was stored since it was counted would be in it.
        if by is By.VENUE or sum(sums.trades for _, sums in named) == piece.count:
            known[key] = named
    return named


async def _sum_up(
    connection: AsyncConnection, *, start_ns: int, end_ns: int, by: By, whose: Whose
) -> list[tuple[str, Sums]]:
    when = and_(
        executions.c.closed_at_ns >= start_ns,
        executions.c.closed_at_ns < end_ns,
        whose.rows(executions),
    )
    found = await connection.execute(_query(by, when))
    return [
        (
            str(row.name),
            Sums(
                trades=row.trades,
                wins=row.wins,
                realised=exact_sum((row.profit, row.correction or Decimal(0))),
                expected=row.expected or Decimal(0),
                fee=row.fee or Decimal(0),
                gas=row.gas or Decimal(0),
                transfer=row.transfer or Decimal(0),
                slippage=-(row.slippage or Decimal(0)),
            ),
        )
        for row in found
    ]


def _query(by: By, when: ColumnElement[bool]) -> Select[Any]:
    names: dict[By, list[ColumnElement[Any]]] = {
        By.ALL: [literal("all")],
        By.PAIR: [_pair],
        By.VENUE: [_buy, _sell],
        By.ROUTE: [ROUTE],
        By.HOUR: [_hour],
    }
    rows = [_rows(name, when, is_other=number > 0) for number, name in enumerate(names[by])]
    of = (rows[0] if len(rows) == 1 else union_all(*rows)).subquery()
    return select(
        of.c.name,
        func.count().label("trades"),
        func.sum(of.c.win).label("wins"),
        *(
            exact_total(of.c[part]).label(part)
            for part in ("profit", "correction", "expected", "fee", "gas", "transfer", "slippage")
        ),
    ).group_by(of.c.name)


def _rows(name: ColumnElement[Any], when: ColumnElement[bool], *, is_other: bool) -> Select[Any]:
    """Select what is summed up; `is_other` leaves out trades whose two venues are one."""
    story = executions.c.story
    won = cast(executions.c.profit_usd, Double) > 0
    query = select(
        name.label("name"),
        case((won, 1), else_=0).label("win"),
        executions.c.profit_usd.label("profit"),
        executions.c.correction_usd.label("correction"),
        executions.c.expected_usd.label("expected"),
        StoryUsd(story, "fee").label("fee"),
        StoryUsd(story, "gas").label("gas"),
        StoryUsd(story, "transfer").label("transfer"),
        StorySlippage(story).label("slippage"),
    ).where(when)
    return query.where(_buy != _sell) if is_other else query


async def _page(
    connection: AsyncConnection,
    *,
    since_ns: int,
    until_ns: int,
    after: Row[Any] | None,
    whose: Whose,
) -> list[Row[Any]]:
    order = (executions.c.closed_at_ns, executions.c.execution_id)
    query = select(
        *order,
        executions.c.opportunity_id,
        _pair,
        _buy,
        _sell,
        executions.c.profit_usd,
        executions.c.correction_usd,
    ).where(
        executions.c.closed_at_ns >= since_ns,
        executions.c.closed_at_ns < until_ns,
        whose.rows(executions),
    )
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(after.closed_at_ns, after.execution_id))
    found = await connection.execute(query.order_by(*order).limit(PAGE_ROWS))
    rows: list[Row[Any]] = list(found.all())  # type: ignore[arg-type] # a row of any columns
    return rows


async def _beside(
    connection: AsyncConnection, *, since_ns: int, until_ns: int
) -> tuple[dict[str, int], list[Missed], dict[str, int]]:
    """Load what was found, what of it was refused though it lasted, and what was told."""
    found = opportunities.c
    by_outcome = await connection.execute(
        select(found.outcome, func.count().label("times"))
        .where(found.seen_at_ns >= since_ns, found.seen_at_ns < until_ns)
        .group_by(found.outcome)
    )
    estimate = func.sum(found.profit_usd)
    refused = await connection.execute(
        select(found.outcome, func.count().label("times"), estimate.label("usd"))
        .where(
            found.seen_at_ns >= since_ns,
            found.seen_at_ns < until_ns,
            found.outcome.not_in(_TAKEN),
            found.closed_at_ns - found.seen_at_ns >= LASTED_NS_MIN,
            found.profit_usd > 0,
        )
        .group_by(found.outcome)
        .order_by(estimate.desc())
        .limit(MISSED_MAX)
    )
    told = await connection.execute(
        select(notices.c.kind, func.count().label("times"))
        .where(notices.c.at_ns >= since_ns, notices.c.at_ns < until_ns)
        .group_by(notices.c.kind)
    )
    missed = [Missed(reason=row.outcome, count=row.times, usd=row.usd) for row in refused]
    outcomes = {row.outcome: row.times for row in by_outcome}
    return outcomes, missed, {row.kind: row.times for row in told}


def _both(one: Sums, other: Sums) -> Sums:
    return Sums(
        trades=one.trades + other.trades,
        wins=one.wins + other.wins,
        **{
            part: exact_sum((getattr(one, part), getattr(other, part)))
            for part in ("realised", "expected", "fee", "gas", "transfer", "slippage")
        },
    )
