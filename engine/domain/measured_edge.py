"""What trades came to against what was expected of them, and how large a bet that bears.

`kelly_notional` is pure; what it is fed with is folded over executions in their order, so that the
ledger's fold at a start is the engine's own, to the last bit.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

TRADES_PRIOR: Final = 30
"""So many trades weigh as much as the belief before any: that there is no edge."""

LEAST_RATIO: Final = Decimal("0.001")
"""Part of the capital that is always let through, or what trades come to could not be measured."""

_VARIANCE_COUNT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredEdge:
    """Of the ratios of realised over expected profit: their count, mean and squared deviations.

    Folded by Welford's method (Technometrics 4, 1962, 419).
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def learn(self, *, realised_usd: Decimal, expected_usd: Decimal) -> "MeasuredEdge":
        """Count a trade; what filled nothing, and what was not planned for a profit, is no bet."""
        if not realised_usd or expected_usd <= 0:
            return self
        ratio = float(realised_usd / expected_usd)
        count = self.count + 1
        off = ratio - self.mean
        mean = self.mean + off / count
        return MeasuredEdge(count=count, mean=mean, squares=self.squares + off * (ratio - mean))

    @property
    def variance(self) -> float:
        """Of a sample; nothing is known of it before the second trade."""
        return self.squares / (self.count - 1) if self.count >= _VARIANCE_COUNT else 0.0

    @property
    def shrunk_mean(self) -> float:
        """The mean, drawn towards none by `TRADES_PRIOR`.

        It is Bühlmann's credibility n / (n + k) with a prior mean of zero (ASTIN Bulletin 4, 1967,
        199).
        """
        return self.mean * self.count / (self.count + TRADES_PRIOR)


def kelly_notional(
    edge: MeasuredEdge, *, expected_ratio: Decimal, kelly_ratio: Decimal, capital_usd: Decimal
) -> Decimal | None:
    """Return the largest notional in USD that a part of the Kelly bet lets through.

    The growth of capital is greatest where the part f = m / s² of it is bet, m and s² being mean
    and variance of the return of a bet (E. O. Thorp, *The Kelly Criterion in Blackjack, Sports
    Betting, and the Stock Market*, 2006, section 7). A trade returns what is expected of it, e of
    its notional, times the ratio x of realised over expected: m = e E[x] and s² = e² Var[x].

    Args:
        edge: what was measured of x.
        expected_ratio: e, above 0.
        kelly_ratio: the part of f that is bet, 0 to 1.
        capital_usd: what the bet is a part of.

    Returns:
        At least `LEAST_RATIO` of the capital; None if nothing bounds it, as trades of a gain do not
        vary.
    """
    least = capital_usd * LEAST_RATIO
    if edge.shrunk_mean <= 0:
        return least
    if not edge.variance:
        return None if edge.count >= _VARIANCE_COUNT else least
    part = Decimal(edge.shrunk_mean / edge.variance) * kelly_ratio / expected_ratio
    return max(part * capital_usd, least)
