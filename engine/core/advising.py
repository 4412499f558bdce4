"""How advice reaches the parts that go by it: gas, how late is late, and what is looked at.

Decisions ask the book itself. Each part holds advice within its own bounds, and no part keeps
anything of it once it has ended.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from engine.detect.graph.live_graph import LiveGraph
from engine.detect.moving.moving_pools import MovingPools
from engine.detect.screening.detector import Detector
from engine.detect.screening.episodes import Episode
from engine.domain.advice import (
    BlockTimeAdvice,
    DatedAdvice,
    GasAdvice,
    PathAdvice,
    TipAdvice,
)
from engine.domain.assets import AssetCode
from engine.domain.pools import PoolId
from engine.domain.units import NS_PER_MS
from engine.market.advice_book import WATCHED, AdviceBook

LOOKED_AT: Final = 16
"""So many cycles that are advised are looked at with each tick, in turn."""

TIP_DIGITS: Final = 9
RATIO_DIGITS: Final = 4


class Advising:
    """Brings what is advised into force, and ends it.

    Args:
        book: what decisions ask.

    Attributes:
        paths: cycles to look at.
    """

    def __init__(
        self, book: AdviceBook, graph: LiveGraph, pools: MovingPools, detector: Detector
    ) -> None:
        self.book = book
        self.paths: tuple[PathAdvice, ...] = ()
        self._turn = 0
        self._graph = graph
        self._pools = pools
        self._detector = detector

    def take(self, advice: Sequence[DatedAdvice], at_ns: int) -> None:
        """Take all that is advised from now on."""
        self.book.take(advice, at_ns)
        self._apply()

    def end(self, at_ns: int) -> None:
        """End what has run its time."""
        self.take(self.book.all, at_ns)

    def step_clock(self, step_ns: int) -> None:
        """Keep what holds as long as it does."""
        self.book.step_clock(step_ns)

    def look(self, at_ns: int) -> Sequence[Episode]:
        """Look at the next of the cycles that are advised; see `Detector.on_change`."""
        first, self._turn = self._turn, (self._turn + LOOKED_AT) % len(self.paths)
        turn = (*self.paths[first:], *self.paths[:first])[:LOOKED_AT]
        routes = []
        for path in turn:
            if (route := self._route(path)) is not None:
                routes.append(route)
                self.book.changes(PathAdvice, path.subject, WATCHED)
        return self._detector.look_at(routes, at_ns) if routes else ()

    def _route(self, path: PathAdvice) -> tuple[int, ...] | None:
        """Return a cycle's edges, None while not all of it is followed."""
        numbers = self._pools.numbers
        pools = [numbers.get(PoolId(chain=path.chain, address=address)) for address in path.pools]
        known = [number for number in pools if number is not None]
        if len(known) != len(pools):
            return None
        return self._graph.cycle_of(known, [AssetCode(token) for token in path.tokens])

    def _apply(self) -> None:
        self._pools.advise_gas(
            {one.chain: _decimal(one.tip_gwei, TIP_DIGITS) for _, one in self.book.of(TipAdvice)},
            {one.chain: _decimal(one.ratio, RATIO_DIGITS) for _, one in self.book.of(GasAdvice)},
            open_pools=_open_pools(self._detector),
        )
        self.paths = tuple(one for _, one in self.book.of(PathAdvice))
        self._turn = 0
        self._pools.advise_late(
            {one.chain: int(one.late_ms * NS_PER_MS) for _, one in self.book.of(BlockTimeAdvice)}
        )


def _decimal(number: float, digits: int) -> Decimal:
    return Decimal(str(round(number, digits)))


def _open_pools(detector: Detector) -> Sequence[int]:
    return sorted({number for one in detector.open_episodes for number in one.pools})
