"""A transfer ends once, sends nothing twice, and what it moves is at one place at a time."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination
from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.transfer_life import (
    ENDED,
    DecisionEvent,
    Part,
    SendEvent,
    SendState,
    TransferLife,
    TransferOrder,
)
from tests.effort import examples

KRAKEN, COINBASE = VenueId("kraken"), VenueId("coinbase")
USDC = AssetCode("USDC")
DELAY_NS = 100


def order(amount: str = "100", test: str = "5", delay_ns: int = DELAY_NS) -> TransferOrder:
    return TransferOrder(
        transfer_id="t1",
        asset=USDC,
        source=KRAKEN,
        destination=Destination(venue=COINBASE, asset=USDC, chain="base", address="0x1"),
        amount=Decimal(amount),
        test_amount=Decimal(test),
        delay_ns=delay_ns,
    )


def due(made: TransferOrder | None = None) -> TransferLife:
    life = TransferLife(order=made or order())
    life.decide(DecisionEvent.APPROVED, 7)
    life.decide(DecisionEvent.WAITED, 7 + DELAY_NS)
    return life


def has_ended(life: TransferLife) -> bool:
    return life.is_ended


def turn(life: TransferLife) -> Part | None:
    return life.next_part


def sent(part: Part = Part.TEST) -> TransferLife:
    life = due()
    life.intend(Part.TEST)
    life.learn(Part.TEST, SendEvent.RELEASED)
    if part is Part.REST:
        life.learn(Part.TEST, SendEvent.CREDITED, Decimal(4))
        life.intend(Part.REST)
        life.learn(Part.REST, SendEvent.RELEASED)
    return life


def test_a_transfer_goes_by_approval_delay_test_and_rest_to_its_end() -> None:
    life = TransferLife(order=order())
    seen = [life.state]
    for step in (
        lambda: life.decide(DecisionEvent.APPROVED, 7),
        lambda: life.decide(DecisionEvent.WAITED, 7 + DELAY_NS),
        lambda: life.intend(Part.TEST),
        lambda: life.learn(Part.TEST, SendEvent.RELEASED),
        lambda: life.learn(Part.TEST, SendEvent.CREDITED, Decimal(4)),
        lambda: life.intend(Part.REST),
        lambda: life.learn(Part.REST, SendEvent.RELEASED),
        lambda: life.learn(Part.REST, SendEvent.UNCLEAR),
        lambda: life.learn(Part.REST, SendEvent.CREDITED, Decimal(94)),
    ):
        assert not life.is_ended
        step()
        seen.append(life.state)

    assert seen == [
        *("proposed", "delayed", "approved", "test intended", "test sent", "test arrived"),
        *("intended", "sent", "unknown", "arrived"),
    ]
    assert life.is_ended
    assert sum(send.cost for send in life.sends.values()) == 2
    assert life.alarms == []


def test_nothing_is_sent_before_it_was_approved_and_its_delay_is_over() -> None:
    life = TransferLife(order=order())
    assert life.next_part is None
    life.decide(DecisionEvent.WAITED, 10**9)
    assert life.next_part is None

    life.decide(DecisionEvent.APPROVED, 7)
    life.decide(DecisionEvent.APPROVED, 900)
    life.decide(DecisionEvent.WAITED, 7 + DELAY_NS - 1)
    assert life.next_part is None

    life.decide(DecisionEvent.WAITED, 7 + DELAY_NS)
    assert life.next_part is Part.TEST


@pytest.mark.parametrize("event", [SendEvent.UNCLEAR, SendEvent.REFUSED, SendEvent.SHOWN])
def test_the_rest_waits_until_the_test_is_credited(event: SendEvent) -> None:
    life = sent()

    life.learn(Part.TEST, event)

    assert life.next_part is None
    with pytest.raises(BadValueError, match="cannot be sent now"):
        life.intend(Part.REST)


def test_what_is_unknown_is_neither_sent_again_nor_ended_by_a_refusal() -> None:
    life = sent(Part.REST)
    life.learn(Part.REST, SendEvent.UNCLEAR)

    life.learn(Part.REST, SendEvent.REFUSED)

    assert life.state == SendState.UNKNOWN
    assert life.under_way == 95
    with pytest.raises(BadValueError, match="cannot be sent now"):
        life.intend(Part.REST)


@pytest.mark.parametrize(
    ("event", "amount", "state", "credited", "returned"),
    [
        (SendEvent.CREDITED, "94", SendState.ARRIVED, 94, 0),
        (SendEvent.RETURNED, "93", SendState.FAILED, 0, 93),
        (SendEvent.ABSENT, None, SendState.FAILED, 0, 95),
        (SendEvent.SHOWN, None, SendState.SENT, 0, 0),
    ],
)
def test_what_is_unknown_ends_by_proof_with_the_amount_where_it_is(
    event: SendEvent, amount: str | None, state: SendState, credited: int, returned: int
) -> None:
    life = sent(Part.REST)
    life.learn(Part.REST, SendEvent.UNCLEAR)

    life.learn(Part.REST, event, None if amount is None else Decimal(amount))

    rest = life.sends[Part.REST]
    assert rest.state is state
    assert [rest.credited, rest.returned] == [credited, returned]
    assert life.alarms == []


def test_what_its_venue_has_shown_is_neither_refused_nor_absent() -> None:
    life = sent(Part.REST)
    life.learn(Part.REST, SendEvent.SHOWN)
    life.learn(Part.REST, SendEvent.REFUSED)
    life.learn(Part.REST, SendEvent.UNCLEAR)
    life.learn(Part.REST, SendEvent.ABSENT)

    assert life.state == SendState.UNKNOWN
    assert life.alarms == ["its rest was shown, and is said to be absent"]


@pytest.mark.parametrize("amount", [None, "0", "-1", "95.1", "NaN"])
def test_an_amount_that_cannot_be_of_it_changes_nothing_and_is_told(amount: str | None) -> None:
    life = sent(Part.REST)

    life.learn(Part.REST, SendEvent.CREDITED, None if amount is None else Decimal(amount))

    assert life.state == SendState.SENT
    assert len(life.alarms) == 1


def test_what_is_learned_after_the_end_is_told_and_changes_nothing() -> None:
    life = sent(Part.REST)
    life.learn(Part.REST, SendEvent.REFUSED)
    before = deepcopy(life.sends)

    life.learn(Part.REST, SendEvent.CREDITED, Decimal(94))

    assert life.sends == before
    assert life.alarms == ["its rest has failed, and is now credited"]


@pytest.mark.parametrize("event", [SendEvent.SHOWN, SendEvent.CREDITED, SendEvent.RETURNED])
def test_what_is_shown_of_a_send_that_never_left_is_told(event: SendEvent) -> None:
    life = due()
    life.learn(Part.TEST, event, Decimal(5))
    send = life.intend(Part.TEST)

    life.learn(Part.TEST, event, Decimal(5))
    life.learn(Part.TEST, SendEvent.RELEASED)

    assert life.alarms == [f"its test is {event}, and was never sent"]
    assert send.state is SendState.SENT
    assert not send.is_shown


@pytest.mark.parametrize(("source", "asset"), [("coinbase", "USDC"), ("kraken", "BTC")])
def test_a_transfer_goes_to_an_address_of_its_asset_elsewhere(source: str, asset: str) -> None:
    with pytest.raises(BadValueError, match="cannot go to the address"):
        replace(order(), source=VenueId(source), asset=AssetCode(asset))


def test_a_person_stops_what_was_not_sent_and_no_more() -> None:
    life = sent()
    life.decide(DecisionEvent.CANCELLED, 900)
    assert not has_ended(life)

    life.learn(Part.TEST, SendEvent.CREDITED, Decimal(4))

    assert has_ended(life)
    assert life.state == "cancelled after its test"


def test_a_test_of_all_of_it_is_the_whole_transfer() -> None:
    life = due(order(amount="5"))
    life.intend(Part.TEST)
    life.learn(Part.TEST, SendEvent.RELEASED)
    life.learn(Part.TEST, SendEvent.CREDITED, Decimal(5))

    assert life.is_ended
    assert life.state == "arrived"


@pytest.mark.parametrize(
    ("amount", "test", "delay_ns"),
    [("5", "6", 0), ("5", "0", 0), ("5", "-1", 0), ("NaN", "1", 0), ("5", "1", -1)],
)
def test_an_order_that_cannot_be_carried_out_is_refused(
    amount: str, test: str, delay_ns: int
) -> None:
    with pytest.raises(BadValueError):
        order(amount, test, delay_ns)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(DecisionEvent), st.integers(0, 300)),
        st.tuples(st.just("intend"), st.sampled_from(Part)),
        st.tuples(
            st.sampled_from(Part),
            st.sampled_from(SendEvent),
            st.one_of(st.none(), st.integers(-1, 120).map(Decimal)),
        ),
    ),
    max_size=40,
)


def take(life: TransferLife, step: tuple[object, ...]) -> None:
    match step:
        case (DecisionEvent() as event, int(at_ns)):
            life.decide(event, at_ns)
        case ("intend", Part() as part) if part is life.next_part:
            life.intend(part)
        case (Part() as part, SendEvent() as event, amount):
            life.learn(part, event, amount if isinstance(amount, Decimal) else None)


@given(STEPS)
@settings(max_examples=examples(600))
def test_whatever_is_learned_an_end_stays_and_each_unit_is_at_one_place(
    steps: list[tuple[object, ...]],
) -> None:
    life = TransferLife(order=order())
    ended: dict[Part, SendState] = {}
    for step in steps:
        take(life, step)
        again = deepcopy(life)
        if step[0] != "intend":
            take(again, step)
            assert (again.sends, again.decision) == (life.sends, life.decision)

        for part, send in life.sends.items():
            assert exact_sum((send.under_way, send.credited, send.returned, send.cost)) == (
                send.amount
            )
            assert min(send.under_way, send.credited, send.returned, send.cost) >= 0
            assert send.state is ended.get(part, send.state)
            if send.state in ENDED:
                ended[part] = send.state
        if Part.REST in life.sends:
            assert life.sends[Part.TEST].state is SendState.ARRIVED
        assert exact_sum(one.amount for one in life.sends.values()) <= life.order.amount


@dataclass
class Venue:
    """A venue that may take a withdrawal and lose the answer, and lists what it took."""

    taken: list[Decimal] = field(default_factory=list)

    def ask(self, amount: Decimal, fate: str) -> SendEvent:
        if fate in {"answered", "lost"}:
            self.taken.append(amount)
        return {
            "answered": SendEvent.SHOWN,
            "lost": SendEvent.UNCLEAR,
            "lost before": SendEvent.UNCLEAR,
            "refused": SendEvent.REFUSED,
        }[fate]


@given(
    st.lists(
        st.sampled_from(["answered", "lost", "lost before", "refused"]), min_size=2, max_size=2
    ),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.booleans(),
)
def test_over_lost_answers_and_restarts_a_venue_is_asked_once_for_each_part(
    fates: list[str],
    restarts: list[bool],
    is_returned: bool,  # noqa: FBT001
) -> None:
    venue, life = Venue(), due()
    for number, part in enumerate(Part):
        if turn(life) is not part:
            break
        send = life.intend(part)
        if restarts[2 * number]:  # after the intent was durable, before it left
            life.learn(part, SendEvent.UNCLEAR)
        else:
            life.learn(part, SendEvent.RELEASED)
            life.learn(part, venue.ask(send.amount, fates[number]))
            if restarts[2 * number + 1]:
                life.learn(part, SendEvent.UNCLEAR)
        is_taken = len(venue.taken) > number
        if send.state not in ENDED:
            assert turn(life) is None
            if not is_taken:
                life.learn(part, SendEvent.ABSENT)
            elif is_returned:
                life.learn(part, SendEvent.RETURNED, send.amount)
            else:
                life.learn(part, SendEvent.CREDITED, send.amount)
        assert (send.state is SendState.ARRIVED) is (is_taken and not is_returned)

    assert has_ended(life)
    assert life.alarms == []
    credited = exact_sum(send.credited for send in life.sends.values())
    assert credited == (Decimal(0) if is_returned else exact_sum(venue.taken))
