"""The paper executor of transactions: each meets the pools as they are when its block comes.

All of it or nothing, in one go. Its gas is paid in both cases.
"""

import heapq
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.detect.graph.pool_sides import PreparedPool
from engine.detect.sizing.exact import leg_of
from engine.domain.chains import block_ms
from engine.domain.errors import BadValueError
from engine.domain.exact import exact_product, exact_sum
from engine.domain.orders import Execution, Intent, Receipt, Swap, Transaction
from engine.domain.plans import AtomicPlan
from engine.domain.stories import TradeStory
from engine.domain.units import NS_PER_MS
from engine.execute.atomic import AtomicExecutor
from engine.execute.atomic_story import tell_atomic_story
from engine.execute.executor import NEVER_NS, Act, Alarm, End, Late, LookUp, Send, Store
from engine.execute.finished import Finished, Found
from engine.execute.following import OutcomeRules
from engine.execute.late import correct
from engine.execute.order_life import News, OrderEvent
from engine.execute.plan_executor import VOID, Around, Intend
from engine.portfolio.taken_pools import TakenPools

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtomicFinished:
    """A transaction that has ended."""

    plan: AtomicPlan
    execution: Execution

    def booked(self, execution: Execution) -> "AtomicFinished":
        """Return it with the execution as it was booked."""
        return replace(self, execution=execution)

    def story(self, found: Found | None = None) -> TradeStory:
        """Tell what made it come to another profit than was found."""
        return tell_atomic_story(self.plan, self.execution, found)


