"""Who quotes what."""

import msgspec

from engine.bus.reports import Report
from engine.domain.modes import Basis


class QuoteLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a place has of a pair: a book, or pools.

    Attributes:
        place: a venue, or a protocol at a chain.
        count, live: how many books or pools, and how many of them may be traded on.
        usd: what stands near the best prices of a book, or is in the pools; None if no fresh book
            values it.
        age_ms: since the newest change, or the chain's newest block; None if nothing is live.
    """

    place: str
    pair: str
    count: int
    live: int
    usd: float | None
    age_ms: int | None


class QuotesReport(Report, frozen=True, kw_only=True):
    """All places and pairs."""

    basis: Basis
    lines: list[QuoteLine]
