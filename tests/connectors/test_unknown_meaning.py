"""Frames whose meaning is not understood: each field of each frame that moves a book, in turn.

Whatever is taken out or named differently, a row that says it is live is the venue's book; if the
field was one that the feed needs, the rows it could concern are stale and the fault is counted.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from engine.domain.faults import Fault
from tests.connectors.dialects import DIALECTS
from tests.connectors.line import Line, live_line

SPARE = {
    "client_id",
    "timestamp",
    "event_time",
    "current_time",
    "E",
    "stream",
    "id",
    "at_ns",
}
"""Fields that no book depends on."""

Path = tuple[str | int, ...]


def _fields(value: Any, at: Path = ()) -> Iterator[Path]:
    """Yield the path of every field of a document."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        if isinstance(key, str):
            yield (*at, key)
        if isinstance(inner, dict | list):
            yield from _fields(inner, (*at, key))


def _without(document: Any, path: Path, *, is_renamed: bool) -> bytes:
    edited = deepcopy(document)
    holder = edited
    for key in path[:-1]:
        holder = holder[key]
    held = holder.pop(path[-1])
    if is_renamed:
        holder[f"{path[-1]}_v2"] = held
    return msgspec.json.encode(edited)


def _next(line: Line) -> Any:
    """Make a real change with a level on both sides of the first row."""
    truth, wire = line.venue.truth, line.wires[0]
    lots = truth.books[wire][1][max(truth.books[wire][1])] = 5_432
    ask = (f"{max(truth.books[wire][1]) / 100:.2f}", f"{lots / 1000:.3f}")
    truth.books[wire][0][5_000] = 1_234
    change = truth.lie(wire, [("50.00", "1.234")], [ask])
    return msgspec.json.decode(line.venue.frame(change).payload)


def _paths(name: str) -> list[Path]:
    return list(_fields(_next(live_line(name))))


EDITS = [
    pytest.param(name, path, is_renamed, id=f"{name}-{path}-{'renamed' if is_renamed else 'gone'}")
    for name in DIALECTS
    for path in _paths(name)
    for is_renamed in (False, True)
]


@pytest.mark.parametrize(("name", "path", "is_renamed"), EDITS)
def test_a_change_that_lacks_a_field_is_never_live_and_wrong(
    name: str,
    path: Path,
    is_renamed: bool,  # noqa: FBT001
) -> None:
    line = live_line(name)
    document = _next(line)
    changed_at_ns = line.board.changed_at_ns(0)

    line.deliver_bytes(_without(document, path, is_renamed=is_renamed))

    if path[-1] in SPARE:
        assert line.book(line.wires[0]) == line.venue.truth.books[line.wires[0]]
        assert not line.board.faults
    else:
        assert not line.is_live(line.wires[0])
        assert line.board.changed_at_ns(0) == changed_at_ns
        assert line.board.faults
        assert line.board.stale_reasons[0] is not None


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("value", [None, True, "x", {}, [], [[]], {"a": 1}])
def test_a_change_whose_field_has_another_shape_is_never_live_and_wrong(
    name: str, value: object
) -> None:
    for path in _paths(name):
        line = live_line(name)
        document = holder = _next(line)
        for key in path[:-1]:
            holder = holder[key]
        if path[-1] in SPARE or type(holder[path[-1]]) is type(value):
            continue
        holder[path[-1]] = value

        line.deliver_bytes(msgspec.json.encode(document))

        is_true = line.book(line.wires[0]) == line.venue.truth.books[line.wires[0]]
        assert not line.is_live(line.wires[0]) or is_true, (path, value)
        assert line.board.faults or is_true, (path, value)


def _renamed(document: Any, old: str) -> Any:
    """Return the document with a word in place of another's value."""
    if isinstance(document, dict):
        return {key: _renamed(inner, old) for key, inner in document.items()}
    if isinstance(document, list):
        return [_renamed(inner, old) for inner in document]
    return "levels_v2" if document == old else document


WORDS = {
    "coinbase": ("l2_data", "update", "bid"),
    "gemini": ("depthUpdate",),
    "gemini-l2": ("l2_updates", "buy"),
    "bitstamp": ("data", "diff_order_book_btcusd"),
    "kraken": ("book", "update"),
    "binance": ("depthUpdate",),
    "binance-perpetual": ("depthUpdate",),
}


@pytest.mark.parametrize(("name", "word"), [(n, word) for n in WORDS for word in WORDS[n]])
def test_a_change_of_an_unknown_kind_makes_its_row_stale(name: str, word: str) -> None:
    line = live_line(name)

    line.deliver_bytes(msgspec.json.encode(_renamed(_next(line), word)))

    assert not line.is_live(line.wires[0])
    assert line.faults(Fault.BAD_SHAPE) > 0


UNKNOWN = {
    "coinbase": b'{"channel":"l2_data_v2","sequence_num":%d,"events":[{"type":"x"}]}',
    "gemini": b'{"e":"bookUpdate","s":"btcusd"}',
    "gemini-l2": b'{"type":"l3_updates","symbol":"BTCUSD"}',
    "bitstamp": b'{"event":"data_v2","channel":"diff_order_book_btcusd","data":{}}',
    "kraken": b'{"channel":"level3","type":"update","data":[{"symbol":"BTC/USD"}]}',
    "binance": b'{"stream":"btcusdt@depth","data":{"e":"depthUpdateV2","s":"BTCUSDT"}}',
    "binance-perpetual": b'{"stream":"btcusdt@depth","data":{"e":"depthUpdateV2"}}',
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_frame_of_an_unknown_kind_without_levels_makes_all_rows_stale(name: str) -> None:
    line = live_line(name)
    payload = UNKNOWN[name]
    if b"%d" in payload:
        sequence = msgspec.json.decode(line.venue.heartbeat().payload)["sequence_num"]
        payload %= sequence

    line.deliver_bytes(payload)

    assert not any(line.is_live(wire) for wire in line.wires)
    assert line.faults(Fault.BAD_SHAPE) > 0


def test_a_coinbase_update_without_its_levels_is_stale_and_as_old_as_before() -> None:
    line = live_line("coinbase")
    sequence = msgspec.json.decode(line.venue.heartbeat().payload)["sequence_num"]
    changed_at_ns = line.board.changed_at_ns(0)
    event = {"type": "update", "product_id": "BTC-USD", "changes": [{"side": "bid"}]}
    frame = {"channel": "l2_data", "sequence_num": sequence, "events": [event]}

    line.deliver_bytes(msgspec.json.encode(frame))

    assert not line.is_live("BTC-USD")
    assert line.faults(Fault.BAD_SHAPE) == 1
    assert line.board.changed_at_ns(0) == changed_at_ns
