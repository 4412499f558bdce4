"""The engine's shared prices as background tasks are given them."""

import math
import os
import threading
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from engine.background.prices_now import read_prices
from engine.domain.errors import FatalError, TransientError
from engine.kernels.matrix_layout import HEADER, ROW, rows_at
from tests.market.matrix_process import ROWS, make_matrix, show_book, show_pool


def test_live_rows_have_their_prices_and_others_none(tmp_path: Path) -> None:
    board, matrix = make_matrix(tmp_path / "prices")
    with closing(matrix):
        show_book(board, matrix, 7)
        show_pool(matrix, 2, 4)

        given = read_prices(tmp_path / "prices", at_ns=5)

    assert given.at_ns == 5
    assert given.venue == ["v", "p0", "p1"]
    assert given.place == ["BTC-USD", "p0", "p1"]
    assert (given.bid[0], given.ask[0], given.bid_size[0]) == (7.0, 8.0, 7.0)
    assert math.isnan(given.bid[1])
    assert math.isnan(given.ask[1])
    assert (given.bid[2], given.ask[2], given.ask_size[2]) == (4.0, 4.0, 0.0)
    assert given.left_out == 0


def test_no_more_rows_are_given_than_were_asked_for(tmp_path: Path) -> None:
    _, matrix = make_matrix(tmp_path / "prices")
    with closing(matrix):
        given = read_prices(tmp_path / "prices", at_ns=5, most=1)
    assert (given.venue, given.left_out) == (["v"], ROWS - 1)


def test_a_row_that_never_comes_to_rest_is_absent(tmp_path: Path) -> None:
    board, matrix = make_matrix(tmp_path / "prices")
    with closing(matrix):
        show_book(board, matrix, 7)
        with (tmp_path / "prices").open("r+b") as file:
            file.seek(rows_at(ROWS) + 8 * ROW.SEQUENCE)
            file.write((3).to_bytes(8, "little"))
        given = read_prices(tmp_path / "prices", at_ns=5)
    assert math.isnan(given.bid[0])


def test_each_row_is_whole_while_it_changes_all_the_time(tmp_path: Path) -> None:
    board, matrix = make_matrix(tmp_path / "prices")
    stop = threading.Event()

    def write() -> None:
        counter = 1
        while not stop.is_set():
            show_book(board, matrix, counter)
            counter += 1

    with closing(matrix):
        writing = threading.Thread(target=write)
        writing.start()
        try:
            for _ in range(300):
                given = read_prices(tmp_path / "prices", at_ns=5)
                bid, ask = given.bid[0], given.ask[0]
                assert math.isnan(bid) or (ask == bid + 1 and given.bid_size[0] == bid)
        finally:
            stop.set()
            writing.join()


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 256, os.urandom(4_096)])
def test_what_is_no_matrix_is_said_and_tried_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "prices").write_bytes(content)
    with pytest.raises(TransientError):
        read_prices(tmp_path / "prices", at_ns=5)


def test_without_a_writer_there_are_no_prices(tmp_path: Path) -> None:
    board, matrix = make_matrix(tmp_path / "prices")
    show_book(board, matrix, 7)
    content = (tmp_path / "prices").read_bytes()
    matrix.close()
    for odd in (0, 1):
        words = bytearray(content)
        words[8 * HEADER.GENERATION] |= odd
        (tmp_path / "prices").write_bytes(bytes(words))
        with pytest.raises(TransientError):
            read_prices(tmp_path / "prices", at_ns=5)
    with pytest.raises(TransientError):
        read_prices(tmp_path / "none", at_ns=5)


def test_files_are_closed_whatever_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "prices").write_bytes(os.urandom(4_096))
    before = len(psutil.Process().open_files())
    for _ in range(20):
        with pytest.raises(TransientError):
            read_prices(tmp_path / "prices", at_ns=5)
    assert len(psutil.Process().open_files()) == before


def test_a_file_of_somebody_else_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"")
    (tmp_path / "prices").symlink_to(tmp_path / "real")
    with pytest.raises(FatalError):
        read_prices(tmp_path / "prices", at_ns=5)
