"""Each venue's own time reaches the limit on lateness, and what is late reaches the reports."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest

from engine.bus.reports import VenueLine
from engine.domain.faults import Fault
from engine.operate.run_header import StreamSpec
from engine.ports import Action, Fetch, InputKind, Send
from tests.connectors.dialects import DIALECTS
from tests.connectors.wire_frames import Frame
from tests.reference.run_core import make_reports, make_run_core
from tests.reference.world import START_NS

MS = 1_000_000
SECOND = 1_000 * MS
OFFSET_MS = 700
"""The venue's clock is so far behind ours."""


def _coinbase(frame: dict[str, Any], sent_at_ns: int) -> None:
    seconds, ns = divmod(sent_at_ns, SECOND)
    frame["timestamp"] = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09d}Z"


def _binance(frame: dict[str, Any], sent_at_ns: int) -> None:
    frame["data"]["E"] = sent_at_ns // MS


def _bitstamp(frame: dict[str, Any], sent_at_ns: int) -> None:
    frame["data"]["microtimestamp"] = str(sent_at_ns // 1_000)


def _gemini(frame: dict[str, Any], sent_at_ns: int) -> None:
    frame["E"] = sent_at_ns


def _gemini_l2(frame: dict[str, Any], sent_at_ns: int) -> None:
    frame["timestamp"] = sent_at_ns // MS


FEEDS: dict[str, tuple[str, Callable[[dict[str, Any], int], None]]] = {
    "coinbase": ("level2", _coinbase),
    "gemini": ("depth", _gemini),
    "gemini-l2": ("l2", _gemini_l2),
    "bitstamp": ("diff", _bitstamp),
    "binance": ("depth", _binance),
}
IN_HEARTBEATS = {"coinbase", "gemini-l2"}


class Run:
    """A core with one venue, whose frames are late as the test wants."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.venue = DIALECTS[name](Random(1))
        instruments = self.venue.instruments
        feed, self._date = FEEDS[name]
        stream = StreamSpec(venue=instruments[0].venue, feed=feed, books=[0, 1])
        self.core = make_run_core(instruments, [], [stream])
        self.now_ns = START_NS
        self._take(InputKind.OPENED, "", b"")
        for _ in range(3):
            for wire in (one.wire_name for one in instruments):
                self._take(InputKind.FRAME, "", self._change(wire, 0))

    def frame(self, *, late_ms: int, wait_ms: int = 0) -> None:
        """Take a frame that holds a time and was so long on its way, and waited so long here."""
        self.now_ns += 5 * SECOND
        key = str(self.now_ns - (wait_ms - 1) * MS) if wait_ms else ""
        if self.name in IN_HEARTBEATS:
            payload = self._dated(self.venue.heartbeat(), late_ms + wait_ms)
        else:
            payload = self._change(self.venue.instruments[0].wire_name, late_ms + wait_ms)
        self._take(InputKind.FRAME, key, payload)

    def live(self) -> list[bool]:
        return [self.core.board.is_live(book) for book in (0, 1)]

    def line(self) -> VenueLine:
        return make_reports(self.core).venues(self.now_ns).venues[0]

    def _change(self, wire: str, late_ms: int) -> bytes:
        frame = self.venue.frame(self.venue.truth.change(wire))
        return frame.payload if self.name in IN_HEARTBEATS else self._dated(frame, late_ms)

    def _dated(self, frame: Frame, late_ms: int) -> bytes:
        content = msgspec.json.decode(frame.payload)
        self._date(content, self.now_ns - (OFFSET_MS + late_ms) * MS)
        return msgspec.json.encode(content)

    def _take(self, kind: InputKind, key: str, payload: bytes) -> None:
        self.now_ns += MS
        actions = self.core.hot_path.accept(
            kind, stream=0, key=key, payload=payload, at_ns=self.now_ns
        )
        for action in actions:
            self._act(action)

    def _act(self, action: Action) -> None:
        if isinstance(action, Send):
            for frame in self.venue.receive(action.text):
                self._take(InputKind.FRAME, "", frame.payload)
        elif isinstance(action, Fetch):
            answer = msgspec.json.decode(self.venue.fetch(action.path).payload)
            if self.name == "bitstamp":
                answer["microtimestamp"] = str((self.now_ns - OFFSET_MS * MS) // 1_000)
            self._take(InputKind.FETCHED, action.key, msgspec.json.encode(answer))


@pytest.mark.parametrize("name", FEEDS)
def test_books_of_a_venue_whose_frames_come_late_are_stale(name: str) -> None:
    run = Run(name)
    run.frame(late_ms=0)
    assert run.live() == [True, True]

    run.frame(late_ms=2_500)

    assert run.live() == [False, False]
    assert run.core.board.stale_reasons == [Fault.LATE, Fault.LATE]
    assert run.line().books_live == 0
    assert 2_400 < (run.line().lag_ms or 0) < 2_600
    run.frame(late_ms=10)
    assert run.live() == [True, True]


@pytest.mark.parametrize("name", FEEDS)
def test_both_lags_are_shown(name: str) -> None:
    run = Run(name)
    run.frame(late_ms=0)
    run.frame(late_ms=300, wait_ms=40)
    run.now_ns += 1
    run.core.hot_path.tick(run.now_ns)
    run.frame(late_ms=20)

    line = run.line()

    assert 15 <= (line.lag_ms or 0) <= 25
    assert 295 <= line.lag_ms_max <= 305
    assert line.wait_ms_max == 40


@pytest.mark.parametrize("name", FEEDS)
def test_a_backlog_here_is_late_although_the_socket_was_read_in_time(name: str) -> None:
    run = Run(name)
    run.frame(late_ms=0)

    run.frame(late_ms=0, wait_ms=2_500)

    assert run.live() == [False, False]


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("sent_at", [0, -5, 2**63, 10**30, None, "soon", [], 1.5, True])
def test_an_odd_time_ends_in_no_exception(name: str, sent_at: object) -> None:
    run = Run(name)
    date = run._date

    def odd(content: dict[str, Any], at_ns: int) -> None:
        date(content, at_ns)
        holder = content.get("data", content)
        key = next(key for key in ("timestamp", "E", "microtimestamp") if key in holder)
        holder[key] = sent_at

    run._date = odd
    run.frame(late_ms=0)
