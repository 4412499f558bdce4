"""What the role that places orders at venues is asked: to place them, and what became of them.

The promises are those of `bus.sending`: an order is placed once under its id however often it is
handed over; one that was asked after before it came never goes out; what is told is kept until it
is acknowledged, with a version.
"""

from decimal import Decimal
from typing import Any, ClassVar, Protocol

import msgspec

from engine.bus.command import Command
from engine.bus.report import Declined
from engine.bus.request import TraderRequest
from engine.bus.trading_reports import VenueOrdersReport
from engine.bus.work_reports import WorkDone
from engine.domain.engines import MAIN
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import OrderNews, VenueSeen
from engine.domain.venue_orders import KeyRights


class RefusedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is never placed, and why; that is told as news, too."""

    client_order_id: str
    why: str


class OrdersHandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """All were taken on, durably, but those that are refused for good."""

    refused: tuple[RefusedOrder, ...] = ()


class HandOverOrders(TraderRequest[OrdersHandedOver], frozen=True, kw_only=True):
    """Place orders, each once, however often this is asked.

    All of one request stand or fall together: they are on disk in one step, or none is.
    """

    orders: tuple[HandedOrder, ...]

    async def answer(self, trading: "Trading", /) -> OrdersHandedOver:
        """See `Request.answer`."""
        return await trading.hand_over(self.orders)


class OrdersRehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """It was gone through."""


class RehearseOrders(TraderRequest[OrdersRehearsed], frozen=True, kw_only=True):
    """Be ready for orders like these, which may be handed over in a moment.

    Nothing of it is kept, signed or sent: a loss of it costs some tenths of a millisecond.
    """

    orders: tuple[HandedOrder, ...]

    async def answer(self, trading: "Trading", /) -> OrdersRehearsed:
        """See `Request.answer`."""
        trading.rehearse(self.orders)
        return OrdersRehearsed()


class ToldOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What was told, with its number; numbers only grow."""

    number: int
    news: OrderNews


class ToldOrders(msgspec.Struct, frozen=True, kw_only=True):
    """News, oldest first.

    Attributes:
        newest: number of the newest that there is.
    """

    newest: int
    news: tuple[ToldOrder, ...] = ()


class AskAfterOrder(TraderRequest[ToldOrders], frozen=True, kw_only=True):
    """What became of an order last; one that never came is refused from then on, and told so."""

    client_order_id: str
    venue: VenueId
    engine: str = MAIN

    async def answer(self, trading: "Trading", /) -> ToldOrders:
        """See `Request.answer`."""
        return trading.ask_after(self.client_order_id, self.venue, self.engine)


class GetUntoldOrders(TraderRequest[ToldOrders], frozen=True, kw_only=True):
    """What was told of an engine's orders after a number, and is not acknowledged yet.

    It waits a while for some.
    """

    engine: str
    after: int

    async def answer(self, trading: "Trading", /) -> ToldOrders:
        """See `Request.answer`."""
        return await trading.untold(self.engine, self.after)


class OrdersAcknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """They are told no more."""


class AcknowledgeOrders(TraderRequest[OrdersAcknowledged], frozen=True, kw_only=True):
    """What has these numbers is booked for good: it need not be told again."""

    numbers: tuple[int, ...]

    async def answer(self, trading: "Trading", /) -> OrdersAcknowledged:
        """See `Request.answer`."""
        return trading.acknowledge(self.numbers)


class VenuesSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What is ours at each venue of which that can be said; one that is missing cannot say yet."""

    seen: tuple[VenueSeen, ...]


class SeeVenues(TraderRequest[VenuesSeen], frozen=True, kw_only=True):
    """What venues show that is ours, as they were compared last with what is written."""

    async def answer(self, trading: "Trading", /) -> VenuesSeen:
        """See `Request.answer`."""
        return trading.seen()


class GetVenueOrders(TraderRequest[VenueOrdersReport], frozen=True, kw_only=True):
    """Orders, those that are not over first, and how each venue stands.

    Attributes:
        client_order_id: of the only one that is wanted; empty for all.
    """

    most: int = 10
    client_order_id: str = ""

    async def answer(self, trading: "Trading", /) -> VenueOrdersReport:
        """See `Request.answer`."""
        return trading.orders(self.most, self.client_order_id)


class OrdersCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """How many were withheld before they left, and how many are being cancelled."""

    withheld: int
    cancelling: int


class CancelAll(TraderRequest[OrdersCancelled], frozen=True, kw_only=True):
    """Withhold what has not left, and cancel what may rest; it only takes risk away.

    Attributes:
        venue: the only one that is meant; empty for all.
        engine: whose orders; empty for all.
    """

    venue: str = ""
    engine: str = ""
    why: str

    async def answer(self, trading: "Trading", /) -> OrdersCancelled:
        """See `Request.answer`."""
        return trading.cancel_all(self.venue, self.engine, self.why)


class CancelVenueOrders(Command[WorkDone], frozen=True, kw_only=True):
    """The same by a person's command; asked twice it finds nothing the second time."""

    role: ClassVar[str] = "trader"
    timeout_s = 10.0

    venue: str = ""

    async def answer(self, engine: Any, /) -> WorkDone | Declined:
        """See `Request.answer`; here it is the trader."""
        trading: Trading = engine
        if self.envelope is None:
            return Declined(why="a command without its envelope")
        done = trading.cancel_all(self.venue, "", f"{self.envelope.by} asked for it")
        return WorkDone(text=f"{done.withheld} withheld, {done.cancelling} being cancelled")


class AdoptVenue(TraderRequest[WorkDone | Declined], frozen=True, kw_only=True):
    """Take what a halted venue shows as what is so, and let it go on: its differences are accepted.

    It loosens: whoever asks has judged that, and put it into the audit.
    """

    venue: str
    by: str

    async def answer(self, trading: "Trading", /) -> WorkDone | Declined:
        """See `Request.answer`."""
        return trading.adopt(self.venue, self.by)


class TriedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a trial, and whether it was so."""

    is_so: bool
    text: str


class VenueTried(msgspec.Struct, frozen=True, kw_only=True):
    """How a trial of a venue went.

    Attributes:
        rights: what the venue said that the key may do.
        reconciled_at_ns: when the account last equalled what is written; 0 if it does not now, and
            `why_not_reconciled` says why.
        withdraw_rights: what it said of the key that withdraws; None where there is none.
    """

    lines: tuple[TriedLine, ...]
    rights: KeyRights
    reconciled_at_ns: int
    why_not_reconciled: str = ""
    withdraw_rights: KeyRights | None = None


class TryVenue(TraderRequest[VenueTried], frozen=True, kw_only=True):
    """Place a small order far from the market, look it up, cancel it, and look it up again."""

    timeout_s: ClassVar[float] = 60.0

    venue: VenueId
    client_order_id: str
    wire_name: str
    side: Side = Side.BUY
    size_base: Decimal
    price_limit: Decimal
    engine: str = MAIN

    async def answer(self, trading: "Trading", /) -> VenueTried:
        """See `Request.answer`."""
        return await trading.try_venue(self)


class Trading(Protocol):
    """What the role answers."""

    async def hand_over(self, orders: tuple[HandedOrder, ...]) -> OrdersHandedOver:
        """Take orders on, all in one durable step.

        Raises:
            BadValueError: another one was handed over under the id of one of them, or what is asked
                of the venue does not belong to that id; none is taken on.
        """
        ...

    def rehearse(self, orders: tuple[HandedOrder, ...]) -> None:
        """Be ready for orders like these."""
        ...

    def ask_after(self, client_order_id: str, venue: VenueId, engine: str) -> ToldOrders:
        """Return what became of an order last, nothing as long as nothing is known."""
        ...

    async def untold(self, engine: str, after: int) -> ToldOrders:
        """Return what was told after a number, and is not acknowledged."""
        ...

    def acknowledge(self, numbers: tuple[int, ...]) -> OrdersAcknowledged:
        """Tell these no more."""
        ...

    def seen(self) -> VenuesSeen:
        """Return what venues show that is ours."""
        ...

    def orders(self, most: int, client_order_id: str) -> VenueOrdersReport:
        """Return orders and venues."""
        ...

    def cancel_all(self, venue: str, engine: str, why: str) -> OrdersCancelled:
        """Withhold and cancel."""
        ...

    def adopt(self, venue: str, by: str) -> WorkDone | Declined:
        """Take what a halted venue shows as what is so."""
        ...

    async def try_venue(self, asked: TryVenue) -> VenueTried:
        """Try a venue with an order.

        Raises:
            BadValueError: no orders are placed there.
        """
        ...
