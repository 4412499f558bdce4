"""Whoever places orders and whoever sends, as the executor of live mixed plans sees both.

What is told of an order or of a transaction has versions, each of which says all that counts. Which
of them come, how often and in which order is the test's to say.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from random import Random
from typing import TypeVar

import msgspec

from engine.domain.handed import PoolTerms
from engine.domain.opportunities import Side
from engine.domain.orders import (
    Execution,
    Intent,
    Order,
    Receipt,
    Sendable,
    Swap,
    Transaction,
)
from engine.domain.orders_told import OrderNews
from engine.domain.plans import MixedPlan, OnChain, Part
from engine.domain.told import Fate, TransactionNews
from engine.execute.fill import PaperVenue
from engine.execute.live_book_executor import LiveBookExecutor
from engine.execute.live_mixed import make_live_mixed
from engine.execute.plan_executor import Around, PlanExecutor
from engine.pools.snapshots import PoolSnapshot
from engine.portfolio.taken import Taken
from engine.portfolio.taken_pools import TakenPools
from engine.storage.booked import added_up
from tests.execute.live_books import MS, Desk, live_around
from tests.execute.mixed_worlds import make_mixed_world, open_plan
from tests.reference.world import AGE_NS_MAX, World

GAS = Decimal("0.001")
Changes = dict[tuple[str, str], Fraction]
News = OrderNews | TransactionNews


@dataclass
class ChainDesk:
    """Takes what is handed over, each transaction once."""

    random: Random
    handed: list[Transaction] = field(default_factory=list)
    approved: list[OnChain | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    news: dict[str, list[TransactionNews]] = field(default_factory=dict)
    prepared: list[str] = field(default_factory=list)

    def hand_over(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None = None,
        *,
        until_ns: int = 0,
    ) -> None:
        assert isinstance(plan, MixedPlan)
        assert (until_ns > plan.deadline_ns) is (plan.first is Part.ORDERS)
        assert [one.pool.address for one in pools] == [step.address for step in plan.steps]
        assert transaction.client_order_id not in self.news, "none is handed over twice"
        self.handed.append(transaction)
        self.approved.append(approved)
        self.news[transaction.client_order_id] = self._story(plan, transaction)

    def prepare(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None = None,
    ) -> None:
        del plan, pools, approved
        self.prepared.append(transaction.client_order_id)

    def ask_after(self, client_order_id: str) -> None:
        self.asked.append(client_order_id)
        never = transaction_news(client_order_id, 1, Fate.NEVER)
        self.news.setdefault(client_order_id, [never])

    def _story(self, plan: MixedPlan, transaction: Transaction) -> list[TransactionNews]:
        """Say what becomes of it: it may land, be undone, and land again or not."""
        told: list[TransactionNews] = []
        name = transaction.client_order_id
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            if told:
                told.append(transaction_news(name, len(told) + 1, Fate.UNDONE))
            fate = self.random.choice([Fate.SUCCEEDED, Fate.SUCCEEDED, Fate.REVERTED, Fate.NEVER])
            share = Decimal(self.random.randint(990, 1_000)) / 1_000
            receipt = None
            if fate is not Fate.NEVER:
                why = "" if fate is Fate.SUCCEEDED else "reverted"
                receipt = receipt_of(plan, transaction, share=share, why=why)
            told.append(transaction_news(name, len(told) + 1, fate, receipt))
        return told


def transaction_news(
    client_order_id: str, version: int, fate: Fate, receipt: Receipt | None = None
) -> TransactionNews:
    return TransactionNews(
        client_order_id=client_order_id, version=version, fate=fate, receipt=receipt
    )


def receipt_of(
    plan: MixedPlan, transaction: Transaction, *, share: Decimal = Decimal(1), why: str = ""
) -> Receipt:
    """Return what a block shows: all of its swaps, which gave a share of what was planned."""
    sized = plan
    if transaction.amount_in is not None:
        sized = plan.with_input(transaction.amount_in)
    swaps, amount_in = [], sized.steps[0].amount_in
    for step in sized.steps:
        unit = Decimal(1).scaleb(-step.decimals_out)
        amount_out = (step.amount_out * share).quantize(unit)
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
    return Receipt(
        why=why,
        swaps=() if why else tuple(swaps),
        flash_fee=Decimal(0),
        gas_asset=plan.gas.asset,
        gas=GAS,
        gas_quote=GAS * 2_000,
        landed_at_ns=plan.decided_at_ns,
        block=12,
    )


Word = TypeVar("Word", OrderNews, TransactionNews)


def last_of(told: Sequence[Word]) -> Word:
    """Return the word that stands."""
    return max(told, key=lambda one: one.version)


@cache
def live_plan(pool: PoolSnapshot, first: Part) -> MixedPlan:
    plan = open_plan(make_mixed_world(pool))
    return msgspec.structs.replace(plan, first=first, is_live=True)


@cache
def caught(pool: PoolSnapshot) -> tuple[World, Around]:
    caught: list[Around] = []

    def catching(around: Around) -> PlanExecutor:
        caught.append(around)
        return make_live_mixed(around)

    world = make_mixed_world(pool, executors=[catching], is_paused=True)
    return world, caught[0]


@dataclass
class MixedInstallation:
    """An engine with its ledger, whose engine may be lost and come back.

    Attributes:
        booked: executions in the ledger, corrections too.
        taken: pools that plans of this run have taken.
    """

    plan: MixedPlan
    pool: PoolSnapshot
    desk: Desk
    chain: ChainDesk
    is_killed: bool = False
    booked: list[Execution] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    at_ns: int = 0
    restarts: int = 0
    terms: MixedPlan | None = None

    def __post_init__(self) -> None:
        self.at_ns = self.plan.decided_at_ns
        self.executor = self._make()

    def _make(self) -> LiveBookExecutor:
        world, around = caught(self.pool)
        untouched = Taken(world.board)
        self.taken = TakenPools({step.row: "as it is" for step in self.plan.steps})
        return make_live_mixed(
            live_around(
                around,
                self.desk,
                sender=self.chain,
                is_killed=lambda: self.is_killed,
                intend=self.intents.append,
                taken_pools=self.taken,
                venue=PaperVenue(world.board, world.costs, untouched, age_ns_max=AGE_NS_MAX),
                terms_of=lambda _plan: self.terms,
            )
        )

    def start(self) -> None:
        self.executor.start(self.plan, self.at_ns)
        self.store()

    def store(self) -> None:
        """Let the ledger have all that is intended."""
        while self.executor.waiting:
            for client_order_id in [*self.executor.waiting]:
                self.executor.stored(client_order_id, self.at_ns)
        self.book()

    def book(self) -> None:
        self.booked += [one.execution for one in self.executor.advance(self.at_ns)]

    def restart(self) -> None:
        """Lose the engine; another one takes over what the ledger has."""
        self.restarts += 1
        self.executor = self._make()
        if self.booked or not self.intents:
            return
        intended = [one for intent in self.intents for one in intent.sendables]
        self.executor.recover(Intent.of(self.plan, intended), self.at_ns)
        self.book()

    def tell(self, news: News) -> None:
        """Hand a word to the engine as its ways back do."""
        self.at_ns += MS
        if not self.executor.knows(news.client_order_id):
            if not self.booked:
                return  # its plan is not under way here: it is kept, and told again
            known = self.in_ledger.get(news.client_order_id)
            if known is None or known.version >= news.version:
                return
            self.executor.remember(self.plan, [*self.in_ledger.values()])
        if isinstance(news, OrderNews):
            self.executor.told(news, self.at_ns)
        else:
            self.executor.transaction_told(news, self.at_ns)
        self.book()
        self.store()

    @property
    def in_ledger(self) -> dict[str, Sendable]:
        """What is booked of the plan's parts, with all corrections."""
        known: dict[str, Sendable] = {}
        for execution in self.booked:
            for order in execution.orders:
                before = known.get(order.client_order_id)
                if isinstance(before, Order):
                    fills = (*before.fills, *order.fills)
                    known[order.client_order_id] = replace(
                        before, fills=fills, version=order.version
                    )
                else:
                    known[order.client_order_id] = order
        told = [one.transaction for one in self.booked if one.transaction is not None]
        if told:
            known[told[0].client_order_id] = added_up(told)
        return known

    def tell_all(self, shuffle: Callable[[list[News]], None]) -> None:
        """Tell until nothing new comes: each round all there is, as `shuffle` has it."""
        told = (-1, 0)
        while told != (len(self.desk.news) + len(self.chain.news), self.restarts):
            told = (len(self.desk.news) + len(self.chain.news), self.restarts)
            news: list[News] = [one for said in self.desk.news.values() for one in said]
            news += [one for sent in self.chain.news.values() for one in sent]
            shuffle(news)
            for one in news:
                self.tell(one)
            for _ in range(5):  # what waits for a book is tried again
                self.at_ns += 50 * MS
                self.book()
                self.store()

    @property
    def truth(self) -> Changes:
        """What accounts and wallet changed by, by all that counts in the end."""
        total: Changes = defaultdict(Fraction)
        for send in self.desk.sends:
            order = send.order
            assert isinstance(order, Order)
            venue, pair = order.instrument.venue, order.instrument.pair
            sign = 1 if order.side is Side.BUY else -1
            for told in last_of(self.desk.news[order.client_order_id]).fills:
                size, price = Fraction(told.size_base), Fraction(told.price)
                total[venue, pair.base] += sign * size
                total[venue, pair.quote] -= sign * size * price
                total[venue, told.fee_asset] -= Fraction(told.fee)
        for transaction in self.chain.handed:
            receipt = last_of(self.chain.news[transaction.client_order_id]).receipt
            if receipt is None:
                continue
            total[transaction.wallet, receipt.gas_asset] -= Fraction(receipt.gas)
            if receipt.swaps:
                first, last = receipt.swaps[0], receipt.swaps[-1]
                total[transaction.wallet, first.source] -= Fraction(first.amount_in)
                total[transaction.wallet, last.target] += Fraction(last.amount_out)
        return {place: amount for place, amount in total.items() if amount}
