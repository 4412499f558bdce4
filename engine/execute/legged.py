"""The way of plans whose legs are orders at books: all at once, then what is left unwound."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.domain.orders import Sendable
from engine.domain.plans import LeggedPlan
from engine.execute.book_executor import Books, LegOrder, Swaps, orders_of
from engine.execute.unwinding import Unwinding, next_unwinding


@dataclass(frozen=True, slots=True)
class LeggedWay:
    """See `book_executor.Way`."""

    def first(self, plan: LeggedPlan) -> Iterable[LegOrder | Swaps]:
        """One order per leg."""
        return [LegOrder(number, leg.size_base) for number, leg in enumerate(plan.legs)]

    def following(
        self, plan: LeggedPlan, sendables: Sequence[Sendable]
    ) -> Iterable[LegOrder | Swaps]:
        """Nothing follows."""
        del plan, sendables
        return ()

    def closing(
        self, plan: LeggedPlan, sendables: Sequence[Sendable], books: Books, at_ns: int
    ) -> Unwinding | None:
        """Each asset is traded back by the leg before it, or after it where it is owed."""
        return next_unwinding(
            plan,
            orders_of(sendables),
            quotes=books.quotes,
            costs=books.costs,
            rules=books.rules,
            at_ns=at_ns,
        )
