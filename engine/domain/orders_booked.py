"""What the ledger has of orders that ended in an earlier run: it is told with news of them."""

import msgspec

from engine.domain.orders import Order, Sendable, Transaction
from engine.domain.plans import LeggedPlan, MixedPlan


class BookedOrders(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plan of orders as it is booked, with all corrections.

    Attributes:
        orders: all of the plan, each with its fills and the last word of it that is booked.
        transaction: of the same plan, where it has one beside them, as it is booked.
    """

    plan: LeggedPlan | MixedPlan
    orders: tuple[Order, ...]
    transaction: Transaction | None = None

    @property
    def sendables(self) -> tuple[Sendable, ...]:
        """All that is booked of the plan."""
        return self.orders if self.transaction is None else (self.transaction, *self.orders)

    def find(self, client_order_id: str) -> Order | None:
        """Return one of the orders."""
        named = (one for one in self.orders if one.client_order_id == client_order_id)
        return next(named, None)
