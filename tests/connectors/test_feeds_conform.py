"""Every feed against the one conformance suite, and what only some feeds have."""

from itertools import pairwise

import pytest

from engine.domain.faults import Fault
from engine.ports import FeedLimits
from tests.connectors.conformance import CASES, Case, Walk, check_fault
from tests.connectors.dialects import DIALECTS
from tests.connectors.line import START_NS, Line, live_line
from tests.connectors.truth import Texts, Truth, price_text, size_text

LIMITS = FeedLimits(frame_bytes_max=200_000)

FETCHING = ("bitstamp", "binance", "binance-perpetual")
TOLD = {"XBTUSD": "BTC/USD"}
"""How a venue names an instrument in its frames, where it is not by its wire name."""

AUDITED = ("gemini-l2", "bitstamp", "kraken", "ccxt-stream")

every_feed = pytest.mark.parametrize("name", DIALECTS)


def _concerned() -> list[tuple[str, Case]]:
    return [(name, case) for name in DIALECTS for case in CASES if case.concerns(Line(name).venue)]


@pytest.mark.parametrize(
    ("name", "case"), _concerned(), ids=lambda each: each if isinstance(each, str) else each.name
)
def test_each_fault_is_counted_makes_stale_and_is_healed(name: str, case: Case) -> None:
    check_fault(live_line(name, limits=LIMITS), case)


@every_feed
@pytest.mark.parametrize("seed", range(4))
def test_a_live_book_is_the_venues_book_whatever_happens(name: str, seed: int) -> None:
    walk = Walk(Line(name, seed=seed, limits=LIMITS))

    walk.run(600)

    assert walk.live_checks > 150


@every_feed
def test_no_row_is_live_before_a_snapshot_of_this_connection(name: str) -> None:
    line = Line(name)
    line.is_mute = True
    line.connect()

    for _ in range(20):
        line.change(line.wires[0])

    assert not line.is_live(line.wires[0])


@every_feed
def test_a_reconnect_keeps_no_level_of_the_book_before_it(name: str) -> None:
    line = live_line(name)
    ghost = line.venue.truth.books[line.wires[0]][0]
    line.lose()
    ghost.pop(max(ghost))  # the venue's best bid goes while nobody listens
    line.change_unseen(line.wires[0])

    line.connect()
    assert line.book(line.wires[0]) == ({}, {})
    line.settle()

    line.assert_true()


@every_feed
def test_frames_after_a_reconnect_was_asked_for_change_nothing(name: str) -> None:
    line = live_line(name)
    frame = line.venue.frame(line.venue.truth.change(line.wires[0]))

    actions = line.feed.frame(b"{", line.now_ns)
    later = line.feed.frame(frame.payload, line.now_ns)
    again = line.feed.frame(b"{", line.now_ns)

    assert len(actions) == 1
    assert not later
    assert not again
    assert not line.is_live(line.wires[0])


@every_feed
def test_a_stalled_row_is_asked_for_once_per_interval(name: str) -> None:
    line = live_line(name)
    line.sent.clear()
    line.is_mute = True
    wire = TOLD.get(line.wires[0], line.wires[0]).lower()

    for _ in range(175):
        line.change(line.wires[1])
        line.pass_time(0.2)

    asked = [text for text in line.sent if "unsub" not in text.lower() and wire in text.lower()]
    assert 2 <= len(asked) <= 4


@every_feed
def test_heartbeats_without_data_end_the_connection(name: str) -> None:
    line = live_line(name)
    line.is_mute = True

    for _ in range(40):
        if line.is_connected:
            line.deliver(line.venue.heartbeat())
            line.pass_time(1)

    assert line.reconnects == ["stalled: no change on the whole connection"]


@every_feed
def test_a_failed_connection_is_counted_and_changes_nothing(name: str) -> None:
    line = Line(name)

    line.feed.closed(START_NS)

    assert line.faults(Fault.DISCONNECTED) == 1


@pytest.mark.parametrize("name", FETCHING)
def test_a_snapshot_older_than_the_changes_is_refused(name: str) -> None:
    line = Line(name)
    line.connect()
    line.change(line.wires[0])
    fetch = line.fetches.popleft()
    line.venue.truth.versions[line.wires[0]] -= 2
    old = line.venue.fetch(fetch.path)
    line.venue.truth.versions[line.wires[0]] += 2

    line.answer(fetch, old)

    assert line.faults(Fault.SNAPSHOT_TOO_OLD) == 1
    assert not line.is_live(line.wires[0])
    line.settle()
    line.assert_true()


