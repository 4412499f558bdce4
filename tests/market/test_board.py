"""The board's own rules; its kernels are tested against a twin elsewhere."""

import pytest

from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.domain.instruments import VenueId
from engine.kernels import layout
from engine.market.board import BOOKS_MAX, Board
from engine.ports import Applied, LevelForm
from tests.reference.world import make_instrument

PAIRS = LevelForm.PAIRS


def make_board(books: int = 2) -> Board:
    return Board([make_instrument(f"v{n}") for n in range(books)], levels_max=8)


def show(board: Board, book: int, at_ns: int = 1) -> Applied:
    return board.replace(book, PAIRS, b"[[1,1],[2,3]]", b"[[5,1],[4,2]]", at_ns)


def test_a_row_is_born_stale_and_only_a_snapshot_makes_it_live() -> None:
    board = make_board()

    assert board.apply(0, PAIRS, b"[[1,1]]", b"[[2,1]]", 1) is Applied.OK
    assert not board.is_live(0)
    assert show(board, 0) is Applied.OK
    assert board.is_live(0)


def test_a_change_is_listed_once_until_the_caller_clears_the_list() -> None:
    board = make_board()

    show(board, 1)
    show(board, 0)
    show(board, 1)
    board.invalidate(1, Fault.GAP, 2)
    assert board.changed == [1, 0]
    board.changed.clear()
    show(board, 0)

    assert board.changed == [0]


def test_invalidating_forgets_levels_counts_the_fault_and_one_resync() -> None:
    board = make_board()
    show(board, 0)

    board.invalidate(0, Fault.GAP, 7)
    board.invalidate(0, Fault.STALLED, 8)

    assert not board.is_live(0)
    assert board.top_levels(0, 5) == ([], [])
    assert board.stale_reasons[0] is Fault.STALLED
    assert board.stale_since_ns[0] == 7
    assert board.resync_counts == {VenueId("v0"): 1}
    assert board.faults_of(VenueId("v0")) == {Fault.GAP: 1, Fault.STALLED: 1}
    assert board.faults_of(VenueId("v1")) == {}


@pytest.mark.parametrize(
    ("bids", "asks", "outcome"),
    [(b"[[4,1]]", b"[]", Applied.CROSSED), (b"[[1,0],[2,0]]", b"[]", Applied.EMPTY)],
)
def test_levels_that_make_no_market_are_gone_before_anyone_reads_them(
    bids: bytes, asks: bytes, outcome: Applied
) -> None:
    board = make_board()
    show(board, 0)
    board.changed.clear()

    assert board.apply(0, PAIRS, bids, asks, 2) is outcome

    assert board.top_levels(0, 5) == ([], [])
    assert not board.is_fresh(0, at_ns=2, age_ns_max=10)
    assert board.changed == [0]


def test_a_change_is_stamped_with_time_and_frame() -> None:
    board = make_board()
    board.frame_seq = 41
    show(board, 0, at_ns=77)

    assert board.changed_at_ns(0) == 77
    assert board.state[0, layout.FRAME_SEQ] == 41


def test_a_refused_frame_leaves_the_stamp_alone() -> None:
    board = make_board()
    show(board, 0, at_ns=77)

    board.apply(0, PAIRS, b'[["x",1]]', b"[]", 99)

    assert board.changed_at_ns(0) == 77


def test_size_and_best_are_read_from_the_right_side() -> None:
    board = make_board()
    show(board, 0)
    unit = 10**8

    assert board.best(0, layout.BID) == (200, 3 * unit)
    assert board.best(0, layout.ASK) == (400, 2 * unit)
    assert board.best(1, layout.ASK) is None
    assert board.size_at(0, layout.BID, 100) == unit
    assert board.size_at(0, layout.ASK, 500) == unit
    assert board.size_at(0, layout.ASK, 200) == 0


def test_more_instruments_than_rows_are_refused() -> None:
    with pytest.raises(BadValueError, match="513 instruments"):
        make_board(BOOKS_MAX + 1)


def test_all_rows_are_as_fresh_as_each_is_by_itself() -> None:
    board = make_board(4)
    show(board, 0, at_ns=1)
    show(board, 1, at_ns=9)
    show(board, 2, at_ns=9)
    board.invalidate(2, Fault.GAP, 9)

    for at_ns in (9, 11, 12, 20):
        alone = [board.is_fresh(book, at_ns=at_ns, age_ns_max=10) for book in range(4)]
        assert board.are_fresh(at_ns=at_ns, age_ns_max=10).tolist() == alone
    assert board.are_fresh(at_ns=11, age_ns_max=10).tolist() == [True, True, False, False]
    assert board.are_fresh(at_ns=12, age_ns_max=10).tolist() == [False, True, False, False]
