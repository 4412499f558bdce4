"""What only one venue says, and what its feed then does."""

import msgspec
import pytest

from engine.domain.faults import Fault
from engine.ports import FeedLimits
from tests.connectors.line import Line, live_line


def _edited(payload: bytes, **changes: object) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(payload), **changes})


@pytest.mark.parametrize(("counter", "fault"), [(2, Fault.DUPLICATE), (4, Fault.GAP)])
def test_a_coinbase_heartbeat_out_of_line_is_counted_and_the_sequence_decides(
    counter: int, fault: Fault
) -> None:
    line = live_line("coinbase")
    line.deliver(line.venue.heartbeat())
    line.deliver(line.venue.heartbeat())
    beat = msgspec.json.decode(line.venue.heartbeat().payload)
    beat["events"][0]["heartbeat_counter"] = counter

    line.deliver_bytes(msgspec.json.encode(beat))

    assert line.faults(fault) == 1
    assert not line.reconnects
    assert all(line.is_live(wire) for wire in line.wires)


def test_coinbase_takes_a_heartbeat_counter_that_comes_as_text() -> None:
    line = live_line("coinbase")

    for _ in range(3):
        beat = msgspec.json.decode(line.venue.heartbeat().payload)
        event = beat["events"][0]
        event["heartbeat_counter"] = str(event["heartbeat_counter"])
        line.deliver_bytes(msgspec.json.encode(beat))

    assert not line.board.faults


def test_coinbase_subscribes_without_a_key_to_all_channels() -> None:
    line = Line("coinbase")
    line.connect()

    sent = [msgspec.json.decode(text) for text in line.sent]

    assert sent == [
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "product_ids": ["BTC-USD", "ETH-USD"], "channel": "level2"},
        {"type": "subscribe", "product_ids": ["BTC-USD", "ETH-USD"], "channel": "status"},
    ]


def test_a_coinbase_frame_with_events_of_two_products_changes_both() -> None:
    line = live_line("coinbase")
    first, second = (line.venue.truth.change(wire) for wire in line.wires)
    frames = [msgspec.json.decode(line.venue.frame(each).payload) for each in (first, second)]
    both = _edited(
        msgspec.json.encode(frames[0]), events=[*frames[0]["events"], *frames[1]["events"]]
    )

    line.deliver_bytes(both)

    for wire in line.wires:
        assert line.book(wire) == line.venue.truth.books[wire]


@pytest.mark.parametrize("status", [200, 400])
def test_gemini_takes_an_answer_with_an_error_as_a_venue_error(status: int) -> None:
    line = live_line("gemini")

    line.deliver_bytes(b'{"id":"2","status":%d,"error":{"code":-1,"msg":"no"}}' % status)

    assert line.faults(Fault.VENUE_ERROR) == 2


def test_gemini_sees_a_hole_where_the_next_id_follows_without_overlap() -> None:
    line = live_line("gemini")
    wire = line.wires[0]
    line.change(wire)
    frame = line.venue.frame(line.venue.truth.change(wire))
    first_id = msgspec.json.decode(frame.payload)["U"]

    line.deliver_bytes(_edited(frame.payload, U=first_id + 1))

    assert line.faults(Fault.GAP) == 1


@pytest.mark.parametrize(("name", "key"), [("binance", "U"), ("binance-perpetual", "pu")])
def test_binance_sees_a_hole_of_a_single_id(name: str, key: str) -> None:
    line = live_line(name)
    wire = line.wires[0]
    line.change(wire)
    frame = line.venue.frame(line.venue.truth.change(wire))
    message = msgspec.json.decode(frame.payload)
    message["data"][key] += 1

    line.deliver_bytes(msgspec.json.encode(message))

    assert line.faults(Fault.GAP) == 1


@pytest.mark.parametrize("name", ["binance", "binance-perpetual"])
def test_binance_takes_the_ids_of_an_event_that_changes_nothing(name: str) -> None:
    line = live_line(name)
    wire = line.wires[0]
    line.change(wire)
    message = msgspec.json.decode(line.venue.frame(line.venue.truth.change(wire)).payload)
    update, last_id = message["data"], message["data"]["u"]
    sides = update["b"], update["a"]

    update["b"], update["a"] = [], []
    line.deliver_bytes(msgspec.json.encode(message))
    update |= {"U": last_id + 1, "pu": last_id, "u": last_id + 1, "b": sides[0], "a": sides[1]}
    if name == "binance":
        del update["pu"]
    line.deliver_bytes(msgspec.json.encode(message))

    assert line.faults(Fault.GAP) == 0
    assert line.is_live(wire)


def test_bitstamp_reconnects_when_the_venue_asks_for_it() -> None:
    line = live_line("bitstamp")

    line.deliver_bytes(b'{"event":"bts:request_reconnect","channel":"","data":""}')

    assert line.reconnects == ["disconnected: the venue asks to reconnect"]
    assert not any(line.is_live(wire) for wire in line.wires)


def test_bitstamp_skips_changes_that_the_rest_book_already_has() -> None:
    line = Line("bitstamp")
    line.connect()
    wire = line.wires[0]
    line.change(wire)
    late = [line.venue.frame(line.venue.truth.change(wire)) for _ in range(5)]

    line.answer(line.fetches.popleft())
    for frame in late:
        line.deliver(frame)

    assert line.is_live(wire)
    line.assert_true()
    assert not line.board.faults


def test_binance_reconnects_when_the_server_shuts_down() -> None:
    line = live_line("binance")

    line.deliver_bytes(b'{"stream":"x","data":{"e":"serverShutdown","E":1770123456789}}')

    assert line.reconnects == ["disconnected: the server is shutting down"]


def test_binance_fetches_each_kind_from_its_own_path() -> None:
    paths = []
    for name in ("binance", "binance-perpetual"):
        line = Line(name)
        line.connect()
        line.change(line.wires[0])
        paths.append(line.fetches[0].path)

    assert paths == [
        "/api/v3/depth?symbol=BTCUSDT&limit=5000",
        "/fapi/v1/depth?symbol=BTCUSDT&limit=1000",
    ]


def test_gemini_l2_never_takes_a_change_for_a_snapshot() -> None:
    line = Line("gemini-l2")
    line.is_mute = True
    line.connect()

    line.change(line.wires[0])
    bids, asks = line.venue.truth.texts(line.wires[0])
    full = line.venue.frame(line.venue.truth.lie(line.wires[0], bids, asks))
    line.deliver(full)

    assert not line.is_live(line.wires[0])


def test_gemini_l2_survives_an_audit_of_odd_changes() -> None:
    line = live_line("gemini-l2", limits=FeedLimits(audit_s=1))
    while not line.fetches:
        line.change(line.wires[1])
        line.pass_time(0.3)
    frame = line.venue.frame(line.venue.truth.far_change(line.wires[0]))

    line.deliver_bytes(frame.payload.replace(b'"50.00"', b"50.00"))
    while line.fetches:
        line.answer(line.fetches.popleft())

    assert line.faults(Fault.AUDIT_DIVERGED) == 0
    assert line.is_live(line.wires[0])


def test_coinbase_sees_a_single_frame_that_is_missing() -> None:
    line = live_line("coinbase")
    line.venue.heartbeat()  # it never arrives

    line.deliver(line.venue.frame(line.venue.truth.change(line.wires[0])))

    assert line.faults(Fault.GAP) > 0
    assert len(line.reconnects) == 1
    assert not any(line.is_live(wire) for wire in line.wires)
