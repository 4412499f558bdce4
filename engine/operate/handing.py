"""The engine's way to whoever sends: what is handed over is tried until it is taken, in order.

Nothing here waits on the hot path, and nothing is decided: what is lost on the way, or told twice,
ends the same, as each plan is carried out once under its id and each word of news has a version.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from engine.bus.request import Caller
from engine.bus.sending import AskAfter, GetTold, HandOver, ToldNews
from engine.core.inputs.transaction_told import TransactionTold
from engine.domain.backoff import Backoff
from engine.domain.errors import BadValueError, TransientError
from engine.domain.handed import Handed, PoolTerms
from engine.domain.orders import Transaction
from engine.domain.plans import AtomicPlan

log = logging.getLogger(__name__)

RETRY_S_FIRST: Final = 0.05
RETRY_S_MAX: Final = 2.0
CALL_S: Final = 5.0


class Handing:
    """See `execute.plan_executor.Sender`.

    Attributes:
        take: makes an input of news; set before `run`.

    Args:
        sender: the role that sends.
        engine: whose plans they are.
        now_ns: the wall clock.
    """

    def __init__(self, sender: Caller, *, engine: str, now_ns: Callable[[], int]) -> None:
        self.take: Callable[[TransactionTold], None] = _nobody
        self._sender = sender
        self._engine = engine
        self._now_ns = now_ns
        self._waiting: deque[HandOver | AskAfter] = deque()
        self._has_more = asyncio.Event()

    def hand_over(
        self,
        plan: AtomicPlan,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: AtomicPlan | None = None,
    ) -> None:
        """Hand a plan over, whose intent is durable, with the terms that a person approved."""
        handed = Handed(
            client_order_id=transaction.client_order_id,
            plan=plan,
            pools=tuple(pools),
            approved=approved,
            engine=self._engine,
            at_ns=self._now_ns(),
        )
        self._add(HandOver(handed=handed))

    def ask_after(self, client_order_id: str) -> None:
        """Ask what became of a plan."""
        asked = AskAfter(client_order_id=client_order_id)
        if asked not in self._waiting:
            self._add(asked)

    async def run(self) -> None:
        """Hand over and listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._push())
            tasks.create_task(self._listen())

    def _add(self, asked: HandOver | AskAfter) -> None:
        self._waiting.append(asked)
        self._has_more.set()

    async def _push(self) -> None:
        backoff = Backoff(first_s=RETRY_S_FIRST, longest_s=RETRY_S_MAX)
        while True:
            if not self._waiting:
                self._has_more.clear()
                await self._has_more.wait()
            asked = self._waiting[0]
            try:
                await self._ask(asked)
            except TransientError as error:
                log.warning("%d wait for the sender: %s", len(self._waiting), error)
                await asyncio.sleep(backoff.next_s())
                continue
            except BadValueError as error:
                log.error("the sender refuses %s: %s", asked, error)  # noqa: TRY400 - said whole
            backoff.reset()
            with contextlib.suppress(ValueError):
                self._waiting.remove(asked)

    async def _ask(self, asked: HandOver | AskAfter) -> None:
        if isinstance(asked, HandOver):
            reply = await self._sender.call(asked, timeout_s=CALL_S)
            if reply.why:
                log.warning("%s is not carried out: %s", asked.handed.client_order_id, reply.why)
                told = await self._sender.call(
                    AskAfter(client_order_id=asked.handed.client_order_id), timeout_s=CALL_S
                )
                self._tell(told.news)
            return
        self._tell((await self._sender.call(asked, timeout_s=CALL_S)).news)

    async def _listen(self) -> None:
        """Take all news from now on; of what was told before, what is under way is asked after."""
        backoff = Backoff(first_s=RETRY_S_FIRST, longest_s=RETRY_S_MAX)
        after: int | None = None
        while True:
            try:
                told = await self._sender.call(GetTold(after=after), timeout_s=CALL_S)
            except TransientError as error:
                log.info("news of transactions: %s", error)
                await asyncio.sleep(backoff.next_s())
                continue
            backoff.reset()
            self._tell(told.news)
            after = told.news[-1].number if told.news else max(told.newest, after or 0)

    def _tell(self, news: Sequence[ToldNews]) -> None:
        for one in news:
            self.take(TransactionTold(number=one.number, news=one.news))


def _nobody(_told: TransactionTold) -> None:
    """Tell nobody."""
