"""The engine's way to whoever sends transactions, and what it tells of them; see `delivery`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from engine.bus.booked import GetBooked
from engine.bus.request import AsksNow, Caller
from engine.bus.sending import (
    Acknowledge,
    AskAfter,
    GetUntold,
    HandedOver,
    HandOver,
    Prepare,
    SeeWallets,
    ToldNews,
)
from engine.core.inputs.transaction_told import TransactionTold
from engine.domain.handed import Handed, PoolTerms
from engine.domain.orders import Transaction
from engine.domain.plans import MixedPlan, OnChain
from engine.domain.told import Booked, WalletSeen
from engine.operate.delivery import Delivery, log

CALL_S: Final = 5.0
SEE_S: Final = 10.0
"""What is ours on chain is compared with the books so often."""


class Handing:
    """See `execute.plan_executor.Sender` and `delivery.Line`.

    Attributes:
        take_told: makes an input of news; set before `run`.
        see: makes an input of what is ours on a chain; set before `run`.
        is_known: says whether something of a transaction is known in this run; set before `run`.

    Args:
        sender: the role that sends.
        ledger: that has what is booked.
        engine: whose plans they are.
        now_ns: the wall clock.
        carries_mixed: whether plans are handed over that have orders beside their transaction.
    """

    who = "sender"

    def __init__(
        self,
        sender: Caller,
        ledger: Caller,
        *,
        engine: str,
        now_ns: Callable[[], int],
        carries_mixed: bool = False,
    ) -> None:
        self.take_told: Callable[[TransactionTold], None] = nobody
        self.see: Callable[[WalletSeen], None] = nobody
        self.is_known: Callable[[str], bool] = unknown
        self._sender = sender
        self._ledger = ledger
        self._engine = engine
        self._now_ns = now_ns
        self._carries_mixed = carries_mixed
        self._delivery: Delivery[HandOver | AskAfter, ToldNews, Booked] = Delivery(
            self, look_s=SEE_S
        )
        self.run = self._delivery.run
        self.confirm = self._delivery.confirm

    def hand_over(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None = None,
        *,
        until_ns: int = 0,
    ) -> None:
        """Hand a plan over, whose intent is durable, with the terms that a person approved.

        One with orders beside it is asked after instead, unless such are carried out: then it
        never came, and does not any more.
        """
        if isinstance(plan, MixedPlan) and not self._carries_mixed:
            log.warning("%s: nobody carries plans of orders and a transaction out", plan.plan_id)
            self.ask_after(transaction.client_order_id)
            return
        handed = self._handed(plan, transaction, pools, approved, until_ns=until_ns)
        self._delivery.add(HandOver(handed=handed))

    def prepare(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None = None,
    ) -> None:
        """Have done ahead what can be of a plan whose intent is on its way to the ledger.

        It is of no account: whatever is wrong the hand-over says, too.
        """
        if isinstance(self._sender, AsksNow):
            handed = self._handed(plan, transaction, pools, approved)
            self._sender.ask_now(Prepare(handed=handed))

    def _handed(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None,
        *,
        until_ns: int = 0,
    ) -> Handed:
        return Handed(
            client_order_id=transaction.client_order_id,
            plan=plan,
            pools=tuple(pools),
            approved=approved,
            engine=self._engine,
            at_ns=self._now_ns(),
            amount_in=transaction.amount_in,
            until_ns=until_ns if isinstance(plan, MixedPlan) else 0,
        )

    def ask_after(self, client_order_id: str) -> None:
        """Ask what became of a plan."""
        self._delivery.add_once(AskAfter(client_order_id=client_order_id, engine=self._engine))

    def knows(self, client_order_id: str) -> bool:
        """See `Line.knows`."""
        return self.is_known(client_order_id)

    def ask_now(
        self, asked: HandOver | AskAfter
    ) -> Callable[[], Awaitable[Sequence[ToldNews]]] | None:
        """See `Line.ask_now`."""
        if isinstance(asked, AskAfter) or not isinstance(self._sender, AsksNow):
            return None
        reply = self._sender.ask_now(asked, timeout_s=CALL_S)
        return None if reply is None else partial(self._handed_over, asked, reply)

    async def ask(self, asked: HandOver | AskAfter) -> Sequence[ToldNews]:
        """See `Line.ask`."""
        if isinstance(asked, HandOver):
            return await self._handed_over(
                asked, partial(self._sender.call, asked, timeout_s=CALL_S)
            )
        return (await self._sender.call(asked, timeout_s=CALL_S)).news

    async def _handed_over(
        self, asked: HandOver, answered: Callable[[], Awaitable[HandedOver]]
    ) -> Sequence[ToldNews]:
        """Return what is told of a plan that was refused, nothing of one that was taken."""
        reply = await answered()
        if not reply.why:
            return ()
        name = asked.handed.client_order_id
        log.warning("%s is not carried out: %s", name, reply.why)
        after = AskAfter(client_order_id=name, engine=self._engine)
        return (await self._sender.call(after, timeout_s=CALL_S)).news

    async def untold(self, after: int) -> tuple[Sequence[ToldNews], int]:
        """See `Line.untold`."""
        asked = GetUntold(engine=self._engine, after=after)
        told = await self._sender.call(asked, timeout_s=CALL_S)
        return told.news, told.newest

    async def booked(self, client_order_ids: Sequence[str]) -> Mapping[str, Booked]:
        """See `Line.booked`."""
        asked = GetBooked(client_order_ids=tuple(client_order_ids))
        report = await self._ledger.call(asked, timeout_s=CALL_S)
        return {one.client_order_id: one for one in report.booked}

    def is_booked(self, told: ToldNews, booked: Booked | None) -> bool:
        """See `Line.is_booked`."""
        return booked is not None and booked.version >= told.news.version

    def take(self, told: ToldNews, booked: Booked | None) -> None:
        """See `Line.take`."""
        self.take_told(TransactionTold(number=told.number, news=told.news, booked=booked))

    async def acknowledge(self, numbers: tuple[int, ...]) -> None:
        """See `Line.acknowledge`."""
        await self._sender.call(Acknowledge(numbers=numbers), timeout_s=CALL_S)

    async def look(self) -> bool:
        """Make an input of what is ours on each chain; say whether any could be said.

        What reckons with more than was told here, or with less, says nothing of the books.
        """
        seen = (await self._sender.call(SeeWallets(), timeout_s=CALL_S)).seen
        fitting = [one for one in seen if one.told == self._delivery.newest]
        for one in fitting:
            self.see(one)
        return bool(fitting)


def nobody(_told: object) -> None:
    """Tell nobody."""


def unknown(_client_order_id: str) -> bool:
    """Say that nothing is known of it."""
    return False
