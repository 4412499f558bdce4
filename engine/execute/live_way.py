"""The way of plans that are carried out for real: what is left over is closed where it may leave.

Once killed nothing more leaves, not even what would unwind: whoever signs would refuse it. Nor does
anything after a restart, which begins without real money. What is left over then is kept as such,
and a person is told.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.domain.orders import Sendable
from engine.execute.book_executor import Books, LegOrder, Swaps, Way
from engine.execute.unwinding import Unwinding


@dataclass(frozen=True, slots=True)
class LiveWay:
    """See `book_executor.Way`; all but closing is as on paper.

    Attributes:
        way: of plans of that kind.
        may_close: says of a plan, by its id, whether what it left over may be closed.
    """

    way: Way
    may_close: Callable[[str], bool]

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
        return found if found is not None and self.may_close(plan.plan_id) else None
