"""The engine's way to whoever sends: what is handed over is tried until it is taken, in order.

Nothing here waits on the hot path, and nothing is decided: what is lost on the way, or told twice,
ends the same, as each plan is carried out once under its id and each word of news has a version.

Whoever sends keeps what it tells until the ledger has it booked, whichever run that was in: only
then it is acknowledged. What ended in an earlier run comes with what is booked of it.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from engine.bus.booked import GetBooked
from engine.bus.request import Caller
from engine.bus.sending import (
    Acknowledge,
    AskAfter,
    GetUntold,
    HandOver,
    SeeWallets,
    ToldNews,
)
from engine.core.inputs.transaction_told import TransactionTold
from engine.domain.backoff import Backoff
from engine.domain.errors import BadValueError, TransientError
from engine.domain.handed import Handed, PoolTerms
from engine.domain.orders import Transaction
from engine.domain.plans import AtomicPlan
from engine.domain.told import Booked, WalletSeen

log = logging.getLogger(__name__)

RETRY_S_FIRST: Final = 0.05
RETRY_S_MAX: Final = 2.0
CALL_S: Final = 5.0
CONFIRM_S_FIRST: Final = 0.2
CONFIRM_S_MAX: Final = 10.0
SEE_S: Final = 10.0
"""What is ours on chain is compared with the books so often."""
ASKED_MAX: Final = 200
"""Transactions that the ledger is asked for at a time."""


class Handing:
    """See `execute.plan_executor.Sender`.

    Attributes:
        take: makes an input of news; set before `run`.
        see: makes an input of what is ours on a chain; set before `run`.
        knows: says whether something of a transaction is known in this run; set before `run`.

    Args:
        sender: the role that sends.
        ledger: that has what is booked.
        engine: whose plans they are.
        now_ns: the wall clock.
    """

    def __init__(
        self, sender: Caller, ledger: Caller, *, engine: str, now_ns: Callable[[], int]
    ) -> None:
        self.take: Callable[[TransactionTold], None] = _nobody
        self.see: Callable[[WalletSeen], None] = _nobody
        self.knows: Callable[[str], bool] = _unknown
        self._sender = sender
        self._ledger = ledger
        self._engine = engine
        self._now_ns = now_ns
        self._waiting: deque[HandOver | AskAfter] = deque()
        self._has_more = asyncio.Event()
        self._unbooked: dict[int, ToldNews] = {}
        self._has_unbooked = asyncio.Event()
        self._newest: int | None = None

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
        asked = AskAfter(client_order_id=client_order_id, engine=self._engine)
        if asked not in self._waiting:
            self._add(asked)

    async def run(self) -> None:
        """Hand over and listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._push())
            tasks.create_task(self._listen())
            tasks.create_task(self._confirm())
            tasks.create_task(self._look())

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
                name = asked.handed.client_order_id
                told = await self._sender.call(
                    AskAfter(client_order_id=name, engine=self._engine), timeout_s=CALL_S
                )
                await self._learn(told.news)
            return
        await self._learn((await self._sender.call(asked, timeout_s=CALL_S)).news)

    async def _listen(self) -> None:
        """Take all that is not acknowledged, first of earlier runs, then for ever."""
        backoff = Backoff(first_s=RETRY_S_FIRST, longest_s=RETRY_S_MAX)
        after = 0
        while True:
            try:
                told = await self._sender.call(
                    GetUntold(engine=self._engine, after=after), timeout_s=CALL_S
                )
                await self._learn(told.news)
            except TransientError as error:
                log.info("news of transactions: %s", error)
                await asyncio.sleep(backoff.next_s())
                continue
            backoff.reset()
            after = told.news[-1].number if told.news else max(told.newest, after)
            # All that was told up to there is taken; there may be more of a long list.
            self._newest = told.newest if after >= told.newest else None

    async def _learn(self, news: Sequence[ToldNews]) -> None:
        """Make inputs of news; raises `TransientError` where the ledger does not say."""
        unknown = [one for one in news if not self.knows(one.news.client_order_id)]
        booked = await self._booked(unknown)
        for one in news:
            known = booked.get(one.news.client_order_id)
            self._unbooked[one.number] = one
            if known is None or known.version < one.news.version:
                self.take(TransactionTold(number=one.number, news=one.news, booked=known))
        if news:
            self._has_unbooked.set()

    async def _booked(self, news: Sequence[ToldNews]) -> dict[str, Booked]:
        names = [*dict.fromkeys(one.news.client_order_id for one in news)]
        found: dict[str, Booked] = {}
        for at in range(0, len(names), ASKED_MAX):
            asked = GetBooked(client_order_ids=tuple(names[at : at + ASKED_MAX]))
            report = await self._ledger.call(asked, timeout_s=CALL_S)
            found |= {one.client_order_id: one for one in report.booked}
        return found

    async def _confirm(self) -> None:
        """Acknowledge what the ledger has booked."""
        backoff = Backoff(first_s=CONFIRM_S_FIRST, longest_s=CONFIRM_S_MAX)
        while True:
            if not self._unbooked:
                self._has_unbooked.clear()
                await self._has_unbooked.wait()
                backoff.reset()
            await asyncio.sleep(backoff.next_s())
            with contextlib.suppress(TransientError):
                await self.confirm()

    async def confirm(self) -> None:
        """Look once what is booked by now, and acknowledge it.

        Raises:
            TransientError: the ledger or the sender is away; nothing is lost by it.
        """
        booked = await self._booked([*self._unbooked.values()])
        done = tuple(
            number
            for number, one in self._unbooked.items()
            if (known := booked.get(one.news.client_order_id)) is not None
            and known.version >= one.news.version
        )
        if done:
            await self._sender.call(Acknowledge(numbers=done), timeout_s=CALL_S)
        for number in done:
            self._unbooked.pop(number, None)

    async def _look(self) -> None:
        """Compare what is ours on chain with the books, at the start and by period."""
        backoff = Backoff(first_s=RETRY_S_FIRST, longest_s=RETRY_S_MAX)
        while True:
            try:
                is_seen = await self.look()
            except TransientError as error:
                log.info("what is ours on chain: %s", error)
                is_seen = False
            if is_seen:
                backoff.reset()
            await asyncio.sleep(SEE_S if is_seen else backoff.next_s())

    async def look(self) -> bool:
        """Make an input of what is ours on each chain; say whether any could be said.

        What reckons with more than was told here, or with less, says nothing of the books.
        """
        seen = (await self._sender.call(SeeWallets(), timeout_s=CALL_S)).seen
        fitting = [one for one in seen if one.told == self._newest]
        for one in fitting:
            self.see(one)
        return bool(fitting)


def _nobody(_told: object) -> None:
    """Tell nobody."""


def _unknown(_client_order_id: str) -> bool:
    return False
