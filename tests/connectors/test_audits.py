"""Audits of feeds that prove no sequence: how soon they find a loss, and that they find no other.

One change lost is a best bid that the venue changed and nobody was told of, in a market that goes
on elsewhere; a REST book may lag behind the stream.
"""

from collections import defaultdict, deque
from random import Random

import pytest

from engine.domain.faults import Fault
from engine.ports import FeedLimits
from tests.connectors.line import SECOND_NS, Line, live_line
from tests.connectors.truth import price_text, size_text
from tests.connectors.wire_frames import Frame

AUDITED = ["bitstamp", "gemini-l2"]
STEP_S = 0.1


class Market:
    """A line whose market moves ten times a second, and whose REST books are `lag_s` old.

    Frames come `behind_s` late, so that a book can be ahead of them.
    """

    def __init__(
        self,
        name: str,
        *,
        lag_s: float = 0.1,
        behind_s: float = 0.0,
        is_busy: bool = False,
        audits_per_s: float = 1.3,
    ) -> None:
        self.line = live_line(name, limits=FeedLimits(audits_per_s=audits_per_s))
        self.asked: defaultdict[str, list[float]] = defaultdict(list)
        self._old: deque[tuple[int, dict[str, Frame]]] = deque()
        self._lag_ns = int(lag_s * SECOND_NS)
        self._late: deque[tuple[int, Frame]] = deque()
        self._behind_ns = int(behind_s * SECOND_NS)
        self._is_busy = is_busy

    def run(self, seconds: float, *, until: Fault | None = None) -> float:
        """Let time pass, until a fault is counted if one is given; return how long."""
        line, began_ns = self.line, self.line.now_ns
        while line.now_ns - began_ns < seconds * SECOND_NS:
            if until is not None and line.faults(until):
                break
            self._step()
        return (line.now_ns - began_ns) / SECOND_NS

    def catch_up(self, until_ns: int) -> None:
        """Deliver the frames that were to come until a time."""
        while self._late and self._late[0][0] <= until_ns:
            self.line.deliver(self._late.popleft()[1])

    def touch(self) -> None:
        """Change the place that `lose_a_change` changes next, and tell it."""
        line, wire = self.line, self.line.wires[0]
        bids = line.venue.truth.books[wire][0]
        best = max(bids)
        bids[best] += 3
        change = line.venue.truth.lie(wire, [(price_text(best), size_text(bids[best]))], [])
        line.deliver(line.venue.frame(change))

    def lose_a_change(self) -> None:
        bids = self.line.venue.truth.books[self.line.wires[0]][0]
        bids[max(bids)] += 7

    def _step(self) -> None:
        line = self.line
        for wire in line.wires:
            truth = line.venue.truth
            change = truth.change(wire) if self._is_busy else truth.far_change(wire)
            self._late.append((line.now_ns + self._behind_ns, line.venue.frame(change)))
        self.catch_up(line.now_ns)
        paths = {wire: _path(line, wire) for wire in line.wires}
        self._old.append((line.now_ns, {w: line.venue.fetch(paths[w]) for w in line.wires}))
        while len(self._old) > 1 and self._old[1][0] <= line.now_ns - self._lag_ns:
            self._old.popleft()
        line.pass_time(STEP_S)
        while line.fetches:
            fetch = line.fetches.popleft()
            wire = fetch.key.partition(":")[2]
            self.asked[wire].append(line.now_ns / SECOND_NS)
            is_audit = fetch.key.startswith("audit:")
            line.answer(fetch, self._old[0][1][wire] if is_audit else None)
        line.flush()


def _path(line: Line, wire: str) -> str:
    is_bitstamp = line.feed.venue == "bitstamp"
    return f"/api/v2/order_book/{wire}/" if is_bitstamp else f"/v1/book/{wire}?"


@pytest.mark.parametrize("name", AUDITED)
@pytest.mark.parametrize("lag_s", [0.0, 0.3, 1.0, 4.0])
def test_a_rest_book_that_lags_is_no_false_alarm(name: str, lag_s: float) -> None:
    market = Market(name, lag_s=lag_s, is_busy=True)

    market.run(120)

    assert all(len(asked) > 8 for asked in market.asked.values())
    assert market.line.faults(Fault.AUDIT_DIVERGED) == 0
    market.line.assert_true()


@pytest.mark.parametrize("behind_s", [0.1, 0.4, 1.0, 1.8])
def test_a_rest_book_ahead_of_the_stream_is_no_false_alarm(behind_s: float) -> None:
    market = Market("gemini-l2", lag_s=0.0, behind_s=behind_s, is_busy=True)

    market.run(240)

    assert all(len(asked) > 16 for asked in market.asked.values())
    assert market.line.faults(Fault.AUDIT_DIVERGED) == 0
    market.catch_up(market.line.now_ns + 2 * SECOND_NS)
    market.line.assert_true()


