"""What the ledger is asked of what was sent: which word of each is booked for good."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from engine.bus.request import LedgerRequest
from engine.domain.orders_booked import BookedOrders
from engine.domain.told import Booked


class BookedReport(msgspec.Struct, frozen=True, kw_only=True):
    """Of those that were asked for, what is booked; of others nothing is."""

    booked: tuple[Booked, ...]


class BookedOrdersReport(msgspec.Struct, frozen=True, kw_only=True):
    """The plans of those that were asked for, each once; of others nothing is booked."""

    plans: tuple[BookedOrders, ...]


class BookKeeper(Protocol):
    """What the ledger does for whoever asks."""

    async def booked(self, client_order_ids: Sequence[str]) -> BookedReport:
        """Load what is booked of transactions."""
        ...

    async def booked_orders(self, client_order_ids: Sequence[str]) -> BookedOrdersReport:
        """Load what is booked of the plans of orders."""
        ...


class GetBooked(LedgerRequest[BookedReport], frozen=True, kw_only=True):
    """What is booked, durably, of transactions by their ids."""

    client_order_ids: tuple[str, ...]

    async def answer(self, ledger: BookKeeper, /) -> BookedReport:
        """See `Request.answer`."""
        return await ledger.booked(self.client_order_ids)


class GetBookedOrders(LedgerRequest[BookedOrdersReport], frozen=True, kw_only=True):
    """What is booked, durably, of the live plans that orders are of."""

    client_order_ids: tuple[str, ...]

    async def answer(self, ledger: BookKeeper, /) -> BookedOrdersReport:
        """See `Request.answer`."""
        return await ledger.booked_orders(self.client_order_ids)
