"""`/why` of an open route, as the engine answers it. `python -m benchmarks.why` prints the table.

The engine is one thread: a frame may wait as long as the longest step of a person's question. Books
and pools of a pair stand in parallel, a curve among them. `exact` is the route alone, `split` all
that is done to find out whether sharing its legs gains more, the route alone included where it is
needed.
"""

import random
import time
from decimal import Decimal
from functools import partial

import numpy as np

from benchmarks.harness import WARM_UP_CALLS, Row, machine, measure, print_table, row
from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.pool_sides import prepare_pool
from engine.detect.graph.screen_terms import Screen
from engine.detect.screening.detector import Detector
from engine.detect.splitting.search import split_terms
from engine.domain.assets import AssetCode
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.domain.opportunities import Opportunity
from engine.market.board import Board
from engine.market.gas_book import GasBook
from engine.portfolio.costs import Costs
from engine.portfolio.taken import Taken
from engine.ports import Applied, LevelForm
from engine.quote.exact_legs import ExactLegs
from engine.quote.route import RouteConfirmer, RouteRules
from engine.quote.split import SplitConfirmer
from engine.sandbox.pools import load_pools

CALLS = WARM_UP_CALLS + 700
DONE = object()
LEVELS = 60
AT_NS = 1_700_000_000_000_000_000
AGE_NS_MAX = 10_000_000_000
USD = {"ETH": 2_685.5, "BTC": 61_838.0, "USDT": 1.0, "USDC": 1.0}
BOOKS = (
    ("a", "ETH-USDT", 1.0),
    ("b", "ETH-USDT", 1.001),
    ("c", "ETH-USDT", 1.012),
    ("a", "ETH-USDC", 1.012),
    ("b", "ETH-USDC", 1.011),
    ("c", "ETH-USDC", 1.004),
    ("a", "USDC-USDT", 1.001),
    ("a", "BTC-USDT", 1.0),
    ("b", "BTC-USDT", 1.012),
)
"""Venue, pair, and at how many times the usual price the book stands."""


class OpenRoutes:
    """A market with open routes of two and three legs."""

    def __init__(self) -> None:
        instruments = [_instrument(venue, pair) for venue, pair, _ in BOOKS]
        self.board = Board(instruments, levels_max=LEVELS)
        costs = Costs(
            fee_bps_taker={one.venue: Decimal(10) for one in instruments}, transfer_bps=Decimal(2)
        )
        screen = Screen(
            edge_bps_min=Decimal(10),
            age_ns_max=AGE_NS_MAX,
            flash_fee_bps=Decimal(5),
            gas=GasBook({"ethereum": Decimal(1)}),
        )
        graph = LiveGraph(self.board, costs, screen)
        prices = {AssetCode(code): Decimal(str(usd)) for code, usd in USD.items()}
        for number, snapshot in enumerate(load_pools(prices)):
            graph.add_pool(number, prepare_pool(snapshot))
        graph.set_values({asset: float(usd) for asset, usd in prices.items()})
        self._detector = Detector(self.board, graph, age_ns_max=AGE_NS_MAX, run_id="bench")
        rng = random.Random(5)
        for book in range(len(BOOKS)):
            self._show(book, rng)
        legs = ExactLegs(self.board, costs, Taken(self.board), graph.pools)
        self.routes = RouteConfirmer(legs, costs, RouteRules(flash_fee_bps=screen.flash_fee_bps))
        self.splits = SplitConfirmer(
            graph.parallel, legs, self.routes, split_terms(screen, costs.transfer_bps)
        )

    def of_legs(self, legs: int, *, is_shared: bool) -> Opportunity:
        """Return an open route that gains more with its legs shared, or does not."""
        for episode in self._detector.open_episodes:
            route = self._detector.newest(episode)
            if len(route.hops) == legs:
                found = self.splits.confirm(route, AT_NS)
                if (found is not None) == is_shared:
                    return route
        raise RuntimeError(f"no open route of {legs} legs, shared: {is_shared}")

    def _show(self, book: int, rng: random.Random) -> None:
        venue, pair, ratio = BOOKS[book]
        middle = USD[pair.partition("-")[0]] * ratio
        size = 2_000.0 / USD[pair.partition("-")[0]]
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
        assert applied is Applied.OK, f"{pair} at {venue}"
        self._detector.on_change(book, AT_NS)


def _instrument(venue: str, pair: str) -> Instrument:
    return Instrument(
        venue=VenueId(venue),
        pair=Pair.parse(pair),
        wire_name=pair,
        price_decimals=4,
        size_decimals=8,
        tick_quote=Decimal("0.0001"),
        lot_base=Decimal("0.0001"),
    )


def measure_all() -> list[Row]:
    """Measure the exact figures of a route, and the search for a better one through more places."""
    market = OpenRoutes()
    rows = []
    for legs in (2, 3):
        for is_shared in (False, True):
            route = market.of_legs(legs, is_shared=is_shared)
            kind = f"{legs} legs, {'shared' if is_shared else 'not shared'}"
            for name, confirm in (
                ("exact", partial(market.routes.confirm, route)),
                ("split", partial(market.splits.confirm, route, AT_NS)),
            ):
                rows.append(measure(f"why.{name}.{kind}", [confirm] * CALLS))
            longest_ns = np.array([_longest_step_ns(market, route) for _ in range(CALLS)])
            rows.append(row(f"why.split, its longest step.{kind}", longest_ns[WARM_UP_CALLS:]))
    return rows


def _longest_step_ns(market: OpenRoutes, route: Opportunity) -> int:
    """Return how long a frame may have to wait: steps give way to it."""
    steps = market.splits.confirm_in_steps(route, AT_NS)
    longest_ns = 0
    while True:
        started_ns = time.perf_counter_ns()
        is_done = next(steps, DONE) is DONE
        longest_ns = max(longest_ns, time.perf_counter_ns() - started_ns)
        if is_done:
            return longest_ns


if __name__ == "__main__":
    print(f"machine: {machine()}")
    print_table(measure_all())
