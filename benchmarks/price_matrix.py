"""The shared price matrix: write, read, and both at once. `python -m benchmarks.price_matrix`."""

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.core_market import START_NS, make_board, make_frames, make_instruments
from benchmarks.harness import Row, measure, print_table
from engine.bus.shared_file import SHARED_FOLDER
from engine.market.board import Board
from engine.market.matrix_block import Place, RowKind
from engine.market.matrix_reader import PriceMatrixReader
from engine.market.price_matrix import PriceMatrix
from engine.market.row_cache import RowCache
from engine.ports import LevelForm

ROWS = 1_000
CALLS = 20_000
CALLS_OF_ALL = 2_000


def make_matrix(path: Path) -> tuple[Board, PriceMatrix]:
    """Make a matrix of the deep books and so many pools that it has `ROWS` rows, all written."""
    instruments = make_instruments()
    board = make_board(instruments)
    pools = [
        Place(name=f"p{number}", kind=RowKind.POOL, base=f"T{number % 60}", quote=f"Q{number % 7}")
        for number in range(ROWS - len(instruments))
    ]
    matrix = PriceMatrix.create(path, board, run_id="bench", pools=pools)
    for row in range(ROWS):
        if row < len(instruments):
            matrix.publish_book(row, START_NS)
        else:
            matrix.publish_rates(row, 2.0, 0.5, START_NS)
    return board, matrix


def write_on(path: Path, parent: int) -> None:
    """Write row after row until killed, or until the parent is gone."""
    _, matrix = make_matrix(path)
    books = len(make_instruments())
    print("ready", flush=True)
    while os.getppid() == parent:
        for row in range(ROWS):
            if row < books:
                matrix.publish_book(row, START_NS)
            else:
                matrix.publish_rates(row, 2.0, 0.5, START_NS)


@contextmanager
def other_writer(path: Path) -> Iterator[PriceMatrixReader]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.price_matrix", str(path), str(os.getpid())],
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            reader = PriceMatrixReader.open(path, wait_ns_max=5_000_000_000)
            yield reader
            reader.close()
        finally:
            process.kill()


def measure_writes(path: Path) -> list[Row]:
    board, matrix = make_matrix(path)
    frames = iter(make_frames(count=CALLS))

    def move_a_book() -> None:
        book, bids, asks = next(frames)
        board.apply(book, LevelForm.PAIRS, bids, asks, START_NS)

    books = len(board.instruments)
    move_a_book()
    rows = [
        measure(
            "matrix.publish_book",
            [functools.partial(matrix.publish_book, n % books, START_NS) for n in range(CALLS - 1)],
            between=move_a_book,
        ),
        measure(
            "matrix.publish_rates",
            [
                functools.partial(matrix.publish_rates, books + n % 500, 2.0, 0.5, START_NS)
                for n in range(CALLS)
            ],
        ),
    ]
    matrix.close()
    return rows


def measure_reads(reader: PriceMatrixReader, suffix: str) -> list[Row]:
    version = reader.version()
    return [
        measure(f"matrix.row{suffix}", _each(reader.row)),
        measure(f"matrix.rows.1000{suffix}", [reader.rows] * CALLS_OF_ALL),
        measure(
            f"matrix.rows_together.3{suffix}",
            [functools.partial(reader.rows_together, [n % 900, 990, 7]) for n in range(CALLS)],
        ),
        measure(
            f"matrix.changed_since.1000{suffix}",
            [functools.partial(reader.changed_since, version)] * CALLS_OF_ALL,
        ),
    ]


def _each(read: Callable[[int], object]) -> list[Callable[[], object]]:
    return [functools.partial(read, n % ROWS) for n in range(CALLS)]


def measure_cache(matrix: PriceMatrix, reader: PriceMatrixReader) -> list[Row]:
    cache = RowCache(reader)
    while cache.refresh():
        pass
    books = len(make_instruments())

    def move_some() -> None:
        for row in range(8):
            matrix.publish_rates(books + row * 60, 2.0, 0.5, START_NS)

    move_some()
    return [
        measure(
            "matrix.cache.refresh_8_of_1000", [cache.refresh] * CALLS_OF_ALL, between=move_some
        ),
        measure("matrix.cache.hit", _each(cache.get)),
    ]


def measure_all() -> list[Row]:
    """Run every measure of the price matrix."""
    parent = SHARED_FOLDER if SHARED_FOLDER.is_dir() else None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        path = Path(folder) / "prices"
        rows = measure_writes(path)
        _, matrix = make_matrix(path)
        reader = PriceMatrixReader.open(path)
        rows += measure_reads(reader, "")
        rows += measure_cache(matrix, reader)
        reader.close()
        matrix.close()
        with other_writer(path) as busy:
            rows += measure_reads(busy, ".while_written")
    return rows


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write_on(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        print_table(measure_all())
