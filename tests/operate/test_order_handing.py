"""From the executor to whoever places orders and back: placed once, told until it is booked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import cast

import msgspec

from engine.bus.booked import BookedOrdersReport, GetBookedOrders
from engine.bus.request import Reply, Request
from engine.bus.trading import (
    OrdersAcknowledged,
    OrdersHandedOver,
    RefusedOrder,
    ToldOrder,
    ToldOrders,
    VenuesSeen,
)
from engine.core.inputs.order_told import OrderTold
from engine.core.inputs.venue_seen import VenueLooked
from engine.domain.errors import TransientError
from engine.domain.instruments import VenueId
from engine.domain.orders import Order, Purpose
from engine.domain.orders_booked import BookedOrders
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import OrderFate, OrderNews, VenueSeen
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import wire_id_of
from engine.operate.order_handing import OrderHanding
from tests.execute.live_books import Desk, Installation, fill_told, news_of
from tests.execute.test_conformance import TWO
from tests.patience import PATIENCE_S

PLAN = msgspec.structs.replace(TWO, is_live=True)


@dataclass
class Trader:
    """Keeps what it is handed and what it told, as `bus.trading.Trading` says; calls get lost.

    Attributes:
        losses: of the next calls, whether each is lost before it comes, or its answer after.
    """

    losses: list[str] = field(default_factory=list)
    requests: list[tuple[HandedOrder, ...]] = field(default_factory=list)
    rehearsed: list[tuple[HandedOrder, ...]] = field(default_factory=list)
    refuses: str = ""
    told: list[ToldOrder] = field(default_factory=list)
    acknowledged: set[int] = field(default_factory=set)
    shown: tuple[VenueSeen, ...] = ()

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        await asyncio.sleep(0)
        loss = self.losses.pop(0) if self.losses else ""
        if loss == "before":
            raise TransientError("the trader is away")
        reply = await request.answer(self)
        if loss == "after":
            raise TransientError("its answer was lost")
        return reply

    def tell(self, news: OrderNews) -> None:
        self.told.append(ToldOrder(number=len(self.told) + 1, news=news))

    async def hand_over(self, orders: tuple[HandedOrder, ...]) -> OrdersHandedOver:
        if orders not in self.requests:
            self.requests.append(orders)
            if self.refuses:
                for one in orders:
                    self.tell(_never(one.client_order_id, one.venue, self.refuses))
        refused = [
            RefusedOrder(client_order_id=one.client_order_id, why=self.refuses) for one in orders
        ]
        return OrdersHandedOver(refused=tuple(refused) if self.refuses else ())

    def rehearse(self, orders: tuple[HandedOrder, ...]) -> None:
        self.rehearsed.append(orders)

    def ask_after(self, client_order_id: str, venue: VenueId, engine: str) -> ToldOrders:
        assert engine == "main"
        if not any(one.news.client_order_id == client_order_id for one in self.told):
            self.tell(_never(client_order_id, venue, "it never came"))
        own = [one for one in self.told if one.news.client_order_id == client_order_id]
        return ToldOrders(newest=len(self.told), news=(own[-1],))

    async def untold(self, engine: str, after: int) -> ToldOrders:
        assert engine == "main"
        news = [
            one for one in self.told if one.number > after and one.number not in self.acknowledged
        ]
        if not news:
            await asyncio.sleep(0.01)
        return ToldOrders(newest=len(self.told), news=tuple(news))

    def acknowledge(self, numbers: tuple[int, ...]) -> OrdersAcknowledged:
        self.acknowledged.update(numbers)
        return OrdersAcknowledged()

    def seen(self) -> VenuesSeen:
        return VenuesSeen(seen=self.shown)


def _never(client_order_id: str, venue: VenueId, why: str) -> OrderNews:
    return OrderNews(
        client_order_id=client_order_id, venue=venue, version=1, fate=OrderFate.NEVER, why=why
    )


@dataclass
class Ledger:
    """Has what an installation has booked."""

    plans: Callable[[], list[BookedOrders]]

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        assert isinstance(request, GetBookedOrders)
        wanted = set(request.client_order_ids)
        found = [
            one for one in self.plans() if wanted & {order.client_order_id for order in one.orders}
        ]
        return cast("Reply", BookedOrdersReport(plans=tuple(found)))


class Rig:
    """An engine's executor, its way out, and the trader."""

    def __init__(self, *losses: str) -> None:
        self.trader = Trader(losses=[*losses])
        self.engine = Installation(PLAN, Desk(Random(1)))
        self.seen: list[VenueLooked] = []
        self.inputs: list[OrderTold] = []
        self.join()

    def join(self) -> None:
        self.handing = OrderHanding(
            self.trader,
            Ledger(lambda: [self.engine.in_ledger] if self.engine.booked else []),
            engine="main",
            now_ns=lambda: PLAN.decided_at_ns,
        )
        self.handing.take_told = self._take
        self.handing.see = self.seen.append
        self.handing.is_known = self.engine.executor.knows

    def _take(self, told: OrderTold) -> None:
        self.inputs.append(told)
        if told.booked is not None:
            self.engine.executor.remember(told.booked.plan, told.booked.orders)
        self.engine.tell(told.news)

    def start(self) -> None:
        """Start the plan, its orders on their way."""
        self.engine.start()
        plan, (sends,) = PLAN, [self.engine.desk.sends]
        self.handing.hand_over(plan, sends)

    def order(self, leg: int) -> Order:
        order = self.engine.desk.sends[leg].order
        assert isinstance(order, Order)
        return order

    async def until(self, is_met: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.handing.run())
            while not is_met():
                await asyncio.sleep(0.005)
            running.cancel()


