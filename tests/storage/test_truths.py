"""What transactions came to is kept once each, newest told, and summed up with its n."""

from decimal import Decimal

import msgspec
import pytest

from engine.bus.reports import ExportReport, WhyReport
from engine.bus.truths import GetTruths, KeepTruths, TruthsKept, TruthsReport
from engine.domain.modes import Basis
from engine.domain.told import Fate
from engine.domain.truths import Ahead, Net, Step, Truth, TruthCause, TruthDifference
from engine.requests.money import GetExport
from engine.requests.why import GetStoredWhy
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock


def make_truth(number: int = 1, *, version: int = 1, realised_raw: int = 10**19) -> Truth:
    """A trade that was predicted 10 whole ones of 2 USD each, and gas of 1."""
    plan = makers.make_atomic_plan(number=number)
    gained = realised_raw > 0
    return Truth(
        client_order_id=f"{plan.plan_id}-t",
        version=version,
        plan_id=plan.plan_id,
        opportunity_id=plan.opportunity.opportunity_id,
        engine="main",
        chain="base",
        decided_at_ns=makers.NOW_NS + number,
        route=("uniswap_v3@base", "uniswap_v2@base"),
        asset="ETH",
        decimals=18,
        usd_per_unit=Decimal(2),
        fate=Fate.SUCCEEDED if gained else Fate.REVERTED,
        predicted=Net(gain_raw=10**19, gas_raw=10**18),
        simulated=Net(gain_raw=10**19, gas_raw=10**18),
        realised=Net(gain_raw=realised_raw, gas_raw=10**18),
        differences=()
        if gained
        else (TruthDifference(step=Step.REALISED, cause=TruthCause.ORDER, raw=-(10**19)),),
        ahead=() if gained else (Ahead(hash="0x1", sender="0xrival", place=0, pools=("0xp",)),),
        ahead_count=0 if gained else 1,
        chance=0.5,
    )


async def keep(ledger: Ledger, *truths: Truth) -> int:
    contents = [msgspec.json.encode(one) for one in truths]
    kept = await ask(ledger, KeepTruths(truths=contents, basis=Basis.SANDBOX_LIVE), TruthsKept)
    return kept.kept


async def test_a_trade_is_kept_once_and_its_newest_telling_stands(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        first = await keep(ledger, make_truth(version=2, realised_raw=0))
        again = await keep(ledger, make_truth(version=2, realised_raw=0))
        older = await keep(ledger, make_truth(version=1))
        newer = await keep(ledger, make_truth(version=3))
        report = await ask(ledger, GetTruths(since_ns=0), TruthsReport)

    assert (first, again, older, newer) == (1, 0, 0, 1)
    assert [one.fate for one in report.lines] == ["succeeded"]
    assert report.realised_usd == Decimal(18)


async def test_sums_are_exact_by_cause_and_say_of_how_many_they_are(
    settings: LedgerSettings, clock: Clock
) -> None:
    unsimulated = msgspec.structs.replace(make_truth(3), simulated=None, ahead_count=None)
    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, make_truth(1), make_truth(2, realised_raw=0), unsimulated)
        report = await ask(ledger, GetTruths(since_ns=0, limit=2), TruthsReport)

    assert (report.n, report.simulated_n, report.ahead_n) == (3, 2, 2)
    assert (report.predicted_usd, report.simulated_usd) == (Decimal(54), Decimal(36))
    assert report.realised_usd == Decimal(34)
    assert report.fates == {"succeeded": 2, "reverted": 1}
    ((cause),) = report.causes
    assert (cause.step, cause.cause, cause.count) == ("realised", "order in block", 1)
    assert cause.usd == Decimal(-20)
    assert [(one.sender, one.count) for one in report.ahead] == [("0xrival", 1)]
    assert [one.plan_id for one in report.lines] == [
        make_truth(number).plan_id for number in (3, 2)
    ]


async def test_what_cannot_be_read_is_left_out_and_the_others_are_kept(
    settings: LedgerSettings, clock: Clock
) -> None:
    contents = [b"{", msgspec.json.encode(make_truth(1))]
    async with open_ledger(settings, clock=clock) as ledger:
        kept = await ask(ledger, KeepTruths(truths=contents, basis=Basis.SANDBOX_LIVE), TruthsKept)

    assert kept.kept == 1


async def test_why_tells_the_truth_of_a_trade_and_an_export_has_all_of_them(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_atomic_record(number=1))
        await keep(ledger, make_truth(1, realised_raw=0))
        why = await ask(ledger, GetStoredWhy(ref=f"{makers.RUN_ID}-1"), WhyReport)
        export = await ask(ledger, GetExport(table="truths", days=30), ExportReport)

    assert why.truth is not None
    assert why.truth.predicted == Decimal(9)
    assert why.truth.realised_usd == Decimal(-2)
    assert [one.sender for one in why.truth.ahead] == ["0xrival"]
    assert export.rows == 1
    assert export.is_alike
    assert b"order in block" in export.content


@pytest.mark.parametrize("days", [1, 0])
async def test_trades_before_the_time_asked_for_are_not_counted(
    settings: LedgerSettings, clock: Clock, days: int
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, make_truth(1))
        since_ns = makers.NOW_NS + 2 - days * makers.DAY_NS
        report = await ask(ledger, GetTruths(since_ns=since_ns), TruthsReport)

    assert report.n == days