@pytest.mark.parametrize("name", AUDITED)
@pytest.mark.parametrize("seed", range(8))
def test_a_place_that_changed_just_before_its_loss_is_no_excuse(name: str, seed: int) -> None:
    market = Market(name, lag_s=0.3)
    market.line.board.routes_through[0] = 1
    market.run(20 + 10 * Random(seed).random())

    market.touch()
    market.run(0.5)
    market.lose_a_change()

    assert market.run(60, until=Fault.AUDIT_DIVERGED) < 5


@pytest.mark.parametrize("name", AUDITED)
@pytest.mark.parametrize("seed", range(8))
def test_a_lost_change_is_found_within_ten_seconds(name: str, seed: int) -> None:
    market = Market(name, lag_s=0.3)
    market.run(20 + 10 * Random(seed).random())
    assert market.line.faults(Fault.AUDIT_DIVERGED) == 0

    market.lose_a_change()

    assert market.run(60, until=Fault.AUDIT_DIVERGED) < 10


@pytest.mark.parametrize("name", AUDITED)
@pytest.mark.parametrize("seed", range(8))
def test_a_lost_change_of_a_book_in_an_open_route_is_found_within_seconds(
    name: str, seed: int
) -> None:
    market = Market(name, lag_s=0.3)
    market.line.board.routes_through[0] = 1
    market.run(20 + 10 * Random(seed).random())

    market.lose_a_change()

    assert market.run(60, until=Fault.AUDIT_DIVERGED) < 5


@pytest.mark.parametrize("name", AUDITED)
def test_audits_keep_the_pace_that_the_venue_allows(name: str) -> None:
    market = Market(name, audits_per_s=0.25)
    market.line.board.routes_through[0] = 1
    market.run(120)

    first, second = (market.asked[wire] for wire in market.line.wires)

    assert 20 < len(first) + len(second) <= 31
    assert len(second) >= 5
    assert len(first) > 2 * len(second)


@pytest.mark.parametrize("name", AUDITED)
def test_audits_go_on_when_the_clock_is_set_back(name: str) -> None:
    market = Market(name)
    market.run(20)
    line = market.line
    line.lose()
    line.now_ns -= 3_600 * SECOND_NS
    line.connect()
    line.settle()
    market.asked.clear()

    market.run(30)

    assert all(len(asked) >= 2 for asked in market.asked.values())


@pytest.mark.parametrize("name", AUDITED)
def test_a_quiet_market_is_audited_too(name: str) -> None:
    line = live_line(name, limits=FeedLimits(age_ms_max=600_000))
    line.pass_time(8)
    asked = 0
    bids = line.venue.truth.books[line.wires[0]][0]
    bids[max(bids)] += 7

    for _ in range(20):
        line.pass_time(1)
        while line.fetches:
            asked += 1
            line.answer(line.fetches.popleft())

    assert asked
    assert line.faults(Fault.AUDIT_DIVERGED) == 1


@pytest.mark.parametrize("name", AUDITED)
def test_a_book_is_proven_by_its_snapshot_and_by_every_audit_that_it_passes(name: str) -> None:
    market = Market(name, lag_s=0.3)
    market.run(1)
    times_s = []

    for _ in range(60):
        market.run(1)
        unproven_ns = market.line.board.unproven_ns(0, market.line.now_ns)
        times_s.append((unproven_ns or 0) / SECOND_NS)

    assert 4 < max(times_s) < 10
    assert 0 < min(times_s[12:]) < 4


@pytest.mark.parametrize("name", AUDITED)
def test_a_book_is_not_proven_while_rest_is_away(name: str) -> None:
    market = Market(name)
    market.run(1)
    line = market.line

    for _ in range(40):
        for wire in line.wires:
            line.deliver(line.venue.frame(line.venue.truth.far_change(wire)))
        line.pass_time(1)
        while line.fetches:
            line.feed.fetch_failed(line.fetches.popleft().key, "status 503", line.now_ns)

    assert line.is_live(line.wires[0])
    assert (line.board.unproven_ns(0, line.now_ns) or 0) > 40 * SECOND_NS
    assert line.faults(Fault.FETCH_FAILED) > 4


@pytest.mark.parametrize("name", ["binance", "coinbase", "gemini"])
def test_a_feed_with_sequence_numbers_needs_no_proof(name: str) -> None:
    line = live_line(name)

    line.pass_time(5)

    assert line.board.unproven_ns(0, line.now_ns) is None
