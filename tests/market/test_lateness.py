"""How late a stream is, by the venue's time and by waiting here, and what is held because of it."""

from array import array

from engine.domain.faults import Fault
from engine.domain.instruments import VenueId
from engine.market.board import Board
from engine.market.lateness import Lateness
from engine.ports import NO_TIME, LevelForm
from tests.connectors.truth import make_instrument

MS = 1_000_000
SECOND = 1_000 * MS
START_NS = 1_800_000_000 * SECOND
VENUE = VenueId("binance")
BIDS, ASKS = b'[["99.00","1"]]', b'[["101.00","1"]]'


class Stream:
    """One stream of two books, whose frames say when the venue sent them."""

    def __init__(self, *, lag_ms_max: int = 2_000) -> None:
        instruments = [make_instrument(VENUE, pair, pair) for pair in ("BTC-USD", "ETH-USD")]
        self.board = Board(instruments)
        self.behind = array("q", [NO_TIME])
        self.lateness = Lateness(self.board, [self.behind], [[0, 1]], lag_ms_max=lag_ms_max)
        self.now_ns = START_NS
        for book in (0, 1):
            self.snapshot(book)

    def snapshot(self, book: int) -> None:
        self.board.replace(book, LevelForm.PAIRS, BIDS, ASKS, self.now_ns)

    def frame(self, behind_ms: float, *, wait_ms: int = 0) -> None:
        """Take a frame that the venue's clock says was sent so long before it was received."""
        self.now_ns += MS
        self.behind[0] = int(behind_ms * MS)
        self.look(wait_ms)

    def look(self, wait_ms: int = 0) -> None:
        lateness, behind_ns = self.lateness, self.behind[0]
        if wait_ms or not lateness.from_ns[0] <= behind_ns <= lateness.to_ns[0]:
            lateness.judge(0, wait_ms * MS, self.now_ns)

    def tick(self, seconds: float = 0.1) -> None:
        self.now_ns += int(seconds * SECOND)
        self.lateness.tick(self.now_ns)

    def lag_ms(self) -> float | None:
        lag_ns = self.lateness.lag_ns(0)
        return None if lag_ns is None else lag_ns / MS

    def is_live(self) -> bool:
        assert self.board.is_live(0) == self.board.is_live(1)
        return self.board.is_live(0)


def test_clocks_that_differ_make_no_lag() -> None:
    for offset_ms in (-50_000_000, -1_275, 0, 40, 3_600_000):
        stream = Stream()

        for jitter_ms in (30, 10, 0, 5, 900, 20):
            stream.frame(offset_ms + jitter_ms)

        assert stream.lag_ms() == 20
        assert stream.is_live()


def test_books_whose_frames_come_later_than_the_limit_are_stale_until_they_are_in_time() -> None:
    stream = Stream()
    stream.frame(40)

    stream.frame(2_040)
    assert stream.is_live()
    stream.frame(2_041)

    assert not stream.is_live()
    assert stream.board.stale_reasons == [Fault.LATE, Fault.LATE]
    assert stream.board.faults[VENUE, Fault.LATE] == 2
    assert stream.board.notes[0] == "frames come 2.0 s late, limit 2 s"
    assert stream.board.changed == [0, 1]
    stream.frame(1_041)
    assert not stream.is_live()
    stream.frame(1_040)
    assert stream.is_live()
    assert stream.board.top_levels(0, 1)[0]
    assert stream.board.resync_counts[VENUE] == 0


def test_waiting_here_and_coming_late_count_together() -> None:
    stream = Stream()
    stream.frame(40)

    stream.frame(1_040, wait_ms=900)
    assert stream.is_live()
    stream.frame(1_140, wait_ms=1_000)
    assert not stream.is_live()
    stream.frame(1_000)

    assert stream.is_live()
    assert stream.lateness.waits_ns_max[0] == 1_000 * MS


