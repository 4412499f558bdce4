"""An order as it is handed to whoever places it: with the plan that it is a part of."""

import msgspec

from engine.domain.instruments import VenueId
from engine.domain.orders import Purpose
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.domain.venue_orders import OrderRequest


class HandedOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order that was handed over.

    Attributes:
        client_order_id: it is placed under it once; `request.wire_id` is made of it and of the
            engine, see `venue_orders.wire_id_of`.
        engine: whose order it is.
        request: what is asked of the venue; not sent after its `sent_before_ms`.
        leg: index of the plan's leg that it carries out, or unwinds.
        approved: the terms that a person approved, where the plan's permit is an approval.
        at_ns: when it was handed over.
    """

    client_order_id: str
    engine: str
    venue: VenueId
    request: OrderRequest
    plan: LeggedPlan | MixedPlan
    leg: int
    purpose: Purpose
    at_ns: int
    approved: LeggedPlan | MixedPlan | None = None
