"""Live mixed plans: one part, then the other by what that really came to, booked to the unit."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.exact import exact_sum
from engine.domain.modes import Money
from engine.domain.opportunities import Side
from engine.domain.orders import Execution, Order, OrderState, Purpose
from engine.domain.orders_told import FillTold, OrderFate
from engine.domain.plans import MixedPlan, Part, decode_plan, digest_of_plan, is_live, money_of
from engine.domain.told import Fate, TransactionNews
from engine.execute.executor_list import kind_of
from engine.execute.live_way import RESUMED_S_MAX
from engine.pools.snapshots import PoolSnapshot
from engine.portfolio.settle_mixed import settle_mixed
from tests.effort import examples
from tests.execute.live_books import MS, Desk, news_of
from tests.execute.live_mixed import (
    ChainDesk,
    Changes,
    MixedInstallation,
    News,
    live_plan,
    receipt_of,
    transaction_news,
)
from tests.execute.mixed_worlds import BETWEEN, CHEAP, DEAR, make_mixed_world, open_plan

POOLS = {"order then swap": DEAR, "swap then order": CHEAP, "between orders": BETWEEN}
TRANSACTION, ORDERS = Part.TRANSACTION, Part.ORDERS


def installation(pool: PoolSnapshot, first: Part, seed: int = 0) -> MixedInstallation:
    plan, random = live_plan(pool, first), Random(seed)
    return MixedInstallation(plan, pool, Desk(random), ChainDesk(random))


def begun(pool: PoolSnapshot, first: Part) -> MixedInstallation:
    one = installation(pool, first)
    one.start()
    return one


def lands(
    one: MixedInstallation, *, version: int = 1, share: str = "1", why: str = ""
) -> TransactionNews:
    """Say that its transaction is in a block."""
    (transaction,) = one.chain.handed
    receipt = receipt_of(one.plan, transaction, share=Decimal(share), why=why)
    fate = Fate.REVERTED if why else Fate.SUCCEEDED
    return transaction_news(transaction.client_order_id, version, fate, receipt)


def undone(one: MixedInstallation, version: int, fate: Fate = Fate.UNDONE) -> TransactionNews:
    return transaction_news(one.chain.handed[0].client_order_id, version, fate)


def order_of(one: MixedInstallation, number: int) -> Order:
    order = one.desk.sends[number].order
    assert isinstance(order, Order)
    return order


def fill(order: Order, number: int, share: str = "1") -> FillTold:
    size = order.instrument.floor_to_lot(order.size_base * Decimal(share))
    return FillTold(
        fill_id=f"t{number}",
        filled_at_ns=1_000,
        price=order.price_limit,
        size_base=size,
        fee=Decimal("0.01"),
        fee_asset=order.instrument.pair.quote,
    )


def fills(one: MixedInstallation, number: int, version: int = 1, share: str = "1") -> News:
    """Say that an order was filled for a share of its size, at its limit."""
    order = order_of(one, number)
    return news_of(order, version, OrderFate.FILLED, [fill(order, 0, share)])


def misses(one: MixedInstallation, number: int) -> News:
    return news_of(order_of(one, number), 1, OrderFate.EXPIRED)


def wait(one: MixedInstallation, rounds: int = 20) -> None:
    """Let what waits for a book try again, until its tries are used up."""
    for _ in range(rounds):
        one.at_ns += 50 * MS
        one.book()
        one.store()


def held(executions: Sequence[Execution]) -> Changes:
    total: Changes = defaultdict(Fraction)
    for execution in executions:
        for venue, asset, amount in execution.changes:
            total[venue, asset] += Fraction(amount)
    return {place: amount for place, amount in total.items() if amount}


def names(one: MixedInstallation) -> list[str]:
    """All that was handed over."""
    sent = [name for request in one.desk.requests for name in request]
    return [*sent, *(transaction.client_order_id for transaction in one.chain.handed)]


def test_no_order_is_handed_over_before_the_transaction_has_landed() -> None:
    one = begun(CHEAP, TRANSACTION)
    before = list(one.desk.requests)
    one.at_ns += 20_000 * MS

    one.tell(lands(one))

    assert before == []
    assert names(one) == [f"{one.plan.plan_id}-o1", f"{one.plan.plan_id}-t"]
    assert [len(intent.sendables) for intent in one.intents] == [1, 1]


def test_nothing_is_handed_over_before_its_own_intent_is_durable() -> None:
    one = installation(CHEAP, TRANSACTION)
    one.executor.start(one.plan, one.at_ns)
    assert one.chain.handed == []
    one.store()
    one.executor.transaction_told(lands(one), one.at_ns)

    assert one.desk.requests == []
    assert [*one.executor.waiting] == [f"{one.plan.plan_id}-o1"]


def test_orders_that_follow_sell_what_the_transaction_really_gave() -> None:
    one = begun(CHEAP, TRANSACTION)

    one.tell(lands(one, share="0.9"))

    (leg,), order = one.plan.legs, order_of(one, 0)
    gave = lands(one, share="0.9").receipt
    assert gave is not None
    assert order.size_base == leg.instrument.floor_to_lot(gave.swaps[-1].amount_out)
    assert order.size_base < leg.size_base
    assert (order.side, order.price_limit) == (leg.side, leg.price_limit)


def test_what_follows_has_as_long_to_start_as_what_went_first_had() -> None:
    one = begun(CHEAP, TRANSACTION)
    one.at_ns += 60_000 * MS

    one.tell(lands(one))

    as_long_ns = one.plan.deadline_ns - one.plan.decided_at_ns
    assert one.desk.sends[0].until_ns == one.at_ns + as_long_ns


def test_what_follows_and_is_durable_too_late_stays_here_and_what_is_held_is_closed() -> None:
    one = begun(CHEAP, TRANSACTION)
    one.at_ns += MS
    one.executor.transaction_told(lands(one), one.at_ns)
    one.at_ns += 2_000 * MS

    one.store()
    wait(one)

    leg, closing = order_of(one, 0), one.desk.sends
    assert leg.purpose is Purpose.UNWIND
    assert len(closing) == 1


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize(("fate", "lost"), [(Fate.REVERTED, "2"), (Fate.NEVER, "0")])
def test_a_transaction_first_that_does_nothing_ends_the_plan_with_its_gas_lost_and_no_order(
    pool: PoolSnapshot, fate: Fate, lost: str
) -> None:
    one = begun(pool, TRANSACTION)

    one.tell(lands(one, why="reverted") if fate is Fate.REVERTED else undone(one, 1, fate))

    (execution,) = one.booked
    assert one.desk.requests == []
    assert execution.profit_quote == -Decimal(lost)
    assert not execution.is_traded
    assert execution.residuals == ()


@pytest.mark.parametrize("pool", [DEAR, BETWEEN])
def test_orders_that_go_first_leave_together_and_the_transaction_takes_what_they_came_to(
    pool: PoolSnapshot,
) -> None:
    one = begun(pool, ORDERS)
    (request,) = one.desk.requests
    assert len(request) == len(one.plan.legs)

    for number in range(len(one.plan.legs)):
        assert one.chain.handed == []
        one.tell(fills(one, number, share="0.5"))

    (transaction,) = one.chain.handed
    assert transaction.amount_in is not None
    share = transaction.amount_in / one.plan.steps[0].amount_in
    assert abs(share - Decimal("0.5")) < Decimal("0.01")
    bought = order_of(one, 0).size_base / 2
    assert transaction.amount_in <= bought


def test_orders_that_go_first_and_fill_nothing_are_followed_by_nothing() -> None:
    one = begun(DEAR, ORDERS)
    rows = [step.row for step in one.plan.steps]
    assert one.taken.find_taken(rows) is not None

    one.tell(misses(one, 0))

    (execution,) = one.booked
    assert one.chain.handed == []
    assert execution.transaction is None
    assert execution.profit_quote == 0
    assert one.taken.find_taken(rows) is None, "its pools are there for others"


def test_orders_whose_transaction_reverts_are_traded_back_with_real_orders() -> None:
    one = begun(DEAR, ORDERS)
    one.tell(fills(one, 0))

    one.tell(lands(one, why="reverted"))

    assert [len(request) for request in one.desk.requests] == [1, 1]
    leg, back = order_of(one, 0), order_of(one, 1)
    assert back.purpose is Purpose.UNWIND
    assert (leg.side, back.side) == (Side.BUY, Side.SELL)
    assert back.size_base == leg.size_base
    one.tell(fills(one, 1))
    (execution,) = one.booked
    assert execution.residuals == ()
    assert execution.why_reverted == "reverted"


def test_of_an_order_that_misses_behind_a_swap_the_rest_is_sold_by_its_book() -> None:
    one = begun(CHEAP, TRANSACTION)
    one.tell(lands(one))

    one.tell(misses(one, 0))

    again = order_of(one, 1)
    assert (again.purpose, again.side) == (Purpose.UNWIND, Side.SELL)
    assert again.size_base == order_of(one, 0).size_base


def test_killed_before_it_leaves_nothing_leaves() -> None:
    one = installation(CHEAP, TRANSACTION)
    one.executor.start(one.plan, one.at_ns)
    one.is_killed = True

    one.store()

    assert names(one) == []
    (execution,) = one.booked
    assert execution.transaction is not None
    assert execution.transaction.state is OrderState.CANCELLED
    assert execution.profit_quote == 0


@pytest.mark.parametrize("ends_it", ["a kill", "a restart too long ago", "a clock set back"])
def test_killed_or_long_after_a_restart_what_the_transaction_gave_is_kept_and_told(
    caplog: pytest.LogCaptureFixture, ends_it: str
) -> None:
    one = begun(CHEAP, TRANSACTION)
    if ends_it == "a kill":
        one.is_killed = True
    else:
        one.at_ns += (RESUMED_S_MAX * 1_000 if "restart" in ends_it else -1_000) * MS
        one.restart()

    with caplog.at_level(logging.WARNING):
        one.tell(lands(one))
        wait(one)

    assert one.desk.requests == []
    (execution,) = one.booked
    (residual,) = execution.residuals
    assert (residual.venue, residual.held.asset) == (one.plan.wallet, "ETH")
    assert residual.held.value == one.plan.steps[-1].amount_out
    assert "which nothing closes" in caplog.text


def test_after_a_restart_no_order_follows_and_what_the_transaction_gave_is_sold_at_its_book() -> (
    None
):
    one = begun(CHEAP, TRANSACTION)
    one.restart()

    one.tell(lands(one))

    (leg,), sold = one.plan.legs, order_of(one, 0)
    assert (sold.purpose, sold.side) == (Purpose.UNWIND, leg.side)
    assert sold.size_base == leg.instrument.floor_to_lot(one.plan.steps[-1].amount_out)
    one.tell(fills(one, 0))
    assert [each.execution_id for each in one.booked] == [f"{one.plan.plan_id}-x"]
    assert len(one.desk.sends) == 1


@pytest.mark.parametrize("before", ["nothing of it was intended", "it was handed over"])
def test_after_a_restart_orders_are_traded_back_once_their_transaction_never_comes(
    before: str,
) -> None:
    one = begun(DEAR, ORDERS)
    if before == "it was handed over":
        one.tell(fills(one, 0))
    one.restart()
    assert len(one.desk.sends) == 1

    if before == "it was handed over":
        one.tell(fills(one, 0))
        assert len(one.desk.sends) == 1, "what became of the transaction is not known yet"
        one.tell(undone(one, 1, Fate.NEVER))
    else:
        one.tell(fills(one, 0))

    leg, back = order_of(one, 0), order_of(one, 1)
    assert (back.purpose, back.side) == (Purpose.UNWIND, Side.SELL)
    assert back.size_base == leg.size_base
    one.restart()
    one.tell(fills(one, 0))
    if before == "it was handed over":
        one.tell(undone(one, 1, Fate.NEVER))
    one.tell(fills(one, 1))
    (execution,) = one.booked
    assert execution.residuals == ()
    assert len(one.desk.sends) == 2, "none is placed twice"
    assert len(one.chain.handed) == (before == "it was handed over")


def test_killed_between_orders_and_their_transaction_none_follows() -> None:
    one = begun(DEAR, ORDERS)
    one.is_killed = True

    one.tell(fills(one, 0))
    wait(one)

    assert one.chain.handed == []
    (execution,) = one.booked
    (residual,) = execution.residuals
    assert residual.held.value == order_of(one, 0).size_base
    assert residual.venue == one.plan.legs[0].venue


def test_a_kill_between_the_looks_at_two_orders_lets_none_of_them_leave_alone() -> None:
    one = installation(BETWEEN, ORDERS)
    one.executor.start(one.plan, one.at_ns)
    first, second = one.executor.waiting
    one.executor.stored(first, one.at_ns)
    one.is_killed = True

    one.executor.stored(second, one.at_ns)
    one.book()

    assert names(one) == []
    (execution,) = one.booked
    assert not execution.is_traded


def test_a_plan_under_way_at_a_crash_is_asked_after_and_none_of_it_is_handed_over_again() -> None:
    one = begun(CHEAP, TRANSACTION)
    one.tell(lands(one))
    before = names(one)

    one.restart()

    assert names(one) == before
    assert one.chain.asked == [before[1]]
    assert one.desk.asked == [before[0]]


@pytest.mark.parametrize("first", Part)
def test_what_is_unknown_holds_its_plan_for_ever_and_is_asked_after(first: Part) -> None:
    one = begun(DEAR, first)
    (sent,) = names(one)

    for _ in range(100):
        one.at_ns += 60_000 * MS
        one.book()

    assert one.booked == []
    assert set(one.chain.asked + one.desk.asked) == {sent}


def test_a_block_that_is_undone_while_orders_are_under_way_holds_the_plan_until_it_is_known() -> (
    None
):
    one = begun(CHEAP, TRANSACTION)
    one.tell(lands(one))
    one.tell(undone(one, 2))
    one.tell(fills(one, 0))
    wait(one)
    assert one.booked == []

    one.tell(lands(one, version=3))

    (execution,) = one.booked
    assert all(abs(left.held.value) < Decimal("0.001") for left in execution.residuals)
    assert execution.is_traded


def test_orders_that_sold_what_a_block_then_undid_are_bought_back() -> None:
    one = begun(CHEAP, TRANSACTION)
    one.tell(lands(one))
    one.tell(undone(one, 2))
    one.tell(fills(one, 0))

    one.tell(undone(one, 3, Fate.NEVER))

    back = order_of(one, 1)
    assert (back.purpose, back.side) == (Purpose.UNWIND, Side.BUY)


@pytest.mark.parametrize("is_restart", [True, False])
@pytest.mark.parametrize("last", ["another", "reverted", "never"])
def test_a_receipt_that_is_another_after_the_end_is_corrected_to_the_last_unit(
    last: str, *, is_restart: bool
) -> None:
    one, plain = begun(CHEAP, TRANSACTION), begun(CHEAP, TRANSACTION)
    one.tell(lands(one))
    one.tell(fills(one, 0))
    first = list(one.booked)
    if is_restart:
        one.restart()

    one.tell(undone(one, 2))
    if is_restart:
        one.restart()
    known = {
        "another": lands(one, version=3, share="0.95"),
        "reverted": lands(one, version=3, why="reverted"),
        "never": undone(one, 3, Fate.NEVER),
    }[last]
    one.tell(known)

    plain.tell(lands(plain))
    plain.tell(fills(plain, 0))
    orders = [part for execution in plain.booked for part in execution.orders]
    assert len(first) == 1
    assert all(each.corrects == first[0].execution_id for each in one.booked[1:])
    assert len({each.execution_id for each in one.booked}) == len(one.booked)
    expected: Changes = defaultdict(Fraction)
    for order in orders:
        for venue, asset, amount in order.changes:
            expected[venue, asset] += Fraction(amount)
    receipt, wallet = known.receipt, one.plan.wallet
    if receipt is not None:
        expected[wallet, "ETH"] -= Fraction(receipt.gas)
    if receipt is not None and receipt.swaps:
        expected[wallet, "ETH"] += Fraction(receipt.swaps[-1].amount_out)
        expected[wallet, "USDT"] = -Fraction(receipt.swaps[0].amount_in)
    assert held(one.booked) == expected


def test_a_fill_that_is_told_after_the_end_is_booked_as_a_correction() -> None:
    one = begun(CHEAP, TRANSACTION)
    one.tell(lands(one))
    order = order_of(one, 0)
    one.tell(news_of(order, 1, OrderFate.FILLED, [fill(order, 0)]))

    one.tell(news_of(order, 2, OrderFate.REVERSED))

    base, correction = one.booked
    assert correction.corrects == base.execution_id
    assert correction.transaction is None
    assert set(held(one.booked)) == {
        (one.plan.wallet, "ETH"),
        (one.plan.wallet, "USDT"),
    }


@pytest.mark.parametrize("first", Part)
def test_each_part_is_handed_over_with_the_terms_that_a_person_approved(first: Part) -> None:
    one = installation(DEAR, first)
    terms = msgspec.structs.replace(one.plan, deadline_ns=one.plan.deadline_ns + 1)
    one.terms = terms
    one.start()
    one.terms = None  # by then its approval has ended

    one.tell(fills(one, 0) if first is ORDERS else lands(one))

    assert one.chain.approved == [terms]
    assert one.desk.approved == [terms]


def test_a_plan_says_itself_that_it_is_live_its_digest_too_and_paper_ones_are_as_ever() -> None:
    paper = open_plan(make_mixed_world(DEAR))
    live = msgspec.structs.replace(paper, is_live=True)

    assert b"is_live" not in msgspec.json.encode(paper)
    assert not is_live(decode_plan(msgspec.json.encode(paper).decode()))
    assert decode_plan(msgspec.json.encode(live).decode()) == live
    assert (money_of(paper), money_of(live)) == (Money.PAPER, Money.LIVE)
    assert digest_of_plan(paper) != digest_of_plan(live)
    assert (kind_of(paper), kind_of(live)) == ((MixedPlan, False), (MixedPlan, True))


@given(
    seed=st.integers(0, 2**32),
    pool=st.sampled_from(list(POOLS.values())),
    first=st.sampled_from(Part),
    restarts=st.lists(st.integers(0, 40), max_size=3),
    killed_at=st.none() | st.integers(0, 20),
)
@settings(max_examples=examples(300), deadline=None)
def test_whatever_is_told_over_kills_and_restarts_accounts_and_wallet_are_what_the_books_say(
    seed: int,
    pool: PoolSnapshot,
    first: Part,
    restarts: list[int],
    killed_at: int | None,
) -> None:
    one = installation(pool, first, seed)
    random, told, words = Random(seed + 1), one.tell, 0
    at_kill: list[str] = []

    def mix(news: list[News]) -> None:
        news += random.choices(news, k=len(news) // 2)
        random.shuffle(news)

    def tell(news: News) -> None:
        nonlocal words
        words += 1
        if words in restarts:
            one.restart()
        if words == killed_at:
            one.is_killed = True
            at_kill.extend(names(one))
        told(news)

    one.tell = tell  # type: ignore[method-assign]
    one.start()
    one.tell_all(mix)
    one.tell_all(lambda _news: None)

    assert held(one.booked) == one.truth
    assert sorted(names(one)) == sorted(set(names(one)))
    if one.is_killed:
        assert sorted(names(one)) == sorted(at_kill), "once killed nothing more leaves"
    base, *corrections = one.booked
    assert all(each.corrects == base.execution_id for each in corrections)
    assert len({each.execution_id for each in one.booked}) == len(one.booked)
    known = [*one.in_ledger.values()]
    whole = settle_mixed(
        one.plan,
        [part for part in known if isinstance(part, Order)],
        next((part for part in known if not isinstance(part, Order)), None),
        transfer_bps=Decimal(0),
    )
    assert exact_sum(each.profit_quote for each in one.booked) == whole.profit_quote
