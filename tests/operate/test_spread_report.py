"""`/spreads`: the gaps as they are and the nearest misses, without any trace in the run."""

from collections.abc import Sequence

import pytest

from engine.bus.reports import SpreadLine
from engine.operate.spread_watch import MINUTES
from engine.ports import Applied, LevelForm
from tests.reference.run_core import make_reports, make_run_core
from tests.reference.world import START_NS, Levels, make_instrument, write_side

MINUTE_NS = 60 * 1_000_000_000


class Run:
    """BTC-USD at three venues at 10 bps, ETH-USD at one; transfers cost 2 bps."""

    def __init__(self) -> None:
        instruments = [make_instrument(venue, "BTC-USD") for venue in "abc"]
        instruments.append(make_instrument("a", "ETH-USD"))
        self.core = make_run_core(instruments, [])
        self.reports = make_reports(self.core)
        self.at_ns = START_NS

    def show(self, book: int, *, bid: str, ask: str) -> None:
        bids: Levels = [(bid, "1")]
        asks: Levels = [(ask, "1")]
        applied = self.core.board.replace(
            book, LevelForm.PAIRS, write_side(bids), write_side(asks), self.at_ns
        )
        assert applied is Applied.OK

    def sample(self, *, minutes: int = 0) -> None:
        self.at_ns += minutes * MINUTE_NS
        self.core.spread_watch.sample_next(self.at_ns)

    def nearest(self) -> Sequence[SpreadLine]:
        return self.reports.spreads(self.at_ns).nearest


def test_the_gap_between_each_two_books_is_shown_in_its_better_direction_after_all_costs() -> None:
    run = Run()
    run.show(0, bid="10000", ask="10001")
    run.show(1, bid="10010", ask="10011")
    run.show(2, bid="9990", ask="9991")

    report = run.reports.spreads(run.at_ns)

    best = report.spreads[0]
    assert (best.pair, best.buy_venue, best.sell_venue) == ("BTC-USD", "c", "b")
    assert best.gross_bps == pytest.approx(19 / 9991 * 10_000)
    net = (10010 * 0.999 - 9991 * (1 + 0.0010 + 0.0002)) / 9991 * 10_000
    assert best.net_bps == pytest.approx(net)
    assert len(report.spreads) == 3
    assert report.least_edge_bps == 10.0


def test_a_book_that_is_not_fresh_has_no_gap() -> None:
    run = Run()
    run.show(0, bid="10000", ask="10001")
    run.show(1, bid="10010", ask="10011")
    run.at_ns += 601 * 1_000_000_000

    assert run.reports.spreads(run.at_ns).spreads == []


def test_the_best_gap_of_the_last_hour_stays_and_goes_with_the_hour() -> None:
    run = Run()
    run.show(0, bid="10000", ask="10001")
    run.show(1, bid="10010", ask="10011")
    run.sample()
    best = run.nearest()[0].net_bps
    run.show(1, bid="10001", ask="10002")
    run.sample(minutes=1)
    run.show(0, bid="10000", ask="10001")

    assert run.nearest()[0].net_bps == best

    run.at_ns += (MINUTES - 1) * MINUTE_NS
    assert run.nearest()[0].net_bps < best


def test_the_record_of_misses_is_bounded() -> None:
    run = Run()
    for _ in range(3 * MINUTES):
        run.show(0, bid="10000", ask="10001")
        run.show(1, bid="10010", ask="10011")
        run.sample(minutes=1)
        run.at_ns += 1

    assert all(len(kept) <= MINUTES for kept in run.core.spread_watch._best.values())


def test_looking_changes_nothing_of_the_board() -> None:
    run = Run()
    run.show(0, bid="10000", ask="10001")
    run.show(1, bid="10010", ask="10011")
    before = run.core.board.state.tobytes(), list(run.core.board.changed)

    run.sample()
    run.reports.spreads(run.at_ns)

    assert (run.core.board.state.tobytes(), list(run.core.board.changed)) == before


def test_the_nearest_misses_begin_with_the_best_pair() -> None:
    instruments = [make_instrument(venue, pair) for pair in ("A-USD", "B-USD") for venue in "ab"]
    core = make_run_core(instruments, [])
    for book, bid in enumerate(("100.00", "100.01", "100.00", "100.05")):
        outcome = core.board.replace(
            book,
            LevelForm.PAIRS,
            write_side([(bid, "1")]),
            write_side([("100.06", "1")]),
            START_NS,
        )
        assert outcome is Applied.OK
    for _ in range(2):
        core.spread_watch.sample_next(START_NS)

    nearest = core.spread_watch.nearest(START_NS)

    assert [one.pair for one in nearest] == ["B-USD", "A-USD"]
    assert nearest[0].net_bps > nearest[1].net_bps
