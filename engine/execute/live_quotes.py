"""Where the books of a real plan are, and their best prices: also of a plan of an earlier run.

A plan names its books by their rows, and those are of the run that made it. In a later one the same
row may be another instrument's: there the book is found by what is traded in it.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.opportunities import Side
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.execute.fill import PaperVenue


@dataclass(frozen=True, slots=True)
class LiveQuotes:
    """See `unwinding.Quotes`.

    Attributes:
        resumed: ids of plans of earlier runs.
    """

    venue: PaperVenue
    resumed: AbstractSet[str]

    def best_price(
        self, plan: LeggedPlan | MixedPlan, leg: int, side: Side, at_ns: int
    ) -> Decimal | None:
        """Return the best price that an unwinding order would meet, None if the book is stale."""
        row = row_now(self.venue, plan, leg, is_resumed=plan.plan_id in self.resumed)
        return None if row is None else self.venue.best_price(row, side, at_ns)


def row_now(
    venue: PaperVenue, plan: LeggedPlan | MixedPlan, leg: int, *, is_resumed: bool
) -> int | None:
    """Return the row of the book of a leg in this run, None where it has none."""
    if is_resumed:
        return venue.row_of(plan.legs[leg].instrument)
    hop = plan.hop_of(leg) if isinstance(plan, MixedPlan) else leg
    return plan.opportunity.hops[hop].row
