"""What holds of paper executions in any market."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.opportunities import Side
from engine.domain.orders import Order, Purpose
from engine.execute.book_finished import LeggedFinished
from engine.execute.latency import Latency
from tests.effort import examples
from tests.reference.paper import History, Shown, ceil_share, profit_of
from tests.reference.world import AGE_NS_MAX, Setup, World, left_over, limit_set

FEE_BPS = Decimal(10)
PRICES = st.integers(0, 12)
SIZES = st.integers(1, 8)
inputs = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(-3, 15),
        st.lists(SIZES, min_size=1, max_size=3),
        st.lists(SIZES, min_size=1, max_size=3),
        st.sampled_from([1, 5, 12, 30, 200, 11_000]),
        st.booleans(),
    ),
    max_size=30,
)

Inputs = list[tuple[int, int, list[int], list[int], int, bool]]


fees_in_base = st.sampled_from([(), ("here",), ("here", "there")])


def play(steps: Inputs, seed: int, base_fee_venues: Sequence[str] = ()) -> tuple[World, History]:
    """Two venues whose prices wander between 99.70 and 101.50, now and then lost."""
    world = World(
        Setup(
            seed=seed,
            base_fee_venues=base_fee_venues,
            latency=Latency(median_ms=10, p99_ms=60),
            values=limit_set(position_usd=Decimal(3_000), net_edge_bps_min=Decimal(1)),
            edge_bps_min="1",
        )
    )
    history = History(AGE_NS_MAX)
    for book, level, bids, asks, wait_ms, is_lost in steps:
        world.wait(wait_ms)
        if is_lost and wait_ms > 100:
            history.shown.append(Shown(world.now_ns, book, None))
            world.lose(book)
            continue
        mid = Decimal(100) + Decimal(level) / 10
        bid_side = {mid - Decimal(n + 1) / 20: Decimal(size) for n, size in enumerate(bids)}
        ask_side = {mid + Decimal(n + 1) / 20: Decimal(size) for n, size in enumerate(asks)}
        history.shown.append(Shown(world.now_ns, book, (bid_side, ask_side)))
        world.show(
            book,
            [(str(price), str(size)) for price, size in bid_side.items()],
            [(str(price), str(size)) for price, size in ask_side.items()],
        )
    for _ in range(12):
        world.wait(400)
        world.tick()
    return world, history


def arrivals(finished: list[LeggedFinished]) -> list[tuple[Order, int]]:
    orders = []
    for one in finished:
        opportunity = one.plan.opportunity
        for order in one.execution.orders:
            is_buy_book = order.instrument.venue == opportunity.buy_venue
            orders.append((order, opportunity.hops[0 if is_buy_book else 1].row))
    return sorted(orders, key=lambda one: one[0].arrives_at_ns)


@settings(max_examples=examples(150), deadline=None)
@given(steps=inputs, seed=st.integers(0, 5), base_fee_venues=fees_in_base)
def test_every_fill_is_what_an_independent_replay_of_the_market_gives(
    steps: Inputs, seed: int, base_fee_venues: Sequence[str]
) -> None:
    world, history = play(steps, seed, base_fee_venues)

    orders = arrivals(world.journal.finished)
    replayed = history.fills(orders)

    assert len(world.journal.finished) == len(world.journal.plans)
    for (order, _), fills in zip(orders, replayed, strict=True):
        assert [(fill.price, fill.size_base) for fill in order.fills] == fills
    by_id = {
        order.client_order_id: fills for (order, _), fills in zip(orders, replayed, strict=True)
    }
    for one in world.journal.finished:
        execution = one.execution
        cash = profit_of(
            [(order, by_id[order.client_order_id]) for order in execution.orders],
            fee_bps=FEE_BPS,
            base_fee_venues=base_fee_venues,
        )
        settled = one.settlement
        assert Fraction(settled.cash_quote) == cash
        assert execution.profit_quote == settled.cash_quote + settled.carry_quote


@settings(max_examples=examples(150), deadline=None)
@given(steps=inputs, seed=st.integers(0, 5), base_fee_venues=fees_in_base)
def test_base_and_cash_add_up_and_no_order_is_overfilled(
    steps: Inputs, seed: int, base_fee_venues: Sequence[str]
) -> None:
    world, _ = play(steps, seed, base_fee_venues)

    residual = Decimal(0)
    realised = Decimal(0)
    for one in world.journal.finished:
        execution = one.execution
        bought = sum(
            Fraction(o.filled_base)
            - (
                ceil_share(Fraction(o.filled_base), FEE_BPS)
                if o.instrument.venue in base_fee_venues
                else 0
            )
            for o in execution.orders
            if o.side is Side.BUY
        )
        sold = sum(o.filled_base for o in execution.orders if o.side is Side.SELL)
        assert bought - Fraction(sold) == Fraction(left_over(execution))
        for order in execution.orders:
            assert order.filled_base <= order.size_base
            for fill in order.fills:
                is_within = (
                    fill.price <= order.price_limit
                    if order.side is Side.BUY
                    else fill.price >= order.price_limit
                )
                assert is_within
        excess = abs(
            sum((o.base_change for o in execution.orders if o.purpose is Purpose.LEG), Decimal(0))
        )
        assert abs(left_over(execution)) <= excess
        if execution.residuals == ():
            cash = sum((order.cash_quote for order in execution.orders), Decimal(0))
            assert execution.profit_quote == cash
        residual += left_over(execution)
        realised += execution.realised_usd
    held = sum((one.held.value for one in world.positions.residuals), Decimal(0))
    assert held == residual
    executions = [one.execution for one in world.journal.finished]
    carry = sum((one.carry_quote + one.correction_quote for one in executions), Decimal(0))
    assert sum((one.carry.value for one in world.positions.residuals), Decimal(0)) == carry
    assert world.positions.realised_usd(world.now_ns) == realised
    assert world.circumstances.under_way.total_usd == 0


@settings(max_examples=25, deadline=None)
@given(steps=inputs, seed=st.integers(0, 5))
def test_the_same_inputs_give_the_same_journal_byte_for_byte(steps: Inputs, seed: int) -> None:
    def journal() -> bytes:
        world, _ = play(steps, seed)
        of = world.journal
        return msgspec.json.encode([of.found, of.decided, of.closed, of.finished, of.edges])

    assert journal() == journal()
