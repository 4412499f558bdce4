"""Plans of orders and a transaction, from the live executor to a real chain and back.

Orders are filled as the test says; all else is what runs.
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
from engine.domain.opportunities import Side
from engine.domain.orders import Execution, Intent, Order, Purpose, Swap
from engine.domain.orders_told import FillTold, OrderFate, OrderNews
from engine.domain.plans import MixedPlan, Part
from engine.domain.stories import Cause
from engine.domain.told import Fate
from engine.domain.units import BPS_PER_UNIT
from engine.execute.book_finished import MixedFinished
from engine.execute.fill import PaperVenue
from engine.execute.finished import Finished
from engine.execute.live_book_executor import LiveBookExecutor
from engine.execute.live_mixed import make_live_mixed
from engine.execute.plan_executor import Around, PlanExecutor
from engine.execute.unwinding import UnwindRules
from engine.operate.handing import Handing
from engine.portfolio.taken import Taken
from engine.portfolio.taken_pools import TakenPools
from engine.sending.desk import ChainDesk
from tests.execute.live_books import MS, Desk, live_around, news_of
from tests.patience import PATIENCE_S
from tests.reference.world import AGE_NS_MAX, Setup, World, make_instrument
from tests.sending.sending_world import SendingWorld
from tests.sending.swapper import ETH, Swapper
from tests.sending.test_handing import EMPTY, served

pytestmark = pytest.mark.slow


BACK = Decimal("0.999")
"""Of the price of the plan so much is had for what is traded back."""
BAND = UnwindRules().band_bps / BPS_PER_UNIT
TICK_NS = 25 * MS


class Filling(Desk):
    """Fills a share of each leg at the price that its plan reckons with, and all that unwinds."""

    def __init__(self, plan: MixedPlan, share: str) -> None:
        super().__init__(random=Random(1))
        (leg,) = plan.legs
        self.price = leg.notional_quote / leg.size_base
        self.share = Decimal(share)

    def _story(self, order: Order) -> list[OrderNews]:
        is_leg = order.purpose is Purpose.LEG
        share, price = (self.share, self.price) if is_leg else (1, self.price * BACK)
        size = order.instrument.floor_to_lot(order.size_base * share)
        if not size:
            return [news_of(order, 1, OrderFate.CANCELLED)]
        fill = FillTold(
            fill_id="t1",
            filled_at_ns=1_000,
            price=price,
            size_base=size,
            fee=Decimal(0),
            fee_asset=order.instrument.pair.quote,
        )
        end = OrderFate.FILLED if size == order.size_base else OrderFate.CANCELLED
        return [news_of(order, 1, end, [fill])]


class Engine:
    """What an engine has of it: executor, both ways out, and what came back.

    It may be lost: at its `lost_at`-th step all is gone but what the ledger, the trader and the
    sender have; another one takes that over.
    """

    def __init__(
        self, swapper: Swapper, socket: Path, plan: MixedPlan, share: str, lost_at: int = 0
    ) -> None:
        self.swapper, self.plan, self.lost_at = swapper, plan, lost_at
        self.trader = Filling(plan, share)
        self.intents: list[Intent] = []
        self.finished: list[Finished] = []
        self.fates: list[Fate] = []
        self.heard: set[str] = set()
        self.steps = 0
        self.ticked_ns = 0
        self.caller = SocketCaller(socket, role="sender")
        self.world, self.around = made_of_a_book()
        self.running: list[asyncio.Task[None]] = []
        self.executor = self.made()

    def made(self) -> LiveBookExecutor:
        """Make what a process has."""
        swapper = self.swapper
        for task in self.running:
            task.cancel()
        self.handing = Handing(
            self.caller,
            EMPTY,
            engine="main",
            now_ns=swapper.sending.now_ns,
            carries_mixed=True,
        )
        self.handing.take_told = self.take
        (terms,) = swapper.sending.pools(swapper.sending.concentrated)
        known = SimpleNamespace(pool=terms.pool, row=SimpleNamespace(tick_spacing=0))
        world = self.world
        executor = make_live_mixed(
            live_around(
                self.around,
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
        self.handing.is_known = executor.knows
        self.running.append(asyncio.create_task(self.handing.run()))
        return executor

    def start(self) -> None:
        self.show_book()
        self.executor.start(self.plan, self.plan.decided_at_ns)
        self.go_on()

    def is_lost(self) -> bool:
        """Say whether it is lost with this step; then another one is there."""
        self.steps += 1
        if self.steps != self.lost_at:
            return False
        self.heard.clear()
        self.executor = self.made()
        if not self.finished:
            intended = [one for intent in self.intents for one in intent.sendables]
            self.executor.recover(Intent.of(self.plan, intended), self.now_ns)
        return True

    def show_book(self) -> None:
        """Show the book of the plan's order, at the prices that the plan reckons with."""
        price = self.trader.price
        self.world.now_ns = self.now_ns
        self.world.show(0, [(f"{price * BACK:.2f}", "50")], [(f"{price:.2f}", "50")])

    def take(self, told: TransactionTold) -> None:
        if not self.executor.knows(told.news.client_order_id):
            return  # a chore, or booked before: what allows a token, or takes that back
        if self.is_lost():
            return
        self.fates.append(told.news.fate)
        self.executor.transaction_told(told.news, self.now_ns)
        self.go_on()

    def go_on(self) -> None:
        """Let the ledger have what is intended, and the trader tell of its orders."""
        for _ in range(6):
            for name in [*self.executor.waiting]:
                if self.is_lost():
                    return
                self.executor.stored(name, self.now_ns)
            for name, told in self.trader.news.items():
                if name not in self.heard and self.executor.knows(name):
                    if self.is_lost():
                        return
                    self.heard.add(name)
                    self.executor.told(told[-1], self.now_ns)
            self.finished += self.executor.advance(self.now_ns)

    @property
    def now_ns(self) -> int:
        return self.swapper.sending.now_ns() + MS + self.ticked_ns

    async def until(self, is_met: Callable[[], bool]) -> None:
        """Let time pass, as an engine's ticks do: what waits for a book is tried again."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_met():
                self.ticked_ns += TICK_NS
                self.show_book()
                self.go_on()
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
            (running,) = engine.running
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


def test_orders_that_fill_in_part_are_followed_by_a_transaction_of_what_they_filled(
    swapper: Swapper,
) -> None:
    plan, before = swapper.plan(first=Part.ORDERS), swapper.holds()

    engine, finished = carried_out(swapper, plan, share="0.5")

    (leg, *_), sent = finished.execution.orders, finished.execution.transaction
    assert leg.filled_base == plan.legs[0].size_base / 2
    assert sent is not None
    assert sent.receipt is not None
    assert engine.fates == [Fate.SUCCEEDED]
    assert sent.amount_in == Decimal("0.5")
    (swap,) = sent.receipt.swaps
    after = swapper.holds()
    assert (before[0] - after[0], after[1] - before[1]) == (ETH // 2, raw_usd(swap.amount_out))
    # A pool gives more for a unit of less: that is all by which the two parts differ.
    given = leg.filled_base * engine.trader.price
    least = plan.with_input(Decimal("0.5")).steps[0].amount_out_min
    assert least <= swap.amount_out < given + engine.trader.price * leg.instrument.lot_base
    assert [one.held.value for one in finished.execution.residuals] == [swap.amount_out - given]
    assert swapper.allowed() == 0


def test_an_order_whose_transaction_reverts_is_traded_back_with_the_cost_of_that(
    swapper: Swapper,
) -> None:
    plan, before = swapper.plan(first=Part.ORDERS), swapper.holds()

    engine, finished = carried_out(swapper, plan, meanwhile=lambda _: swapper.rushed())

    _, back, *more = finished.execution.orders
    assert engine.fates == [Fate.REVERTED]
    assert (back.purpose, back.side) == (Purpose.UNWIND, Side.SELL)
    assert back.price_limit >= engine.trader.price * BACK * (1 - BAND)
    assert all(one.purpose is Purpose.UNWIND for one in more)
    left = sum((one.held.value for one in finished.execution.residuals), Decimal(0))
    assert abs(left) < 2 * back.price_limit * back.instrument.lot_base
    assert finished.execution.profit_quote < 0
    costs = {one.cause: one.worth.quote for one in finished.story().to_realised}
    assert costs[Cause.UNWINDING] < 0
    assert swapper.holds() == before
    assert swapper.allowed() == 0


def played(swapper: Swapper, plan: MixedPlan, *, share: str, lost_at: int) -> Engine:
    """Let an engine, which may be lost, play a plan out on a chain that goes on."""
    sending = swapper.sending

    async def work(desk: ChainDesk) -> Engine:
        async with served(sending) as (answers, socket):
            desk.told = answers.told
            engine = Engine(swapper, socket, plan, share, lost_at)
            engine.start()
            async with asyncio.timeout(PATIENCE_S):
                while not engine.finished or sending.table.open_lives():
                    sending.has_orders = bool(engine.trader.sends)
                    engine.ticked_ns += TICK_NS
                    engine.show_book()
                    engine.go_on()
                    await asyncio.sleep(0.01)
                    await desk.step()
                    sending.world.mine()
            for task in engine.running:
                task.cancel()
            await asyncio.gather(*engine.running, return_exceptions=True)
            await engine.caller.aclose()
            return engine

    engine: Engine = sending.run(work)
    return engine


@pytest.mark.parametrize(
    ("first", "share", "every"),
    [
        (Part.TRANSACTION, "0.5", 5),
        (Part.ORDERS, "0.5", 5),
        *(
            pytest.param(first, share, 1, marks=pytest.mark.campaign)
            for first in Part
            for share in ("0", "0.5", "1")
        ),
    ],
)
def test_wherever_its_engine_is_lost_no_half_is_done_twice_and_what_is_left_is_told(
    swapper: Swapper, first: Part, share: str, every: int
) -> None:
    steps = lost_at = 0  # at first it is never lost
    while lost_at <= steps:
        plan, before = swapper.plan("0.02", first=first), swapper.holds()

        engine = played(swapper, plan, share=share, lost_at=lost_at)

        steps, after = max(steps, engine.steps), swapper.holds()
        (finished,) = engine.finished
        assert isinstance(finished, MixedFinished)
        execution, lot = finished.execution, plan.legs[0].instrument.lot_base
        swap = swap_of(execution)
        given, got = (0, 0) if swap is None else (swap.amount_in, swap.amount_out)
        where = (lost_at, engine.fates, execution)
        assert (before[0] - after[0], after[1] - before[1]) == (given * ETH, got * 10**6), where
        sent = [one.order.client_order_id for one in engine.trader.sends]
        assert len(sent) == len(set(sent))
        told = [engine.trader.news[name][-1].filled_base for name in sent]
        assert sum(told) == sum(one.filled_base for one in execution.orders), where
        legs = [one for one in execution.orders if one.purpose is Purpose.LEG and one.fills]
        assert len(legs) <= 1
        left = sum((one.held.value for one in execution.residuals), Decimal(0))
        assert abs(left) < 2 * engine.trader.price * lot, where
        assert swapper.allowed() == 0
        lost_at = lost_at + every if lost_at else 1
    assert lost_at > every


def swap_of(execution: Execution) -> Swap | None:
    """Return what the transaction of a plan swapped, None if nothing."""
    receipt = None if execution.transaction is None else execution.transaction.receipt
    return receipt.swaps[0] if receipt is not None and receipt.swaps else None


def made_of_a_book() -> tuple[World, Around]:
    """Return the book of the plan's order, and what an executor is made of with it."""
    caught: list[Around] = []

    def catching(around: Around) -> PlanExecutor:
        caught.append(around)
        return make_live_mixed(around)

    world = World(
        Setup(instruments=[make_instrument("a", "ETH-USDC", lot="0.001")], executors=[catching])
    )
    world.switches.is_paused = True
    return world, caught[0]


def raw_usd(amount: Decimal) -> int:
    return int(amount * 10**6)
