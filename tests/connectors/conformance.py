"""What every feed must do, whatever its dialect: one table of faults and one random walk."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from engine.domain.faults import Fault
from tests.connectors.dialects import Dialect
from tests.connectors.line import Line
from tests.connectors.truth import Texts
from tests.connectors.wire_frames import Frame

_LEVEL_KEYS = frozenset({"updates", "changes", "b", "bids"})


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, how it is brought about on a live line, and how far it reaches.

    Attributes:
        reach: what is stale right afterwards: "row" (the first), "all", or "none".
        concerns: the dialects in which the fault can be seen at all.
    """

    name: str
    fault: Fault
    act: Callable[[Line], None]
    reach: str = "row"
    concerns: Callable[[Dialect], bool] = lambda _: True


def _gap(line: Line) -> None:
    line.venue.frame(line.venue.truth.change(line.wires[0]))
    line.change(line.wires[0])


def _duplicate(line: Line) -> None:
    frame = line.venue.frame(line.venue.truth.change(line.wires[0]))
    line.deliver(frame)
    line.deliver(frame)


def _older_duplicate(line: Line) -> None:
    first = line.venue.frame(line.venue.truth.change(line.wires[0]))
    line.deliver(first)
    line.change(line.wires[0])
    line.deliver(first)


def _swapped(line: Line) -> None:
    first = line.venue.frame(line.venue.truth.change(line.wires[0]))
    line.change(line.wires[0])
    line.deliver(first)


def _crossed(line: Line) -> None:
    line.deliver(line.venue.frame(line.venue.truth.crossing(line.wires[0])))


def _empty(line: Line) -> None:
    line.deliver(line.venue.frame(line.venue.truth.emptying(line.wires[0])))


def _levels(bids: Texts, asks: Texts = []) -> Callable[[Line], None]:  # noqa: B006
    def act(line: Line) -> None:
        line.deliver(line.venue.frame(line.venue.truth.lie(line.wires[0], bids, asks)))

    return act


def _shapeless_levels(line: Line) -> None:
    frame = line.venue.frame(line.venue.truth.lie(line.wires[0], [], []))
    line.deliver_bytes(msgspec.json.encode(_spoil(msgspec.json.decode(frame.payload))))


