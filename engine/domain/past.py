"""What happened, as research reads it: estimates in floats, from which nothing is booked."""

from typing import Final

import msgspec

UNFILLED: Final = "unfilled"
REVERTED: Final = "reverted"
VOID: Final = "void"
TRADED: Final = "traded"
"""How plans that were carried out ended."""


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One opportunity from its opening to its end.

    Attributes:
        closed_at_ns: 0 while it is open.
        pair: what the first leg turns.
        route: as `domain.opportunities.route_of` names it; empty where no legs are stored.
        venues, places: of each leg; rows of earlier versions do not name places.
        chain: of its first pool; empty if all legs are books.
        profit_usd, peak_usd: as screened at its opening and at its best; 0 where no rate is known.
        outcome: ``planned``, or the reason of the refusal.
        ended: why it is open no more.
        reasons: of later refusals.
    """

    opportunity_id: str
    seen_at_ns: int
    closed_at_ns: int
    pair: str
    route: str
    venues: tuple[str, ...]
    places: tuple[str, ...]
    chain: str
    legs: int
    net_edge_bps: float
    profit_usd: float
    peak_usd: float
    outcome: str
    ended: str
    reasons: tuple[str, ...]


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One plan that was carried out.

    Attributes:
        seen_at_ns: when its opportunity opened; 0 if that is stored no more, as then the edge.
        outcome: `TRADED`, `UNFILLED`, `REVERTED` or `VOID`.
        chain, block: of its transaction, and where that landed; empty and 0 where there is none.
    """

    execution_id: str
    opportunity_id: str
    seen_at_ns: int
    decided_at_ns: int
    closed_at_ns: int
    pair: str
    route: str
    venues: tuple[str, ...]
    legs: int
    net_edge_bps: float
    expected_usd: float
    realised_usd: float
    gas_usd: float
    slippage_usd: float
    outcome: str
    chain: str = ""
    block: int = 0
