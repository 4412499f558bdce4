"""What is told of live mixed plans is in the ledger to the last unit, and comes back as booked."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import msgspec

from engine.bus.booked import BookedOrdersReport, BookedReport, GetBooked, GetBookedOrders
from engine.bus.performance import BooksReport
from engine.bus.records import ExecutionRecord
from engine.bus.reports import WhyReport
from engine.domain.modes import Basis, Mode, Money
from engine.domain.orders import Order, Sendable, Transaction
from engine.domain.plans import Part, Plan
from engine.portfolio.inventory import Inventory
from engine.requests.performance import GetBooks
from engine.requests.why import GetStoredWhy
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.execute.live_books import Desk
from tests.execute.live_mixed import ChainDesk, MixedInstallation, last_of, live_plan
from tests.execute.mixed_worlds import BETWEEN, CHEAP, DEAR
from tests.execute.test_live_mixed import begun, fills, lands, undone
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock


def traded(seed: int) -> MixedInstallation:
    """A plan that was carried out, with all that is told of it, mixed up."""
    random = Random(seed)
    pool, first = random.choice([DEAR, CHEAP, BETWEEN]), random.choice([*Part])
    plan, name = live_plan(pool, first), f"r1-{seed + 1}"
    opportunity = msgspec.structs.replace(plan.opportunity, opportunity_id=name)
    plan = msgspec.structs.replace(plan, plan_id=f"{name}-p", opportunity=opportunity)
    one = MixedInstallation(plan, pool, Desk(random), ChainDesk(random))
    one.start()
    one.tell_all(random.shuffle)
    return one


def reorganised() -> MixedInstallation:
    """A plan whose transaction, after the end, gave less in another block, then reverted."""
    one = begun(CHEAP, Part.TRANSACTION)
    words = [
        lands(one),
        undone(one, 2),
        lands(one, version=3, share="0.95"),
        undone(one, 4),
        lands(one, version=5, why="reverted"),
    ]
    one.chain.news[words[0].client_order_id] = words
    one.tell(words[0])
    one.tell(fills(one, 0))
    for word in words[1:]:
        one.tell(word)
    return one


def records(one: MixedInstallation) -> list[ExecutionRecord]:
    return [
        ExecutionRecord(
            run_id="r1", basis=Basis.SANDBOX, mode=Mode.LIVE, plan=one.plan, execution=execution
        )
        for execution in one.booked
    ]


async def test_what_is_booked_of_both_parts_comes_back_with_news_of_either_and_adds_up(
    settings: LedgerSettings, clock: Clock
) -> None:
    all_of = [*(traded(seed) for seed in range(1, 13)), reorganised()]
    parts = {name: part for one in all_of for name, part in one.in_ledger.items()}
    names = tuple(parts)
    async with open_ledger(settings, clock=clock) as ledger:
        for each in all_of:
            await append(ledger, *records(each))
            await append(ledger, *records(each))
        orders = await ask(ledger, GetBookedOrders(client_order_ids=names), BookedOrdersReport)
        chains = await ask(ledger, GetBooked(client_order_ids=names), BookedReport)
        books = await ask(ledger, GetBooks(), BooksReport)
        why = await ask(ledger, GetStoredWhy(ref=all_of[0].booked[0].execution_id), WhyReport)

    assert any(len(each.booked) > 1 for each in all_of)
    by_plan = {each.plan.plan_id: each for each in all_of}
    told: list[tuple[Plan, Sequence[Sendable]]] = []
    told += [(one.plan, one.sendables) for one in orders.plans]
    told += [(one.plan, one.sendables) for one in chains.booked if one.plan is not None]
    assert len(told) > len(all_of)
    for plan, sendables in told:
        known = by_plan[plan.plan_id].in_ledger
        assert {one.client_order_id for one in sendables} == set(known)
        for one in sendables:
            expected = known[one.client_order_id]
            assert one.version == expected.version
            assert one.changes == expected.changes
            if isinstance(one, Order):
                assert isinstance(expected, Order)
                assert one.fills == expected.fills
            else:
                assert isinstance(expected, Transaction)
                word = last_of(by_plan[plan.plan_id].chain.news[one.client_order_id])
                assert one.changes == replace(expected, receipt=word.receipt).changes
    assert books.differences == []
    inventory = Inventory()
    inventory.add(execution for each in all_of for execution in each.booked)
    assert {(one.venue, one.asset): one.held for one in books.held} == {
        one.place: one.held.value for one in inventory.holdings
    }
    assert {one.money for one in books.held} == {Money.LIVE}
    assert why.basis is Basis.SANDBOX_LIVE
