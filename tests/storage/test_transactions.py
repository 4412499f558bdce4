"""A transaction is kept whole, booked with its gas, and told by `/why` like any trade."""

from decimal import Decimal

import pytest

from engine.bus.records import EngineState, LoadState
from engine.bus.reports import WhyReport
from engine.domain.plans import decode_plan
from engine.requests.why import GetStoredWhy
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock


@pytest.mark.parametrize("why", ["", "it gains 1, least 2"])
async def test_a_transaction_changes_what_its_wallet_holds_once(
    settings: LedgerSettings, clock: Clock, why: str
) -> None:
    record = makers.make_atomic_record(why=why)
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, record)
        await append(ledger, record)

        state = await ask(
            ledger,
            LoadState(day_start_ns=makers.NOW_NS - makers.NOW_NS % makers.DAY_NS),
            EngineState,
        )

    held = {one.place: one.held.value for one in state.holdings}
    gas = {("ethereum", "ETH"): Decimal("-0.00018")}
    assert held == (gas if why else {**gas, ("ethereum", "USD"): Decimal("9.5")})
    assert Decimal(state.realised_today_usd) == Decimal("-0.36" if why else "9.14")
    assert state.residuals == []


async def test_why_tells_a_transaction_by_its_swaps(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_atomic_record(number=1))
        await append(ledger, makers.make_atomic_record(number=2, why="it gains 1, least 2"))

        landed, reverted = [
            await ask(ledger, GetStoredWhy(ref=f"{makers.RUN_ID}-{number}"), WhyReport)
            for number in (1, 2)
        ]

    assert landed.line.outcome == "traded"
    assert [(leg.pair, leg.side, leg.filled_base) for leg in landed.legs] == [
        ("BTC-USD", "buy", Decimal("0.5")),
        ("USD-BTC", "buy", Decimal(1_010)),
    ]
    assert landed.story is not None
    assert landed.story.gas.usd == Decimal("0.36")
    assert reverted.line.outcome == "reverted"
    assert reverted.line.detail == "-0.3600 USD for gas; it gains 1, least 2"
    assert [leg.filled_base for leg in reverted.legs] == [0, 0]


def test_a_plan_of_an_earlier_version_says_no_kind_and_is_one_of_legs() -> None:
    plan = makers.make_plan()
    stored = makers.encoded(plan)
    assert '"type":"legged"' in stored

    assert decode_plan(stored) == plan
    assert decode_plan(stored.replace('"type":"legged",', "")) == plan
    atomic = makers.make_atomic_plan()
    assert decode_plan(makers.encoded(atomic)) == atomic
