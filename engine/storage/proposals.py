"""Proposals of transfers: from the routes of a day and what is free, and each told once a day."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.money_reports import RebalancingReport
from engine.bus.notices import TransferProposed
from engine.bus.records import NoticeRecord
from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination
from engine.domain.exact import exact_sum
from engine.domain.holdings import Place
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Money, basis_of
from engine.domain.rebalancing import Transfer, TransferTerms, propose
from engine.domain.units import NS_PER_DAY
from engine.storage.append import append
from engine.storage.past import load_draws
from engine.storage.tables.balances import balances
from engine.storage.tables.chats import notices
from engine.storage.whose import Whose

DRAWS_MAX: Final = 5_000

Transact = Callable[[Callable[[AsyncConnection], Awaitable[Any]]], Awaitable[Any]]
Way = tuple[AssetCode, VenueId, VenueId]
"""What makes two proposals the same, whatever their amounts: asset, source and target."""


async def rebalance(
    transact: Transact,
    free: Mapping[Place, Decimal],
    *,
    since_ns: int,
    basis: Basis | None,
    terms: TransferTerms,
    allowed: Collection[Destination] = (),
) -> RebalancingReport:
    """Propose transfers by what routes drew, and were refused for want of, since an instant."""
    routes, left_out = await load_draws(
        transact, since_ns=since_ns, most=DRAWS_MAX, whose=Whose(basis=basis)
    )
    return RebalancingReport(
        transfers=propose(free, routes, terms, allowed=allowed),
        missed=sum(one.is_missed for one in routes),
        left_out=left_out,
    )


async def tell(
    transact: Transact,
    *,
    now_ns: int,
    basis: Basis,
    terms: TransferTerms,
    allowed: Collection[Destination] = (),
) -> list[Transfer]:
    """Store a notice of each transfer of live money that would pay and was not told for a day.

    What plans under way have reserved is not known here, and is back within seconds.

    Returns:
        What is told now.
    """
    held: dict[Place, Decimal] = await transact(lambda connection: _held(connection, basis))
    if not held:
        return []
    report = await rebalance(
        transact,
        held,
        since_ns=now_ns - NS_PER_DAY,
        basis=basis,
        terms=terms,
        allowed=allowed,
    )

    async def work(connection: AsyncConnection) -> list[Transfer]:
        told = await _told(connection, now_ns=now_ns, basis=basis)
        fresh = [one for one in report.transfers if _way(one) not in told]
        records = [_record(one, now_ns=now_ns, basis=basis) for one in fresh]
        if records:
            await append(connection, records, basis=basis)
        return fresh

    return [] if not report.transfers else await transact(work)


async def _held(connection: AsyncConnection, basis: Basis) -> dict[Place, Decimal]:
    """Return what places of live money hold, of all engines together."""
    whose = Whose(basis=basis, money=Money.LIVE)
    rows = await connection.execute(
        select(balances.c.venue, balances.c.asset, balances.c.held).where(whose.rows(balances))
    )
    parts: dict[Place, list[Decimal]] = {}
    for row in rows:
        parts.setdefault((VenueId(row.venue), AssetCode(row.asset)), []).append(row.held)
    return {place: exact_sum(amounts) for place, amounts in parts.items()}


async def _told(connection: AsyncConnection, *, now_ns: int, basis: Basis) -> set[Way]:
    """Return what was told within a day; also by a clock that was ahead then, and was set back."""
    found = await connection.execute(
        select(notices.c.notice).where(
            notices.c.kind == TransferProposed.__name__,
            notices.c.at_ns > now_ns - NS_PER_DAY,
            notices.c.at_ns < now_ns + NS_PER_DAY,
            notices.c.basis == basis_of(basis, Money.LIVE).value,
        )
    )
    told = (msgspec.json.decode(text, type=TransferProposed) for text in found.scalars())
    return {_way(one.transfer) for one in told}


def _record(transfer: Transfer, *, now_ns: int, basis: Basis) -> NoticeRecord:
    name = "-".join(_way(transfer))
    return NoticeRecord(
        record_id=f"transfer-{name}-{basis}-{now_ns}",
        notice=TransferProposed(at_ns=now_ns, basis=basis_of(basis, Money.LIVE), transfer=transfer),
    )


def _way(transfer: Transfer) -> Way:
    return transfer.asset, transfer.source, transfer.target
