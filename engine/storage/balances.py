"""Balances of the inventories: added to in the transaction that stores a deposit or a fill."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.assets import Amount, AssetCode
from engine.domain.exact import exact_sum
from engine.domain.holdings import Holding, Place
from engine.domain.instruments import VenueId
from engine.domain.live_start import Opened
from engine.domain.modes import Basis, Money
from engine.storage.tables.balances import balances, deposits
from engine.storage.whose import Whose

Change = tuple[str, Basis, Money, VenueId, AssetCode, Decimal]
"""Of an engine's holdings: its id, their basis, paper or live, where, of what, how much more."""


async def add_changes(connection: AsyncConnection, changes: Iterable[Change]) -> None:
    """Add changes to what is held."""
    added: dict[tuple[str, str, str, str, str], list[Decimal]] = {}
    for engine_id, basis, money, venue, asset, change in changes:
        key = (engine_id, basis.value, money.value, venue, asset)
        added.setdefault(key, []).append(change)
    if not added:
        return
    stored = await connection.execute(select(balances))
    held = {(row.engine_id, row.basis, row.money, row.venue, row.asset): row.held for row in stored}
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    upsert = dialect.insert(balances)
    await connection.execute(
        upsert.on_conflict_do_update(
            index_elements=["engine_id", "basis", "money", "venue", "asset"],
            set_={"held": upsert.excluded.held},
        ),
        [
            {
                "engine_id": key[0],
                "basis": key[1],
                "money": key[2],
                "venue": key[3],
                "asset": key[4],
                "held": exact_sum((held.get(key, Decimal(0)), *amounts)),
            }
            for key, amounts in added.items()
        ],
    )


async def load_opened(connection: AsyncConnection, *, whose: Whose) -> list[Opened]:
    """Load which places were read on their chains, and on which, as of last."""
    stored = await connection.execute(
        select(deposits.c.opened)
        .where(whose.rows(deposits), deposits.c.opened.is_not(None))
        .order_by(deposits.c.seq)
    )
    newest: dict[Place, Opened] = {}
    for row in stored:
        opened = msgspec.json.decode(row.opened, type=Opened)
        newest[opened.place] = opened
    return list(newest.values())


async def load_holdings(connection: AsyncConnection, *, whose: Whose) -> list[Holding]:
    """Load what is held, and what it was set to last."""
    put_in = await connection.execute(
        select(deposits.c.venue, deposits.c.asset, deposits.c.started, deposits.c.started_usd)
        .where(whose.rows(deposits))
        .order_by(deposits.c.seq)
    )
    starts = {(row.venue, row.asset): row for row in put_in}
    stored = await connection.execute(
        select(balances.c.venue, balances.c.asset, balances.c.held).where(whose.rows(balances))
    )
    sums: dict[Place, list[Decimal]] = {}
    for row in stored:
        sums.setdefault((VenueId(row.venue), AssetCode(row.asset)), []).append(row.held)
    found = []
    for (venue, asset), parts in sorted(sums.items()):
        start = starts.get((venue, asset))
        found.append(
            Holding(
                venue=venue,
                held=Amount(exact_sum(parts), asset),
                started=Amount(Decimal(0) if start is None else start.started, asset),
                started_usd=Decimal(0) if start is None else start.started_usd,
            )
        )
    return found
