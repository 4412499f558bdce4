"""What is told of live orders is in the ledger to the last unit, and comes back as booked."""

from decimal import Decimal
from random import Random

import msgspec
import pytest

from engine.bus.booked import BookedOrdersReport, GetBookedOrders
from engine.bus.performance import BooksReport
from engine.bus.records import ExecutionRecord
from engine.bus.reports import ExportReport, WhyReport
from engine.domain.modes import Basis, Mode, Money
from engine.domain.orders import OrderState
from engine.portfolio.inventory import Inventory
from engine.requests.money import GetExport
from engine.requests.performance import GetBooks
from engine.requests.why import GetStoredWhy
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.execute.live_books import BNB, Desk, Installation, end_of, fill_told
from tests.execute.test_conformance import TWO
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock

PLAN = msgspec.structs.replace(TWO, is_live=True)


def traded(seed: int) -> Installation:
    """A plan that was carried out, with all that is told of it, mixed up."""
    plan_id = f"r1-{seed + 1}-p"
    opportunity = msgspec.structs.replace(PLAN.opportunity, opportunity_id=f"r1-{seed + 1}")
    plan = msgspec.structs.replace(PLAN, plan_id=plan_id, opportunity=opportunity)
    one = Installation(plan, Desk(Random(seed)))
    one.start()
    one.tell_all(Random(seed + 1).shuffle)
    return one


def records(one: Installation) -> list[ExecutionRecord]:
    return [
        ExecutionRecord(
            run_id="r1",
            basis=Basis.SANDBOX,
            mode=Mode.LIVE,
            plan=one.plan,
            execution=execution,
        )
        for execution in one.booked
    ]


@pytest.mark.parametrize("seeds", [range(12)])
async def test_what_is_booked_of_live_orders_comes_back_and_adds_up(
    settings: LedgerSettings, clock: Clock, seeds: range
) -> None:
    all_of = [traded(seed) for seed in seeds]
    names = [one.client_order_id for each in all_of for one in each.in_ledger.orders]
    async with open_ledger(settings, clock=clock) as ledger:
        for each in all_of:
            await append(ledger, *records(each))
            await append(ledger, *records(each))
        asked = GetBookedOrders(client_order_ids=(*names, "never told"))
        report = await ask(ledger, asked, BookedOrdersReport)
        books = await ask(ledger, GetBooks(), BooksReport)

    assert any(len(each.booked) > 1 for each in all_of)
    by_plan = {one.plan.plan_id: one for one in report.plans}
    assert len(by_plan) == len(report.plans) == len(all_of)
    for each in all_of:
        known = {one.client_order_id: one for one in each.in_ledger.orders}
        for order in by_plan[each.plan.plan_id].orders:
            expected = known[order.client_order_id]
            assert order.version == expected.version
            assert order.fills == expected.fills
            assert order.instrument == expected.instrument
            assert order.state in OrderState
    assert books.differences == []
    inventory = Inventory()
    inventory.add(execution for each in all_of for execution in each.booked)
    assert {(one.venue, one.asset): one.held for one in books.held} == {
        one.place: one.held.value for one in inventory.holdings
    }
    assert {one.money for one in books.held} == {Money.LIVE}
    assert any(one.asset == BNB for one in books.held)


async def test_a_fee_in_a_third_asset_is_exported_and_shown(
    settings: LedgerSettings, clock: Clock
) -> None:
    one = Installation(PLAN, Desk(Random(1)))
    one.start()
    one.tell(end_of(one, 0, 1, fill_told(0, "1", fee="0.0001", asset="BNB", price="100")))
    one.tell(end_of(one, 1, 1, fill_told(0, "1", price="101")))
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *records(one))
        file = await ask(ledger, GetExport(table="fills", days=36_500), ExportReport)
        why = await ask(ledger, GetStoredWhy(ref=one.booked[0].execution_id), WhyReport)

    assert "0.0001,BNB" in file.content.decode()
    assert [leg.other_fees for leg in why.legs] == [(("BNB", Decimal("0.0001")),), ()]
    assert why.basis is Basis.SANDBOX_LIVE
