"""The live graph of a large market while it changes: books, moves of pools, pools that come and go.

`python -m benchmarks.live_graph`. All calls are made from Python, as the engine makes them; see
`live_market` for the market. That nothing takes 1 ms is what `p99` and `p99.9` are to show.
"""

from collections.abc import Callable
from functools import partial
from itertools import cycle, islice

from benchmarks.harness import WARM_UP_CALLS, Row, machine, measure, print_table
from benchmarks.live_market import (
    AT_NS,
    HUB_BOOK,
    PLAIN_BOOK,
    POOLS,
    TRIANGLE_BOOK,
    LiveMarket,
    deep_snapshot,
)
from engine.detect.graph.pool_sides import prepare_pool
from engine.detect.moving.pool_moves import impact_of, move_pool
from engine.domain.assets import AssetCode

CALLS = 5_000
PREPARED = WARM_UP_CALLS + 200
NEW = POOLS + 1
HIT_RATIO = 1.02
"""Of a book's price, for a route of its own; beyond all fees."""

STEP_RATIO = 1.00001


def _repeated(calls: list[Callable[[], object]]) -> list[Callable[[], object]]:
    return list(islice(cycle(calls), CALLS))


def measure_moves(market: LiveMarket) -> list[Row]:
    """Prepare, move and take pools into the graph."""
    graph, detector, rows = market.graph, market.detector, []
    screens = detector.screens
    for name, number in (("pair", market.busy_pair()), ("V3 of 1,415 ticks", market.deep)):
        held = graph.pool(number)
        moves, moved = market.moves(number), market.moved(number)
        snapshot = held.snapshot
        prepared = measure(f"live.prepare.{name}", [partial(prepare_pool, snapshot)] * PREPARED)
        rows += [
            prepared,
            measure(f"live.move.{name}", _repeated([partial(move_pool, held, m) for m in moves])),
            measure(f"live.impact.{name}", _repeated([partial(impact_of, held, m) for m in moved])),
            measure(
                f"live.change_pools.{name}",
                _repeated([partial(screens.change_pools, {number: m}, AT_NS, 0) for m in moved]),
            ),
        ]
        assert not detector.found
        screens.change_pools({number: held}, AT_NS, 0)
    return rows


def measure_comings(market: LiveMarket) -> list[Row]:
    """Add and remove pools, each call with another one."""
    graph, detector = market.graph, market.detector
    rows = []
    pairs = [prepare_pool(market.make_pair(NEW + k)) for k in range(CALLS)]
    fresh = [
        prepare_pool(market.make_pair(NEW + k, asset=AssetCode(f"N{k}"))) for k in range(CALLS)
    ]
    deep = prepare_pool(deep_snapshot())
    remove = partial(graph.remove_pool, NEW)
    for name, pools in (
        ("pair", pairs),
        ("pair of a new asset", fresh),
        ("V3 of 1,415 ticks", [deep] * CALLS),
    ):
        add: list[Callable[[], object]] = [partial(graph.add_pool, NEW, pool) for pool in pools]
        rows.append(measure(f"live.add_pool.{name}", add, between=remove))
        screened = [partial(detector.add_pool, NEW, pool, AT_NS) for pool in pools]
        rows.append(measure(f"live.add_pool and screen.{name}", screened, between=remove))
        rows.append(_measure_removals(f"live.remove_pool.{name}", add, remove))
    assert not detector.found
    return rows


def _measure_removals(
    name: str, add: list[Callable[[], object]], remove: Callable[[], object]
) -> Row:
    coming = iter(add)

    def come() -> None:
        next(coming)()

    come()
    removed = measure(name, [remove] * (len(add) - 1), between=come)
    remove()
    return removed


def measure_books(market: LiveMarket) -> list[Row]:
    """Change books, with and without a route to find."""
    detector, rows = market.detector, []
    screen = partial(detector.screens.screen, HUB_BOOK, AT_NS, 0)
    detect = partial(detector.on_change, HUB_BOOK, AT_NS)
    ratios = cycle((1.0, STEP_RATIO))

    def step() -> None:
        market.show(HUB_BOOK, next(ratios))

    for name, between in (("same top", None), ("new top", step)):
        for call_name, call in (("screen", screen), ("detector", detect)):
            step()
            rows.append(measure(f"live.{call_name}.book, {name}", [call] * CALLS, between=between))
    for legs, book in ((2, PLAIN_BOOK), (3, TRIANGLE_BOOK)):
        rows += _measure_hits(market, legs, book)
    return rows


def _measure_hits(market: LiveMarket, legs: int, book: int) -> list[Row]:
    detector = market.detector

    def again() -> None:
        """Take the route away and bring it back, the last without a look."""
        market.show(book)
        detector.on_change(book, AT_NS)
        market.show(book, HIT_RATIO)

    again()
    rows = [
        measure(
            f"live.screen.book, hit of {legs} legs",
            [partial(detector.screens.screen, book, AT_NS, 0)] * CALLS,
            between=again,
        )
    ]
    found = detector.found
    rows.append(
        measure(
            f"live.detector.book, hit of {legs} legs",
            [partial(detector.on_change, book, AT_NS)] * CALLS,
            between=again,
        )
    )
    assert detector.found - found == CALLS
    detector.on_change(book, AT_NS)
    assert {len(episode.first.hops) for episode in detector.open_episodes} == {legs}
    market.show(book)
    detector.on_change(book, AT_NS)
    return rows


def measure_all() -> list[Row]:
    """Measure everything in one market."""
    market = LiveMarket()
    return measure_moves(market) + measure_comings(market) + measure_books(market)


if __name__ == "__main__":
    print(f"machine: {machine()}")
    print_table(measure_all())
