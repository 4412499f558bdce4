"""Whoever places orders, as the executor of live plans sees it: what it tells is the truth.

What is told of an order has versions, each of which says all that counts. Which of them come, how
often and in which order is the test's to say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

from engine.domain.assets import AssetCode
from engine.domain.orders import Execution, Intent, Order
from engine.domain.orders_booked import BookedOrders
from engine.domain.orders_told import FillTold, OrderFate, OrderNews
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.execute.executor import Send
from engine.execute.live_book_executor import LiveBookExecutor
from engine.execute.live_legged import make_live_legged
from engine.execute.plan_executor import Around, PlanExecutor
from tests.reference.world import Setup, World

BNB = AssetCode("BNB")
BNB_USD = Decimal(600)
MS = 1_000_000


@dataclass
class Desk:
    """Takes what is handed over, each order once."""

    random: Random
    requests: list[list[str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    approved: list[LeggedPlan | MixedPlan | None] = field(default_factory=list)
    news: dict[str, list[OrderNews]] = field(default_factory=dict)
    sends: list[Send] = field(default_factory=list)

    def hand_over(
        self,
        plan: LeggedPlan | MixedPlan,
        sends: Sequence[Send],
        approved: LeggedPlan | MixedPlan | None = None,
    ) -> None:
        self.requests.append([one.order.client_order_id for one in sends])
        self.approved.append(approved)
        for one in sends:
            assert one.plan is plan
            assert one.order.client_order_id not in self.news, "no order is handed over twice"
            assert isinstance(one.order, Order)
            self.sends.append(one)
            self.news[one.order.client_order_id] = [*self._story(one.order)]

    def ask_after(self, order: Order) -> None:
        self.asked.append(order.client_order_id)
        never = OrderNews(
            client_order_id=order.client_order_id,
            venue=order.instrument.venue,
            version=1,
            fate=OrderFate.NEVER,
            why="it never came",
        )
        self.news.setdefault(order.client_order_id, [never])

    def _story(self, order: Order) -> "list[OrderNews]":
        random = self.random
        if random.random() < 0.15:
            fate = random.choice([OrderFate.NEVER, OrderFate.REFUSED])
            return [news_of(order, 1, OrderFate.UNKNOWN), news_of(order, 2, fate)]
        parts = random.randint(0, 4)
        fills = [_fill(order, number, parts, random) for number in range(parts)]
        told = [news_of(order, 1, OrderFate.ACCEPTED)]
        told += [
            news_of(order, number + 1, OrderFate.TRADED, fills[:number])
            for number in range(1, parts + 1)
        ]
        shown = random.randint(0, parts) if random.random() < 0.3 else parts
        end = random.choice([OrderFate.FILLED, OrderFate.CANCELLED, OrderFate.EXPIRED])
        told.append(news_of(order, len(told) + 1, end, fills[:shown]))
        if shown < parts:  # told only after its end
            told.append(news_of(order, len(told) + 1, end, fills))
        if fills and random.random() < 0.3:
            gone = random.randrange(len(fills))
            left = [one for number, one in enumerate(fills) if number != gone]
            told.append(news_of(order, len(told) + 1, OrderFate.REVERSED, left))
        return told


def news_of(
    order: Order, version: int, fate: OrderFate, fills: Sequence[FillTold] = ()
) -> OrderNews:
    return OrderNews(
        client_order_id=order.client_order_id,
        venue=order.instrument.venue,
        version=version,
        fate=fate,
        venue_order_id=f"v-{order.client_order_id}",
        fills=tuple(fills),
        filled_base=sum((one.size_base for one in fills), Decimal(0)),
    )


def _fill(order: Order, number: int, parts: int, random: Random) -> FillTold:
    pair = order.instrument.pair
    return FillTold(
        fill_id=f"t{number}",
        filled_at_ns=1_000 + number,
        price=order.price_limit + Decimal(random.randint(-50, 50)) / 100,
        size_base=order.size_base / 4,
        fee=Decimal(random.randint(-1, 30)) / 10_000,
        fee_asset=random.choice([pair.base, pair.quote, BNB]),
    )


def around_of(trader: Desk, **changes: object) -> tuple[World, Around]:
    """Return what the executor is made of, with two books that stand."""
    caught: list[Around] = []

    def catching(around: Around) -> PlanExecutor:
        caught.append(around)
        return make_live_legged(around)

    world = World(Setup(executors=[catching]))
    world.show(0, [("100.00", "1")], [("100.10", "1")])
    world.show(1, [("100.00", "1")], [("100.20", "1")])
    return world, live_around(caught[0], trader, **changes)


def live_around(around: Around, trader: Desk, **changes: object) -> Around:
    """Return what a live executor is made of: its intents are waited for, and BNB has a price."""

    def usd_per(asset: AssetCode, at_ns: int) -> Decimal | None:
        del at_ns
        return {BNB: BNB_USD}.get(asset)

    return replace(
        around,
        trader=trader,
        usd_per=usd_per,
        waits_for_intents=True,
        **changes,  # type: ignore[arg-type]
    )


@dataclass
class Installation:
    """An engine with its ledger, whose engine may be lost and come back.

    Attributes:
        booked: executions in the ledger, corrections too.
    """

    plan: LeggedPlan
    desk: Desk
    is_killed: bool = False
    booked: list[Execution] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    at_ns: int = 0
    restarts: int = 0

    def __post_init__(self) -> None:
        self.at_ns = self.plan.decided_at_ns
        self.executor = self._make()

    def _make(self) -> LiveBookExecutor:
        self.world, around = around_of(
            self.desk, is_killed=lambda: self.is_killed, intend=self.intents.append
        )
        return make_live_legged(around)

    def start(self) -> None:
        self.executor.start(self.plan, self.at_ns)
        self.store()

    def store(self) -> None:
        """Let the ledger have all that is intended."""
        while self.executor.waiting:
            for client_order_id in [*self.executor.waiting]:
                self.executor.stored(client_order_id, self.at_ns)
        self.book()

    def book(self) -> None:
        self.booked += [one.execution for one in self.executor.advance(self.at_ns)]

    def restart(self) -> None:
        """Lose the engine; another one takes over what the ledger has."""
        self.restarts += 1
        self.executor = self._make()
        if self.booked or not self.intents:
            return
        first, *others = self.intents
        intended = [one for intent in (first, *others) for one in intent.sendables]
        self.executor.recover(Intent.of(self.plan, intended), self.at_ns)
        self.book()

    def tell(self, news: OrderNews) -> None:
        """Hand a word to the engine as its way back does."""
        self.at_ns += MS
        if not self.executor.knows(news.client_order_id):
            if not self.booked:
                return  # its plan is not under way here: it is kept, and told again
            booked = self.in_ledger
            order = booked.find(news.client_order_id)
            if order is None or order.version >= news.version:
                return
            self.executor.remember(booked.plan, booked.orders)
        self.executor.told(news, self.at_ns)
        self.book()
        self.store()

    @property
    def in_ledger(self) -> BookedOrders:
        base, *corrections = self.booked
        orders = {one.client_order_id: one for one in base.orders}
        for correction in corrections:
            for late in correction.orders:
                known = orders[late.client_order_id]
                orders[late.client_order_id] = replace(
                    known, fills=(*known.fills, *late.fills), version=late.version
                )
        return BookedOrders(plan=self.plan, orders=tuple(orders.values()))

    def tell_all(self, shuffle: Callable[[list[OrderNews]], None]) -> None:
        """Tell until nothing new comes: each round all there is, as `shuffle` has it.

        What an engine heard before it was lost the next one is told again.
        """
        told = (-1, 0)
        while told != (len(self.desk.news), self.restarts):
            told = (len(self.desk.news), self.restarts)
            news = [one for said in self.desk.news.values() for one in said]
            shuffle(news)
            for one in news:
                self.tell(one)
            for _ in range(5):  # what waits for a book is tried again
                self.at_ns += 50 * MS
                self.book()
                self.store()


def fill_told(
    number: int, size: str, *, fee: str = "0", asset: str = "USD", price: str = "100"
) -> FillTold:
    return FillTold(
        fill_id=f"t{number}",
        filled_at_ns=number,
        price=Decimal(price),
        size_base=Decimal(size),
        fee=Decimal(fee),
        fee_asset=AssetCode(asset),
    )


def end_of(one: Installation, leg: int, version: int, *fills: FillTold) -> OrderNews:
    """Say that an order has ended, filled for these or for nothing."""
    order = one.desk.sends[leg].order
    assert isinstance(order, Order)
    return news_of(order, version, OrderFate.FILLED if fills else OrderFate.EXPIRED, fills)