def test_waiting_alone_is_late_where_frames_hold_no_time() -> None:
    stream = Stream()
    stream.frame(NO_TIME / MS)

    stream.frame(NO_TIME / MS, wait_ms=2_001)
    assert not stream.is_live()
    stream.frame(NO_TIME / MS)

    assert stream.is_live()
    assert stream.lag_ms() is None


def test_a_snapshot_of_a_late_stream_is_not_live() -> None:
    stream = Stream()
    stream.frame(40)
    stream.frame(9_000)
    stream.board.invalidate(0, Fault.GAP, stream.now_ns)

    stream.snapshot(0)

    assert not stream.is_live()
    stream.frame(50)
    assert stream.is_live()


def test_a_row_that_went_stale_while_late_stays_stale_when_frames_are_in_time() -> None:
    stream = Stream()
    stream.frame(40)
    stream.frame(9_000)
    stream.board.invalidate(0, Fault.GAP, stream.now_ns)

    stream.frame(40)

    assert not stream.board.is_live(0)
    assert stream.board.stale_reasons[0] is Fault.GAP
    assert stream.board.is_live(1)


def test_a_connection_that_ended_late_does_not_begin_in_time() -> None:
    stream = Stream()
    stream.frame(40)
    stream.frame(9_000)

    stream.lateness.opened(0)
    stream.behind[0] = NO_TIME
    stream.look()
    assert not stream.is_live()
    stream.frame(9_000)

    assert not stream.is_live()
    stream.frame(100)
    assert stream.is_live()


def test_a_connection_that_ended_in_time_measures_anew() -> None:
    stream = Stream()
    stream.frame(-28_800_000)  # our clock stood still while the machine slept

    stream.lateness.opened(0)
    stream.frame(40)

    assert stream.is_live()
    assert stream.lag_ms() == 0


def test_a_correction_of_our_clock_begins_anew_even_while_late() -> None:
    stream = Stream()
    stream.frame(40)
    stream.frame(9_000)

    stream.lateness.corrected()
    stream.now_ns += 28_800 * SECOND
    stream.behind[0] = NO_TIME
    stream.look()
    stream.frame(28_800_040)

    assert stream.is_live()
    assert stream.lag_ms() == 0


def test_clocks_that_drift_apart_by_100_ppm_are_never_late() -> None:
    stream = Stream()
    behind_ms = 40.0

    for _ in range(30_000):
        stream.frame(behind_ms)
        stream.tick(10.0)
        behind_ms += 10_000 * 100e-6

    assert behind_ms > 30_000
    assert stream.is_live()
    assert stream.board.faults[VENUE, Fault.LATE] == 0
    assert stream.lateness.lags_ns_max[0] < 3 * MS


def test_a_lag_that_stays_is_late_for_hours() -> None:
    stream = Stream()
    stream.frame(40)
    stream.frame(4_040)

    for _ in range(3_600):
        stream.tick(1.0)
        stream.frame(4_040)

    assert not stream.is_live()


def test_what_is_no_time_of_these_years_is_not_compared() -> None:
    stream = Stream()

    for sent_at_ms in (1_800_000_000, 1_800_003_000, 1_800_009_000):  # s, where ms were meant
        stream.now_ns += 3 * SECOND
        stream.behind[0] = stream.now_ns - sent_at_ms * MS
        stream.look()
        stream.tick()

    assert stream.is_live()
    assert stream.lag_ms() is None


def test_one_stream_that_is_late_holds_no_other() -> None:
    instruments = [make_instrument(VENUE, pair, pair) for pair in ("BTC-USD", "ETH-USD")]
    board = Board(instruments)
    behind = [array("q", [0]), array("q", [0])]
    lateness = Lateness(board, behind, [[0], [1]], lag_ms_max=1_000)
    for book in (0, 1):
        board.replace(book, LevelForm.PAIRS, BIDS, ASKS, START_NS)
        lateness.judge(book, 0, START_NS)

    behind[1][0] = 5 * SECOND
    lateness.judge(0, 0, START_NS)
    lateness.judge(1, 0, START_NS)

    assert (board.is_live(0), board.is_live(1)) == (True, False)
