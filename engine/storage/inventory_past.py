"""What places held over a time: from what they hold now back through deposits, trades and costs.

Nothing is stored for it: the rows that made the balances say it. They are read in pieces, between
which others get a turn.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.money_reports import InventoryPast, PlacePast
from engine.domain.assets import AssetCode
from engine.domain.exact import exact_sum
from engine.domain.holdings import Place
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Money
from engine.storage.books import of_fills, of_transactions
from engine.storage.exact_sql import exact_total
from engine.storage.tables.balances import balances, costs, deposits
from engine.storage.tables.trades import executions
from engine.storage.whose import Whose

STEPS: Final = 48
"""Pieces of a time: a picture on a phone shows no more."""

Transact = Callable[[Callable[[AsyncConnection], Awaitable[Any]]], Awaitable[Any]]
Amounts = dict[Place, Decimal]


async def load_inventory_past(
    transact: Transact, *, basis: Basis | None, money: Money, since_ns: int, until_ns: int
) -> InventoryPast:
    """Reckon back what each place held at instants from `since_ns` up to `until_ns`.

    Args:
        transact: carries a piece out.
        basis: of the ledger; all where there is none.
        money: paper or live, never both.
        since_ns: the oldest instant.
        until_ns: the newest one; what came later is taken off too.
    """
    span_ns = max(until_ns - since_ns, 1)
    edges = sorted({since_ns + span_ns * step // STEPS for step in range(STEPS + 1)})
    whose = Whose(basis=basis, money=money)
    held, newest = await transact(partial(_held_at, whose=whose, at_ns=edges[-1]))
    found = [held]
    for after_ns, up_to_ns in reversed(list(pairwise(edges))):
        changes = await transact(
            partial(_changes, whose=whose, newest=newest, after_ns=after_ns, to_ns=up_to_ns)
        )
        held = _less(held, changes)
        found.insert(0, held)
    places = sorted({place for one in found for place, amount in one.items() if amount})
    return InventoryPast(
        money=money,
        at_ns=edges,
        places=[
            PlacePast(
                venue=place[0],
                asset=place[1],
                held=[one.get(place, Decimal(0)) for one in found],
            )
            for place in places
        ],
    )


async def _held_at(connection: AsyncConnection, *, whose: Whose, at_ns: int) -> tuple[Amounts, int]:
    """Return what is held, but for what came after an instant, and the newest trade in it."""
    count = await connection.execute(select(func.max(executions.c.seq)))
    newest = count.scalar_one_or_none() or 0
    stored = await connection.execute(
        select(balances.c.venue, balances.c.asset, balances.c.held).where(whose.rows(balances))
    )
    held = _summed((_place(row.venue, row.asset), row.held) for row in stored)
    changes = _changes(connection, whose=whose, newest=newest, after_ns=at_ns, to_ns=None)
    return _less(held, await changes), newest


async def _changes(
    connection: AsyncConnection, *, whose: Whose, newest: int, after_ns: int, to_ns: int | None
) -> Amounts:
    """Return what came to each place after one instant, up to and with another.

    Trades that are stored meanwhile, and those of versions that had no balances, which have no
    number, are not in what is held, and so not in this.
    """

    def when(table: Table, column: str) -> ColumnElement[bool]:
        at = table.c[column]
        is_late = and_(whose.rows(table), at > after_ns)
        return is_late if to_ns is None else and_(is_late, at <= to_ns)

    closed = and_(when(executions, "closed_at_ns"), executions.c.seq <= newest)
    traded = [*await of_fills(connection, closed), *await of_transactions(connection, closed)]
    changes = [(_place(key[3], key[4]), amount) for key, amount in traded]
    for table, name, sign in ((deposits, "added", 1), (costs, "amount", -1)):
        rows = await connection.execute(
            select(table.c.venue, table.c.asset, exact_total(table.c[name]).label("sum"))
            .where(when(table, "at_ns"))
            .group_by(table.c.venue, table.c.asset)
        )
        changes += [(_place(row.venue, row.asset), sign * row.sum) for row in rows]
    return _summed(changes)


def _place(venue: str, asset: str) -> Place:
    return VenueId(venue), AssetCode(asset)


def _summed(parts: Iterable[tuple[Place, Decimal]]) -> Amounts:
    sums: defaultdict[Place, list[Decimal]] = defaultdict(list)
    for place, amount in parts:
        sums[place].append(amount)
    return {place: exact_sum(amounts) for place, amounts in sums.items()}


def _less(held: Amounts, changes: Amounts) -> Amounts:
    zero = Decimal(0)
    return {
        place: exact_sum((held.get(place, zero), -changes.get(place, zero)))
        for place in held.keys() | changes.keys()
    }
