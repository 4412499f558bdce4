"""The one list of executors; adding one is a file and a line here.

Each takes the plans of one type, on paper or for real, as the plan itself says. What is due is done
in the order of time over all of them.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from engine.domain.errors import BadValueError, FatalError
from engine.domain.orders import Intent, Sendable
from engine.domain.orders_told import OrderNews
from engine.domain.plans import Plan, is_live
from engine.domain.told import TransactionNews
from engine.execute.executor import NEVER_NS
from engine.execute.finished import NOTHING_FINISHED, Finished
from engine.execute.live_atomic import LiveAtomicExecutor
from engine.execute.live_book_executor import LiveBookExecutor
from engine.execute.live_legged import make_live_legged
from engine.execute.live_mixed import make_live_mixed
from engine.execute.order_life import News, OrderEvent
from engine.execute.paper import make_paper, make_paper_mixed
from engine.execute.paper_atomic import make_paper_atomic
from engine.execute.plan_executor import Around, PlanExecutor

_log = logging.getLogger(__name__)

EXECUTORS: Final[tuple[Callable[[Around], PlanExecutor], ...]] = (
    make_paper,
    make_paper_atomic,
    make_paper_mixed,
    LiveAtomicExecutor.make,
    make_live_legged,
    make_live_mixed,
)

HearsOfChains = LiveAtomicExecutor | LiveBookExecutor
"""Those that are told of transactions."""


class Executors:
    """All executors as one.

    Attributes:
        next_at_ns: instant of the next event; `advance` does nothing before it.
    """

    def __init__(
        self, around: Around, makers: Sequence[Callable[[Around], PlanExecutor]] = EXECUTORS
    ) -> None:
        self._all = [make(around) for make in makers]
        self._by_kind = {(one.takes, one.is_live): one for one in self._all}
        self._refusal = around.permit_refusal
        self.next_at_ns = NEVER_NS

    def start(self, plan: Plan, at_ns: int) -> None:
        """Give a plan to the executor of its type.

        Raises:
            FatalError: there is none, or nobody has permitted what the plan says.
        """
        why = self._refusal(plan, at_ns)
        if why:
            raise FatalError(f"{plan.plan_id} may not be carried out: {why}")
        executor = self._by_kind.get(kind_of(plan))
        if executor is None:
            live = "live " if is_live(plan) else ""
            raise FatalError(f"no executor takes {live}{type(plan).__name__}: {plan.plan_id}")
        executor.start(plan, at_ns)
        self._plan_ahead()

    def recover(self, intents: Sequence[Intent], at_ns: int) -> None:
        """Take plans over that were under way when their engine ended; nothing is sent again.

        Raises:
            FatalError: there is no executor for one of them.
        """
        for intent in intents:
            executor = self._by_kind.get(kind_of(intent.plan))
            if executor is None:
                raise FatalError(f"no executor takes {intent.plan.plan_id} over")
            executor.recover(intent, at_ns)
        self._plan_ahead()

    def stored(self, client_order_id: str, at_ns: int) -> None:
        """Learn that an intent is durable; one of a plan that has ended meanwhile is no matter."""
        for one in self._all:
            one.waiting.pop(client_order_id, None)
            if one.knows(client_order_id):
                one.stored(client_order_id, at_ns)
        self._plan_ahead()

    def withhold(self, client_order_id: str, at_ns: int) -> None:
        """Learn that an intent never will be durable: its order stays unsent."""
        for one in self._all:  # also of a plan that ended and is forgotten: `finish` waits for it
            one.waiting.pop(client_order_id, None)
        withheld = News(client_order_id=client_order_id, event=OrderEvent.WITHHELD)
        if any(one.knows(client_order_id) for one in self._all):
            self.on_news(withheld, at_ns)

    def on_news(self, news: News, at_ns: int) -> None:
        """Learn something of an order, be its plan under way or ended; `advance` says what ends.

        Raises:
            BadValueError: it is no order of ours; a person has to look at it.
        """
        for one in self._all:
            if one.knows(news.client_order_id):
                one.on_news(news, at_ns)
                self._plan_ahead()
                return
        raise BadValueError(f"{news.client_order_id} is no order of ours: {news.event}")

    def told(self, news: TransactionNews, at_ns: int) -> None:
        """Learn what became of a transaction that was sent.

        If nobody knows it any more it is logged, for a person to look at.
        """
        for one in self._all:
            if isinstance(one, HearsOfChains) and one.knows(news.client_order_id):
                one.transaction_told(news, at_ns)
                self._plan_ahead()
                return
        _log.warning("%s is of no plan that is known here: %s", news.client_order_id, news.fate)

    def order_told(self, news: OrderNews, at_ns: int) -> None:
        """Learn what became of an order that was placed.

        If nobody knows it any more it is logged, for a person to look at.
        """
        for one in self._all:
            if isinstance(one, LiveBookExecutor) and one.knows(news.client_order_id):
                one.told(news, at_ns)
                self._plan_ahead()
                return
        _log.warning("%s is of no plan that is known here: %s", news.client_order_id, news.fate)

    def knows(self, client_order_id: str) -> bool:
        """Say whether an order is of a plan under way, or of one that ended not long ago."""
        return any(one.knows(client_order_id) for one in self._all)

    def remember(self, plan: Plan, sendables: Sequence[Sendable]) -> None:
        """Know a live plan that ended in an earlier run, as it was booked."""
        for one in self._all:
            if isinstance(one, HearsOfChains) and isinstance(plan, one.takes):
                one.remember(plan, sendables)

    def advance(self, at_ns: int) -> Sequence[Finished]:
        """Let everything happen that is due up to `at_ns`, in order; return what ended.

        To be called before each input is applied: what is under way meets the market as it was.
        """
        finished: list[Finished] = []
        while (due_ns := self.next_at_ns) <= at_ns and due_ns != NEVER_NS:
            for one in self._all:
                if one.next_at_ns <= due_ns:
                    finished += one.advance(due_ns)
            self._plan_ahead()
        return finished or NOTHING_FINISHED

    def finish(self) -> Sequence[Finished]:
        """Let all that is under way come to its end, each at its own time; return what ended.

        What still waits for its intent stays unsent.
        """
        finished = [*self.advance(NEVER_NS)]
        while waiting := [pair for one in self._all for pair in one.waiting.items()]:
            for client_order_id, since_ns in waiting:
                self.withhold(client_order_id, since_ns)
            finished += self.advance(NEVER_NS)
        return finished or NOTHING_FINISHED

    def _plan_ahead(self) -> None:
        self.next_at_ns = min(one.next_at_ns for one in self._all)


def kind_of(plan: Plan) -> tuple[type[Plan], bool]:
    """Return by what the executor of a plan is found."""
    return type(plan), is_live(plan)
