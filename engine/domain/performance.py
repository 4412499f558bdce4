"""What trading came to over a time: sums, what stands out, and what was missed."""

from decimal import Decimal
from enum import StrEnum

import msgspec

ZERO = Decimal(0)


class By(StrEnum):
    """What trades are grouped by."""

    ALL = "all"
    PAIR = "pair"
    VENUE = "venue"
    """A trade counts at each of its two venues, so that these lines add up to more than all."""
    ROUTE = "route"
    HOUR = "hour"
    """Hour of the UTC day."""


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """What trades came to, in USD.

    Attributes:
        wins: how many gained.
        realised, expected: with the costs; the second as planned.
        fee, gas, transfer: costs, of the trades whose story is stored.
        slippage: by how much prices and fills were worse than planned; negative if better.
    """

    trades: int = 0
    wins: int = 0
    realised: Decimal = ZERO
    expected: Decimal = ZERO
    fee: Decimal = ZERO
    gas: Decimal = ZERO
    transfer: Decimal = ZERO
    slippage: Decimal = ZERO


class TradeMark(msgspec.Struct, frozen=True, kw_only=True):
    """A trade that stands out."""

    opportunity_id: str
    route: str
    realised: Decimal


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """Opportunities that were refused for one reason though they lasted, and their estimate."""

    reason: str
    count: int
    usd: float
