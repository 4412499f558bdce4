"""Random finished plans whose leftovers often cancel, booked as a running engine books them."""

import dataclasses
import random
from collections.abc import Iterator
from decimal import Decimal

from engine.bus.records import ExecutionRecord
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.portfolio.positions import Positions
from tests.reference.world import make_gap
from tests.storage import makers

VENUES = ("binance", "coinbase", "gemini")
PAIRS = ("BTC-USD", "BTC-EUR", "ETH-USD", "ETH-USDC")
LEFT_OVER = ("0", "0.5", "-0.5", "1", "-1", "0.000000000000000001")


def trades(seed: int, positions: Positions, count: int) -> Iterator[ExecutionRecord]:
    """Book random executions in `positions` one by one, and yield each one's record."""
    chance = random.Random(seed)
    for number in range(1, count + 1):
        yield _trade(chance, positions, number)


def _trade(chance: random.Random, positions: Positions, number: int) -> ExecutionRecord:
    pair = chance.choice(PAIRS)
    buy, sell = chance.sample(VENUES, 2)
    record = makers.make_execution_record(
        number=number,
        closed_at_ns=makers.NOW_NS + chance.randrange(-2, 3) * makers.DAY_NS // 2,
        profit_usd=_amount(chance, places=25),
        residual_base=Decimal(chance.choice(LEFT_OVER)),
    )
    opportunity = dataclasses.replace(
        record.plan.opportunity,
        hops=make_gap(
            makers.make_instrument(venue=VenueId(buy), pair=pair),
            makers.make_instrument(venue=VenueId(sell), pair=pair),
        ).hops,
    )
    plan = dataclasses.replace(
        record.plan, opportunity=opportunity, usd_per_quote=abs(_amount(chance, places=20))
    )
    execution = dataclasses.replace(
        record.execution,
        quote=AssetCode(pair.partition("-")[2]),
        carry_quote=_amount(chance, places=8) if record.execution.residual_base else Decimal(0),
    )
    return ExecutionRecord(
        run_id=record.run_id,
        basis=record.basis,
        mode=record.mode,
        plan=plan,
        execution=positions.add(plan, execution),
    )


def _amount(chance: random.Random, *, places: int) -> Decimal:
    return Decimal(chance.randrange(-(10 ** (places + 3)), 10 ** (places + 3))).scaleb(-places)
