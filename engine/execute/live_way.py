"""The way of plans that are carried out for real: what is left over is closed where it may leave.

Once killed nothing more leaves, not even what would unwind: whoever signs would refuse it. After a
restart what one part did alone is traded back as before it, until so long after the plan was
decided on: at a book that is live again, with the tries that are left, as the orders that were
intended before are followed like any other. What is left over then is kept as such, and a person is
told.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.domain.orders import Sendable
from engine.domain.units import NS_PER_S
from engine.execute.book_executor import Books, LegOrder, Swaps, Way
from engine.execute.unwinding import Unwinding

RESUMED_S_MAX: Final = 300
"""A plan of an earlier run is unwound until so long after it was decided on: by then what became of
its orders is proven at every venue."""


@dataclass(frozen=True, slots=True)
class LiveWay:
    """See `book_executor.Way`; all but closing is as on paper.

    Attributes:
        way: of plans of that kind.
        is_killed: asked before anything is closed.
        is_resumed: says of a plan, by its id, whether it is of an earlier run.
    """

    way: Way
    is_killed: Callable[[], bool]
    is_resumed: Callable[[str], bool]

    def first(self, plan: Any) -> Iterable[LegOrder | Swaps]:
        """See `Way.first`."""
        return self.way.first(plan)

    def following(self, plan: Any, sendables: Sequence[Sendable]) -> Iterable[LegOrder | Swaps]:
        """See `Way.following`."""
        return self.way.following(plan, sendables)

    def closing(
        self, plan: Any, sendables: Sequence[Sendable], books: Books, at_ns: int
    ) -> Unwinding | None:
        """See `Way.closing`."""
        found = self.way.closing(plan, sendables, books, at_ns)
        if found is None or self.is_killed():
            return None
        if not self.is_resumed(plan.plan_id):
            return found
        if not 0 <= at_ns - plan.decided_at_ns <= RESUMED_S_MAX * NS_PER_S:
            return None
        return replace(found, is_awaited=found.price_limit is None)