@pytest.mark.parametrize("name", FETCHING)
def test_a_snapshot_from_the_far_future_is_refused(name: str) -> None:
    line = Line(name)
    line.connect()
    line.change(line.wires[0])
    fetch = line.fetches.popleft()
    line.venue.truth.versions[line.wires[0]] += 10_000_000
    line.venue.truth.history[line.wires[0], line.venue.truth.versions[line.wires[0]]] = ({}, {})
    ahead = line.venue.fetch(fetch.path)
    line.venue.truth.versions[line.wires[0]] -= 10_000_000

    line.feed.fetched(fetch.key, ahead.payload, line.now_ns)

    assert line.faults(Fault.BAD_NUMBER) == 1
    assert not line.is_live(line.wires[0])


@pytest.mark.parametrize("name", FETCHING)
def test_a_full_buffer_is_counted_and_started_anew(name: str) -> None:
    line = Line(name, limits=FeedLimits(buffered_frames_max=5))
    line.connect()

    for _ in range(12):
        line.change(line.wires[0])

    assert line.faults(Fault.BUFFER_FULL) == 2
    line.settle()
    line.assert_true()


@pytest.mark.parametrize("name", FETCHING)
@pytest.mark.parametrize(
    ("payload", "fault"),
    [(b"<html>", Fault.BAD_JSON), (b"{}", Fault.BAD_SHAPE), (b'{"error":[]}', Fault.BAD_SHAPE)],
)
def test_a_bad_snapshot_is_counted_and_fetched_again(
    name: str, payload: bytes, fault: Fault
) -> None:
    line = Line(name)
    line.connect()
    line.change(line.wires[0])
    fetch = line.fetches.popleft()

    line.feed.fetched(fetch.key, payload, line.now_ns)
    line.pass_time(2)

    assert line.faults(fault) == 1
    assert [waiting.key for waiting in line.fetches] == [fetch.key]


class _TooFine(Truth):
    """A truth whose first book has a price that is finer than its list says."""

    def texts(self, wire: str) -> tuple[Texts, Texts]:
        bids, asks = super().texts(wire)
        return ([("1.0000001", "1"), *bids] if wire == self.wires[0] else bids), asks


@every_feed
def test_a_row_whose_snapshots_are_refused_is_asked_for_ever_more_rarely(name: str) -> None:
    line = Line(name)
    truth = line.venue.truth = _TooFine(line.random, line.wires)
    wire = line.wires[0]
    line.connect()
    asked_at_s = [0.0]

    for step in range(3_000):
        line.change(line.wires[1])
        line.deliver(line.venue.frame(truth.far_change(wire)))
        before = len(line.sent)
        line.pass_time(0.1)
        is_fetched = any(fetch.key.startswith("book:") for fetch in line.fetches)
        if len(line.sent) > before or is_fetched:
            asked_at_s.append(step / 10)
        while line.fetches:
            line.answer(line.fetches.popleft())

    pauses_s = [after - before for before, after in pairwise(asked_at_s)]
    assert not line.is_live(wire)
    assert line.is_live(line.wires[1])
    assert 6 <= len(asked_at_s) <= 14, asked_at_s
    assert 55 < max(pauses_s) < 80
    assert "bad number, " in line.board.notes[0]


@every_feed
def test_a_quiet_row_is_not_asked_for_ever_more_rarely(name: str) -> None:
    line = live_line(name)
    line.sent.clear()

    for _ in range(60):
        for _ in range(28):
            line.change(line.wires[1])
            line.pass_time(0.4)
            while line.fetches:
                line.answer(line.fetches.popleft())
        line.change(line.wires[0])
        while line.fetches:
            line.answer(line.fetches.popleft())

        line.flush()
        assert line.is_live(line.wires[0])


@pytest.mark.parametrize("name", FETCHING)
def test_a_failed_fetch_is_counted_and_tried_again(name: str) -> None:
    line = Line(name)
    line.connect()
    line.change(line.wires[0])
    fetch = line.fetches.popleft()

    line.feed.fetch_failed(fetch.key, "status 503", line.now_ns)
    line.pass_time(2)

    assert line.faults(Fault.FETCH_FAILED) == 1
    assert [waiting.key for waiting in line.fetches] == [fetch.key]


@pytest.mark.parametrize("name", DIALECTS)
def test_an_answer_nobody_asked_for_is_ignored(name: str) -> None:
    line = live_line(name)

    for key in (f"book:{line.wires[0]}", f"audit:{line.wires[0]}", "", "book:", "x"):
        line.feed.fetched(key, b"{}", line.now_ns)
        line.feed.fetch_failed(key, "why", line.now_ns)

    assert line.is_live(line.wires[0])
    assert not line.board.faults


