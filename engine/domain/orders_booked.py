"""What the ledger has of orders that ended in an earlier run: it is told with news of them."""

import msgspec

from engine.domain.orders import Order
from engine.domain.plans import LeggedPlan


class BookedOrders(msgspec.Struct, frozen=True, kw_only=True):
    """A plan of orders as it is booked, with all corrections.

    Attributes:
        orders: all of the plan, each with its fills and the last word of it that is booked.
    """

    plan: LeggedPlan
    orders: tuple[Order, ...]

    def find(self, client_order_id: str) -> Order | None:
        """Return one of them."""
        named = (one for one in self.orders if one.client_order_id == client_order_id)
        return next(named, None)
