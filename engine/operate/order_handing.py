"""The engine's way to whoever places orders, and what it tells of them; see `delivery`."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from engine.bus.booked import GetBookedOrders
from engine.bus.request import AsksNow, Caller
from engine.bus.trading import (
    AcknowledgeOrders,
    AskAfterOrder,
    GetUntoldOrders,
    HandOverOrders,
    OrdersHandedOver,
    RehearseOrders,
    SeeVenues,
    ToldOrder,
)
from engine.core.inputs.order_told import OrderTold
from engine.core.inputs.venue_seen import VenueLooked
from engine.domain.errors import BadValueError, TransientError
from engine.domain.instruments import VenueId
from engine.domain.orders import Fill, Order, Purpose
from engine.domain.orders_booked import BookedOrders
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import FillTold, OrderNews
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import OrderRequest, TimeInForce, wire_id_of
from engine.execute.executor import Send
from engine.execute.order_life import counting
from engine.operate.delivery import Delivery, log
from engine.operate.handing import nobody, unknown

CALL_S: Final = 5.0
SEE_S: Final = 5.0
"""What is ours at venues is compared with the books so often."""
UNWIND_MS: Final = 5_000
"""So long after it is handed over an order that unwinds may be sent; a leg until its plan's end."""


class OrderHanding:
    """See `execute.plan_executor.Trader` and `delivery.Line`.

    Attributes:
        take_told: makes an input of news; set before `run`.
        see: makes an input of what is ours at a venue; set before `run`.
        is_known: says whether something of an order is known in this run; set before `run`.

    Args:
        trader: the role that places orders.
        ledger: that has what is booked.
        engine: whose plans they are.
        now_ns: the wall clock.
    """

    who = "trader"

    def __init__(
        self, trader: Caller, ledger: Caller, *, engine: str, now_ns: Callable[[], int]
    ) -> None:
        self.take_told: Callable[[OrderTold], None] = nobody
        self.see: Callable[[VenueLooked], None] = nobody
        self.is_known: Callable[[str], bool] = unknown
        self._trader = trader
        self._ledger = ledger
        self._engine = engine
        self._now_ns = now_ns
        self._last_told: dict[VenueId, int] = {}
        self._rehearsing: set[asyncio.Task[None]] = set()
        self._delivery: Delivery[HandOverOrders | AskAfterOrder, ToldOrder, BookedOrders] = (
            Delivery(self, look_s=SEE_S)
        )
        self.run = self._delivery.run
        self.confirm = self._delivery.confirm

    def hand_over(
        self,
        plan: LeggedPlan | MixedPlan,
        sends: Sequence[Send],
        approved: LeggedPlan | MixedPlan | None = None,
    ) -> None:
        """Hand over together what is durable of a plan, with the terms that a person approved."""
        at_ns = self._now_ns()
        handed = [self._handed(plan, send, approved, at_ns) for send in sends]
        self._delivery.add(HandOverOrders(orders=tuple(handed)))

    def rehearse(self, plan: LeggedPlan | MixedPlan, orders: Sequence[Order]) -> None:
        """Say which orders may be handed over as soon as their intent is durable.

        That takes the ledger some milliseconds, in which whoever signs and places runs warm.
        """
        at_ns = self._now_ns()
        sends = [
            Send(plan=plan, leg=leg, order=one, until_ns=plan.deadline_ns)
            for one in orders
            if (leg := _leg_of(plan, one)) is not None
        ]
        if sends:
            asked = RehearseOrders(
                orders=tuple(self._handed(plan, one, None, at_ns) for one in sends)
            )
            if isinstance(self._trader, AsksNow) and self._trader.ask_now(asked) is not None:
                return
            task = asyncio.get_running_loop().create_task(self._rehearse(asked))
            self._rehearsing.add(task)
            task.add_done_callback(self._rehearsing.discard)

    async def _rehearse(self, asked: RehearseOrders) -> None:
        # It is of no account: whatever is wrong the hand-over says, too.
        with contextlib.suppress(TransientError, BadValueError):
            await self._trader.call(asked, timeout_s=CALL_S)

    def ask_after(self, order: Order) -> None:
        """Ask what became of an order."""
        self._delivery.add_once(self._asked(order.client_order_id, order.instrument.venue))

    def knows(self, client_order_id: str) -> bool:
        """See `Line.knows`."""
        return self.is_known(client_order_id)

    def ask_now(
        self, asked: HandOverOrders | AskAfterOrder
    ) -> Callable[[], Awaitable[Sequence[ToldOrder]]] | None:
        """See `Line.ask_now`."""
        if isinstance(asked, AskAfterOrder) or not isinstance(self._trader, AsksNow):
            return None
        reply = self._trader.ask_now(asked, timeout_s=CALL_S)
        return None if reply is None else partial(self._handed_over, asked, reply)

    async def ask(self, asked: HandOverOrders | AskAfterOrder) -> Sequence[ToldOrder]:
        """See `Line.ask`."""
        if isinstance(asked, AskAfterOrder):
            return (await self._trader.call(asked, timeout_s=CALL_S)).news
        return await self._handed_over(asked, partial(self._trader.call, asked, timeout_s=CALL_S))

    async def _handed_over(
        self, asked: HandOverOrders, answered: Callable[[], Awaitable[OrdersHandedOver]]
    ) -> Sequence[ToldOrder]:
        """Return what is told of orders that were refused, nothing of those that were taken."""
        reply = await answered()
        venues = {one.client_order_id: one.venue for one in asked.orders}
        told: list[ToldOrder] = []
        for one in reply.refused:
            log.warning("%s is not placed: %s", one.client_order_id, one.why)
            after = self._asked(one.client_order_id, venues[one.client_order_id])
            told += (await self._trader.call(after, timeout_s=CALL_S)).news
        return told

    async def untold(self, after: int) -> tuple[Sequence[ToldOrder], int]:
        """See `Line.untold`."""
        asked = GetUntoldOrders(engine=self._engine, after=after)
        told = await self._trader.call(asked, timeout_s=CALL_S)
        return told.news, told.newest

    async def booked(self, client_order_ids: Sequence[str]) -> Mapping[str, BookedOrders]:
        """See `Line.booked`."""
        asked = GetBookedOrders(client_order_ids=tuple(client_order_ids))
        report = await self._ledger.call(asked, timeout_s=CALL_S)
        return {one.client_order_id: plan for plan in report.plans for one in plan.orders}

    def is_booked(self, told: ToldOrder, booked: BookedOrders | None) -> bool:
        """Say whether a word, or a later one, is booked; one that changes nothing needs no row."""
        news = told.news
        order = None if booked is None else booked.find(news.client_order_id)
        if order is None:
            return False
        return order.version >= news.version or says_nothing_new(news, order)

    def take(self, told: ToldOrder, booked: BookedOrders | None) -> None:
        """See `Line.take`."""
        venue = told.news.venue
        self._last_told[venue] = max(self._last_told.get(venue, 0), told.number)
        self.take_told(OrderTold(number=told.number, news=told.news, booked=booked))

    async def acknowledge(self, numbers: tuple[int, ...]) -> None:
        """See `Line.acknowledge`."""
        await self._trader.call(AcknowledgeOrders(numbers=numbers), timeout_s=CALL_S)

    async def look(self) -> bool:
        """Make an input of how each venue stands; say whether any could be said.

        Balances that reckon with more than was told here, or with less, say nothing of the books.
        Less than was told to an earlier run, too: that is booked, and nobody tells it again.
        """
        seen = (await self._trader.call(SeeVenues(), timeout_s=CALL_S)).seen
        newest = self._delivery.newest
        for one in seen:
            told = self._last_told.get(one.venue, 0)
            is_whole = newest is not None and one.is_last and told <= one.told <= newest
            self.see(VenueLooked(seen=one, is_whole=is_whole))
        return bool(seen)

    def _asked(self, client_order_id: str, venue: VenueId) -> AskAfterOrder:
        return AskAfterOrder(client_order_id=client_order_id, venue=venue, engine=self._engine)

    def _handed(
        self,
        plan: LeggedPlan | MixedPlan,
        send: Send,
        approved: LeggedPlan | MixedPlan | None,
        at_ns: int,
    ) -> HandedOrder:
        order = send.order
        assert isinstance(order, Order)
        is_leg = order.purpose is Purpose.LEG
        until_ms = send.until_ns // NS_PER_MS if is_leg else at_ns // NS_PER_MS + UNWIND_MS
        return HandedOrder(
            client_order_id=order.client_order_id,
            engine=self._engine,
            venue=order.instrument.venue,
            request=OrderRequest(
                wire_id=wire_id_of(order.client_order_id, engine_id=self._engine),
                venue=order.instrument.venue,
                wire_name=order.instrument.wire_name,
                side=order.side,
                size_base=order.size_base,
                price_limit=order.price_limit,
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
                sent_before_ms=until_ms,
            ),
            plan=plan,
            leg=send.leg,
            purpose=order.purpose,
            at_ns=at_ns,
            approved=approved,
        )


def _leg_of(plan: LeggedPlan | MixedPlan, order: Order) -> int | None:
    """Return which leg an order is; None for one that unwinds."""
    if order.purpose is not Purpose.LEG:
        return None
    legs = enumerate(plan.legs)
    return next((n for n, leg in legs if leg.instrument == order.instrument), None)


def says_nothing_new(news: OrderNews, order: Order) -> bool:
    """Say whether all that a word of an order that has ended says of fills is known."""
    known = counting(order.fills)
    told = {f"{order.client_order_id}-{one.fill_id}": one for one in news.fills}
    if not news.fate.is_final or told.keys() != known.keys():
        return False
    return all(_is_alike(one, known[name]) for name, one in told.items())


def _is_alike(told: FillTold, fill: Fill) -> bool:
    paid = fill.fee_base or fill.fee_quote if fill.other_fee is None else fill.other_fee.amount
    return (told.price, told.size_base, told.fee) == (fill.price, fill.size_base, paid)
