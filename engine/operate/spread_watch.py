"""The nearest misses of the last hour: the best gap of each pair, sampled, by the minute.

Samples are taken by a task of its own, one pair at a time, and never with a frame.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from engine.bus.reports import SpreadLine
from engine.detect.screening.spreads import Spread, Spreads
from engine.domain.units import NS_PER_MINUTE

MINUTES: Final = 60
"""Minutes remembered; with the pairs, this bounds the record."""


class SpreadWatch:
    """Samples the gaps of a board and reports them."""

    def __init__(self, spreads: Spreads) -> None:
        self._spreads = spreads
        self._best: defaultdict[str, dict[int, SpreadLine]] = defaultdict(dict)
        self._next = 0

    @property
    def pairs(self) -> Sequence[str]:
        """Pairs that are sampled."""
        return self._spreads.pairs

    def sample_next(self, at_ns: int) -> None:
        """Look at the next pair; its best gap is kept if it is the minute's best."""
        if not self.pairs:
            return
        pair = self.pairs[self._next % len(self.pairs)]
        self._next += 1
        found = self._spreads.of_pair(pair, at_ns)
        minute = at_ns // NS_PER_MINUTE
        kept = self._best[pair]
        # Minutes ahead are from before the clock was set back.
        for other in [one for one in kept if not minute - MINUTES < one <= minute]:
            del kept[other]
        if found and (minute not in kept or kept[minute].net_bps < found[0].net_bps):
            kept[minute] = _line(found[0], at_ns)

    def now(self, at_ns: int) -> list[SpreadLine]:
        """Return the gaps as they are, the best of each pair first, the best pair first."""
        by_pair = [self._spreads.of_pair(pair, at_ns) for pair in self.pairs]
        seen = sorted((found for found in by_pair if found), key=lambda found: -found[0].net_bps)
        return [_line(spread, at_ns) for found in seen for spread in found]

    def nearest(self, at_ns: int) -> list[SpreadLine]:
        """Return the best gap of each pair in the last hour, the best pair first."""
        first = at_ns // NS_PER_MINUTE - MINUTES
        best = [
            max(lines, key=lambda line: line.net_bps)
            for kept in self._best.values()
            if (lines := [line for minute, line in kept.items() if minute > first])
        ]
        return sorted(best, key=lambda line: -line.net_bps)


def _line(spread: Spread, at_ns: int) -> SpreadLine:
    return SpreadLine(
        pair=spread.pair,
        buy_venue=spread.buy_venue,
        sell_venue=spread.sell_venue,
        gross_bps=spread.gross_bps,
        net_bps=spread.net_bps,
        at_ns=at_ns,
    )
