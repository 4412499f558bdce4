"""The shared price matrix: its rows, its life, and bad input."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import BadValueError, FatalError, SyndicateError
from engine.domain.faults import Fault
from engine.kernels.matrix_layout import HEADER
from engine.market.board import Board
from engine.market.matrix_block import ROWS_MAX, Place, RowKind, run_hash
from engine.market.matrix_file import BlockReplacedError, WriterGoneError, shared_path
from engine.market.matrix_reader import PriceMatrixReader
from engine.market.price_matrix import PriceMatrix
from engine.ports import LevelForm
from tests.effort import examples
from tests.market.matrix_process import ROWS, is_whole, make_matrix, show_book, show_pool
from tests.reference.world import START_NS, make_instrument

Calls = tuple[Callable[[], object], ...]


@contextmanager
def opened(path: Path) -> Iterator[tuple[Board, PriceMatrix, PriceMatrixReader]]:
    board, matrix = make_matrix(path)
    reader = PriceMatrixReader.open(path)
    try:
        yield board, matrix, reader
    finally:
        reader.close()
        matrix.close()


def test_a_book_that_goes_stale_is_absent_and_no_rate_is_left(tmp_path: Path) -> None:
    with opened(tmp_path / "prices") as (board, matrix, reader):
        show_book(board, matrix, 7)
        assert reader.row(0).is_live

        board.invalidate(0, Fault.GAP, 8)
        matrix.publish_book(0, 8)

        row = reader.row(0)
        assert not row.is_live
        assert (row.bid, row.ask, row.rate_forward, row.rate_backward) == (0.0, math.inf, 0.0, 0.0)
        assert (row.changed_at_ns, row.published_at_ns) == (7, 8)


def test_only_rows_that_changed_since_are_told_and_none_twice(tmp_path: Path) -> None:
    with opened(tmp_path / "prices") as (board, matrix, reader):
        first = reader.changed_since(0)
        assert first.rows.tolist() == [0, 1, 2]
        assert reader.changed_since(first.version).rows.tolist() == []

        show_pool(matrix, 2, 3)
        show_book(board, matrix, 3)
        show_pool(matrix, 2, 4)
        second = reader.changed_since(first.version)

        assert second.rows.tolist() == [0, 2]
        assert second.version == reader.row(2).version == first.version + 3
        assert reader.changed_since(second.version).rows.tolist() == []


def test_a_reader_cannot_write_and_its_views_show_the_block_itself(tmp_path: Path) -> None:
    with opened(tmp_path / "prices") as (board, matrix, reader):
        show_book(board, matrix, 7)
        assert reader.table["bid"][0] == 7.0
        assert reader.versions[0] == reader.row(0).version
        views: tuple[Any, ...] = (reader.table["bid"], reader.versions, reader.header)
        for view in views:
            with pytest.raises(ValueError, match="read-only"):
                view[0] = 1


def test_readers_learn_names_band_and_run_from_the_block(tmp_path: Path) -> None:
    with opened(tmp_path / "prices") as (_, matrix, reader):
        assert reader.places == matrix.places
        assert str(reader.places[0]) == "BTC-USD at v"
        assert reader.band_ratio == 0.001
        assert reader.run == run_hash("run")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 0.0, 1e300, 5e-324])
def test_a_rate_that_is_none_is_refused_by_name_and_the_row_stays(
    tmp_path: Path, bad: float
) -> None:
    with opened(tmp_path / "prices") as (_, matrix, reader):
        show_pool(matrix, 1, 3)
        before = reader.row(1)

        with pytest.raises(BadValueError, match=r"rate_forward of row 1 .* is .* quote per base"):
            matrix.publish_rates(1, bad, 1.0, 4)
        with pytest.raises(BadValueError, match=r"rate_backward of row 1 .* is .* base per quote"):
            matrix.publish_rates(1, 1.0, bad, 4)
        if not 0.0 <= bad < math.inf:
            with pytest.raises(BadValueError, match="band of row 1"):
                matrix.publish_rates(1, 1.0, 1.0, 4, bid_band_base=bad)
            with pytest.raises(BadValueError, match="band of row 1"):
                matrix.publish_rates(1, 1.0, 1.0, 4, ask_band_base=bad)
            for reserves in ((bad, 1.0), (1.0, bad)):
                with pytest.raises(
                    BadValueError, match=r"reserves of row 1 .* finite and 0 or more"
                ):
                    matrix.publish_rates(1, 1.0, 1.0, 4, reserves=reserves)

        assert reader.row(1) == before


@pytest.mark.parametrize("row", [-1, ROWS, 2**40])
def test_a_row_that_is_none_is_refused_by_writer_and_reader(tmp_path: Path, row: int) -> None:
    with opened(tmp_path / "prices") as (_, matrix, reader):
        calls: Calls = (
            lambda: matrix.publish_book(row, 1),
            lambda: matrix.publish_rates(row, 1.0, 1.0, 1),
            lambda: matrix.withdraw(row, 1),
        )
        for publish in calls:
            with pytest.raises(BadValueError, match=f"row {row} cannot be published so"):
                publish()
        reads: Calls = (
            lambda: reader.row(row),
            lambda: reader.rows([0, row]),
            lambda: reader.rows_together([0, row]),
        )
        for read in reads:
            with pytest.raises(BadValueError, match=f"no row {row}; its rows are 0 to 2"):
                read()


def test_a_pool_is_not_published_as_a_book_nor_a_book_as_a_pool(tmp_path: Path) -> None:
    with opened(tmp_path / "prices") as (_, matrix, _reader):
        with pytest.raises(BadValueError, match="books are rows 0 to 0, pools rows 1 to 2"):
            matrix.publish_book(1, 1)
        with pytest.raises(BadValueError, match="cannot be published so"):
            matrix.publish_rates(0, 1.0, 1.0, 1)
        with pytest.raises(BadValueError, match="cannot be published so"):
            matrix.withdraw(0, 1)


def test_a_closed_writer_is_told_to_its_readers_and_can_write_no_more(tmp_path: Path) -> None:
    with opened(tmp_path / "prices") as (_, matrix, reader):
        matrix.close()

        reads: Calls = (lambda: reader.row(0), reader.rows, lambda: reader.changed_since(0))
        for read in reads:
            with pytest.raises(WriterGoneError, match="no engine writes the price matrix"):
                read()
        with pytest.raises(FatalError, match="is closed"):
            matrix.publish_book(0, 1)
        with pytest.raises(FatalError, match="is closed"):
            matrix.publish_rates(1, 1.0, 1.0, 1)
        reader.close()
        reads = (
            lambda: reader.row(0),
            reader.rows,
            lambda: reader.rows_together([]),
            lambda: reader.changed_since(0),
            reader.check_writer,
            reader.version,
        )
        for read in reads:
            with pytest.raises(FatalError, match="is closed"):
                read()


def test_views_stay_readable_after_both_sides_closed(tmp_path: Path) -> None:
    with opened(tmp_path / "prices") as (board, matrix, reader):
        show_book(board, matrix, 7)
        table = reader.table
    del matrix, reader

    assert table["bid"][0] == 7.0


def patched(path: Path, word: int, value: int) -> None:
    with path.open("r+b") as file:
        file.seek(8 * word)
        file.write(value.to_bytes(8, "little", signed=True))


def test_a_block_of_another_format_is_refused_with_both_formats(tmp_path: Path) -> None:
    with opened(tmp_path / "prices") as (_, matrix, _reader):
        patched(tmp_path / "prices", HEADER.FORMAT, 7)
        with pytest.raises(BadValueError, match="format 7; this program reads format 2"):
            PriceMatrixReader.open(tmp_path / "prices")

        matrix.close()
        with opened(tmp_path / "prices") as (_, following, reader):
            assert reader.generation == following.generation > matrix.generation


@pytest.mark.parametrize(
    ("word", "value", "text"),
    [
        (HEADER.MAGIC, 12, "is no price matrix: it begins with 0xc"),
        (HEADER.ROWS, 900, "says that it has 900 rows"),
        (HEADER.ROWS, -1, "says that it has -1 rows"),
        (HEADER.ROWS, 2**62, "which do not fit"),
        (HEADER.PLACES_BYTES, 10**9, "which do not fit"),
        (HEADER.PLACES_BYTES, 3, "names of the matrix's rows are damaged"),
        (HEADER.ROWS, 2, "names of the matrix's rows are damaged"),
    ],
)
def test_a_damaged_header_is_refused_by_what_is_wrong(
    tmp_path: Path, word: int, value: int, text: str
) -> None:
    with opened(tmp_path / "prices"):
        patched(tmp_path / "prices", word, value)
        with pytest.raises(BadValueError, match=text):
            PriceMatrixReader.open(tmp_path / "prices")


@settings(max_examples=examples(150), deadline=None)
@given(st.integers(0, 40), st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 9))
def test_damage_to_a_header_is_an_error_at_most_and_the_next_writer_mends_it(
    word: int, value: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "prices"
        with opened(path):
            patched(path, word, value)
            with suppress(SyndicateError):
                reader = PriceMatrixReader.open(path, wait_ns_max=0)
                assert len(reader.rows()) == ROWS
                reader.changed_since(0)
                reader.close()
        if word == HEADER.MAGIC:
            return  # some other file: not to be overwritten

        with opened(path) as (board, matrix, following):
            show_book(board, matrix, 7)
            assert is_whole(following.row(0))
            assert following.changed_since(following.version() - 1).rows.tolist() == [0]


@pytest.mark.parametrize("size", [1, 255, 300])
def test_a_file_of_the_wrong_size_is_neither_read_nor_overwritten(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "prices"
    path.write_bytes(b"x" * size)

    with pytest.raises(BadValueError, match="price matrix"):
        PriceMatrixReader.open(path)
    with pytest.raises(BadValueError, match="is not overwritten"):
        make_matrix(path)

    assert path.read_bytes() == b"x" * size


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "prices"):
        content = (tmp_path / "prices").read_bytes()
    (tmp_path / "cut").write_bytes(content[:-64])

    with pytest.raises(BadValueError, match="which do not fit its"):
        PriceMatrixReader.open(tmp_path / "cut")


def test_no_file_an_empty_one_and_a_strange_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WriterGoneError, match="no engine has made it yet"):
        PriceMatrixReader.open(tmp_path / "missing")
    (tmp_path / "empty").touch()
    with pytest.raises(WriterGoneError, match="no engine has filled"):
        PriceMatrixReader.open(tmp_path / "empty")
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(FatalError):
            PriceMatrixReader.open(tmp_path / name)
        with pytest.raises(FatalError):
            make_matrix(tmp_path / name)
    with pytest.raises(FatalError, match="folder of the price matrix"):
        make_matrix(tmp_path / "none" / "prices")


def test_a_writer_killed_before_it_wrote_the_header_leaves_nothing_in_the_way(
    tmp_path: Path,
) -> None:
    (tmp_path / "prices").write_bytes(bytes(4096))

    with opened(tmp_path / "prices") as (board, matrix, reader):
        show_book(board, matrix, 7)
        assert is_whole(reader.row(0))


def test_rows_and_band_of_a_new_matrix_are_checked(tmp_path: Path) -> None:
    board = Board([make_instrument("v")], levels_max=8)
    pool = Place(name="p", kind=RowKind.POOL, base="A", quote="B")
    path = tmp_path / "prices"

    with pytest.raises(BadValueError, match=f"{ROWS_MAX + 1} rows asked for"):
        PriceMatrix.create(path, board, run_id="r", pools=[pool] * ROWS_MAX)
    with pytest.raises(BadValueError, match="0 rows asked for"):
        PriceMatrix.create(path, Board([], levels_max=8), run_id="r")
    with pytest.raises(BadValueError, match="a book is among the pools"):
        PriceMatrix.create(path, board, run_id="r", pools=[Place.of(make_instrument("w"))])
    for band in (math.nan, -0.1, 1.0):
        with pytest.raises(BadValueError, match="band is"):
            PriceMatrix.create(path, board, run_id="r", band_ratio=band)
    with pytest.raises(BadValueError, match="base of a place has 0 characters"):
        Place(name="p", kind=RowKind.POOL, base="", quote="B")
    with pytest.raises(BadValueError, match="trades A for itself"):
        Place(name="p", kind=RowKind.POOL, base="A", quote="A")
    assert list(tmp_path.iterdir()) == []


def test_two_installations_have_two_blocks(tmp_path: Path) -> None:
    assert shared_path(tmp_path / "a") != shared_path(tmp_path / "b")
    assert shared_path(tmp_path / "a") == shared_path(tmp_path / "x" / ".." / "a")


def test_a_renewed_matrix_has_the_rows_of_the_board_now_and_its_readers_are_told(
    tmp_path: Path,
) -> None:
    path = tmp_path / "prices"
    board = Board([make_instrument("v")], levels_max=8)
    before = PriceMatrix.create(path, board, run_id="r")
    reader = PriceMatrixReader.open(path)
    book = board.add(make_instrument("w"))
    board.former.add(0)

    after = before.renewed(run_id="r")

    try:
        with pytest.raises(BlockReplacedError):
            reader.row(0)
        with pytest.raises(FatalError, match="closed"):
            before.publish_book(0, START_NS)
        before.close()
        board.replace(book, LevelForm.PAIRS, b"[[100,1]]", b"[[101,1]]", START_NS)
        after.publish_book(book, START_NS)
        with closing(PriceMatrixReader.open(path)) as again:
            assert [of.kind for of in again.places] == [RowKind.FORMER, RowKind.BOOK]
            assert again.row(book).bid == pytest.approx(100.0)
            assert again.band_ratio == reader.band_ratio
    finally:
        reader.close()
        after.close()
    with pytest.raises(WriterGoneError):
        PriceMatrixReader.open(path)
