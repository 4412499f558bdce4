"""Each rule by which it is believed that there is no order, or that nothing more comes of one."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.venue_orders import (
    OrderRequest,
    OrderShown,
    Stage,
    TimeInForce,
    TradeShown,
    wire_id_of,
)
from engine.gateways.answers import Found, NotFound, NotPlaced, Placed, Unclear
from engine.trading.acts import Act, Alarm, Cancel, LookUp, Replay, Told
from engine.trading.proof import Proof, Waits
from tests.trading.model_venue import RULES

SENT_MS = 1_000
WINDOWED = RULES["windowed"]
SHUT_MS = SENT_MS + WINDOWED.late_ms_max + WINDOWED.lag_ms_max
NOWHERE = Told(stage=None, why="it is nowhere to be found, and cannot arrive any more")


def request() -> OrderRequest:
    return OrderRequest(
        wire_id=wire_id_of("p1-o1", engine_id="main"),
        venue=VenueId("model"),
        wire_name="BTC-USD",
        side=Side.BUY,
        size_base=Decimal(10),
        price_limit=Decimal(100),
    )


def unknown(rules: str = "windowed", *, wanted_until_ms: int = 0) -> Proof:
    """Return an order whose answer was an error of a server."""
    proof = Proof(
        request=request(), rules=RULES[rules], waits=Waits(), wanted_until_ms=wanted_until_ms
    )
    proof.sent(SENT_MS)
    proof.answered(Unclear(why="status 502"), SENT_MS + 10)
    return proof


def shown(
    stage: Stage, filled: int = 0, trades: Sequence[TradeShown] = (), venue_order_id: str = "v1"
) -> OrderShown:
    return OrderShown(
        venue_order_id=venue_order_id,
        wire_id=request().wire_id,
        wire_name="BTC-USD",
        side=Side.BUY,
        stage=stage,
        size_base=Decimal(10),
        price_limit=Decimal(100),
        filled_base=Decimal(filled),
        trades=tuple(trades),
    )


def trade(trade_id: str, size: int, *, venue_order_id: str = "v1") -> TradeShown:
    return TradeShown(
        trade_id=trade_id,
        venue_order_id=venue_order_id,
        wire_name="BTC-USD",
        side=Side.BUY,
        price=Decimal(100),
        size_base=Decimal(size),
        fee=Decimal(0),
    )


def nothing(proof: Proof, number: int, at_ms: int) -> list[Act]:
    """Let a look-up of two calls show nothing."""
    proof.began(number, calls=2, at_ms=at_ms)
    acts = list(proof.looked_up(number, NotFound(), at_ms + 1))
    return acts + list(proof.looked_up(number, NotFound(), at_ms + 2))


def test_nothing_found_twice_after_all_could_be_shown_proves_that_there_is_none() -> None:
    proof = unknown()

    assert nothing(proof, 1, SHUT_MS) == []
    assert nothing(proof, 2, SHUT_MS + 10) == [NOWHERE]


def test_nothing_found_while_it_may_still_arrive_or_be_shown_proves_nothing() -> None:
    proof = unknown()

    for number in range(1, 50):
        assert nothing(proof, number, SHUT_MS - 1) == []
    assert not proof.is_proven


def test_nothing_found_once_proves_nothing_until_it_is_so_again_in_a_row() -> None:
    proof = unknown()

    assert nothing(proof, 1, SHUT_MS) == []
    proof.began(2, calls=2, at_ms=SHUT_MS + 10)
    proof.looked_up(2, NotFound(), SHUT_MS + 11)
    proof.lost(2, SHUT_MS + 12)
    assert nothing(proof, 3, SHUT_MS + 20) == []
    assert nothing(proof, 4, SHUT_MS + 30) == [NOWHERE]


def test_after_a_gap_in_the_stream_nothing_found_has_to_be_seen_once_more() -> None:
    proof = unknown()

    assert nothing(proof, 1, SHUT_MS) == []
    proof.missed()
    assert nothing(proof, 2, SHUT_MS + 10) == []
    assert nothing(proof, 3, SHUT_MS + 20) == []
    assert nothing(proof, 4, SHUT_MS + 30) == [NOWHERE]


def test_a_fence_shuts_out_only_what_was_signed_before_it_and_once_it_is_answered() -> None:
    before, after = unknown("fenced"), unknown("fenced")
    lag_ms = RULES["fenced"].lag_ms_max

    before.fenced(SENT_MS - 1, SENT_MS + 100)
    after.fenced(SENT_MS + 50, SENT_MS + 5_000)

    for number in (1, 2):
        assert nothing(before, number, SENT_MS + 20_000 + number) == []
    assert nothing(after, 1, SENT_MS + 5_000 + lag_ms - 1) == []
    assert nothing(after, 2, SENT_MS + 5_000 + lag_ms - 1) == []
    assert nothing(after, 3, SENT_MS + 5_000 + lag_ms) == []
    assert nothing(after, 4, SENT_MS + 5_000 + lag_ms + 10) == [NOWHERE]


def test_after_a_second_send_the_time_in_which_it_may_arrive_begins_anew() -> None:
    proof = unknown("replayed", wanted_until_ms=SENT_MS + 5_000)
    rules = RULES["replayed"]
    (replay,) = proof.tick(SENT_MS + 5_000)
    shut_ms = SENT_MS + 5_000 + rules.late_ms_max + rules.lag_ms_max

    assert isinstance(replay, Replay)
    assert nothing(proof, 1, shut_ms - 1) == []
    assert nothing(proof, 2, shut_ms - 1) == []
    assert nothing(proof, 3, shut_ms) == []
    assert nothing(proof, 4, shut_ms + 1) == [NOWHERE]


def test_what_is_wanted_no_more_is_not_sent_again() -> None:
    proof = unknown("replayed", wanted_until_ms=SENT_MS)

    acts = proof.tick(SENT_MS + 5_000)

    assert [type(act) for act in acts] == [LookUp]


def test_an_order_that_exists_is_looked_up_and_not_sent_again() -> None:
    proof = unknown("replayed", wanted_until_ms=SENT_MS + 60_000)

    proof.answered(Unclear(why="duplicate id", exists=True), SENT_MS + 20)

    assert [type(act) for act in proof.tick(SENT_MS + 5_000)] == [LookUp]


def test_a_refusal_of_the_only_send_is_a_proof_however_late() -> None:
    proof = unknown()

    (told,) = proof.answered(NotPlaced(code="-2010", why="no funds"), SENT_MS + 9_000)

    assert told == Told(stage=None, why="-2010: no funds")


def test_a_refusal_of_one_of_two_sends_proves_nothing() -> None:
    proof = unknown("replayed", wanted_until_ms=SENT_MS + 60_000)

    assert proof.answered(NotPlaced(code="funds", why="no funds"), SENT_MS + 9_000) == ()
    assert not proof.is_proven


def test_after_a_restart_no_refusal_is_about_the_send_of_before() -> None:
    proof = Proof(request=request(), rules=WINDOWED, waits=Waits(), wanted_until_ms=0)
    proof.resumed(SENT_MS, SENT_MS)

    assert proof.answered(NotPlaced(code="-2010", why="no funds"), SENT_MS + 1) == ()


def test_an_end_is_looked_up_once_more_when_all_of_it_must_be_shown() -> None:
    proof = unknown()
    end_ms = SENT_MS + 100
    proof.streamed(shown(Stage.EXPIRED), end_ms)
    lag_ms = WINDOWED.lag_ms_max

    proof.began(1, calls=1, at_ms=end_ms + lag_ms - 1)
    proof.looked_up(1, Found(orders=(shown(Stage.EXPIRED),)), end_ms + lag_ms)
    assert proof.is_over
    assert not proof.is_closed
    (look_up,) = proof.tick(end_ms + lag_ms)
    assert isinstance(look_up, LookUp)
    proof.began(look_up.number, calls=1, at_ms=end_ms + lag_ms)
    last = shown(Stage.EXPIRED, 4, [trade("t1", 4)])
    (told,) = proof.looked_up(look_up.number, Found(orders=(last,)), end_ms + lag_ms + 5)

    assert isinstance(told, Told)
    assert told.trades == (trade("t1", 4),)
    assert proof.is_closed


def test_fills_are_told_once_however_often_and_by_whatever_way_they_come() -> None:
    proof = unknown()
    first, second = trade("t1", 4), trade("t2", 6)

    told = [
        *proof.streamed(first, SENT_MS + 20),
        *proof.streamed(shown(Stage.OPEN, 4, [first]), SENT_MS + 21),
        *proof.answered(Placed(shown=shown(Stage.OPEN, 0)), SENT_MS + 22),
        *proof.streamed(shown(Stage.FILLED, 10, [first, second]), SENT_MS + 23),
        *proof.streamed(second, SENT_MS + 24),
    ]

    trades = [one for act in told if isinstance(act, Told) for one in act.trades]
    assert trades == [first, second]
    assert proof.is_over


def test_fills_that_are_counted_and_not_shown_are_looked_for_before_it_is_over() -> None:
    proof = unknown()

    proof.streamed(shown(Stage.FILLED, 10), SENT_MS + 20)

    assert not proof.is_over
    assert [type(act) for act in proof.tick(SENT_MS + 1_020)] == [LookUp]


def test_a_second_order_under_one_id_is_an_alarm_and_its_fills_are_told() -> None:
    proof = unknown()
    second = trade("u1", 2, venue_order_id="v2")
    two = (shown(Stage.FILLED, 10, [trade("t1", 10)]), shown(Stage.OPEN, 2, [second], "v2"))

    acts = proof.looked_up(1, Found(orders=two), SENT_MS + 20)

    assert any(isinstance(act, Alarm) and "twice" in act.sentence for act in acts)
    assert second in [one for act in acts if isinstance(act, Told) for one in act.trades]


@pytest.mark.parametrize(
    "change",
    [{"size_base": Decimal(9)}, {"price_limit": Decimal(99)}, {"side": Side.SELL}],
)
def test_what_is_shown_under_our_id_and_is_another_order_is_no_proof(
    change: dict[str, object],
) -> None:
    proof = unknown()
    other = msgspec.structs.replace(shown(Stage.FILLED, 10), **change)

    acts = [*proof.looked_up(1, Found(orders=(other,)), SENT_MS + 20)]
    acts += proof.streamed(other, SENT_MS + 21)

    assert {type(act) for act in acts} == {Alarm}
    assert not proof.is_proven


def test_an_order_that_was_proven_not_to_exist_and_is_shown_is_booked_with_an_alarm() -> None:
    proof = unknown()
    nothing(proof, 1, SHUT_MS)
    nothing(proof, 2, SHUT_MS + 10)

    alarm, told = proof.streamed(shown(Stage.FILLED, 10, [trade("t1", 10)]), SHUT_MS + 60_000)

    assert isinstance(alarm, Alarm)
    assert isinstance(told, Told)
    assert told.trades == (trade("t1", 10),)


def test_fills_of_other_orders_in_a_listing_are_not_ours() -> None:
    proof = unknown()
    proof.streamed(shown(Stage.OPEN), SENT_MS + 20)
    listed = (trade("t1", 4), trade("x1", 5, venue_order_id="v9"))

    (told,) = proof.looked_up(1, Found(orders=(), trades=listed), SENT_MS + 30)

    assert isinstance(told, Told)
    assert told.trades == (trade("t1", 4),)


def test_a_trade_that_the_venue_takes_back_is_told_and_an_alarm() -> None:
    proof = unknown()
    proof.streamed(shown(Stage.FILLED, 10, [trade("t1", 10)]), SENT_MS + 20)
    back = msgspec.structs.replace(trade("t1", 10), is_reversal=True)

    acts = proof.streamed(back, SENT_MS + 9_000)

    assert [type(act) for act in acts] == [Alarm, Told]
    assert proof.streamed(back, SENT_MS + 9_001) == ()


def test_a_total_that_still_counts_what_was_taken_back_leaves_nothing_to_wait_for() -> None:
    proof = unknown()
    proof.streamed(shown(Stage.FILLED, 10, [trade("t1", 10)]), SENT_MS + 20)
    proof.streamed(msgspec.structs.replace(trade("t1", 10), is_reversal=True), SENT_MS + 900)

    proof.streamed(shown(Stage.FILLED, 10), SENT_MS + 1_000)
    assert proof.is_over

    proof.streamed(shown(Stage.FILLED, 14), SENT_MS + 1_100)
    assert not proof.is_over


def test_what_may_not_rest_and_does_is_cancelled_again_and_again_until_it_has_ended() -> None:
    proof = unknown()
    at_ms = SENT_MS + 20
    proof.streamed(shown(Stage.OPEN), at_ms)
    seen: list[type] = []

    for _ in range(3):
        at_ms = proof.due_ms
        seen += [type(act) for act in proof.tick(at_ms)]

    assert seen.count(Cancel) == 3
    assert seen.count(Alarm) == 1
    proof.streamed(shown(Stage.CANCELLED), at_ms + 1)
    assert proof.is_over


def test_what_may_rest_is_not_cancelled() -> None:
    asked = msgspec.structs.replace(request(), time_in_force=TimeInForce.POST_ONLY)
    proof = Proof(request=asked, rules=WINDOWED, waits=Waits(), wanted_until_ms=0)
    proof.sent(SENT_MS)
    proof.answered(Placed(shown=shown(Stage.OPEN)), SENT_MS + 20)

    for _ in range(5):
        assert not any(isinstance(act, Cancel) for act in proof.tick(proof.due_ms))


def test_a_person_is_told_once_of_an_outcome_that_stays_unknown() -> None:
    proof = unknown("patient")
    alarms: list[Act] = []

    while proof.due_ms < SENT_MS + 600_000:
        alarms += [act for act in proof.tick(proof.due_ms) if isinstance(act, Alarm)]

    assert len(alarms) == 1
    assert not proof.is_proven
