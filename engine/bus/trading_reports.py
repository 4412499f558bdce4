"""What a person is shown of orders at venues, and of the venues themselves."""

from decimal import Decimal

import msgspec

from engine.bus.report import Report
from engine.domain.modes import Basis
from engine.domain.opportunities import Side
from engine.domain.orders import Purpose
from engine.domain.orders_told import HeldAtVenue, OrderNews
from engine.domain.venue_orders import FeeShown


class VenueOrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """One order, and what became of it.

    Attributes:
        plan_id: of the plan that it is a part of.
        news: what was told last, None as long as nothing is known.
        handed_at_ns: wall clock.
        unknown_since_ns: since when nobody knows what became of it; 0 if that is known.
    """

    client_order_id: str
    plan_id: str
    engine: str
    venue: str
    instrument: str
    side: Side
    size_base: Decimal
    price_limit: Decimal
    purpose: Purpose
    handed_at_ns: int
    news: OrderNews | None = None
    unknown_since_ns: int = 0


class VenueDeskLine(msgspec.Struct, frozen=True, kw_only=True):
    """How one venue stands.

    Attributes:
        why_not: why no order is taken on there now; empty where one is.
        is_halted: that holds until a person lets it go on.
        open_count: orders that are not over; `unknown_count` of those whose outcome is unknown,
            and `rests_count` that may rest in the book if this machine dies now.
        reconciled_at_ns: when all was compared last; 0 before it was.
        differences: what was found then, in sentences.
        others_count: open orders of somebody else on the account: seen, never touched.
        held: as read last.
        fees: of our tier, as the venue told them; `fees_at_ns` when.
        dead_man_s: after so long without us the venue cancels by itself what rests; 0 where it has
            no such switch.
        has_stream: whether the venue tells of our orders by itself now; else they are asked for.
    """

    venue: str
    why_not: str = ""
    is_halted: bool = False
    open_count: int = 0
    unknown_count: int = 0
    rests_count: int = 0
    reconciled_at_ns: int = 0
    differences: tuple[str, ...] = ()
    others_count: int = 0
    held: tuple[HeldAtVenue, ...] = ()
    fees: tuple[FeeShown, ...] = ()
    fees_at_ns: int = 0
    dead_man_s: float = 0.0
    has_stream: bool = False


class VenueOrdersReport(Report, frozen=True, kw_only=True):
    """Orders and venues as whoever places orders has them.

    Attributes:
        orders: those that are not over first, then the newest.
        count: of all that were ever handed over.
    """

    basis: Basis
    venues: list[VenueDeskLine]
    orders: list[VenueOrderLine]
    count: int
