"""Binance's plain depth events are taken without decoding their levels, with the same result."""

import msgspec
import pytest

from engine.domain.faults import Fault
from tests.connectors.line import Line, live_line
from tests.connectors.recordings import read

BIDS = b',"b":['


def _spaced(payload: bytes) -> bytes:
    """The same document, written so that only a decoder can take it."""
    return payload.replace(b',"a":', b', "a":')


def _next(line: Line) -> bytes:
    return line.venue.frame(line.venue.truth.change(line.wires[0])).payload


def _is_plain(payload: bytes) -> bool:
    return BIDS in payload and payload.endswith(b"]}}")


def test_venue_and_recordings_send_plain_events() -> None:
    line = live_line("binance")
    recorded = [one.payload for one in read("binance-spot-btcusdt") if not one.path]

    assert _is_plain(_next(line))
    assert sum(map(_is_plain, recorded)) > 0.9 * len(recorded)


def test_a_plain_event_and_the_same_with_a_space_end_in_the_same_book() -> None:
    plain, spaced = live_line("binance"), live_line("binance")
    for _ in range(200):
        payload = _next(plain)
        assert _next(spaced) == payload
        plain.deliver_bytes(payload)
        spaced.deliver_bytes(_spaced(payload))

    for book in range(len(plain.wires)):
        assert plain.board.top_levels(book, 99) == spaced.board.top_levels(book, 99)
    assert not plain.board.faults
    assert (plain.board.state == spaced.board.state).all()


def test_the_levels_of_a_plain_event_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    line = live_line("binance")
    monkeypatch.setattr(line.feed, "_apply", None)  # the way of decoded levels leads nowhere

    line.deliver_bytes(_next(line))

    assert not line.board.faults


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b'"e":"depthUpdate"', b'"e":"other"', Fault.BAD_SHAPE),
        (b"]}}", b"]}}}", Fault.BAD_JSON),
        (b"]}}", b"]}]}}", Fault.BAD_JSON),
        (b',"a":', b',"a":[],"a":{"x":', Fault.BAD_JSON),
        (b'{"stream"', b'{"stream":{"x":1},"stream"', Fault.BAD_SHAPE),
        (b'"data":{', b'"data":{"U":0,"x":[', Fault.BAD_JSON),
        (b'"data":{', b'"other":{', Fault.BAD_SHAPE),
        (b'"U":', b'"U":99999999999999999999999,"U":', Fault.BAD_SHAPE),
        (b'"u":', b'"u":99999999999999999999999,"y":', Fault.BAD_SHAPE),
        (b'"s":"', b'"s":"\xff', Fault.BAD_JSON),
    ],
)
def test_a_spoiled_event_is_the_same_fault_plain_or_not(
    old: bytes, new: bytes, fault: Fault
) -> None:
    for write in (bytes, _spaced):
        line = live_line("binance")
        payload = _next(line)
        assert old in payload

        line.deliver_bytes(write(payload.replace(old, new, 1)))

        assert line.faults(fault) > 0, (write, line.board.faults)
        assert not any(line.board.is_live(book) for book in range(len(line.wires)))


def test_a_number_that_fits_no_step_costs_the_row_as_ever() -> None:
    line = live_line("binance")
    message = msgspec.json.decode(_next(line))
    message["data"]["b"] = [["1.00000000000000001", "1"]]

    line.deliver_bytes(msgspec.json.encode(message))

    assert line.faults(Fault.BAD_NUMBER) == 1
    assert not line.board.is_live(0)


def test_a_plain_event_that_crosses_the_book_costs_the_row() -> None:
    line = live_line("binance")
    best_ask = line.board.best(0, 1)
    assert best_ask is not None
    price = line.board.instruments[0].price_of(best_ask[0])
    message = msgspec.json.decode(_next(line))
    message["data"]["b"], message["data"]["a"] = [[f"{price:f}", "1"]], []

    line.deliver_bytes(msgspec.json.encode(message))

    assert line.faults(Fault.CROSSED) == 1
    assert not line.board.is_live(0)


def test_a_plain_event_out_of_line_is_a_gap() -> None:
    line = live_line("binance")
    _next(line)

    line.deliver_bytes(_next(line))

    assert line.faults(Fault.GAP) == 1
    assert not line.board.is_live(0)
