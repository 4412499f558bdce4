"""What the feed of an exchange through ccxt does beyond the suite that all feeds pass."""

import pytest

from engine.domain.faults import Fault
from engine.ports import Fetch
from tests.connectors.line import Line, live_line
from tests.connectors.wire_frames import text_of

SECOND_NS = 1_000_000_000


def _busy(line: Line, seconds: int) -> list[Fetch]:
    """Let a market go on; return what was asked for meanwhile."""
    asked: list[Fetch] = []
    for _ in range(seconds * 2):
        for wire in line.wires:
            line.change(wire)
        line.pass_time(0.5)
        while line.fetches:
            asked.append(line.fetches.popleft())
            line.answer(asked[-1])
    return asked


def test_a_polled_book_is_proven_by_each_frame_and_never_audited() -> None:
    line = live_line("ccxt-poll")

    asked = _busy(line, 20)

    assert not asked
    for book in range(2):
        unproven_ns = line.board.unproven_ns(book, line.now_ns)
        assert unproven_ns is not None
        assert unproven_ns <= SECOND_NS


def test_a_streams_book_is_proven_by_audits() -> None:
    line = live_line("ccxt-stream")

    asked = _busy(line, 20)

    assert {fetch.path for fetch in asked} == {"/book?symbol=BTC%2FUSD", "/book?symbol=ETH%2FUSD"}
    assert not line.board.faults


@pytest.mark.parametrize("name", ["ccxt-stream", "ccxt-poll"])
def test_a_lost_book_is_stale_with_its_fault_and_asked_for_later(name: str) -> None:
    line = live_line(name)
    lost = {"type": "lost", "symbol": "BTC/USD", "fault": "gap", "why": "a hole"}

    line.deliver_bytes(text_of(lost))

    assert not line.is_live("BTC/USD")
    assert line.is_live("ETH/USD")
    assert line.board.stale_reasons[0] is Fault.GAP
    assert line.faults(Fault.GAP) == 1
    line.settle()
    line.assert_true()


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "lost", "symbol": "BTC/USD", "fault": "sad", "why": "?"},
        {"type": "gone", "symbol": "BTC/USD"},
        {"type": "lost", "symbol": "", "fault": "gap"},
    ],
)
def test_a_frame_of_no_known_meaning_leaves_no_book_live(frame: dict[str, str]) -> None:
    line = live_line("ccxt-stream")

    line.deliver_bytes(text_of(frame))

    assert not any(line.is_live(wire) for wire in line.wires)
    assert line.faults(Fault.BAD_SHAPE) == 2
    line.settle()


def test_how_late_the_role_is_shows_in_its_signs_of_life() -> None:
    line = live_line("ccxt-stream")

    line.deliver_bytes(text_of({"type": "alive", "at_ns": line.now_ns - 5 * SECOND_NS}))

    assert line.feed.behind[0] == 5 * SECOND_NS + 1_000_000
