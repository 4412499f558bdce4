"""Plans of orders and a transaction, from the live executor to a real chain and back.

Orders are filled as the test says; all else is what runs. That such plans are handed over at all,
tests alone say: `Handing.carries_mixed`.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.bus.unix_socket import SocketCaller
from engine.core.inputs.transaction_told import TransactionTold
from engine.domain.orders import Intent, Order
from engine.domain.orders_told import FillTold, OrderFate, OrderNews
from engine.domain.plans import MixedPlan, Part
from engine.domain.told import Fate
from engine.execute.book_finished import MixedFinished
from engine.execute.fill import PaperVenue
from engine.execute.finished import Finished
from engine.execute.live_mixed import make_live_mixed
from engine.operate.handing import Handing
from engine.portfolio.taken import Taken
from engine.portfolio.taken_pools import TakenPools
from engine.sending.desk import ChainDesk
from tests.execute.live_books import MS, Desk, live_around, news_of
from tests.execute.live_mixed import caught
from tests.execute.mixed_worlds import CHEAP
from tests.patience import PATIENCE_S
from tests.reference.world import AGE_NS_MAX
from tests.sending.sending_world import SendingWorld
from tests.sending.swapper import ETH, Swapper
from tests.sending.test_handing import EMPTY, served

pytestmark = pytest.mark.slow


class Filling(Desk):
    """Fills a share of each order at the price that its plan reckons with."""

    def __init__(self, plan: MixedPlan, share: str) -> None:
        super().__init__(random=Random(1))
        (leg,) = plan.legs
        self.price = leg.notional_quote / leg.size_base
        self.share = Decimal(share)

    def _story(self, order: Order) -> list[OrderNews]:
        size = order.instrument.floor_to_lot(order.size_base * self.share)
        if not size:
            return [news_of(order, 1, OrderFate.CANCELLED)]
        fill = FillTold(
            fill_id="t1",
            filled_at_ns=1_000,
            price=self.price,
            size_base=size,
            fee=Decimal(0),
            fee_asset=order.instrument.pair.quote,
        )
        end = OrderFate.FILLED if size == order.size_base else OrderFate.CANCELLED
        return [news_of(order, 1, end, [fill])]


class Engine:
    """What an engine has of it: executor, both ways out, and what came back."""

    def __init__(self, swapper: Swapper, socket: Path, plan: MixedPlan, share: str) -> None:
        self.swapper, self.plan = swapper, plan
        self.trader = Filling(plan, share)
        self.intents: list[Intent] = []
        self.finished: list[Finished] = []
        self.fates: list[Fate] = []
        self.heard: set[str] = set()
        self.caller = SocketCaller(socket, role="sender")
        now_ns = swapper.sending.now_ns
        self.handing = Handing(self.caller, EMPTY, engine="main", now_ns=now_ns, carries_mixed=True)
        self.handing.take_told = self.take
        (terms,) = swapper.sending.pools(swapper.sending.concentrated)
        known = SimpleNamespace(pool=terms.pool, row=SimpleNamespace(tick_spacing=0))
        world, around = caught(CHEAP)
        self.executor = make_live_mixed(
            live_around(
                around,
                self.trader,
                sender=self.handing,
                intend=self.intents.append,
                pools=cast("Any", {0: known}),
                taken_pools=TakenPools({0: "as it is"}),
                venue=PaperVenue(
                    world.board, world.costs, Taken(world.board), age_ns_max=AGE_NS_MAX
                ),
            )
        )
        self.handing.is_known = self.executor.knows

    def start(self) -> None:
        self.executor.start(self.plan, self.plan.decided_at_ns)
        self.go_on()

    def take(self, told: TransactionTold) -> None:
        if not self.executor.knows(told.news.client_order_id):
            return  # a chore: what allows a token, or takes that back
        self.fates.append(told.news.fate)
        self.executor.transaction_told(told.news, self.now_ns)
        self.go_on()

    def go_on(self) -> None:
        """Let the ledger have what is intended, and the trader tell of its orders."""
        for _ in range(6):
            for name in [*self.executor.waiting]:
                self.executor.stored(name, self.now_ns)
            for name, told in self.trader.news.items():
                if name not in self.heard:
                    self.heard.add(name)
                    self.executor.told(told[-1], self.now_ns)
            self.finished += self.executor.advance(self.now_ns)

    @property
    def now_ns(self) -> int:
        return self.swapper.sending.now_ns() + MS

    async def until(self, is_met: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_met():
                await asyncio.sleep(0.01)


def carried_out(
    swapper: Swapper,
    plan: MixedPlan,
    *,
    share: str = "1",
    meanwhile: Callable[[ChainDesk], None] = lambda _desk: None,
) -> tuple[Engine, MixedFinished]:
    sending = swapper.sending

    async def work(desk: ChainDesk) -> Engine:
        async with served(sending) as (answers, socket):
            desk.told = answers.told
            engine = Engine(swapper, socket, plan, share)
            running = asyncio.create_task(engine.handing.run())
            engine.start()
            sending.has_orders = bool(engine.trader.sends)
            if not engine.finished:
                await asyncio.wait_for(answers.handed.wait(), PATIENCE_S)
                await desk.step()
                meanwhile(desk)
                for _ in range(4):
                    sending.world.mine()
                    await desk.step()
                await engine.until(lambda: bool(engine.finished) or running.done())
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await engine.caller.aclose()
            return engine

    engine = sending.run(work)
    (finished,) = engine.finished
    assert isinstance(finished, MixedFinished)
    return engine, finished


@pytest.fixture
def swapper(sending: SendingWorld) -> Swapper:
    sending.world.automine(False)
    return Swapper(sending)


def sizes(engine: Engine) -> list[Decimal]:
    return [one.order.size_base for one in engine.trader.sends if isinstance(one.order, Order)]


def test_a_transaction_that_lands_is_followed_by_its_order(swapper: Swapper) -> None:
    plan, before = swapper.plan(), swapper.holds()

    engine, finished = carried_out(swapper, plan)

    sent = finished.execution.transaction
    assert sent is not None
    assert sent.receipt is not None
    assert engine.fates == [Fate.SUCCEEDED]
    assert sent.receipt.swaps[0].amount_in == Decimal(1)
    assert sent.receipt.swaps[-1].amount_out == plan.steps[0].amount_out
    assert sizes(engine) == [plan.legs[0].size_base]
    assert before[0] - swapper.holds()[0] == ETH
    assert swapper.allowed() == 0


def test_a_transaction_that_reverts_is_followed_by_no_order(swapper: Swapper) -> None:
    before = swapper.holds()

    engine, finished = carried_out(swapper, swapper.plan(), meanwhile=lambda _: swapper.rushed())

    assert engine.fates == [Fate.REVERTED]
    assert engine.trader.sends == []
    assert finished.execution.transaction is not None
    assert finished.execution.residuals == ()
    assert swapper.holds() == before
    assert swapper.allowed() == 0


def test_orders_that_do_not_fill_are_followed_by_no_transaction(swapper: Swapper) -> None:
    before = swapper.holds()

    engine, finished = carried_out(swapper, swapper.plan(first=Part.ORDERS), share="0")

    assert len(engine.trader.sends) == 1
    assert finished.execution.transaction is None
    assert swapper.sending.table.newest_lives(10) == []
    assert swapper.holds() == before
