"""What the signer is asked to sign for venues, and how it answers: values that both sides share."""

import msgspec

from engine.domain.engines import MAIN
from engine.domain.instruments import VenueId
from engine.domain.orders import Purpose
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.domain.venue_orders import OrderRequest
from engine.gateways.asks import Ask, PlaceAsk
from engine.gateways.calls import SignedCall

BookPlan = LeggedPlan | MixedPlan
"""Plans that have orders at books."""


class VenueIntent(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be asked of a venue, and why. All from `client_order_id` on is of a placing.

    Attributes:
        engine: whose mode and latch count, and whose order it is.
        client_order_id: our own id of the order; its `wire_id` is made of it.
        plan: that is carried out, with its permit, as it was stored.
        approved: the terms that a person approved, where the plan's permit is an approval.
        leg: number of the leg of the plan that the order is, or trades back.
        is_test: it is an order of a self-test: small, far from the market, only to rest; it has no
            plan, and is signed before anybody goes live.
        latest_ms: since the epoch; after this instant it is not sent any more, at most 10 s ahead.
    """

    engine: str = MAIN
    venue: VenueId
    ask: Ask
    client_order_id: str = ""
    plan: BookPlan | None = None
    approved: BookPlan | None = None
    leg: int = 0
    purpose: Purpose = Purpose.LEG
    is_test: bool = False
    latest_ms: int = 0


class VenueSigned(msgspec.Struct, tag="venue_signed", frozen=True, kw_only=True):
    """Signed calls, in the order of `asks.calls_of` for the same question; maybe none.

    At a venue whose rules are fenced they have to be sent one after the other, and before anything
    that is signed later: what is overtaken there is not taken any more.

    Attributes:
        signed_at_ms: since the epoch; by when none of them can be taken any more counts from it.
        is_repeat: the very same order was signed before.
    """

    calls: tuple[SignedCall, ...]
    signed_at_ms: int
    is_repeat: bool = False


class LegIntent(msgspec.Struct, frozen=True, kw_only=True):
    """One of the orders of a `PlanIntent`; see `VenueIntent`."""

    request: OrderRequest
    client_order_id: str
    leg: int


class PlanIntent(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of one plan that leave together, at a venue each: all of them are signed, or none.

    Attributes:
        engine, plan, approved, purpose: see `VenueIntent`; they are the same for all.
        orders: in the order in which they are signed.
    """

    engine: str = MAIN
    plan: BookPlan
    approved: BookPlan | None = None
    purpose: Purpose = Purpose.LEG
    orders: tuple[LegIntent, ...]

    def intents(self) -> tuple[VenueIntent, ...]:
        """Return each order as it would be asked for alone."""
        return tuple(
            VenueIntent(
                engine=self.engine,
                venue=one.request.venue,
                ask=PlaceAsk(request=one.request),
                client_order_id=one.client_order_id,
                plan=self.plan,
                approved=self.approved,
                leg=one.leg,
                purpose=self.purpose,
                latest_ms=one.request.sent_before_ms,
            )
            for one in self.orders
        )


class PlanSigned(msgspec.Struct, tag="plan_signed", frozen=True, kw_only=True):
    """All orders of a `PlanIntent`, in its order."""

    orders: tuple[VenueSigned, ...]
