"""Mixed routes confirmed exactly, back to back and after a pause. `python -m benchmarks.mixed`.

Confirmation is what stands between a screened route of books and pools and a plan. `back to back`
has every cache warm; `every 3 ms` and `every 30 ms` are what one takes that comes after such a
pause, as routes do: seldom, and in between the processor did other things, or slept.
"""

import random
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Final

from benchmarks.harness import WARM_UP_CALLS, Row, machine, measure, print_table
from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.pool_sides import prepare_pool
from engine.detect.graph.screen_terms import Screen
from engine.detect.screening.detector import Detector
from engine.domain.assets import AssetCode
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.domain.mixed_routes import pool_run
from engine.domain.opportunities import Opportunity
from engine.market.board import Board
from engine.market.gas_book import GasBook
from engine.market.valuation import Valuation
from engine.portfolio.costs import Costs
from engine.portfolio.taken import Taken
from engine.portfolio.taken_pools import TakenPools
from engine.ports import Applied, LevelForm
from engine.quote.atomic import AtomicConfirmer, AtomicRules
from engine.quote.exact_legs import ExactLegs
from engine.quote.gap import LimitRules
from engine.quote.mixed import ConfirmedMixed, MixedConfirmer
from engine.sandbox.pools import load_pools

CALLS: Final = WARM_UP_CALLS + 2_000
PAUSES: Final[tuple[tuple[str, float, int], ...]] = (
    ("back to back", 0.0, CALLS),
    ("every 3 ms", 0.003, WARM_UP_CALLS + 1_000),
    ("every 30 ms", 0.030, WARM_UP_CALLS + 300),
)
LEVELS: Final = 60
AT_NS: Final = 1_700_000_000_000_000_000
AGE_NS_MAX: Final = 10_000_000_000
USD: Final = {"ETH": 2_685.5, "BTC": 61_838.0, "USDT": 1.0, "USDC": 1.0}
BOOKS: Final = (
    ("ETH-USD", 1.0),
    ("BTC-USD", 1.0),
    ("USDT-USD", 1.0),
    ("USDC-USD", 1.0),
    ("ETH-USDT", 1.02),
    ("ETH-USDC", 0.98),
    ("BTC-USDT", 1.02),
)
"""Pair, and at how many times the usual price its book stands."""


class MixedMarket:
    """Books of one venue beside the pools that the sandbox makes up, with open routes of both."""

    def __init__(self) -> None:
        venue = VenueId("a")
        self.board = Board([_instrument(venue, pair) for pair, _ in BOOKS], levels_max=LEVELS)
        costs = Costs(fee_bps_taker={venue: Decimal(10)}, transfer_bps=Decimal(2))
        gas = GasBook({"ethereum": Decimal(1)})
        screen = Screen(edge_bps_min=Decimal(10), age_ns_max=AGE_NS_MAX, gas=gas)
        graph = LiveGraph(self.board, costs, screen)
        prices = {AssetCode(code): Decimal(str(usd)) for code, usd in USD.items()}
        for number, snapshot in enumerate(load_pools(prices)):
            graph.add_pool(number, prepare_pool(snapshot))
        graph.set_values({asset: float(usd) for asset, usd in prices.items()})
        self._detector = Detector(self.board, graph, age_ns_max=AGE_NS_MAX, run_id="bench")
        rng = random.Random(5)
        for book in range(len(BOOKS)):
            self._show(book, rng)
        taken, rules = Taken(self.board), LimitRules(slippage_bps=Decimal(5))
        atomic = AtomicConfirmer(
            ExactLegs(self.board, costs, taken, graph.pools),
            graph.pools,
            TakenPools(graph.pools),
            Valuation(self.board, age_ns_max=AGE_NS_MAX),
            AtomicRules(limits=rules, flash_fee_bps=Decimal(5), gas=gas),
        )
        self._mixed = MixedConfirmer(
            self.board, costs, taken, graph.pools, atomic=atomic, rules=rules
        )

    def confirming(self, legs: int) -> Callable[[], object]:
        """Return the confirmation of an open route of so many legs, one that comes to a plan."""
        for route in self._open():
            if len(route.hops) == legs and pool_run(route.hops) is not None:
                size = Decimal(route.size_base)
                if isinstance(self._mixed.confirm(route, size, AT_NS), ConfirmedMixed):
                    return partial(self._mixed.confirm, route, size, AT_NS)
        raise RuntimeError(f"no open route of books and pools with {legs} legs")

    def _open(self) -> Iterator[Opportunity]:
        for episode in self._detector.open_episodes:
            yield self._detector.newest(episode)

    def _show(self, book: int, rng: random.Random) -> None:
        pair, ratio = BOOKS[book]
        base, _, quote = pair.partition("-")
        middle = USD[base] / USD.get(quote, 1.0) * ratio
        size = 2_000.0 / USD[base]
        bids, asks = (
            ",".join(
                f'["{middle * (1 + way * 3e-4 * step):.4f}","{size * rng.random() + 0.001:.4f}"]'
                for step in range(1, LEVELS)
            )
            for way in (-1, 1)
        )
        applied = self.board.replace(
            book, LevelForm.PAIRS, f"[{bids}]".encode(), f"[{asks}]".encode(), AT_NS
        )
        assert applied is Applied.OK, pair
        self._detector.on_change(book, AT_NS)


def _instrument(venue: VenueId, pair: str) -> Instrument:
    return Instrument(
        venue=venue,
        pair=Pair.parse(pair),
        wire_name=pair,
        price_decimals=4,
        size_decimals=8,
        tick_quote=Decimal("0.0001"),
        lot_base=Decimal("0.0001"),
    )


def measure_all() -> list[Row]:
    """Measure routes of two and three legs, at each pace."""
    market = MixedMarket()
    rows = []
    for legs in (2, 3):
        confirm = market.confirming(legs)
        for pace, pause_s, calls in PAUSES:
            between = partial(time.sleep, pause_s) if pause_s else None
            name = f"core.confirm.mixed.{legs}_legs, {pace}"
            rows.append(measure(name, [confirm] * calls, between=between))
    return rows


if __name__ == "__main__":
    print(f"machine: {machine()}")
    print_table(measure_all())
