"""A live plan is handed over once, after its intent; what is told of it is booked to the wei."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
import pytest

from bot.render.words import BASIS_SHORT, BASIS_WORDS
from engine.domain.assets import AssetCode
from engine.domain.exact import exact_sum
from engine.domain.handed import PoolTerms
from engine.domain.instruments import VenueId
from engine.domain.modes import SENT, Basis
from engine.domain.orders import Execution, Intent, OrderState, Receipt, Swap, Transaction
from engine.domain.plans import (
    AtomicPlan,
    OnChain,
    basis_of_plan,
    decode_plan,
    digest_of_plan,
    is_live,
)
from engine.domain.told import Fate, TransactionNews
from engine.execute.executor_list import EXECUTORS, kind_of
from engine.execute.live_atomic import LiveAtomicExecutor
from engine.execute.plan_executor import NO_SENDER, Around, PlanExecutor
from engine.portfolio.taken_pools import TakenPools
from tests.execute.test_atomic import plan_of_a_transaction
from tests.reference.world import Setup, World

PLAN = msgspec.structs.replace(plan_of_a_transaction(), is_live=True)
ORDER_ID = f"{PLAN.plan_id}-t"
AT_NS = PLAN.decided_at_ns
MS = 1_000_000


@dataclass
class Heard:
    """The way to whoever sends, as the executor sees it."""

    handed: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    prepared_by: list[OnChain | None] = field(default_factory=list)
    approved: list[OnChain | None] = field(default_factory=list)

    def hand_over(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None = None,
        *,
        until_ns: int = 0,
    ) -> None:
        assert transaction.plan_id == plan.plan_id
        del pools, until_ns
        self.approved.append(approved)
        self.handed.append(transaction.client_order_id)

    def prepare(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None = None,
    ) -> None:
        del plan, pools
        self.prepared_by.append(approved)
        self.prepared.append(transaction.client_order_id)

    def ask_after(self, client_order_id: str) -> None:
        self.asked.append(client_order_id)


@dataclass
class Live:
    """A live executor and what is around it."""

    waits_for_intents: bool = True
    is_killed: bool = False
    terms: AtomicPlan | None = None

    def __post_init__(self) -> None:
        self.heard = Heard()
        self.intents: list[Intent] = []
        rows = [step.row for step in PLAN.steps]
        self.taken = TakenPools(dict.fromkeys(rows, "as it is"))
        self.executor = LiveAtomicExecutor(
            sender=self.heard,
            pools={},
            taken=self.taken,
            is_killed=lambda: self.is_killed,
            intend=self.intents.append,
            waits_for_intents=self.waits_for_intents,
            terms_of=lambda _plan: self.terms,
        )

    def started(self) -> "Live":
        self.executor.start(PLAN, AT_NS)
        self.executor.stored(ORDER_ID, AT_NS + MS)
        return self

    def is_taken(self) -> bool:
        return self.taken.find_taken(step.row for step in PLAN.steps) is not None

    def tell(self, fate: Fate, version: int = 1, receipt: Receipt | None = None) -> list[Execution]:
        news = TransactionNews(
            client_order_id=ORDER_ID, version=version, fate=fate, receipt=receipt
        )
        at_ns = AT_NS + version * 1_000 * MS
        self.executor.transaction_told(news, at_ns)
        return [one.execution for one in self.executor.advance(at_ns)]


def receipt(gain: str = "3", *, gas: str = "0.001", why: str = "") -> Receipt:
    first = PLAN.steps[0]
    swap = Swap(
        venue=VenueId("uniswap_v2@ethereum"),
        address="0xpool",
        source=first.source,
        target=first.source,
        amount_in=first.amount_in,
        amount_out=first.amount_in + Decimal(gain),
        frame_seq=0,
    )
    return Receipt(
        why=why,
        swaps=() if why else (swap,),
        flash_fee=Decimal(0),
        gas_asset=AssetCode("ETH"),
        gas=Decimal(gas),
        gas_quote=Decimal(gas) * 2_000,
        landed_at_ns=AT_NS,
        block=12,
    )


def changes(executions: Sequence[Execution]) -> dict[tuple[str, str], Decimal]:
    """What executions changed of what is owned, by place."""
    summed: dict[tuple[str, str], Decimal] = {}
    for execution in executions:
        for venue, asset, amount in execution.changes:
            before = summed.get((venue, asset), Decimal(0))
            summed[venue, asset] = exact_sum((before, amount))
    return {place: amount for place, amount in summed.items() if amount}


def test_nothing_is_handed_over_before_its_intent_is_durable() -> None:
    live = Live()

    live.executor.start(PLAN, AT_NS)
    before = list(live.heard.handed)
    live.executor.stored(ORDER_ID, AT_NS)
    live.executor.stored(ORDER_ID, AT_NS)

    assert before == []
    assert [one.transactions[0].client_order_id for one in live.intents] == [ORDER_ID]
    assert live.heard.handed == [ORDER_ID]


def test_what_a_person_approved_is_handed_over_with_the_terms_that_were_approved() -> None:
    terms = msgspec.structs.replace(PLAN, deadline_ns=PLAN.deadline_ns + 1)
    live = Live(terms=terms)
    live.executor.start(PLAN, AT_NS)
    live.terms = None  # by then its approval has ended
    live.executor.stored(ORDER_ID, AT_NS + MS)

    assert live.heard.approved == [terms]
    assert Live().started().heard.approved == [None]


def test_nothing_is_handed_over_while_killed() -> None:
    live = Live(is_killed=True).started()

    (finished,) = live.executor.advance(AT_NS + MS)

    assert live.heard.handed == []
    assert finished.execution.transaction is not None
    assert finished.execution.transaction.state is OrderState.CANCELLED


@pytest.mark.parametrize(
    ("fate", "why", "is_taken"),
    [
        (Fate.SUCCEEDED, "", True),
        (Fate.REVERTED, "reverted", False),
        (Fate.CANCELLED, "cancelled: outbid", False),
        (Fate.NEVER, None, True),
    ],
)
def test_the_pools_of_a_transaction_that_did_nothing_are_there_for_the_next_one(
    fate: Fate, *, why: str | None, is_taken: bool
) -> None:
    live = Live().started()
    assert live.is_taken()

    live.tell(fate, receipt=None if why is None else receipt(why=why))

    assert live.is_taken() is is_taken


def test_what_landed_is_booked_as_the_chain_shows_it_and_once() -> None:
    live = Live().started()

    (execution,) = live.tell(Fate.SUCCEEDED, receipt=receipt("3"))

    assert execution.profit_quote == Decimal(1)  # 3 gained, 2 of gas
    assert execution.void == ""
    assert live.tell(Fate.SUCCEEDED, receipt=receipt("3")) == []


def test_what_reverted_or_was_cancelled_costs_its_gas() -> None:
    (execution,) = Live().started().tell(Fate.CANCELLED, receipt=receipt(why="cancelled"))

    assert execution.profit_quote == Decimal(-2)
    assert not execution.is_traded


def test_what_never_landed_costs_nothing() -> None:
    (execution,) = Live().started().tell(Fate.NEVER)

    assert execution.profit_quote == 0
    assert list(execution.changes) == []


@pytest.mark.parametrize("last", [receipt("4", gas="0.002"), receipt(why="reverted"), None])
def test_what_a_reorganisation_takes_back_is_reversed_to_the_last_digit(
    last: Receipt | None,
) -> None:
    live, plain = Live().started(), Live().started()

    booked = live.tell(Fate.SUCCEEDED, receipt=receipt("3"))
    booked += live.tell(Fate.UNDONE, 2)
    undone = changes(booked)
    if last is None:
        booked += live.tell(Fate.NEVER, 3)
        expected = plain.tell(Fate.NEVER)
    else:
        fate = Fate.REVERTED if last.is_reverted else Fate.SUCCEEDED
        booked += live.tell(fate, 3, last)
        expected = plain.tell(fate, 3, last)

    assert undone == {}
    assert changes(booked) == changes(expected)
    assert exact_sum(one.profit_quote for one in booked) == exact_sum(
        one.profit_quote for one in expected
    )
    assert all(one.corrects == booked[0].execution_id for one in booked[1:])


def test_an_earlier_version_that_comes_late_changes_nothing() -> None:
    live = Live().started()

    booked = live.tell(Fate.REVERTED, 2, receipt(why="reverted"))
    late = live.tell(Fate.SUCCEEDED, 1, receipt("3"))

    assert len(booked) == 1
    assert late == []


def test_a_plan_under_way_at_a_crash_is_asked_after_and_never_handed_over() -> None:
    first, second = Live().started(), Live()
    (intent,) = first.intents

    second.executor.recover(intent, AT_NS + 5_000 * MS)
    asked, handed = list(second.heard.asked), list(second.heard.handed)
    (execution,) = second.tell(Fate.SUCCEEDED, receipt=receipt("3"))

    assert (asked, handed) == ([ORDER_ID], [])
    assert execution.profit_quote == Decimal(1)


def test_silence_is_asked_after_and_ends_nothing() -> None:
    live = Live().started()

    ended = live.executor.advance(AT_NS + 600_000 * MS)

    assert list(ended) == []
    assert live.heard.asked
    assert set(live.heard.asked) == {ORDER_ID}


def test_a_plan_says_itself_whether_it_is_live_and_paper_ones_are_as_ever() -> None:
    paper = plan_of_a_transaction()
    written = msgspec.json.encode(paper)

    assert b"is_live" not in written
    assert not is_live(decode_plan(written.decode()))
    assert is_live(decode_plan(msgspec.json.encode(PLAN).decode()))
    assert digest_of_plan(paper) != digest_of_plan(PLAN)
    assert kind_of(PLAN) == (AtomicPlan, True)


def test_each_kind_of_plan_has_one_executor() -> None:
    kinds: list[tuple[type, bool]] = []

    def noting(make: Callable[[Around], PlanExecutor]) -> Callable[[Around], PlanExecutor]:
        def made(around: Around) -> PlanExecutor:
            executor = make(around)
            kinds.append((executor.takes, executor.is_live))
            return executor

        return made

    World(Setup(executors=[noting(make) for make in EXECUTORS]))

    assert len(set(kinds)) == len(kinds)


def test_where_nothing_is_sent_nobody_hears() -> None:
    order = Live().started().intents[0].transactions[0]

    NO_SENDER.hand_over(PLAN, order, ())
    NO_SENDER.ask_after(ORDER_ID)


def test_what_is_sent_on_the_sandbox_is_never_called_paper() -> None:
    sent = basis_of_plan(PLAN, Basis.SANDBOX)

    assert sent is Basis.SANDBOX_LIVE
    assert basis_of_plan(plan_of_a_transaction(), Basis.SANDBOX) is Basis.SANDBOX
    assert "paper" not in BASIS_WORDS[sent]
    assert basis_of_plan(PLAN, Basis.TEST) is Basis.TEST_LIVE
    assert basis_of_plan(PLAN, Basis.LIVE) is Basis.MAIN_LIVE
    for one in SENT:
        assert "paper" not in BASIS_WORDS[one] + BASIS_SHORT[one]
    for one in (Basis.TEST, Basis.TEST_LIVE):
        assert "test network" in BASIS_WORDS[one]
        assert "test network" in BASIS_SHORT[one]
    assert set(BASIS_WORDS) == set(BASIS_SHORT) == set(Basis)


def test_a_plan_is_told_of_before_its_intent_is_durable_and_handed_over_after() -> None:
    live = Live(terms=PLAN)
    live.executor.start(PLAN, AT_NS)
    before = ([*live.heard.prepared], [*live.heard.handed])

    live.executor.stored(ORDER_ID, AT_NS + MS)

    assert before == ([ORDER_ID], [])
    assert live.heard.handed == [ORDER_ID]
    assert live.heard.prepared_by == [PLAN], "the terms that a person approved are there, too"
