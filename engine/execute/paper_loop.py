"""A paper executor: a machine whose orders and transactions meet the market as it is here.

An order is on its way once its intent is durable and is answered at its own time. Nothing leaves
the process; but an order that did would have to wait, and so does this one.
"""

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from engine.domain.orders import Intent, Sendable
from engine.domain.plans import Plan
from engine.execute.executor import (
    NEVER_NS,
    Act,
    Alarm,
    End,
    Executor,
    Late,
    LookUp,
    Send,
    Store,
)
from engine.execute.finished import NOTHING_FINISHED, Finished
from engine.execute.order_life import News, OrderEvent
from engine.execute.plan_executor import VOID, Intend

_log = logging.getLogger(__name__)


class PaperLine(Protocol):
    """Where orders go, or transactions.

    Attributes:
        next_at_ns: when it answers next, `NEVER_NS` if it has nothing.
    """

    next_at_ns: int

    def begin(self, plan: Plan, *, is_new: bool) -> None:
        """Learn of a plan; one that is not new was taken over, and nothing of it is sent again."""
        ...

    def takes(self, order: Sendable) -> bool:
        """Say whether such an order goes here."""
        ...

    def send(self, send: Send, at_ns: int) -> None:
        """Take an order that leaves."""
        ...

    def meet(self, at_ns: int) -> News | None:
        """Let what is due next meet the market; None if it waits on."""
        ...


class Endings(Protocol):
    """What plans of one kind come to."""

    def finish(self, end: End, *, void: str) -> Finished:
        """Settle a plan that has ended; `void` says why it counts nothing, if it does not."""
        ...

    def correct(self, late: Late, *, number: int) -> Finished:
        """Settle what was told of a plan after its end."""
        ...


class PaperLoop:
    """Executes plans of one kind without sending anything anywhere.

    Attributes:
        takes: the type of its plans.
        is_live: nothing here is.
        next_at_ns: instant of the next event; `advance` does nothing before it.
        waiting: orders that are to leave once their intent is durable, and since when they wait.
    """

    is_live = False

    def __init__(
        self,
        takes: type[Plan],
        machine: Executor[Any],
        lines: Sequence[PaperLine],
        endings: Endings,
        *,
        intend: Intend,
        waits_for_intents: bool,
    ) -> None:
        self.takes = takes
        self._machine = machine
        self._lines = tuple(lines)
        self._endings = endings
        self._intend = intend
        self._waits_for_intents = waits_for_intents
        self.next_at_ns = NEVER_NS
        self.waiting: dict[str, int] = {}
        self._plan_of: dict[str, Plan] = {}
        self._unsaid: list[Finished] = []
        self._late = 0
        self._recovered: set[str] = set()

    def start(self, plan: Plan, at_ns: int) -> None:
        """Send what goes first; a plan past its deadline ends at the next advance, unsent."""
        self._begin(plan, is_new=True)
        self._carry_out_unsaid(self._machine.start(plan, at_ns), at_ns)

    def recover(self, intent: Intent, at_ns: int) -> None:
        """Take a plan over that was under way when its engine ended; the next advance ends it."""
        plan = intent.plan
        assert isinstance(plan, self.takes)
        self._recovered.add(plan.plan_id)
        self._begin(plan, is_new=False)
        self._carry_out_unsaid(self._machine.recover(intent, at_ns), at_ns)
        self.next_at_ns = min(self.next_at_ns, at_ns)

    def stored(self, client_order_id: str, at_ns: int) -> None:
        """Send an order whose intent is durable; what ends by it the next advance says."""
        self.waiting.pop(client_order_id, None)
        self._carry_out_unsaid(self._machine.stored(client_order_id, at_ns), at_ns)

    def knows(self, client_order_id: str) -> bool:
        """Say whether an order is of a plan of its own."""
        return self._machine.knows(client_order_id)

    def on_news(self, news: News, at_ns: int) -> None:
        """Learn something of an order from elsewhere; what ends by it the next advance says."""
        if news.event is OrderEvent.WITHHELD:
            self.waiting.pop(news.client_order_id, None)
        self._carry_out_unsaid(self._machine.on_news(news, at_ns), at_ns)

    def advance(self, at_ns: int) -> Sequence[Finished]:
        """Let everything happen that is due up to `at_ns`, in order; return what ended.

        To be called before each input is applied: orders meet the market as it was until then.
        """
        if self._unsaid:
            self._plan_ahead()
        finished, self._unsaid = self._unsaid, []
        while (due_ns := self.next_at_ns) <= at_ns and due_ns != NEVER_NS:
            finished += self._carry_out(self._next(due_ns), due_ns)
        return finished or NOTHING_FINISHED

    def _next(self, due_ns: int) -> Sequence[Act]:
        for line in self._lines:
            if line.next_at_ns == due_ns:
                news = line.meet(due_ns)
                return () if news is None else self._machine.on_news(news, due_ns)
        return self._machine.tick(due_ns)

    def _begin(self, plan: Plan, *, is_new: bool) -> None:
        self._plan_of[plan.plan_id] = plan
        for line in self._lines:
            line.begin(plan, is_new=is_new)

    def _carry_out_unsaid(self, acts: Sequence[Act], at_ns: int) -> None:
        """Do what follows now; what has ended by it, as if withheld, the next advance says."""
        self._unsaid += self._carry_out(acts, at_ns)
        if self._unsaid:
            self.next_at_ns = min(self.next_at_ns, at_ns)

    def _carry_out(self, acts: Iterable[Act], at_ns: int) -> list[Finished]:
        finished: list[Finished] = []
        waiting = deque(self._intended(acts))
        while waiting:
            act = waiting.popleft()
            if isinstance(act, Store):
                if self._waits_for_intents:
                    self.waiting[act.order.client_order_id] = at_ns
                else:
                    stored = self._machine.stored(act.order.client_order_id, at_ns)
                    waiting.extend(self._intended(stored))
            elif isinstance(act, Send):
                next(line for line in self._lines if line.takes(act.order)).send(act, at_ns)
            elif isinstance(act, Alarm):
                _log.warning("%s: %s", act.plan_id, act.sentence)
            elif isinstance(act, LookUp):
                # What is not in the ledger never was: nothing of a paper order is anywhere else.
                order_id = act.order.client_order_id
                absent = News(client_order_id=order_id, event=OrderEvent.ABSENT)
                waiting.extend(self._intended(self._machine.on_news(absent, at_ns)))
            elif isinstance(act, Late):
                self._late += 1
                finished.append(self._endings.correct(act, number=self._late))
            elif isinstance(act, End):
                plan_id = act.plan.plan_id
                del self._plan_of[plan_id]
                void = VOID if plan_id in self._recovered else ""
                finished.append(self._endings.finish(act, void=void))
        self._plan_ahead()
        return finished

    def _intended(self, acts: Iterable[Act]) -> Iterable[Act]:
        """Keep what is about to be sent, before any of it is: all of a plan's together."""
        acts = list(acts)
        by_plan: dict[str, list[Sendable]] = {}
        for act in acts:
            if isinstance(act, Store):
                by_plan.setdefault(act.order.plan_id, []).append(act.order)
        for plan_id, orders in by_plan.items():
            self._intend(Intent.of(self._plan_of[plan_id], orders))
        return acts

    def _plan_ahead(self) -> None:
        self.next_at_ns = min(*(line.next_at_ns for line in self._lines), self._machine.next_at_ns)