@pytest.mark.parametrize("name", AUDITED)
@pytest.mark.parametrize("seed", range(6))
def test_the_audit_finds_a_silent_drop(name: str, seed: int) -> None:
    line = live_line(name, seed=seed, limits=FeedLimits(audit_s=5))
    wire = line.wires[0]
    bids = line.venue.truth.books[wire][0]
    bids[max(bids)] += 7  # the venue's best bid changes, and nobody is told

    for _ in range(200):
        _one_step_of_a_calm_market(line)
        if line.faults(Fault.AUDIT_DIVERGED):
            break

    assert line.faults(Fault.AUDIT_DIVERGED) == 1
    assert line.board.resync_counts[line.feed.venue] == 1
    line.settle()
    line.assert_true()


@pytest.mark.parametrize("name", AUDITED)
@pytest.mark.parametrize("seed", range(4))
def test_the_audit_of_a_true_book_finds_nothing(name: str, seed: int) -> None:
    line = live_line(name, seed=seed, limits=FeedLimits(audit_s=5))
    answered: list[str] = []

    for _ in range(300):
        for wire in line.wires:
            line.change(wire)
        line.pass_time(0.2)
        while line.fetches:
            fetch = line.fetches.popleft()
            answered.append(fetch.key)
            if answered.count(fetch.key) % 2:
                ahead = line.venue.frame(line.venue.truth.change(_wire_of(fetch.key)))
                line.answer(fetch)  # overtakes a change that it has already
                line.deliver(ahead)
            else:
                answer = line.venue.fetch(fetch.path)
                line.change(_wire_of(fetch.key))  # overtakes the answer
                line.answer(fetch, answer)

    assert sum(key.startswith("audit:") for key in answered) > 8
    assert line.faults(Fault.AUDIT_DIVERGED) == 0
    line.assert_true()


def _wire_of(key: str) -> str:
    return key.partition(":")[2]


@pytest.mark.parametrize("name", ["binance", "binance-perpetual"])
def test_a_hole_among_buffered_changes_is_a_gap(name: str) -> None:
    line = Line(name)
    line.connect()
    wire = line.wires[0]
    line.change(wire)
    fetch = line.fetches.popleft()
    snapshot = line.venue.fetch(fetch.path)
    line.venue.truth.change(wire)  # lost on the way
    line.change(wire)

    line.answer(fetch, snapshot)

    assert line.faults(Fault.GAP) == 1
    assert not line.is_live(wire)
    line.settle()
    line.assert_true()


def test_an_audit_does_not_trust_a_book_older_than_its_log() -> None:
    line = live_line("bitstamp", limits=FeedLimits(audit_s=1))
    wire = line.wires[0]
    old = line.venue.fetch(f"/api/v2/order_book/{wire}/")
    for _ in range(30):
        line.change(wire)
    while not any(fetch.key == f"audit:{wire}" for fetch in line.fetches):
        line.pass_time(0.3)
        line.change(wire)
    fetch = next(fetch for fetch in line.fetches if fetch.key == f"audit:{wire}")

    line.answer(fetch, old)
    line.change(wire)
    line.pass_time(0.3)

    assert line.faults(Fault.SNAPSHOT_TOO_OLD) == 1
    assert line.faults(Fault.AUDIT_DIVERGED) == 0


@pytest.mark.parametrize("is_told", [True, False])
def test_an_audit_waits_until_the_stream_has_caught_up(is_told: bool) -> None:  # noqa: FBT001
    line = live_line("bitstamp", limits=FeedLimits(audit_s=1))
    wire = line.wires[0]
    while not any(fetch.key == f"audit:{wire}" for fetch in line.fetches):
        line.change(wire)
        line.pass_time(0.3)
    fetch = next(fetch for fetch in line.fetches if fetch.key == f"audit:{wire}")
    bids = line.venue.truth.books[wire][0]
    bids[max(bids)] += 7
    told = [(price_text(max(bids)), size_text(bids[max(bids)]))]
    ahead = line.venue.frame(line.venue.truth.lie(wire, told, []))

    line.answer(fetch)
    line.pass_time(0.3)
    assert line.is_live(wire)
    if is_told:
        line.deliver(ahead)
    line.pass_time(3)

    assert line.faults(Fault.AUDIT_DIVERGED) == (0 if is_told else 1)


def _one_step_of_a_calm_market(line: Line) -> None:
    """Change a level far from the touch, so that what was lost there stays lost."""
    for wire in line.wires:
        line.deliver(line.venue.frame(line.venue.truth.far_change(wire)))
    line.pass_time(0.3)
    while line.fetches:
        line.answer(line.fetches.popleft())
    line.flush()
