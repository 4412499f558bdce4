"""What an engine begins with is the fall of all that was ever realised with that money."""

from decimal import Decimal

import msgspec

from engine.bus.records import CostRecord, EngineState, ExecutionRecord, LoadState
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock
from tests.storage.test_live_costs import GAS, cost

DAY_NS = makers.NOW_NS - makers.NOW_NS % makers.DAY_NS
HOUR_NS = 3_600 * makers.SECOND_NS


def trade(number: int, usd: int, *, days: int = 0, is_live: bool = False) -> ExecutionRecord:
    """One that closed some days before now."""
    record = makers.make_execution_record(
        number=number,
        profit_usd=Decimal(usd),
        closed_at_ns=makers.NOW_NS - days * makers.DAY_NS,
    )
    plan = msgspec.structs.replace(record.plan, is_live=is_live)
    return msgspec.structs.replace(record, plan=plan)


def spent(usd: str, *, hours: int) -> CostRecord:
    return msgspec.structs.replace(
        cost(1, GAS, usd, name=f"hole{hours}"), at_ns=makers.NOW_NS + hours * HOUR_NS
    )


async def test_it_goes_over_all_days_and_keeps_paper_and_live_apart(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            trade(1, -3, days=9),
            trade(2, 10, days=8),
            trade(3, -6, days=5, is_live=True),
            trade(4, -4, days=4),
            trade(5, 1),
            trade(6, -2),
        )
        state = await ask(ledger, LoadState(day_start_ns=DAY_NS), EngineState)

    assert state.drawdown_usd == 5
    assert state.live.drawdown_usd == 6


async def test_costs_count_when_they_were_paid(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            spent("2", hours=-48),  # before the highest point: no part of the fall from it
            trade(1, 9, days=1, is_live=True),
            spent("0.25", hours=-2),
            trade(2, -1, is_live=True),
            spent("0.5", hours=1),
        )
        state = await ask(ledger, LoadState(day_start_ns=DAY_NS), EngineState)

    assert state.live.drawdown_usd == Decimal("1.75")
    assert state.drawdown_usd == 0


async def test_what_was_realised_before_a_person_began_it_anew_does_not_count(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, trade(1, -100, days=2), trade(2, -7, days=1), trade(3, 3))
        since_ns = makers.NOW_NS - makers.DAY_NS
        anew = LoadState(day_start_ns=DAY_NS, drawdown_since_ns=since_ns)
        later = LoadState(day_start_ns=DAY_NS, drawdown_since_ns=since_ns + 1)
        states = [await ask(ledger, one, EngineState) for one in (anew, later)]

    assert [one.drawdown_usd for one in states] == [4, 0]


async def test_it_is_folded_in_the_order_of_storing_whatever_the_clock_said(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, trade(1, -5), trade(2, 8, days=1), trade(3, -1, days=2))
        state = await ask(ledger, LoadState(day_start_ns=DAY_NS), EngineState)

    assert state.drawdown_usd == 1