def test_orders_of_a_plan_are_asked_for_as_the_venue_and_the_signer_want_them() -> None:
    async def work() -> tuple[HandedOrder, ...]:
        rig = Rig()
        rig.start()
        await rig.until(lambda: bool(rig.trader.requests))
        return rig.trader.requests[0]

    first, second = asyncio.run(work())

    assert (first.leg, second.leg) == (0, 1)
    for one, leg in zip((first, second), PLAN.legs, strict=True):
        assert one.request.wire_id == wire_id_of(one.client_order_id, engine_id="main")
        assert one.request.wire_name == leg.instrument.wire_name
        assert (one.request.side, one.request.size_base) == (leg.side, leg.size_base)
        assert one.request.price_limit == leg.price_limit
        assert one.request.sent_before_ms == PLAN.deadline_ns // NS_PER_MS
        assert one.plan == PLAN


def test_whoever_places_orders_hears_of_them_while_their_intent_is_stored() -> None:
    async def work() -> Trader:
        rig = Rig()
        rig.engine.start()
        orders = [rig.order(0), rig.order(1)]
        back = replace(orders[0], purpose=Purpose.UNWIND)
        rig.handing.rehearse(PLAN, [back])
        rig.handing.rehearse(PLAN, orders)
        async with asyncio.timeout(PATIENCE_S):
            while not rig.trader.rehearsed:
                await asyncio.sleep(0)
        rig.handing.hand_over(PLAN, rig.engine.desk.sends)
        await rig.until(lambda: bool(rig.trader.requests))
        return rig.trader

    trader = asyncio.run(work())

    ((told, handed),) = (trader.rehearsed + trader.requests,)
    assert [replace_at(one) for one in told] == [replace_at(one) for one in handed]


def replace_at(one: HandedOrder) -> HandedOrder:
    return msgspec.structs.replace(one, at_ns=0)


def test_what_is_lost_on_the_way_is_handed_over_again_and_is_one_order() -> None:
    async def work() -> Rig:
        rig = Rig("before", "after", "after")
        rig.start()
        rig.trader.losses = ["before", "after", "before", "after"]
        await rig.until(lambda: bool(rig.trader.requests) and not rig.trader.losses)
        return rig

    rig = asyncio.run(work())

    assert len(rig.trader.requests) == 1
    assert len(rig.trader.requests[0]) == 2