def _spoil(value: object) -> object:
    if isinstance(value, dict):
        return {key: [5] if key in _LEVEL_KEYS else _spoil(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_spoil(each) for each in value]
    return value


def _unknown(line: Line) -> None:
    change = line.venue.truth.lie(line.wires[0], [("1.00", "1")], [])
    line.venue.truth.versions[line.wires[0]] -= 1
    line.deliver_bytes(line.venue.unknown(change))


def _bytes(payload: bytes) -> Callable[[Line], None]:
    return lambda line: line.deliver_bytes(payload)


def _oversize(line: Line) -> None:
    line.deliver_bytes(b'{"x":"' + b"a" * line.limits.frame_bytes_max + b'"}')


def _stalled_row(line: Line) -> None:
    line.is_mute = True
    for _ in range(52):
        line.change(line.wires[1])
        line.pass_time(0.2)
    line.is_mute = False


def _only_heartbeats(line: Line) -> None:
    for _ in range(11):
        line.deliver(line.venue.heartbeat())
        line.pass_time(1)


def _lost(line: Line) -> None:
    line.lose()


def _clock_back(line: Line) -> None:
    line.now_ns -= 3_600_000_000_000
    line.pass_time(0.2)


CASES = (
    Case("gap", Fault.GAP, _gap, concerns=lambda venue: venue.sees_gaps),
    Case("duplicate", Fault.DUPLICATE, _duplicate, "none", lambda venue: venue.sees_order),
    Case("older duplicate", Fault.REORDERED, _older_duplicate, concerns=lambda v: v.sees_order),
    Case("swapped, gap seen", Fault.GAP, _swapped, concerns=lambda venue: venue.sees_gaps),
    Case(
        "swapped, time seen",
        Fault.REORDERED,
        _swapped,
        concerns=lambda venue: venue.sees_order and not venue.sees_gaps,
    ),
    Case("crossed", Fault.CROSSED, _crossed),
    Case("empty", Fault.EMPTY, _empty),
    Case("price too large", Fault.BAD_NUMBER, _levels([("1e400", "1")])),
    Case("price below zero", Fault.BAD_NUMBER, _levels([("-5", "1")])),
    Case("ask at price zero", Fault.BAD_NUMBER, _levels([], [("0.00", "1")])),
    Case("price no number", Fault.BAD_NUMBER, _levels([("NaN", "1")])),
    Case("price too fine", Fault.BAD_NUMBER, _levels([("1.000000001", "1")])),
    Case("size below zero", Fault.BAD_NUMBER, _levels([("99.00", "-1")])),
    Case("size in other digits", Fault.BAD_NUMBER, _levels([("99.00", "\u0661")])),
    Case("levels of no shape", Fault.BAD_SHAPE, _shapeless_levels),
    Case("unknown instrument", Fault.UNKNOWN_INSTRUMENT, _unknown, "none"),
    Case("no JSON", Fault.BAD_JSON, _bytes(b'{"channel":"l2'), "all"),
    Case("no text", Fault.BAD_JSON, _bytes(b"\x00\xff\xfe"), "all"),
    Case("no bytes", Fault.BAD_JSON, _bytes(b""), "all"),
    Case("too deep", Fault.BAD_JSON, _bytes(b'{"x":' + b"[" * 100_000), "all"),
    Case("no object", Fault.BAD_SHAPE, _bytes(b"[1,2]"), "all"),
    Case("null", Fault.BAD_SHAPE, _bytes(b"null"), "all"),
    Case("oversize", Fault.OVERSIZE, _oversize, "all"),
    Case("error", Fault.VENUE_ERROR, lambda line: line.deliver_bytes(line.venue.error()), "all"),
    Case("stalled row", Fault.STALLED, _stalled_row),
    Case("only heartbeats", Fault.STALLED, _only_heartbeats, "all"),
    Case("connection lost", Fault.DISCONNECTED, _lost, "all"),
    Case("clock set back", Fault.STALLED, _clock_back, "all"),
)


def check_fault(line: Line, case: Case) -> None:
    """Bring the fault about: it is counted, stale as far as it reaches, and then healed."""
    before = line.faults(case.fault)
    case.act(line)

    assert line.faults(case.fault) > before, dict(line.board.faults)
    first_is_stale = case.reach != "none"
    assert line.is_live(line.wires[0]) is not first_is_stale
    if case.reach == "all":
        assert not line.is_live(line.wires[1])
    line.assert_true()

    if not line.is_connected:
        line.connect()
    line.settle()
    line.assert_true()
    assert all(line.is_live(wire) for wire in line.wires)


class Walk:
    """Random operations on a line, with the invariant asserted after each."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._random = line.random
        venue = line.venue
        self._operations: list[Callable[[], None]] = [
            *[self._change] * 12,
            *[self._reply] * 4,
            *[self._answer] * 4,
            self._pass_time,
            self._duplicate,
            self._lie,
            self._garbage,
            self._heartbeat,
            self._lose,
        ]
        if venue.sees_order:
            self._operations.append(self._older_duplicate)
        if venue.sees_gaps:
            self._operations += [self._drop, self._drop_reply, self._swap]
        self._late: list[Frame] = []
        self._delivered: list[Frame] = []
        self.live_checks = 0

    def run(self, operations: int) -> None:
        line = self._line
        line.connect()
        for _ in range(operations):
            if not line.is_connected:
                self._delivered.clear()
                line.connect()
            self._random.choice(self._operations)()
            line.assert_true()
            self.live_checks += sum(line.is_live(wire) for wire in line.wires)

    def _frame(self) -> Frame:
        self._line.flush()
        wire = self._random.choice(self._line.wires)
        return self._line.venue.frame(self._line.venue.truth.change(wire))

    def _change(self) -> None:
        frame = self._frame()
        self._delivered.append(frame)
        self._line.deliver(frame)

    def _reply(self) -> None:
        if self._line.replies:
            self._line.deliver(self._line.replies.popleft())

    def _answer(self) -> None:
        line = self._line
        if not line.fetches:
            return
        fetch = line.fetches.popleft()
        choice = self._random.random()
        if choice < 0.1:
            line.feed.fetch_failed(fetch.key, "refused", line.now_ns)
        elif choice < 0.2:
            line.feed.fetched(fetch.key, b"<html>", line.now_ns)
        elif choice < 0.4:
            frame = line.venue.fetch(fetch.path)  # an answer that changes overtake on its way
            for _ in range(3):
                self._change()
            if line.is_connected:
                line.answer(fetch, frame)
        else:
            line.answer(fetch)

    def _pass_time(self) -> None:
        self._line.pass_time(self._random.choice([0.3, 1.1, 4.0]))

    def _duplicate(self) -> None:
        frame = self._frame()
        self._line.deliver(frame)
        self._line.deliver(frame)

    def _older_duplicate(self) -> None:
        if self._delivered:
            self._line.deliver(self._random.choice(self._delivered[-20:]))

    def _lie(self) -> None:
        self._line.flush()
        wire = self._random.choice(self._line.wires)
        truth = self._line.venue.truth
        change = self._random.choice([truth.crossing, truth.emptying])(wire)
        self._line.deliver(self._line.venue.frame(change))

    def _garbage(self) -> None:
        payload = self._frame().payload
        cut = self._random.randrange(len(payload))
        self._line.deliver_bytes(payload[:cut])

    def _heartbeat(self) -> None:
        self._line.flush()
        self._line.deliver(self._line.venue.heartbeat())

    def _lose(self) -> None:
        self._line.lose()

    def _drop(self) -> None:
        self._frame()

    def _drop_reply(self) -> None:
        if self._line.replies:
            self._line.replies.popleft()

    def _swap(self) -> None:
        first, second = self._frame(), self._frame()
        self._line.deliver(second)
        self._line.deliver(first)
