"""How user streams are opened: what is signed, what goes out, and what opens nothing."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.gateways.answers import Unclear
from engine.gateways.calls import SignedCall
from engine.gateways.gateway import StreamGap, StreamReady
from engine.gateways.stream import StreamAnswer, StreamOpening, is_of_socket
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.binance import BinanceAuth
from engine.signing.venue_auth.gemini import GeminiAuth
from tests.gateways.sample import Sample
from tests.gateways.sample_list import SAMPLES

NOW_MS = 1_790_000_000_000

of_each = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
of_each_that_asks = pytest.mark.parametrize("venue", ["bitstamp", "kraken"])


def signed_of(sample: Sample, wire_names: Sequence[str]) -> list[SignedCall]:
    calls = sample.gateway.stream(wire_names)
    return [sample.auth.sign(call, now_ms=NOW_MS, nonce=n) for n, call in enumerate(calls, 1)]


def answers_of(sample: Sample) -> list[StreamAnswer]:
    return [StreamAnswer(status=one.status, body=one.body) for one in sample.stream_answers]


def opened(sample: Sample, *wire_names: str) -> StreamOpening:
    names = wire_names or (sample.wire_name,)
    opening = sample.gateway.opening(names, signed_of(sample, names), answers_of(sample))
    assert isinstance(opening, StreamOpening), opening
    return opening


def text_of(opening: StreamOpening) -> str:
    return f"{opening.path} {opening.headers} {opening.messages}"


@of_each
def test_what_is_signed_opens_the_stream_with_a_message_that_says_what_to_tell(
    sample: Sample,
) -> None:
    opening = opened(sample)

    assert all(isinstance(msgspec.json.decode(one), dict) for one in opening.messages)
    assert opening.readies >= 1
    asked = [one for one in sample.gateway.stream(()) if not is_of_socket(one)]
    assert len(asked) == len(sample.stream_answers)


@of_each
def test_no_secret_is_in_what_opens_a_stream(sample: Sample) -> None:
    signed = signed_of(sample, [sample.wire_name])

    assert sample.secret not in text_of(opened(sample)) + repr(signed)


@of_each
def test_each_opening_is_signed_anew(sample: Sample) -> None:
    calls = sample.gateway.stream([sample.wire_name])

    first = [sample.auth.sign(one, now_ms=NOW_MS, nonce=1) for one in calls]
    later = [sample.auth.sign(one, now_ms=NOW_MS + 2_000, nonce=2) for one in calls]

    assert all(a != b for a, b in zip(first, later, strict=True))


@of_each
def test_a_stream_that_says_nothing_for_long_is_given_up_after_more_than_one_beat(
    sample: Sample,
) -> None:
    care = sample.gateway.after_open()

    assert 0 < care.silent_s_max <= 60
    assert bool(care.beat) == (care.beat_s > 0)
    assert care.silent_s_max > 2 * care.beat_s


@of_each_that_asks
@given(status=st.sampled_from([200, 401, 403, 429, 500]), body=st.binary(max_size=60))
def test_an_answer_that_is_no_token_opens_nothing(venue: str, status: int, body: bytes) -> None:
    sample = SAMPLES[venue]
    names = [sample.wire_name]

    answer = [StreamAnswer(status=status, body=body)]

    assert isinstance(sample.gateway.opening(names, signed_of(sample, names), answer), Unclear)


@of_each_that_asks
def test_a_token_that_was_refused_or_is_empty_opens_nothing(venue: str) -> None:
    sample = SAMPLES[venue]
    names = [sample.wire_name]
    bodies = (
        b'{"error":["EAPI:Invalid key"]}',
        b'{"error":[],"result":{"token":"","expires":900}}',
        b'{"status":"error","code":"API0001"}',
        b'{"token":"","user_id":4}',
    )
    for body in bodies:
        answer = [StreamAnswer(status=200, body=body)]
        assert isinstance(sample.gateway.opening(names, signed_of(sample, names), answer), Unclear)


def test_bitstamp_is_asked_for_orders_and_trades_of_each_market() -> None:
    opening = opened(SAMPLES["bitstamp"], "btcusd", "ethusd")

    told = [msgspec.json.decode(one)["data"] for one in opening.messages]
    assert {one["channel"] for one in told} == {
        "private-my_orders_btcusd-4",
        "private-my_trades_btcusd-4",
        "private-my_orders_ethusd-4",
        "private-my_trades_ethusd-4",
    }
    assert {one["auth"] for one in told} == {"a-token-of-a-minute"}
    assert opening.readies == 4


def test_binance_signs_the_parameters_of_a_message_as_its_documents_do() -> None:
    """The sample of web-socket-api.md for a message with an HMAC signature."""
    key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
    secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    (call,) = SAMPLES["binance"].gateway.stream(())
    call = msgspec.structs.replace(call, fields={"method": "session.logon", "params": {}})

    signed = BinanceAuth(VenueKey(name=key, secret=secret)).sign(
        call, now_ms=1_649_729_878_532, nonce=1
    )

    assert msgspec.json.decode(signed.body)["params"] == {
        "apiKey": key,
        "timestamp": 1_649_729_878_532,
        "signature": "1cf54395b336b0a9727ef27d5d98987962bc47aca6e13fe978612d0adee066ed",
    }


def test_gemini_signs_the_time_in_seconds_in_the_headers_of_the_socket() -> None:
    auth = GeminiAuth(VenueKey(name="conformance-api-key", secret="conformance-api-secret"))
    (call,) = SAMPLES["gemini"].gateway.stream(())

    headers = auth.sign(call, now_ms=1_700_000_000_999, nonce=9).headers

    assert headers["X-GEMINI-NONCE"] == "1700000000"
    assert headers["X-GEMINI-PAYLOAD"] == "MTcwMDAwMDAwMA=="
    assert headers["X-GEMINI-SIGNATURE"] == (
        "7f81f96295cafbec4e74bbc30cf54015d665b73a49bec7f7f310f52ed6271f92"
        "f86103c32ef8e72bb32da21a811446fe"
    )


@pytest.mark.parametrize("venue", ["binance", "gemini"])
def test_the_answer_to_a_beat_does_not_say_that_the_stream_tells_everything(venue: str) -> None:
    streamed = SAMPLES[venue].gateway.streamed

    assert streamed(b'{"id":"user","status":200,"result":{"subscriptionId":0}}') == (StreamReady(),)
    assert streamed(b'{"id":"beat","status":200,"result":{}}') == ()
    (refused,) = streamed(b'{"id":"user","status":400,"error":{"code":-2015,"msg":"Invalid key."}}')
    assert isinstance(refused, StreamGap)


@pytest.mark.parametrize(
    "report",
    [
        b'{"order_id":"O1","exec_type":"canceled","order_status":"canceled","cum_qty":0.1}',
        b'{"order_id":"O1","exec_type":"trade","exec_id":"T1","last_qty":1,"last_price":2}',
    ],
)
def test_kraken_leaving_out_whose_side_an_end_was_on_is_a_gap(report: bytes) -> None:
    frame = b'{"channel":"executions","type":"update","sequence":4,"data":[%s]}' % report

    facts = SAMPLES["kraken"].gateway.streamed(frame)

    assert [type(one) for one in facts].count(StreamGap) == 1


def test_kraken_answers_a_ping_without_saying_anything() -> None:
    assert SAMPLES["kraken"].gateway.streamed(b'{"method":"pong","time_in":"x"}') == ()
