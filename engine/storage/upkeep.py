"""What transactions have cost that carry no plan out: nonces that were filled, pauses."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.exact import exact_sum
from engine.storage.exact_sql import exact_total
from engine.storage.tables.balances import costs
from engine.storage.whose import Whose

FOR_EVER_NS: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """The sum of a time.

    Attributes:
        usd: of all that had a price when they were told.
        count: of chores.
        unpriced: words of them that had none.
    """

    usd: Decimal
    count: int
    unpriced: int


NO_UPKEEP: Final = Upkeep(usd=Decimal(0), count=0, unpriced=0)


async def load_upkeep(
    connection: AsyncConnection, *, since_ns: int, whose: Whose, until_ns: int = FOR_EVER_NS
) -> Upkeep:
    """Sum up what was told from one instant up to another."""
    found = await connection.execute(
        select(
            exact_total(costs.c.usd).label("usd"),
            func.count(costs.c.client_order_id.distinct()).label("chores"),
            func.count().label("words"),
            func.count(costs.c.usd).label("priced"),
        ).where(costs.c.at_ns >= since_ns, costs.c.at_ns < until_ns, whose.rows(costs))
    )
    row = found.one()
    return Upkeep(
        usd=exact_sum((row.usd or Decimal(0),)),
        count=row.chores,
        unpriced=row.words - row.priced,
    )
