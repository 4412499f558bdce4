"""Which part of a mixed plan goes first: the one that is less likely to come through.

If what goes first does not come through, nothing is lost but gas; if what follows does not, what
the first left is held. So the more certain part follows. As long as either is not measured the
transaction goes first: a book is hit within milliseconds after it has landed, while a transaction
may never land.
"""

from dataclasses import dataclass
from math import prod

from engine.domain.advice import InclusionAdvice
from engine.domain.opportunities import Leg
from engine.domain.plans import Part
from engine.market.advice_book import AdviceBook
from engine.portfolio.come_through import ComeThrough


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPart:
    """The rule, and what it goes by.

    Attributes:
        advice: how likely others are to be ahead on a chain, where that is advised.
        come_through: what came of what was sent.
    """

    advice: AdviceBook
    come_through: ComeThrough

    def choose(
        self, legs: tuple[Leg, ...], chain: str, *, profit_usd: float, blocks: int
    ) -> tuple[Part, str]:
        """Return what goes first, and why in words.

        Args:
            legs: the orders.
            chain: of the transaction.
            profit_usd: of the plan.
            blocks: how many come until the transaction's; 1 is the next one.
        """
        lands = self._lands(chain, profit_usd, blocks)
        fills = self._fill([str(leg.venue) for leg in legs])
        if lands is None or fills is None:
            unmeasured = chain if lands is None else "an order"
            return Part.TRANSACTION, f"nothing is measured of {unmeasured}"
        figures = f"{lands:.0%} of transactions come through, {fills:.0%} of such orders"
        return (Part.TRANSACTION if lands <= fills else Part.ORDERS), figures

    def _lands(self, chain: str, profit_usd: float, blocks: int) -> float | None:
        """Return the lower of what is advised of a chain and what was measured there."""
        own = self.come_through.ratio(chain)
        advised = self.advice.about(InclusionAdvice, chain) if self.advice.all else None
        ratios = [] if own is None else [own]
        if advised is not None:
            ratios.append(advised.ratio(profit_usd, blocks))
        return min(ratios, default=None)

    def _fill(self, venues: list[str]) -> float | None:
        """Return how likely orders at venues are to fill whole, all of them."""
        ratios = [self.come_through.ratio(venue) for venue in venues]
        known = [one for one in ratios if one is not None]
        return prod(known) if len(known) == len(ratios) else None
