"""Which rule a chain's base fee follows, found from its blocks alone.

By EIP-1559 a fee changes by the share `(used / target - 1) / denominator`, where the target is the
limit over the elasticity: a straight line in how full a block was.
"""

from typing import Final

import msgspec

CASES_MIN: Final = 50
SPREAD_MIN: Final = 1e-9
"""Blocks that were all as full tell nothing."""


class FeeLine(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over pairs of blocks: how full the first was, and by what share the fee changed."""

    cases: int = 0
    full: float = 0.0
    change: float = 0.0
    full_full: float = 0.0
    full_change: float = 0.0
    change_change: float = 0.0

    def learn(self, full_ratio: float, change_ratio: float) -> "FeeLine":
        """Return the sums with a pair more."""
        return FeeLine(
            cases=self.cases + 1,
            full=self.full + full_ratio,
            change=self.change + change_ratio,
            full_full=self.full_full + full_ratio * full_ratio,
            full_change=self.full_change + full_ratio * change_ratio,
            change_change=self.change_change + change_ratio * change_ratio,
        )

    def rule(self) -> "FeeRule | None":
        """Return the rule; None if there are too few blocks or none that a rule explains."""
        n = self.cases
        if n < CASES_MIN:
            return None
        spread = self.full_full - self.full * self.full / n
        if spread < SPREAD_MIN * n:
            return None
        shared = self.full_change - self.full * self.change / n
        slope = shared / spread
        start = (self.change - slope * self.full) / n
        whole = self.change_change - self.change * self.change / n
        if not (slope > 0 > start and whole > 0):
            return None
        return FeeRule(
            denominator=-1 / start, elasticity=slope / -start, explained=slope * shared / whole
        )


class FeeRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, and which share of the changes it explains."""

    denominator: float
    elasticity: float
    explained: float
