"""A correction is stored beside what it corrects: each late fill once, every sum with it."""

from dataclasses import replace
from decimal import Decimal

import msgspec

from engine.bus.permit_reports import WaitingReport
from engine.bus.records import (
    ApprovalEndRecord,
    ApprovalRecord,
    EngineState,
    ExecutionRecord,
    LoadState,
)
from engine.bus.reports import ExportReport, PnlReport, WhyReport
from engine.domain.approvals import ApprovalEnd, ApprovalState
from engine.domain.modes import Basis
from engine.domain.orders import Execution
from engine.requests.approvals import GetWaiting
from engine.requests.money import GetExport, GetPnl
from engine.requests.why import GetStoredWhy
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.bot import samples
from tests.storage import makers
from tests.storage.asking import append, ask, trades
from tests.storage.conftest import Clock

TODAY_NS = makers.NOW_NS - makers.NOW_NS % makers.DAY_NS
SIZE = Decimal("0.001")


def correction_of(record: ExecutionRecord) -> ExecutionRecord:
    """One more fill of its first order, a purchase."""
    execution = record.execution
    order = execution.orders[0]
    late = replace(order.fills[0], fill_id="late", size_base=SIZE)
    corrected: Execution = replace(
        execution,
        execution_id=f"{execution.execution_id}-late1",
        corrects=execution.execution_id,
        orders=(replace(order, fills=(late,)),),
        profit_quote=Decimal("-0.9"),
        profit_usd=Decimal("-0.9"),
        expected_usd=Decimal(0),
        residuals=(makers.make_residual(SIZE, SIZE * 60_000),),
    )
    return msgspec.structs.replace(record, execution=corrected)


async def test_a_late_fill_of_an_approved_trade_is_in_what_waiting_cost(
    settings: LedgerSettings, clock: Clock
) -> None:
    approval = msgspec.structs.replace(samples.approval(), asked_at_ns=makers.NOW_NS)
    approval_id, worth_usd = approval.approval_id, approval.worth_usd
    made = makers.make_execution_record()
    execution = replace(made.execution, plan_id=f"{approval_id}-p")
    record = msgspec.structs.replace(made, execution=execution)
    end = ApprovalEnd(
        approval_id=approval_id,
        state=ApprovalState.EXECUTED,
        at_ns=makers.NOW_NS + 1,
        by="telegram:1",
        why="",
    )
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            ApprovalRecord(run_id="r", basis=Basis.SANDBOX, approval=approval),
            ApprovalEndRecord(at_ns=end.at_ns, end=end),
            record,
            correction_of(record),
        )
        waiting = await ask(ledger, GetWaiting(days=1), WaitingReport)

    (line,) = waiting.lines
    realised_usd = execution.profit_usd + Decimal("-0.9")
    assert (line.count, line.asked_usd, line.realised_usd) == (1, worth_usd, realised_usd)
    assert waiting.cost_usd == worth_usd - realised_usd


async def test_a_late_fill_is_in_every_sum_and_each_of_them_once(
    settings: LedgerSettings, clock: Clock
) -> None:
    record = makers.make_execution_record()
    late = correction_of(record)
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, record)
        before = await ask(ledger, LoadState(day_start_ns=TODAY_NS), EngineState)
        for _ in range(2):
            await append(ledger, late)

        after = await ask(ledger, LoadState(day_start_ns=TODAY_NS), EngineState)
        pnl = await ask(ledger, GetPnl(), PnlReport)
        why = await ask(ledger, GetStoredWhy(ref=record.execution.opportunity_id), WhyReport)
        told = await trades(ledger)
        fills = await ask(ledger, GetExport(table="fills"), ExportReport)

    profit = record.execution.profit_usd
    assert Decimal(after.realised_today_usd) == profit + Decimal("-0.9")
    assert [one.held.value for one in after.residuals] == [SIZE]
    assert pnl.realised_usd == profit + Decimal("-0.9")
    held = {one.place: one.held.value for one in before.holdings}
    change = {(venue, asset): amount for venue, asset, amount in late.execution.orders[0].changes}
    assert {one.place: one.held.value for one in after.holdings} == {
        place: amount + change.get(place, 0) for place, amount in held.items()
    }
    assert why.execution_id == record.execution.execution_id
    assert why.line.detail.endswith("-0.9000 USD by what was told after its end")
    assert why.legs[0].filled_base == record.execution.orders[0].filled_base + SIZE
    assert sorted(one.corrects for one in told.trades) == ["", record.execution.execution_id]
    assert fills.rows == 5
