"""How long opportunities last, by what they are worth: shares that are still there after blocks.

Counts by edge and by blocks until somebody took them, with a prior that counts as some cases.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.agents.learning.inclusion_prior import BLOCKS, EDGES_USD, TAKEN

PRIOR_CASES: Final = 20.0
"""As so many cases of each edge the prior counts."""

Counts = tuple[tuple[float, ...], ...]

_NOTHING: Final[Counts] = ((0.0,) * (BLOCKS + 2),) * len(EDGES_USD)


class Lasting(msgspec.Struct, frozen=True, kw_only=True):
    """Cases by edge: taken in the same block, the next, .. the eighth, and later."""

    counts: Counts = _NOTHING

    def learn(self, edge_usd: float, blocks: int) -> "Lasting":
        """Return the counts with a case more."""
        at, place = row_of(edge_usd), min(blocks, BLOCKS + 1)
        rows = [list(row) for row in self.counts]
        rows[at][place] += 1
        return Lasting(counts=tuple(map(tuple, rows)))

    def kept(self, share: float) -> "Lasting":
        """Return the counts as a share of what they are: older cases count less."""
        return Lasting(counts=tuple(tuple(n * share for n in row) for row in self.counts))

    @property
    def cases(self) -> float:
        """Return how many there are."""
        return sum(map(sum, self.counts))

    def by_edge(self, prior: Counts = TAKEN) -> tuple[tuple[float, ...], ...]:
        """Return for each edge the shares that nobody had taken by the end of block 1, 2, .."""
        return tuple(
            _still_there(own, before) for own, before in zip(self.counts, prior, strict=True)
        )

    def as_one(self, prior: Counts = TAKEN) -> tuple[float, ...]:
        """Return the same for all edges together."""
        return _still_there(_sums(self.counts), _sums(prior))


def row_of(edge_usd: float) -> int:
    """Return which row an edge is of."""
    return max(0, bisect_right(EDGES_USD, edge_usd) - 1)


def _sums(rows: Counts) -> tuple[float, ...]:
    return tuple(map(sum, zip(*rows, strict=True)))


def _still_there(own: Sequence[float], prior: Sequence[float]) -> tuple[float, ...]:
    """Return shares later than block 1, 2, ..; ties within a block count as lost."""
    scale = PRIOR_CASES / sum(prior)
    cases = [n + scale * before for n, before in zip(own, prior, strict=True)]
    whole = sum(cases)
    return tuple(sum(cases[block + 1 :]) / whole for block in range(1, BLOCKS + 1))
