"""What follows on what in the life of an order, whatever is learned and in whatever order."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.opportunities import Side
from engine.domain.orders import Fill, Order, OrderState, Purpose
from engine.execute.order_life import ENDED, LIFE, News, OrderEvent, OrderLife, Shape
from tests.reference.world import make_instrument

HERE = make_instrument("here")
SENT = Order(
    client_order_id="p-o1",
    plan_id="p",
    purpose=Purpose.LEG,
    instrument=HERE,
    side=Side.BUY,
    size_base=Decimal(4),
    price_limit=Decimal(100),
    sent_at_ns=1,
    arrives_at_ns=1,
    state=OrderState.SENT,
)


def make_fill(number: int, size: int = 1) -> Fill:
    return Fill(
        fill_id=f"t{number}",
        client_order_id="p-o1",
        filled_at_ns=number,
        price=Decimal(100),
        size_base=Decimal(size),
        fee_quote=Decimal("0.1"),
        frame_seq=1,
    )


def tell(event: OrderEvent, *fills: Fill, filled: int | None = None) -> News:
    stated = None if filled is None else Decimal(filled)
    return News(client_order_id="p-o1", event=event, fills=fills, filled_base=stated)


def life_of(state: OrderState) -> OrderLife:
    return OrderLife(replace(SENT, state=state))


def state_of(life: OrderLife) -> OrderState:
    return life.order.state


@st.composite
def truths(draw: st.DrawFn) -> list[News]:
    """What a truthful venue may tell of one order that it took: some fills and one end."""
    filled = draw(st.integers(0, 4))
    fills = [make_fill(number) for number in range(filled)]
    ends = [OrderEvent.FILLED] if filled == 4 else [OrderEvent.CANCELLED, OrderEvent.EXPIRED]
    told = [tell(OrderEvent.ACCEPTED)]
    told += [tell(OrderEvent.TRADED, fill) for fill in fills]
    told += [tell(draw(st.sampled_from(ends)), *fills, filled=filled)]
    return told


@given(truths(), st.data())
def test_told_twice_and_in_any_order_the_facts_are_the_same(
    told: list[News], data: st.DataObject
) -> None:
    in_order, shuffled = life_of(OrderState.SENT), life_of(OrderState.UNKNOWN)
    for news in told:
        in_order.take(news)
    again = data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told)))]))
    filled_before = Decimal(0)
    for news in again:
        shuffled.take(news)
        assert filled_before <= shuffled.known_base <= SENT.size_base
        filled_before = shuffled.known_base

    assert shuffled.is_settled
    assert in_order.is_settled
    assert shuffled.order.state is in_order.order.state
    assert set(shuffled.order.fills) == set(in_order.order.fills)
    assert len(shuffled.order.fills) == len(in_order.order.fills)
    assert in_order.alarms == []


@given(events=st.lists(st.sampled_from(OrderEvent)))
def test_only_proof_ends_what_is_unknown(events: list[OrderEvent]) -> None:
    life = life_of(OrderState.UNKNOWN)
    life.take(tell(OrderEvent.REFUSED))
    life.take(tell(OrderEvent.UNCLEAR))
    assert state_of(life) is OrderState.UNKNOWN

    proofs = {
        OrderEvent.ACCEPTED,
        OrderEvent.TRADED,
        OrderEvent.FILLED,
        OrderEvent.CANCELLED,
        OrderEvent.EXPIRED,
        OrderEvent.ABSENT,
    }
    for event in events:
        life.take(tell(event))
    assert (state_of(life) is OrderState.UNKNOWN) == proofs.isdisjoint(events)


@given(state=st.sampled_from(OrderState), event=st.sampled_from(OrderEvent))
def test_what_has_ended_stays_so_unless_more_is_shown(state: OrderState, event: OrderEvent) -> None:
    after = LIFE[state].get(event, state)
    if state in ENDED and after is not state:
        assert event in {
            OrderEvent.ACCEPTED,
            OrderEvent.TRADED,
            OrderEvent.FILLED,
            OrderEvent.CANCELLED,
            OrderEvent.EXPIRED,
        }
        assert state is OrderState.REJECTED or after is OrderState.FILLED


def test_an_order_that_has_ended_is_not_settled_before_its_fills_are_known() -> None:
    life = life_of(OrderState.SENT)

    life.take(tell(OrderEvent.CANCELLED, filled=2))
    assert life.missing_base == 2
    was_settled = life.is_settled

    life.take(tell(OrderEvent.TRADED, make_fill(1), make_fill(2)))
    assert (was_settled, life.is_settled) == (False, True)
    assert life.alarms == []


def test_a_fill_after_the_end_counts_and_is_told() -> None:
    life = life_of(OrderState.EXPIRED)

    life.take(tell(OrderEvent.TRADED, make_fill(1)))

    assert life.order.filled_base == 1
    assert life.order.state is OrderState.EXPIRED
    assert life.alarms == ["p-o1 at BTC-USD at here: filled 1 in all, told after it was expired"]


def test_an_order_that_was_taken_to_be_absent_and_shows_up_lives_again_and_is_told() -> None:
    life = life_of(OrderState.UNKNOWN)
    life.take(tell(OrderEvent.ABSENT))
    assert state_of(life) is OrderState.REJECTED

    life.take(tell(OrderEvent.ACCEPTED))

    assert state_of(life) is OrderState.OPEN
    assert len(life.alarms) == 1


def test_an_order_of_another_shape_under_the_same_id_changes_nothing_and_is_told() -> None:
    life = life_of(OrderState.UNKNOWN)
    other = Shape(instrument=HERE, side=Side.SELL, size_base=Decimal(4))

    life.take(replace(tell(OrderEvent.FILLED, make_fill(1, 4)), shape=other))

    assert life.order.state is OrderState.UNKNOWN
    assert life.order.fills == ()
    assert len(life.alarms) == 1


def test_more_filled_than_was_ordered_counts_whole_and_is_told() -> None:
    life = life_of(OrderState.SENT)

    life.take(tell(OrderEvent.FILLED, make_fill(1, 4), make_fill(2, 1)))

    assert life.order.filled_base == 5
    assert life.alarms == ["p-o1 at BTC-USD at here: filled 5 of 4"]


@pytest.mark.parametrize("event", [OrderEvent.ACCEPTED, OrderEvent.FILLED, OrderEvent.TRADED])
def test_what_was_never_sent_cannot_have_been_filled(event: OrderEvent) -> None:
    life = life_of(OrderState.PLANNED)
    life.take(tell(OrderEvent.WITHHELD))

    life.take(tell(event, make_fill(1)))

    assert life.order.state is OrderState.CANCELLED
    assert life.order.fills == ()
    assert len(life.alarms) == 1


def test_trades_that_fill_an_order_to_the_last_unit_end_it_without_another_word() -> None:
    life = life_of(OrderState.OPEN)

    for number in range(4):
        assert state_of(life) in {OrderState.OPEN, OrderState.PARTLY_FILLED}
        life.take(tell(OrderEvent.TRADED, make_fill(number)))

    assert state_of(life) is OrderState.FILLED


def test_less_than_one_of_the_base_that_is_missing_keeps_an_order_open() -> None:
    life = life_of(OrderState.SENT)
    half = News(
        client_order_id="p-o1", event=OrderEvent.CANCELLED, filled_base=Decimal("0.5"), fills=()
    )

    life.take(half)

    assert not life.is_settled
