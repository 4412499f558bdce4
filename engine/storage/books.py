"""Whether what is held is what deposits, fills and transactions add up to, place by place."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.performance import BooksReport, Held, PlaceDifference
from engine.domain.assets import AssetCode
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Money
from engine.storage.exact_sql import exact_times, exact_total
from engine.storage.tables.balances import balances, costs, deposits
from engine.storage.tables.trades import executions, fills, orders, swaps, transactions

Key = tuple[str, str, str, str, str]
"""Engine, basis, paper or live, venue, asset."""

Change = tuple[Key, Decimal]
PIECE: Final = 2_000
"""Executions that are added up at a time."""

_KEY: Final = ("engine_id", "basis", "money", "venue", "asset")

Transact = Callable[[Callable[[AsyncConnection], Awaitable[Any]]], Awaitable[Any]]


async def load_books(transact: Transact, *, basis: Basis | None) -> BooksReport:
    """Add all up anew and compare it with the balances, in pieces between which others get a turn.

    A fill that is told late may belong to a piece that is done already: what differs is looked at
    once more.
    """
    report = await _compare(transact, basis)
    return report if not report.differences else await _compare(transact, basis)


async def _compare(transact: Transact, basis: Basis | None) -> BooksReport:
    sums: defaultdict[Key, list[Decimal]] = defaultdict(list)
    held: dict[Key, Decimal] | None = None
    after = 0
    while held is None:
        changes, held = await transact(partial(_piece, after=after))
        after += PIECE
        for key, change in changes:
            sums[key].append(change)
        sums = defaultdict(list, {key: [exact_sum(parts)] for key, parts in sums.items()})
    zero = Decimal(0)
    return BooksReport(
        held=[
            Held(
                engine_id=key[0],
                money=Money(key[2]),
                venue=VenueId(key[3]),
                asset=AssetCode(key[4]),
                held=amount,
            )
            for key, amount in sorted(held.items())
            if basis is None or key[1] == basis
        ],
        differences=[
            PlaceDifference(
                engine_id=key[0],
                money=Money(key[2]),
                venue=VenueId(key[3]),
                asset=AssetCode(key[4]),
                held=held.get(key, zero),
                from_fills=exact_sum(sums[key]),
            )
            for key in sorted(held.keys() | sums.keys())
            if held.get(key, zero) != exact_sum(sums[key])
        ],
    )


async def _piece(
    connection: AsyncConnection, *, after: int
) -> tuple[list[Change], dict[Key, Decimal] | None]:
    """Add up the executions of one piece; with the last one come deposits and balances."""
    newest = await connection.execute(select(func.max(executions.c.seq)))
    is_last = (newest.scalar_one_or_none() or 0) <= after + PIECE
    # What versions stored that had no balances has no number.
    when = and_(executions.c.seq > after, executions.c.seq <= after + PIECE)
    changes = [*await of_fills(connection, when), *await of_transactions(connection, when)]
    if not is_last:
        return changes, None
    put_in = await connection.execute(
        select(
            *(deposits.c[name] for name in _KEY), exact_total(deposits.c.added).label("sum")
        ).group_by(*(deposits.c[name] for name in _KEY))
    )
    changes += [(_key(row), row.sum) for row in put_in]
    chores = await connection.execute(
        select(
            *(costs.c[name] for name in _KEY), exact_total(costs.c.amount).label("sum")
        ).group_by(*(costs.c[name] for name in _KEY))
    )
    changes += [(_key(row), -row.sum) for row in chores]
    stored = await connection.execute(select(balances))
    return changes, {_key(row): row.held for row in stored}


async def of_fills(connection: AsyncConnection, when: ColumnElement[bool]) -> list[Change]:
    """Add up what the fills of some executions brought and took, with their fees."""
    of = (
        executions.c.engine_id, executions.c.basis, executions.c.money,
        orders.c.venue, orders.c.pair, orders.c.side,
    )  # fmt: skip
    found = await connection.execute(
        select(
            *of,
            exact_total(fills.c.size_base).label("base"),
            exact_total(exact_times(fills.c.price, fills.c.size_base)).label("quote"),
            exact_total(fills.c.fee_base).label("fee_base"),
            exact_total(fills.c.fee_quote).label("fee_quote"),
        )
        .join_from(fills, orders)
        .join(executions)
        .where(when)
        .group_by(*of)
    )
    paid = await connection.execute(
        select(
            *of[:4],
            fills.c.other_fee_asset.label("asset"),
            exact_total(fills.c.other_fee).label("fee"),
        )
        .join_from(fills, orders)
        .join(executions)
        .where(when, fills.c.other_fee_asset.is_not(None))
        .group_by(*of[:4], fills.c.other_fee_asset)
    )
    changes: list[Change] = [(_key(row), -row.fee) for row in paid]
    for row in found:
        base, _, quote = row.pair.partition("-")
        sign = 1 if row.side == "buy" else -1
        fee_base, fee_quote = row.fee_base or Decimal(0), row.fee_quote or Decimal(0)
        place = (row.engine_id, row.basis, row.money, row.venue)
        changes += [
            ((*place, base), exact_sum((sign * row.base, -fee_base))),
            ((*place, quote), exact_sum((-sign * row.quote, -fee_quote))),
        ]
    return changes


async def of_transactions(connection: AsyncConnection, when: ColumnElement[bool]) -> list[Change]:
    """Add up what the ends of transactions gave and received, and what they paid for gas."""
    of = (executions.c.engine_id, executions.c.basis, executions.c.money)
    gains_at = func.coalesce(transactions.c.gains_at, transactions.c.wallet).label("venue")
    wallet = transactions.c.wallet.label("venue")
    first, last = swaps.alias("first"), swaps.alias("last")
    ends = select(func.max(swaps.c.position)).where(
        swaps.c.execution_id == transactions.c.execution_id
    )
    gave = await connection.execute(
        select(
            *of,
            gains_at,
            first.c.source.label("asset"),
            exact_total(first.c.amount_in).label("amount"),
            exact_total(transactions.c.flash_fee).label("fee"),
        )
        .join_from(transactions, executions)
        .join(first, and_(first.c.execution_id == executions.c.execution_id, first.c.position == 0))
        .where(when)
        .group_by(*of, gains_at, first.c.source)
    )
    got = await connection.execute(
        select(
            *of,
            gains_at,
            last.c.target.label("asset"),
            exact_total(last.c.amount_out).label("amount"),
        )
        .join_from(transactions, executions)
        .join(
            last,
            and_(
                last.c.execution_id == executions.c.execution_id,
                last.c.position == ends.scalar_subquery(),
            ),
        )
        .where(when)
        .group_by(*of, gains_at, last.c.target)
    )
    paid, tipped = [
        await connection.execute(
            select(
                *of,
                place,
                transactions.c.gas_asset.label("asset"),
                *(exact_total(transactions.c[name]).label(name) for name in names),
            )
            .join_from(transactions, executions)
            .where(when, transactions.c[names[0]].is_not(None))
            .group_by(*of, place, transactions.c.gas_asset)
        )
        for place, names in ((wallet, ("gas", "tip")), (gains_at, ("tip",)))
    ]
    changes: list[Change] = [
        (_key(row), exact_sum((-row.amount, -(row.fee or Decimal(0))))) for row in gave
    ]
    changes += [(_key(row), row.amount) for row in got]
    # The tip is a part of gas that came out of the gains.
    changes += [(_key(row), exact_sum((-row.gas, row.tip or Decimal(0)))) for row in paid]
    return changes + [(_key(row), -row.tip) for row in tipped]


def _key(row: Any) -> Key:
    return row.engine_id, row.basis, row.money, row.venue, row.asset