def test_what_is_told_is_booked_once_and_acknowledged_only_then() -> None:
    async def work() -> Rig:
        rig = Rig()
        rig.start()
        await rig.until(lambda: bool(rig.trader.requests))
        rig.join()
        for leg, price in ((0, "100"), (1, "101")):
            fills = [fill_told(0, "1", price=price)]
            rig.trader.tell(news_of(rig.order(leg), 1, OrderFate.ACCEPTED))
            rig.trader.tell(news_of(rig.order(leg), 2, OrderFate.FILLED, fills))
        assert rig.trader.acknowledged == set()
        await rig.until(lambda: len(rig.trader.acknowledged) == len(rig.trader.told))
        return rig

    rig = asyncio.run(work())

    (execution,) = rig.engine.booked
    assert [len(order.fills) for order in execution.orders] == [1, 1]


def test_what_is_not_booked_is_never_acknowledged() -> None:
    async def work() -> Rig:
        rig = Rig()
        rig.start()
        rig.trader.tell(news_of(rig.order(0), 1, OrderFate.ACCEPTED))
        await rig.until(lambda: bool(rig.inputs))
        await rig.handing.confirm()
        return rig

    rig = asyncio.run(work())

    assert rig.engine.booked == []
    assert rig.trader.acknowledged == set()


def test_an_order_that_is_refused_ends_by_the_word_that_is_told_of_it() -> None:
    async def work() -> Rig:
        rig = Rig()
        rig.trader.refuses = "binance is halted"
        rig.start()
        await rig.until(lambda: bool(rig.engine.booked))
        return rig

    rig = asyncio.run(work())

    (execution,) = rig.engine.booked
    assert not execution.is_traded
    assert {one.news.why for one in rig.inputs} == {"binance is halted"}


def test_what_ended_in_an_earlier_run_comes_with_what_is_booked_of_it() -> None:
    async def work() -> Rig:
        rig = Rig()
        rig.start()
        words = [
            news_of(rig.order(0), 1, OrderFate.FILLED, [fill_told(0, "1", price="100")]),
            news_of(rig.order(1), 1, OrderFate.FILLED, [fill_told(0, "1", price="101")]),
        ]
        for word in words:
            rig.trader.tell(word)
        await rig.until(lambda: bool(rig.engine.booked))
        rig.engine.restart()
        rig.join()
        rig.inputs.clear()
        rig.trader.tell(news_of(rig.order(0), 2, OrderFate.REVERSED))
        await rig.until(lambda: len(rig.trader.acknowledged) == len(rig.trader.told))
        return rig

    rig = asyncio.run(work())

    (told,) = rig.inputs
    assert told.booked is not None
    assert [one.version for one in told.booked.orders] == [1, 1]
    _, correction = rig.engine.booked
    assert correction.corrects
    assert rig.engine.in_ledger.orders[0].filled_base == 0


def test_balances_that_reckon_with_more_or_less_than_was_told_here_are_not_whole() -> None:
    rig = Rig()
    at = VenueId("here")

    def seen(told: int) -> VenueSeen:
        return VenueSeen(venue=at, told=told, at_ns=1, held=())

    async def work() -> None:
        rig.start()
        for leg in (0, 1):
            rig.trader.tell(news_of(rig.order(leg), 1, OrderFate.ACCEPTED))
        await rig.until(lambda: len(rig.inputs) == 2)
        for told in (0, 1, 2, 3):
            rig.trader.shown = (seen(told),)
            await rig.handing.look()

    asyncio.run(work())

    assert [one.is_whole for one in rig.seen] == [False, True, True, False]


def test_balances_from_before_what_an_earlier_run_booked_are_not_whole() -> None:
    # What that run acknowledged is told no more: that balances lack it says the trader.
    rig = Rig()
    at = VenueId("here")

    async def work() -> None:
        rig.start()
        await rig.until(lambda: rig.handing._delivery.newest is not None)
        for is_last in (False, True):
            rig.trader.shown = (VenueSeen(venue=at, told=0, at_ns=1, held=(), is_last=is_last),)
            await rig.handing.look()

    asyncio.run(work())

    assert [one.is_whole for one in rig.seen] == [False, True]
