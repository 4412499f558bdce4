"""The rules that every gateway obeys, on samples of its venue's answers."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.venue_orders import OrderShown, TimeInForce, TradeShown
from engine.gateways.answers import (
    CancelTaken,
    CancelVain,
    Found,
    NotFound,
    NotPlaced,
    Page,
    Placed,
    Unclear,
)
from engine.gateways.calls import Call, SignedCall
from engine.gateways.gateway import StreamGap
from tests.gateways.sample import Answer, Sample
from tests.gateways.sample_list import SAMPLES

NOW_MS = 1_790_000_000_000
STATUSES = (200, 201, 400, 401, 403, 404, 406, 408, 409, 418, 429, 500, 502, 503, 504, 520)

ORDINARY = ("XBTUSD", "BTCUSDT")
"""Pairs of which the fee is that of most."""

SPOILING = (b"", b'"', b"null", b"-1", b"1e400", b"NaN", b"{", b"[[", b"\xff", b"0")

of_each = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
venue_names = st.sampled_from(sorted(SAMPLES))


def signed(sample: Sample, call: Call | None, nonce: int = 1) -> SignedCall:
    assert call is not None
    return sample.auth.sign(call, now_ms=NOW_MS, nonce=nonce)


def wire_text(call: SignedCall) -> str:
    """Return all that goes out, headers with what is hidden in them included."""
    from base64 import b64decode  # noqa: PLC0415

    payload = call.headers.get("X-GEMINI-PAYLOAD", "")
    return f"{call.target} {call.body.decode()} {b64decode(payload).decode()}"


@of_each
def test_an_order_goes_out_with_our_id_its_limit_its_size_and_no_right_to_rest(
    sample: Sample,
) -> None:
    text = wire_text(signed(sample, sample.gateway.place(sample.request)))

    assert sample.request.wire_id in text
    for part in sample.written:
        assert part in text


@of_each
def test_an_order_that_may_only_rest_says_so(sample: Sample) -> None:
    asked = sample.asked(TimeInForce.POST_ONLY)

    text = wire_text(signed(sample, sample.gateway.place(asked)))

    for part in sample.written_post_only:
        assert part in text


@of_each
def test_no_secret_is_in_what_goes_out_or_in_what_is_shown_of_a_key(sample: Sample) -> None:
    call = signed(sample, sample.gateway.place(sample.request))

    assert sample.secret not in wire_text(call) + repr(call) + repr(sample.auth)


@of_each
def test_a_shown_order_is_placed_with_what_it_was_filled_for(sample: Sample) -> None:
    for answer in map(sample.about, sample.taken):
        told = sample.gateway.placed(sample.request, answer.status, answer.body)
        assert isinstance(told, Placed), (answer, told)
        assert not told.shown.differs_from(sample.request)
        assert told.shown.venue_order_id

    first = sample.about(sample.taken[0])
    told = sample.gateway.placed(sample.request, first.status, first.body)
    assert isinstance(told, Placed)
    if sample.filled_base is not None:
        by_trades = sum((one.size_base for one in told.shown.trades), start=Decimal(0))
        assert sample.filled_base in (told.shown.filled_base, by_trades)


@of_each
def test_an_answer_about_another_order_is_never_ours(sample: Sample) -> None:
    for answer in sample.taken:
        if b"{wire_id}" in answer.body:
            other = sample.about(answer, number=2)
            told = sample.gateway.placed(sample.request, other.status, other.body)
            assert isinstance(told, Unclear), told


@of_each
def test_a_definite_refusal_is_one_with_what_has_to_stop(sample: Sample) -> None:
    for answer, stop in sample.refused:
        told = sample.gateway.placed(sample.request, answer.status, answer.body)
        assert isinstance(told, NotPlaced), (answer, told)
        assert told.stop is stop, answer
        assert told.why


@of_each
def test_what_is_on_no_list_proves_nothing(sample: Sample) -> None:
    for answer in map(sample.about, sample.unclear):
        told = sample.gateway.placed(sample.request, answer.status, answer.body)
        assert isinstance(told, Unclear), (answer, told)


@of_each
def test_a_page_of_a_proxy_and_an_error_of_a_server_prove_nothing(sample: Sample) -> None:
    page = b"<html><body>403 Forbidden: insufficient balance</body></html>"
    for status in STATUSES:
        for body in (page, b"", b"{}", b"null", b"[]", b"0", b'""', b"{" * 50_000):
            told = sample.gateway.placed(sample.request, status, body)
            assert isinstance(told, Unclear), (status, body[:20], told)
    for answer, _ in sample.refused:
        told = sample.gateway.placed(sample.request, 502, answer.body)
        assert isinstance(told, Unclear), answer


@of_each
def test_a_body_that_was_cut_proves_nothing(sample: Sample) -> None:
    whole = [sample.about(one) for one in (*sample.taken, *(one for one, _ in sample.refused))]
    for answer in whole:
        for length in range(len(answer.body)):
            told = sample.gateway.placed(sample.request, answer.status, answer.body[:length])
            assert isinstance(told, Unclear), answer.body[:length]


@given(venue=venue_names, status=st.sampled_from(STATUSES), body=st.binary(max_size=200))
def test_any_bytes_with_any_status_are_read(venue: str, status: int, body: bytes) -> None:
    read_all(SAMPLES[venue], status, body)


@given(venue=venue_names, status=st.sampled_from(STATUSES), data=st.data())
def test_a_spoilt_answer_of_the_venue_is_read(venue: str, status: int, data: st.DataObject) -> None:
    sample = SAMPLES[venue]
    answers = [
        *sample.taken,
        *sample.unclear,
        *(one for one, _ in sample.refused),
        *sample.found,
        *sample.not_found,
        sample.balances[0],
        *(Answer(status=200, body=frame) for frame in sample.stream),
    ]
    body = sample.about(data.draw(st.sampled_from(answers))).body
    at = data.draw(st.integers(0, len(body)))
    dropped = data.draw(st.integers(0, 30))
    put = data.draw(st.sampled_from(SPOILING))

    read_all(sample, status, body[:at] + put + body[at + dropped :])


def read_all(sample: Sample, status: int, body: bytes) -> None:
    """Give a body to every reader; none may raise, and what is no answer proves nothing."""
    gateway, request = sample.gateway, sample.request
    told = gateway.placed(request, status, body)
    assert isinstance(told, Placed | NotPlaced | Unclear)
    if isinstance(told, Placed):
        assert not told.shown.differs_from(request)
    gateway.cancelled(status, body)
    for call in gateway.look_ups(request, "28", NOW_MS):
        gateway.looked_up(request, call, status, body)
        gateway.orders_page(call, status, body)
    gateway.trades_page(status, body)
    gateway.balances_page(status, body)
    gateway.fees_told(status, body)
    gateway.rights_told(status, body)
    gateway.streamed(body)


@of_each
def test_a_look_up_shows_an_order_that_has_ended(sample: Sample) -> None:
    call, *_ = sample.gateway.look_ups(sample.request, "", NOW_MS)
    for answer in map(sample.about, sample.found):
        told = sample.gateway.looked_up(sample.request, call, answer.status, answer.body)
        assert isinstance(told, Found), told
        (shown,) = told.orders
        assert shown.stage.is_final
        assert not shown.differs_from(sample.request)
        by_trades = sum((one.size_base for one in shown.trades), start=Decimal(0))
        assert Decimal("0.3") in (shown.filled_base, by_trades)


@of_each
def test_every_look_up_can_say_that_there_is_no_such_order(sample: Sample) -> None:
    calls = sample.gateway.look_ups(sample.request, "", NOW_MS)

    assert len(calls) == len(sample.not_found)
    for call, answer in zip(calls, sample.not_found, strict=True):
        told = sample.gateway.looked_up(sample.request, call, answer.status, answer.body)
        assert isinstance(told, NotFound), (call, told)


@of_each
def test_an_error_never_says_that_there_is_no_such_order(sample: Sample) -> None:
    for call in sample.gateway.look_ups(sample.request, "", NOW_MS):
        for status in (408, 429, 500, 502, 503, 504, 520):
            for body in (b"", b"{}", b"[]", b"<html></html>", sample.not_found[0].body):
                told = sample.gateway.looked_up(sample.request, call, status, body)
                assert isinstance(told, Unclear), (call, status, body, told)


@of_each
def test_a_cancellation_is_never_taken_for_an_order_that_was_not_filled(sample: Sample) -> None:
    taken = sample.about(sample.cancel_taken)
    assert isinstance(sample.gateway.cancelled(taken.status, taken.body), CancelTaken)
    for answer in map(sample.about, sample.cancel_vain):
        told = sample.gateway.cancelled(answer.status, answer.body)
        assert isinstance(told, CancelVain), told
    assert isinstance(sample.gateway.cancelled(502, taken.body), Unclear)


@of_each
def test_balances_are_what_the_venue_says(sample: Sample) -> None:
    answer, balances = sample.balances

    told = sample.gateway.balances_page(answer.status, answer.body)

    assert isinstance(told, Page)
    assert tuple(told.items) == tuple(balances)


@of_each
def test_the_fee_of_cheap_pairs_alone_is_never_asked_for(sample: Sample) -> None:
    asked = [str(call.fields) for call in sample.gateway.fees(["USDCUSD"])]
    tells_by_instrument = any("USDCUSD" in one for one in asked)
    assert tells_by_instrument == any(pair in one for one in asked for pair in ORDINARY)
    assert tells_by_instrument == (sample.gateway.venue in {"binance", "kraken"})


@of_each
def test_a_key_that_may_withdraw_is_told_from_one_that_may_not(sample: Sample) -> None:
    if sample.may_withdraw is None or sample.may_not_withdraw is None:
        assert sample.gateway.rights() is None
        return
    for answer, is_allowed in ((sample.may_withdraw, True), (sample.may_not_withdraw, False)):
        told = sample.gateway.rights_told(answer.status, answer.body)
        assert not isinstance(told, Unclear)
        assert told.may_withdraw is is_allowed


@of_each
def test_the_user_stream_tells_a_fill_of_our_order(sample: Sample) -> None:
    facts = [
        fact
        for frame in sample.stream
        for fact in sample.gateway.streamed(sample.about(Answer(status=200, body=frame)).body)
    ]

    orders = [fact for fact in facts if isinstance(fact, OrderShown)]
    trades = [fact for fact in facts if isinstance(fact, TradeShown)]
    trades += [trade for order in orders for trade in order.trades]
    assert not [fact for fact in facts if isinstance(fact, StreamGap)]
    assert {order.wire_id for order in orders} == {sample.request.wire_id}
    if trades:
        assert sum((one.size_base for one in trades), start=Decimal(0)) == Decimal("0.3")
        assert "77" in {one.trade_id for one in trades}
    else:
        assert orders[-1].filled_base == Decimal("0.3")


@of_each
def test_a_frame_that_cannot_be_read_is_a_gap(sample: Sample) -> None:
    for frame in (b"", b"\xff", b"{", b'{"event":{"e":"executionReport"}}', b"[" * 50_000):
        facts = sample.gateway.streamed(frame)
        assert all(isinstance(fact, StreamGap) for fact in facts), (frame[:20], facts)
        assert facts, frame[:20]


@of_each
def test_two_signatures_of_one_call_with_other_nonces_or_times_differ(sample: Sample) -> None:
    call = sample.gateway.place(sample.request)
    first = sample.auth.sign(call, now_ms=NOW_MS, nonce=1)

    again = sample.auth.sign(call, now_ms=NOW_MS, nonce=1)
    later = sample.auth.sign(call, now_ms=NOW_MS + 1_000, nonce=2)

    assert first.body == again.body
    assert (first.target, first.headers) != (later.target, later.headers)


@of_each
def test_a_size_is_written_without_an_exponent(sample: Sample) -> None:
    tiny = msgspec.structs.replace(
        sample.request, size_base=Decimal("1E-8"), price_limit=Decimal("1E+5")
    )

    text = wire_text(signed(sample, sample.gateway.place(tiny)))

    assert "0.00000001" in text
    assert "100000" in text
    assert "E-" not in text
