"""Both parts of a mixed plan leave by the ways of the other plans, or not at all."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import cast

from engine.bus.booked import BookedReport
from engine.bus.request import Reply, Request
from engine.bus.sending import AskAfter, HandOver, Told, ToldNews
from engine.bus.trading import HandOverOrders, OrdersHandedOver
from engine.core.inputs.transaction_told import TransactionTold
from engine.domain.plans import Part
from engine.domain.told import Fate
from engine.domain.units import NS_PER_MS
from engine.operate.handing import Handing
from engine.operate.order_handing import OrderHanding
from tests.execute.live_books import MS, Desk
from tests.execute.live_mixed import (
    ChainDesk,
    MixedInstallation,
    live_plan,
    receipt_of,
    transaction_news,
)
from tests.execute.mixed_worlds import CHEAP
from tests.patience import PATIENCE_S

PLAN = live_plan(CHEAP, Part.TRANSACTION)


@dataclass
class Role:
    """Notes what it is asked to carry out; of what it is asked after it says that it never came."""

    asked: list[object] = field(default_factory=list)

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        await asyncio.sleep(0)
        if isinstance(request, (HandOver, HandOverOrders, AskAfter)):
            self.asked.append(request)
        if isinstance(request, AskAfter):
            never = transaction_news(request.client_order_id, 1, Fate.NEVER)
            return cast("Reply", Told(newest=1, news=(ToldNews(number=1, news=never),)))
        if isinstance(request, HandOverOrders):
            return cast("Reply", OrdersHandedOver(refused=()))
        await asyncio.Event().wait()  # nothing is told by itself
        raise AssertionError


class Ledger:
    """Has nothing booked."""

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del request, timeout_s
        await asyncio.sleep(0)
        return cast("Reply", BookedReport(booked=()))


def landed() -> MixedInstallation:
    """A plan whose order follows a minute after the plan's own end."""
    random = Random(1)
    one = MixedInstallation(PLAN, CHEAP, Desk(random), ChainDesk(random))
    one.start()
    one.at_ns += 60_000 * MS
    (transaction,) = one.chain.handed
    receipt = receipt_of(PLAN, transaction)
    one.tell(transaction_news(transaction.client_order_id, 1, Fate.SUCCEEDED, receipt))
    return one


async def until(
    work: Callable[[], Coroutine[None, None, None]], is_met: Callable[[], bool]
) -> None:
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(work())
        while not is_met():
            await asyncio.sleep(0)
        running.cancel()


def test_an_order_that_follows_may_be_sent_until_its_own_time_is_over() -> None:
    role, one = Role(), landed()

    async def work() -> None:
        handing = OrderHanding(role, Ledger(), engine="main", now_ns=lambda: one.at_ns)
        handing.hand_over(PLAN, one.desk.sends)
        await until(handing.run, lambda: bool(role.asked))

    asyncio.run(work())

    (asked,) = role.asked
    assert isinstance(asked, HandOverOrders)
    as_long_ns = PLAN.deadline_ns - PLAN.decided_at_ns
    assert asked.orders[0].request.sent_before_ms == (one.at_ns + as_long_ns) // NS_PER_MS
    assert asked.orders[0].plan == PLAN


def test_a_transaction_that_no_call_carries_out_is_asked_after_and_never_handed_over() -> None:
    role, one = Role(), landed()
    told: list[TransactionTold] = []

    async def work() -> None:
        handing = Handing(role, Ledger(), engine="main", now_ns=lambda: one.at_ns)
        handing.take_told, handing.is_known = told.append, lambda _name: True
        handing.hand_over(PLAN, one.chain.handed[0], ())
        await until(handing.run, lambda: bool(told))

    asyncio.run(work())

    assert [type(one) for one in role.asked] == [AskAfter]
    assert told[0].news.fate is Fate.NEVER
