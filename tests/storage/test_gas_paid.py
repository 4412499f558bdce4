"""What an engine begins with is the gas that was paid on the day, of each money apart."""

from decimal import Decimal

from msgspec import structs

from engine.bus.records import EngineState, LoadState
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock
from tests.storage.test_live_costs import GAS, cost

DAY_NS = makers.NOW_NS - makers.NOW_NS % makers.DAY_NS


async def test_gas_of_executions_and_of_chores_is_loaded_from_the_day_on(
    settings: LedgerSettings, clock: Clock
) -> None:
    landed = makers.make_atomic_record(number=8)
    dear = structs.replace(landed.plan, usd_per_quote=Decimal(2))
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            cost(1, GAS, "0.75", name="hole"),
            structs.replace(landed, plan=dear),
            makers.make_atomic_record(number=9, why="it reverted"),
        )
        state = await ask(ledger, LoadState(day_start_ns=DAY_NS), EngineState)
        later = await ask(ledger, LoadState(day_start_ns=DAY_NS + makers.DAY_NS), EngineState)

    assert state.live.gas_today_usd == Decimal("0.75")
    assert state.gas_today_usd == 3 * landed.plan.gas.quote  # type: ignore[union-attr]
    assert later.gas_today_usd == later.live.gas_today_usd == 0
