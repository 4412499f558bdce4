"""Random finished plans whose leftovers often cancel, booked as a running engine books them.

Some buys pay their fee in base. Now and then the paper inventory is set to its capital anew.
"""

import dataclasses
import random
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from engine.bus.records import DepositRecord, ExecutionRecord
from engine.domain.assets import AssetCode
from engine.domain.holdings import Capital
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.orders import Order
from engine.domain.plans import LeggedPlan
from engine.portfolio.inventory import Inventory
from engine.portfolio.positions import Positions
from tests.reference.gaps import make_gap
from tests.storage import makers

VENUES = ("binance", "coinbase", "gemini")
PAIRS = ("BTC-USD", "BTC-EUR", "ETH-USD", "ETH-USDC")
ASSETS = sorted({AssetCode(asset) for pair in PAIRS for asset in pair.split("-")})
RESET_SHARE = 0.1
LEFT_OVER = ("0", "0.5", "-0.5", "1", "-1", "0.000000000000000001")


def make_inventory() -> Inventory:
    """Make an inventory with capital at every place that trades touch."""
    return Inventory(
        Capital(venue=VenueId(venue), asset=asset, usd=Decimal(10_000))
        for venue in VENUES
        for asset in ASSETS
    )


def steps(
    seed: int, positions: Positions, inventory: Inventory, count: int
) -> Iterator[list[ExecutionRecord | DepositRecord]]:
    """Book random executions, and yield each one's record behind those of its deposits."""
    chance = random.Random(seed)
    deposits = 0
    for number in range(1, count + 1):
        records: list[ExecutionRecord | DepositRecord] = []
        if chance.random() < RESET_SHARE:
            inventory.reset()
        price_usd = abs(_amount(chance, places=4)) + 1
        prices = dict.fromkeys(ASSETS, price_usd)
        for deposit in inventory.fund(prices.get, most=3):
            deposits += 1
            records.append(makers.make_deposit_record(number=deposits, deposit=deposit))
        trade = _trade(chance, positions, number)
        inventory.add(trade.execution.orders)
        yield [*records, trade]


def _trade(chance: random.Random, positions: Positions, number: int) -> ExecutionRecord:
    pair = chance.choice(PAIRS)
    buy, sell = chance.sample(VENUES, 2)
    record = makers.make_execution_record(
        number=number,
        closed_at_ns=makers.NOW_NS + chance.randrange(-2, 3) * makers.DAY_NS // 2,
        profit_usd=_amount(chance, places=25),
    )
    left_over = Decimal(chance.choice(LEFT_OVER))
    carry = _amount(chance, places=8)
    residual = makers.make_residual(
        left_over, carry, pair=pair, venues=(VenueId(buy), VenueId(sell))
    )
    assert isinstance(record.plan, LeggedPlan)
    opportunity = msgspec.structs.replace(
        record.plan.opportunity,
        hops=make_gap(
            makers.make_instrument(venue=VenueId(buy), pair=pair),
            makers.make_instrument(venue=VenueId(sell), pair=pair),
        ).hops,
    )
    plan = msgspec.structs.replace(
        record.plan, opportunity=opportunity, usd_per_quote=abs(_amount(chance, places=20))
    )
    orders = tuple(_order(chance, order, plan) for order in record.execution.orders)
    execution = dataclasses.replace(
        record.execution,
        orders=orders,
        quote=AssetCode(pair.partition("-")[2]),
        residuals=(residual,) if left_over else (),
    )
    return ExecutionRecord(
        run_id=record.run_id,
        basis=record.basis,
        mode=record.mode,
        plan=plan,
        execution=positions.add(plan, execution),
    )


def _order(chance: random.Random, order: Order, plan: LeggedPlan) -> Order:
    hops = plan.opportunity.hops
    hop = hops[0] if order.side is Side.BUY else hops[1]
    fills = []
    for fill in order.fills:
        fee = abs(_amount(chance, places=18))
        is_in_base = order.side is Side.BUY and chance.random() < 1 / 2
        fills.append(
            dataclasses.replace(
                fill,
                price=abs(_amount(chance, places=2)),
                size_base=abs(_amount(chance, places=18)),
                fee_quote=Decimal(0) if is_in_base else fee,
                fee_base=fee if is_in_base else Decimal(0),
            )
        )
    instrument = makers.make_instrument(venue=hop.venue, pair=hop.place)
    return dataclasses.replace(order, instrument=instrument, fills=tuple(fills))


def _amount(chance: random.Random, *, places: int) -> Decimal:
    return Decimal(chance.randrange(-(10 ** (places + 3)), 10 ** (places + 3))).scaleb(-places)
