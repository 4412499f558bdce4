"""What every executor owes, tried against a venue that answers late, twice, wrongly or never.

The venue is truthful where it speaks: each order that came through has one fate. What it says of it
is lost, repeated, delayed and mixed up; a look-up tells the truth, or fails too.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.orders import Fill, Intent, OrderState, Receipt, Sendable, Swap, Transaction
from engine.domain.plans import Plan
from engine.execute.executor import (
    NEVER_NS,
    Act,
    Alarm,
    End,
    Executor,
    Late,
    LookUp,
    Send,
    Store,
)
from engine.execute.order_life import News, OrderEvent, Shape

MS = 1_000_000
SECOND = 1_000 * MS
LAG_NS = 10 * SECOND
"""A look-up does not show an order that was sent later than so long before."""

STEPS_MAX = 3_000


@dataclass
class Fate:
    """What becomes of an order at the venue, None as its end if it never comes through."""

    order: Sendable
    end: OrderEvent | None
    fills: tuple[Fill, ...] = ()
    receipt: Receipt | None = None

    @property
    def is_there(self) -> bool:
        return self.end is not None

    def news(self, event: OrderEvent, fills: tuple[Fill, ...], *, is_whole: bool = False) -> News:
        """Say something of it; the whole amount is known without its fills where it has ended."""
        known = self.fills if is_whole else fills
        if isinstance(self.order, Transaction):
            return News(
                client_order_id=self.order.client_order_id,
                event=event,
                receipt=self.receipt if fills or not is_whole else None,
            )
        return News(
            client_order_id=self.order.client_order_id,
            event=event,
            fills=fills,
            filled_base=sum((fill.size_base for fill in known), Decimal(0)),
            shape=Shape(
                instrument=self.order.instrument,
                side=self.order.side,
                size_base=self.order.size_base,
            ),
        )

    @property
    def whole(self) -> News:
        assert self.end is not None
        return self.news(self.end, self.fills)

    @property
    def said(self) -> list[News]:
        """All that the venue would say of it by itself, were nothing lost."""
        assert self.end is not None
        parts = [News(client_order_id=self.order.client_order_id, event=OrderEvent.ACCEPTED)]
        if isinstance(self.order, Transaction):
            # Its end may be known before its receipt.
            end = News(client_order_id=self.order.client_order_id, event=self.end)
            return [*parts, end, self.whole]
        parts = [self.news(OrderEvent.ACCEPTED, ())]
        parts += [self.news(OrderEvent.TRADED, (fill,)) for fill in self.fills]
        return [*parts, self.news(self.end, (), is_whole=True)]


@dataclass
class Play:
    """One run of an executor against such a venue; `check` holds what must be true of it.

    Attributes:
        kill_at_ns: from then on the latch is set.
        crash_ns: then the process of the executor is lost.
    """

    make: Callable[[Callable[[], bool]], Executor[Any]]
    seed: int
    kill_at_ns: int = NEVER_NS
    now_ns: int = SECOND
    stored: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    sent_killed: list[Sendable] = field(default_factory=list)
    fates: dict[str, Fate] = field(default_factory=dict)
    ends: list[End] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    crash_ns: int = NEVER_NS
    told: set[str] = field(default_factory=set)
    intended: list[Sendable] = field(default_factory=list)
    has_crashed: bool = False
    late: list[Late] = field(default_factory=list)
    due: list[tuple[int, int, Callable[[], Iterable[Act]]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.executor = self.make(lambda: self.now_ns >= self.kill_at_ns)

    def run(self, plan: Plan) -> None:
        """Carry the plan out to its end."""
        self._carry_out(self.executor.start(plan, self.now_ns))
        for _ in range(STEPS_MAX):
            at_ns = min([self.executor.next_at_ns, *(one[0] for one in self.due)])
            if at_ns == NEVER_NS:
                return
            if self.crash_ns <= at_ns and not self.ends:
                self._crash(plan)
                continue
            self.now_ns = max(self.now_ns, at_ns)
            ready = sorted((one for one in self.due if one[0] <= self.now_ns), key=lambda o: o[:2])
            if ready:
                self.due.remove(ready[0])
                self._carry_out(ready[0][2]())
            else:
                self._carry_out(self.executor.tick(self.now_ns))
        raise AssertionError("the plan does not come to an end")

    def _crash(self, plan: Plan) -> None:
        """Lose the executor and all that it was about to hear; another one takes its plan over."""
        self.now_ns = max(self.now_ns, self.crash_ns)
        self.crash_ns = NEVER_NS
        self.due.clear()
        self.executor = self.make(lambda: self.now_ns >= self.kill_at_ns)
        durable = [one for one in self.intended if one.client_order_id in self.stored]
        self.has_crashed = True
        if durable:
            self._carry_out(self.executor.recover(Intent.of(plan, durable), self.now_ns))
        else:
            self.ends.append(End(plan, (), self.now_ns))  # nothing of it is anywhere

    def _later(self, act: Callable[[], Iterable[Act]], most_ms: int) -> None:
        at_ns = self.now_ns + self.random.randint(0, most_ms) * MS
        self.due.append((at_ns, len(self.due) + self.random.randint(0, 5), act))

    def _carry_out(self, acts: Iterable[Act]) -> None:
        for act in acts:
            if isinstance(act, Store):
                order_id = act.order.client_order_id
                assert order_id not in self.stored, "an intent is stored once"
                self.intended.append(act.order)
                for _ in range(self.random.choice([1, 1, 2])):
                    self._later(partial(self._store, order_id), 40)
            elif isinstance(act, Send):
                self._take_order(act.order)
            elif isinstance(act, LookUp):
                self._later(partial(self._look_up, act.order), 200)
            elif isinstance(act, End):
                self.ends.append(act)
            elif isinstance(act, Late):
                assert self.ends, "nothing is late before the end"
                known = self.late[-1].orders if self.late else self.ends[0].orders
                assert act.before == known, "what is late follows on what was known"
                self.late.append(act)
            else:
                self.alarms.append(act)

    def _store(self, order_id: str) -> Iterable[Act]:
        self.stored.append(order_id)
        return self.executor.stored(order_id, self.now_ns)

    def _tell(self, news: News) -> Iterable[Act]:
        self.told.update(fill.fill_id for fill in news.fills)
        return self.executor.on_news(news, self.now_ns)

    def _take_order(self, order: Sendable) -> None:
        order_id = order.client_order_id
        assert order_id in self.stored, "no order leaves before its intent is durable"
        assert order_id not in self.sent, "no order is sent twice"
        assert order.state is OrderState.SENT
        self.sent.append(order_id)
        if self.now_ns >= self.kill_at_ns:
            self.sent_killed.append(order)
        fate = self.fates[order_id] = self._decide_fate(order)
        for news in self._speech(fate):
            self._later(partial(self._tell, news), 5_000)

    def _decide_fate(self, order: Sendable) -> Fate:
        roll = self.random.random()
        if roll < 0.15:
            return Fate(order, None)
        if isinstance(order, Transaction):
            return self._decide_landing(order, is_reverted=roll < 0.5)
        lot = order.instrument.lot_base
        lots = int(order.size_base / lot)
        filled = lots if roll < 0.5 else self.random.randint(0, lots)
        sizes = []
        while filled:
            part = self.random.randint(max(1, filled // 3), filled)
            sizes.append(part * lot)
            filled -= part
        fills = tuple(
            Fill(
                fill_id=f"{order.client_order_id}-t{number}",
                client_order_id=order.client_order_id,
                filled_at_ns=self.now_ns,
                price=order.price_limit,
                size_base=size,
                fee_quote=Decimal("0.01"),
                frame_seq=1,
            )
            for number, size in enumerate(sizes)
        )
        is_whole = sum(sizes, Decimal(0)) == order.size_base
        ends = [OrderEvent.FILLED] if is_whole else [OrderEvent.CANCELLED, OrderEvent.EXPIRED]
        return Fate(order, self.random.choice(ends), fills)

    def _decide_landing(self, order: Transaction, *, is_reverted: bool) -> Fate:
        swap = Swap(
            venue=VenueId("pool"),
            address="0x1",
            source=AssetCode("USDT"),
            target=AssetCode("ETH"),
            amount_in=Decimal(7),
            amount_out=Decimal(8),
            frame_seq=1,
        )
        receipt = Receipt(
            why="it gains too little" if is_reverted else "",
            swaps=() if is_reverted else (swap,),
            flash_fee=Decimal(0),
            gas_asset=AssetCode("ETH"),
            gas=Decimal("0.001"),
            gas_quote=Decimal(2),
            landed_at_ns=self.now_ns,
        )
        end = OrderEvent.CANCELLED if is_reverted else OrderEvent.FILLED
        return Fate(order, end, receipt=receipt)

    def _speech(self, fate: Fate) -> Iterator[News]:
        """What is said by itself: any or all of it lost, any of it twice; `due` mixes it up."""
        if self.random.random() < 0.2:
            return
        if not fate.is_there:
            if self.random.random() < 0.5:
                yield News(client_order_id=fate.order.client_order_id, event=OrderEvent.REFUSED)
            return
        if fate.fills and fate.end and self.random.random() < 0.3:
            # As of an order that ended before its last fills were told.
            yield News(client_order_id=fate.order.client_order_id, event=fate.end)
        unclear = News(client_order_id=fate.order.client_order_id, event=OrderEvent.UNCLEAR)
        for news in [*fate.said, unclear]:
            for _ in range(self.random.choice([0, 1, 1, 1, 2])):
                yield news

    def _look_up(self, order: Sendable) -> Iterable[Act]:
        order_id = order.client_order_id
        roll = self.random.random()
        if roll < 0.2:
            return ()  # no answer; asked again by and by
        fate = self.fates[order_id]
        if not fate.is_there or self.now_ns < order.sent_at_ns + LAG_NS:
            return self.executor.missed(order_id, self.now_ns, has_gap=roll > 0.9)
        return self._tell(fate.whole)

    def check(self) -> None:
        """Hold the run against what every executor owes."""
        assert len(self.ends) == 1, "every plan comes to one end"
        last = self.late[-1].orders if self.late else self.ends[0].orders
        orders = {order.client_order_id: order for order in last}
        assert set(self.sent) <= set(orders)
        for order_id, order in orders.items():
            fate = self.fates.get(order_id)
            if fate is None:
                ended = [OrderState.CANCELLED]
                # A restart cannot know that it was never sent but by the venue's not knowing it.
                ended += [OrderState.REJECTED] if self.has_crashed else []
                assert order.state in ended
                assert not order.changes or all(not change for _, _, change in order.changes)
                continue
            if isinstance(order, Transaction):
                assert order.receipt == fate.receipt, "its receipt is the one that there was"
                assert order.state.value == ("rejected" if fate.end is None else fate.end.value)
                continue
            told = {fill for fill in fate.fills if fill.fill_id in self.told}
            assert sorted(order.fills, key=_id) == sorted(told, key=_id), (
                "the fills that count are those that were ever told, each once"
            )
            expected = "rejected" if fate.end is None else fate.end.value
            assert order.state.value == expected
        assert all(order.purpose is not order.purpose.LEG for order in self.sent_killed)


def _id(fill: Fill) -> str:
    return fill.fill_id
