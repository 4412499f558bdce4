"""The executor of plans that are one transaction: sent once, then followed until a block shows it.

It needs no unwinding: a transaction does all or nothing, and pays its gas in both cases.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from engine.domain.orders import Intent, OrderState, Transaction
from engine.domain.plans import AtomicPlan, is_live, recovery_of
from engine.execute.executor import Act
from engine.execute.following import Following, OutcomeRules, Run
from engine.execute.order_life import ENDED, LIFE, PROOFS, UNSENT, News, OrderEvent


@dataclass(slots=True)
class TransactionLife:
    """One transaction and all that is known of it.

    Attributes:
        order: with its state and receipt as known.
        alarms: what a person has to look at, in sentences; empty if all is well.
    """

    order: Transaction
    alarms: list[str] = field(default_factory=list)
    _was_withheld: bool = False

    @property
    def where(self) -> str:
        """Where it goes, for a person."""
        return self.order.chain

    @property
    def is_settled(self) -> bool:
        """Whether it has ended, and if a block shows it, with what."""
        order = self.order
        has_landed = order.state in ENDED and order.state is not OrderState.REJECTED
        return order.state in ENDED and (
            not has_landed or order.receipt is not None or self._was_withheld
        )

    def sent(self, at_ns: int) -> None:
        """Note when it was released."""
        self.order = replace(self.order, sent_at_ns=at_ns)

    def take(self, news: News) -> None:
        """Take over what is learned; the same twice, or in another order, ends in the same facts.

        The first receipt stands; another one is told to a person, who has to look at the chain. But
        where versions are told, the last one stands, and a person is told of each that differs.
        """
        order = self.order
        if news.version:
            self._take_version(news)
            return
        if news.event in PROOFS and (order.state in UNSENT or self._was_withheld):
            self._alarm(f"{order.chain} shows it as {news.event}, but it was never sent")
            return
        if news.receipt is not None:
            if order.receipt is not None and news.receipt != order.receipt:
                self._alarm(f"{order.chain} shows another receipt than before: {news.receipt}")
                return
            is_first = order.receipt is None
            if is_first and order.state is OrderState.REJECTED:
                self._alarm(f"taken to have never landed, now shown as {news.event}")
            self.order = replace(self.order, receipt=news.receipt)
        self._was_withheld |= news.event.value == "withheld" and order.state in UNSENT
        state = LIFE[order.state].get(news.event, order.state)
        if self.order.receipt is not None:
            reverted = self.order.receipt.is_reverted
            state = OrderState.CANCELLED if reverted else OrderState.FILLED
        self.order = replace(self.order, state=state)

    def _take_version(self, news: News) -> None:
        order = self.order
        if news.version <= order.version:
            return
        if order.state in UNSENT or self._was_withheld:
            self._alarm(f"{order.chain} tells of it as {news.event}, but it was never sent")
            return
        if order.version and news.receipt != order.receipt:
            self._alarm(f"what was told of it is no longer so: it is {news.event} now")
        self.order = replace(
            order, state=_STATES[news.event], receipt=news.receipt, version=news.version
        )

    def _alarm(self, sentence: str) -> None:
        self.alarms.append(f"{self.order.client_order_id}: {sentence}")


_STATES: Final = {
    OrderEvent.FILLED: OrderState.FILLED,
    OrderEvent.CANCELLED: OrderState.CANCELLED,
    OrderEvent.ABSENT: OrderState.REJECTED,
    OrderEvent.UNCLEAR: OrderState.UNKNOWN,
}
"""What whoever sends tells, and the state that it is."""


class AtomicExecutor:
    """Executes plans that are one transaction; see `executor.Executor`."""

    def __init__(self, *, outcomes: OutcomeRules, is_killed: Callable[[], bool]) -> None:
        self._following = Following(outcomes=outcomes, is_killed=is_killed, settled=self._end)
        self.stored = self._following.stored
        self.on_news = self._following.on_news
        self.knows = self._following.knows
        self.missed = self._following.missed
        self.tick = self._following.tick

    @property
    def next_at_ns(self) -> int:
        """When `tick` is due next; `NEVER_NS` if nothing waits."""
        return self._following.next_at_ns

    def start(self, plan: AtomicPlan, at_ns: int) -> Sequence[Act]:
        """Intend the transaction; a plan past its deadline ends with the next tick."""
        run = self._following.begin(plan)
        acts: list[Act] = []
        if at_ns > plan.deadline_ns:
            run.retry_ns = at_ns
        else:
            transaction = Transaction(
                client_order_id=f"{plan.plan_id}-t",
                plan_id=plan.plan_id,
                chain=plan.chain,
                wallet=plan.wallet,
                sent_at_ns=at_ns,
                state=OrderState.PLANNED,
                gains_at=recovery_of(plan.chain) if is_live(plan) else None,
            )
            acts.append(self._following.intend(run, 0, TransactionLife(transaction)))
        self._following.plan_ahead()
        return acts

    def recover(self, intent: Intent, at_ns: int) -> Sequence[Act]:
        """Take a plan over whose engine ended while it was under way; nothing is sent again."""
        lives = [(0, TransactionLife(one)) for one in intent.transactions]
        return self._following.resume(intent.plan, lives, at_ns)

    def remember(self, plan: AtomicPlan, transaction: Transaction) -> None:
        """Know a plan that ended in an earlier run: what is told of it corrects what was booked."""
        self._following.remember(plan, [(0, TransactionLife(transaction))])

    def _end(self, run: Run, at_ns: int) -> list[Act]:
        return [self._following.end(run, at_ns)]