class PaperAtomicExecutor:
    """Executes transactions against the pools without sending anything anywhere.

    Attributes:
        next_at_ns: instant of the next event; `advance` does nothing before it.
    """

    takes = AtomicPlan

    def __init__(
        self,
        *,
        pools: Mapping[int, PreparedPool],
        taken: TakenPools,
        is_killed: Callable[[], bool],
        intend: Intend,
    ) -> None:
        self._intend = intend
        self._pools = pools
        self._taken = taken
        self._atomic = AtomicExecutor(outcomes=OutcomeRules(), is_killed=is_killed)
        self._arrivals: list[tuple[int, int, AtomicPlan, Transaction]] = []
        self._sent = 0
        self.next_at_ns = NEVER_NS
        self._unsaid: list[Finished] = []
        self._late = 0
        self._recovered: set[str] = set()

    @classmethod
    def make(cls, around: Around) -> "PaperAtomicExecutor":
        """Make it of what executors are made of."""
        return cls(
            pools=around.pools,
            taken=around.taken_pools,
            is_killed=around.is_killed,
            intend=around.intend,
        )

    def start(self, plan: AtomicPlan, at_ns: int) -> None:
        """Send the transaction; a plan past its deadline ends at the next advance, unsent."""
        self._taken.take((step.row for step in plan.steps), plan.plan_id)
        acts = self._atomic.start(plan, at_ns)
        if intended := [act.order for act in acts if isinstance(act, Store)]:
            self._intend(Intent.of(plan, intended))
        # Withheld at once, it has ended already: the next advance says so.
        self._unsaid += self._carry_out(acts, at_ns)
        if self._unsaid:
            self.next_at_ns = min(self.next_at_ns, at_ns)

    def recover(self, intent: Intent, at_ns: int) -> None:
        """Take a plan over that was under way when its engine ended; the next advance ends it."""
        plan = intent.plan
        assert isinstance(plan, self.takes)
        self._recovered.add(plan.plan_id)
        self._unsaid += self._carry_out(self._atomic.recover(intent, at_ns), at_ns)
        self.next_at_ns = min(self.next_at_ns, at_ns)

    def knows(self, client_order_id: str) -> bool:
        """Say whether an order is of a plan of its own."""
        return self._atomic.knows(client_order_id)

    def on_news(self, news: News, at_ns: int) -> None:
        """Learn something of an order from elsewhere; what ends by it the next advance says."""
        self._unsaid += self._carry_out(self._atomic.on_news(news, at_ns), at_ns)
        if self._unsaid:
            self.next_at_ns = min(self.next_at_ns, at_ns)

    def advance(self, at_ns: int) -> Sequence[Finished]:
        """Let everything happen that is due up to `at_ns`, in order; return what ended."""
        if self._unsaid:
            self._plan_ahead()
        finished, self._unsaid = self._unsaid, []
        while (due_ns := self.next_at_ns) <= at_ns and due_ns != NEVER_NS:
            if self._arrivals and self._arrivals[0][0] == due_ns:
                _, _, plan, transaction = heapq.heappop(self._arrivals)
                acts = self._atomic.on_news(self._land(plan, transaction, due_ns), due_ns)
            else:
                acts = self._atomic.tick(due_ns)
            finished += self._carry_out(acts, due_ns)
        return finished

    def _carry_out(self, acts: Iterable[Act], at_ns: int) -> list[Finished]:
        finished: list[Finished] = []
        waiting = deque(acts)
        while waiting:
            act = waiting.popleft()
            if isinstance(act, Store):
                waiting.extend(self._atomic.stored(act.order.client_order_id, at_ns))
            elif isinstance(act, Send):
                assert isinstance(act.plan, AtomicPlan)
                assert isinstance(act.order, Transaction)
                self._sent += 1
                lands_at_ns = at_ns + block_ms(act.plan.chain) * NS_PER_MS
                heapq.heappush(self._arrivals, (lands_at_ns, self._sent, act.plan, act.order))
            elif isinstance(act, Alarm):
                _log.warning("%s: %s", act.plan_id, act.sentence)
            elif isinstance(act, LookUp):
                # What is not in the ledger never was: nothing of a paper order is anywhere else.
                order_id = act.order.client_order_id
                absent = News(client_order_id=order_id, event=OrderEvent.ABSENT)
                waiting.extend(self._atomic.on_news(absent, at_ns))
            elif isinstance(act, Late):
                self._late += 1
                finished.append(correct(act, number=self._late))
            elif isinstance(act, End):
                finished.append(_finish(act, VOID if act.plan.plan_id in self._recovered else ""))
        self._plan_ahead()
        return finished

    def _plan_ahead(self) -> None:
        arrival_ns = self._arrivals[0][0] if self._arrivals else NEVER_NS
        self.next_at_ns = min(arrival_ns, self._atomic.next_at_ns)

    def _land(self, plan: AtomicPlan, transaction: Transaction, at_ns: int) -> News:
        """Carry the transaction out on the pools as they are."""
        try:
            swaps, why = self._swap(plan), ""
        except BadValueError as error:
            swaps, why = (), str(error)
        if swaps:
            self._taken.take((step.row for step in plan.steps), plan.plan_id)
        blocks = [
            block
            for step in plan.steps
            if step.row in self._pools and (block := self._pools[step.row].block) is not None
        ]
        receipt = Receipt(
            why=why,
            swaps=swaps,
            flash_fee=plan.flash_fee if swaps else Decimal(0),
            gas_asset=plan.gas.asset,
            gas=plan.gas.amount,
            gas_quote=plan.gas.quote,
            landed_at_ns=at_ns,
            block=max(blocks, default=None),
        )
        return News(
            client_order_id=transaction.client_order_id,
            event=OrderEvent.CANCELLED if why else OrderEvent.FILLED,
            receipt=receipt,
        )

    def _swap(self, plan: AtomicPlan) -> tuple[Swap, ...]:
        """Return what each swap gives now.

        Raises:
            BadValueError: the transaction reverts; the text says why.
        """
        taken = self._taken.find_taken((step.row for step in plan.steps), plan.plan_id)
        if taken is not None:
            raise BadValueError(f"{self._pools[taken].pool} was traded by another transaction")
        swaps = []
        amount_in = plan.steps[0].amount_in
        for step in plan.steps:
            prepared = self._pools.get(step.row)
            if prepared is None:
                raise BadValueError(f"{step.address} at {step.venue} is gone")
            block = prepared.block
            if plan.deadline_block is not None and block is not None:
                # What is seen now is the state before the block that it lands in.
                _check_deadline(block + 1, plan.deadline_block)
            pool = prepared.pool
            leg = leg_of(
                prepared.state,
                token_in=pool.token_index(step.source),
                token_out=pool.token_index(step.target),
            )
            given_raw = leg.amount_out(int(amount_in.scaleb(step.decimals_in)))
            amount_out = Decimal(given_raw).scaleb(-step.decimals_out)
            if amount_out < step.amount_out_min:
                raise BadValueError(
                    f"{pool} gives {amount_out:f} {step.target}, least {step.amount_out_min:f}"
                )
            swaps.append(
                Swap(
                    venue=step.venue,
                    address=step.address,
                    source=step.source,
                    target=step.target,
                    amount_in=amount_in,
                    amount_out=amount_out,
                    frame_seq=step.frame_seq,
                )
            )
            amount_in = amount_out
        gain = exact_sum((amount_in, -plan.steps[0].amount_in, -plan.flash_fee))
        if gain < plan.profit_min_quote:
            raise BadValueError(f"it gains {gain:f}, least {plan.profit_min_quote:f}")
        return tuple(swaps)


def _check_deadline(block: int, deadline_block: int) -> None:
    if block > deadline_block:
        raise BadValueError(f"block {block} is past its deadline block {deadline_block}")


def _finish(end: End, void: str) -> AtomicFinished:
    plan = end.plan
    assert isinstance(plan, AtomicPlan)
    transaction = next((one for one in end.orders if isinstance(one, Transaction)), None)
    profit = Decimal(0)
    if transaction is not None and transaction.receipt is not None:
        profit = exact_sum((transaction.gain, -transaction.receipt.gas_quote))
    opportunity = plan.opportunity
    return AtomicFinished(
        plan=plan,
        execution=Execution(
            execution_id=f"{plan.plan_id}-x",
            plan_id=plan.plan_id,
            opportunity_id=opportunity.opportunity_id,
            closed_at_ns=end.at_ns,
            orders=(),
            quote=opportunity.quote,
            profit_quote=profit,
            profit_usd=exact_product(profit, plan.usd_per_quote),
            expected_usd=exact_product(plan.profit_quote, plan.usd_per_quote),
            transaction=transaction,
            void=void,
        ),
    )
