"""From the word that an order is filled until the books have it: positions, balances, the record.

`python -m benchmarks.booking`, or `make bench PARTS=booked`. The engine's own core in mode live,
with two exchanges whose books stand apart again and again. For each plan the word of its first
order is taken as an input, and then that of its last: with it the trade is over, its profit known,
both accounts changed and its record on the way to the ledger.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from time import perf_counter_ns
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import structs

from benchmarks.harness import Row, machine, print_table, row
from engine.bus.records import ExecutionRecord, IntentRecord, Record
from engine.core.input_list import INPUTS
from engine.core.inputs.intent_stored import IntentStored
from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.inputs.order_told import OrderTold
from engine.core.inputs.switched import ControlState
from engine.core.inputs.venue_seen import VenueLooked
from engine.core.middle import Middle
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode
from engine.domain.orders import Order
from engine.domain.orders_told import FillTold, HeldAtVenue, OrderFate, OrderNews, VenueSeen
from engine.operate.world import LiveWorld
from engine.ports import LevelForm
from engine.wiring.core import build_core
from tests.execute.live_books import MS, Desk
from tests.reference.run_core import make_header, make_surroundings
from tests.reference.world import START_NS, make_instrument, write_side

VENUES: Final = ("here", "there")
PLANS: Final = 400
WARM_UP: Final = 20
APART: Final = (("100.00", "100.10"), ("101.00", "101.10"))
TOGETHER: Final = (("100.00", "100.10"), ("100.00", "100.10"))


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A whole book."""

    book: int
    bid: str
    ask: str
    size: str


def _show(core: Middle, given: Input[Shown]) -> Answers:
    shown = given.payload
    bids, asks = (write_side([(price, shown.size)]) for price in (shown.bid, shown.ask))
    core.pipeline._board.replace(  # noqa: SLF001 - as a feed does
        shown.book, LevelForm.PAIRS, bids, asks, given.at_ns
    )
    return NO_ANSWERS


SHOWN: Final = Kind(number=78, name="shown", payload=Shown, take=_show)


class _Engine:
    """The core of an engine, and what it tells the ledger and whoever places orders."""

    def __init__(self) -> None:
        made = make_header([make_instrument(one) for one in VENUES], [])
        terms = structs.replace(
            made.terms,
            waits_for_intents=True,
            trades={VenueId(one): Decimal(10**9) for one in VENUES},
            limits={"age_ms_max": Decimal(600_000), "position_usd": Decimal(10**9)},
        )
        live = ControlState(mode=Mode.LIVE, is_paused=False)
        self.records: list[Record] = []
        self.desk = Desk(Random(1))
        around = replace(
            make_surroundings(),
            world=LiveWorld(is_killed=_no, is_ledger_behind=_no, recorder=None),
            kinds=(*INPUTS, SHOWN),
            put=self.records.append,
            trader=self.desk,
        )
        self.core = build_core(structs.replace(made, terms=terms, control=live), around)
        self.at_ns = START_NS
        self.number = 0
        self.size = "2"

    def command(self, payload: object) -> int:
        """Take an input; return how long it took, in ns."""
        self.at_ns += MS
        began = perf_counter_ns()
        self.core.hot_path.command(payload, self.at_ns)
        return perf_counter_ns() - began

    def show(self, prices: Sequence[tuple[str, str]]) -> None:
        """Show both books, of other sizes than before: what was taken of them is there again."""
        self.size = "2" if self.size == "3" else "3"
        for book, (bid, ask) in enumerate(prices):
            self.command(Shown(book=book, bid=bid, ask=ask, size=self.size))

    def plan(self) -> list[Order]:
        """Have a plan made, its intent stored and its orders handed over."""
        for venue in VENUES:
            seen = _seen(venue, self.at_ns)
            self.command(VenueLooked(seen=seen, is_whole=self.number == 0))
        self.show(APART)
        (intent,) = [one.intent for one in self.records if isinstance(one, IntentRecord)]
        names = [one.client_order_id for one in intent.sendables]
        self.command(IntentStored(client_order_ids=names, is_refused=False))
        return [one.order for one in self.desk.sends if isinstance(one.order, Order)]

    def told(self, order: Order) -> int:
        """Tell that an order is filled as it was asked for; return how long that took, in ns."""
        self.number += 1
        pair, size = order.instrument.pair, order.size_base
        fill = FillTold(
            fill_id=f"t{self.number}",
            filled_at_ns=self.at_ns,
            price=order.price_limit,
            size_base=size,
            fee=Decimal("0.01"),
            fee_asset=pair.quote,
        )
        news = OrderNews(
            client_order_id=order.client_order_id,
            venue=order.instrument.venue,
            version=1,
            fate=OrderFate.FILLED,
            venue_order_id=f"v{self.number}",
            fills=(fill,),
            filled_base=size,
        )
        return self.command(OrderTold(number=self.number, news=news))

    def tick(self) -> int:
        """Let what is due happen; return how long that took, in ns."""
        began = perf_counter_ns()
        self.core.hot_path.tick(self.at_ns)
        return perf_counter_ns() - began

    def has_booked(self) -> bool:
        """Say whether the trade is on its way to the ledger."""
        return any(isinstance(one, ExecutionRecord) for one in self.records)


def measure_all() -> list[Row]:
    """Measure both words of each plan."""
    took: dict[str, list[int]] = defaultdict(list)
    engine = _Engine()
    for _ in range(WARM_UP + PLANS):
        first, last = engine.plan()
        took["first_fill"].append(engine.told(first))
        assert not engine.has_booked()
        last_ns = engine.told(last)
        if not engine.has_booked():
            last_ns += engine.tick()
        assert engine.has_booked()
        took["last_fill"].append(last_ns)
        engine.show(TOGETHER)
        engine.show(TOGETHER)
        engine.at_ns += 2_000 * MS
        engine.tick()
        engine.records.clear()
        engine.desk.sends.clear()
    return [row(f"booked.{name}", np.array(one[WARM_UP:])) for name, one in took.items()]


def _no() -> bool:
    return False


def _seen(venue: str, at_ns: int) -> VenueSeen:
    held: list[Any] = [
        HeldAtVenue(asset=AssetCode(asset), free=Decimal(amount), held=Decimal(0))
        for asset, amount in (("USD", 10**7), ("BTC", 10**5))
    ]
    return VenueSeen(venue=VenueId(venue), told=0, at_ns=at_ns, held=tuple(held))


if __name__ == "__main__":
    print(machine())
    print_table(measure_all())
