"""Processes around one price matrix; `python -m tests.market.matrix_process <role> <path> ...`.

Everything in a row that `hammer` writes derives from one counter, so that a torn copy shows.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

from engine.kernels import layout, matrix_layout
from engine.market.board import Board
from engine.market.matrix_block import Place, RowKind
from engine.market.matrix_reader import PriceMatrixReader, PriceRow
from engine.market.price_matrix import PriceMatrix
from tests.reference.world import make_instrument

POOLS = 2
ROWS = 1 + POOLS
WRITES_MAX = 50_000_000
WAIT_NS_MAX = 5_000_000_000
"""Other processes of the machine may keep the writer from running for long."""


def make_matrix(
    path: Path, *, pools: int = POOLS, run_id: str = "run"
) -> tuple[Board, PriceMatrix]:
    board = Board(
        [make_instrument("v", price_decimals=0, size_decimals=0, tick="1", lot="1")], levels_max=8
    )
    places = [
        Place(name=f"p{number}", kind=RowKind.POOL, base="BTC", quote="USD")
        for number in range(pools)
    ]
    return board, PriceMatrix.create(path, board, run_id=run_id, pools=places)


def show_book(board: Board, matrix: PriceMatrix, counter: int) -> None:
    """Put one level on each side without parsing a frame, and publish it."""
    board.levels[0, 0] = (counter, counter)
    board.levels[1, 0] = (-counter - 1, counter)
    board.state[0, [layout.COUNT, layout.COUNT + 1, layout.IS_LIVE]] = 1
    board.state[0, [layout.CHANGED_AT_NS, layout.FRAME_SEQ]] = counter
    matrix.publish_book(0, counter)


def show_pool(matrix: PriceMatrix, row: int, counter: int) -> None:
    matrix.publish_rates(
        row,
        float(counter),
        1.0 / counter,
        counter,
        bid_band_base=float(counter),
        ask_band_base=2.0 * counter,
        frame_seq=counter,
    )


def is_whole(row: Any) -> bool:
    """Say whether all of a row (PriceRow, or a record of ROW_DTYPE) comes from one counter."""
    values = row._asdict() if isinstance(row, PriceRow) else {n: row[n] for n in row.dtype.names}
    counter = values["frame_seq"]
    if counter == 0:  # not written yet
        return bool(values["ask"] == math.inf and values["bid"] == 0.0)
    is_book = values["kind"] == matrix_layout.BOOK
    ask = counter + 1.0 if is_book else 1.0 / (1.0 / counter)
    return bool(
        values["is_live"]
        and values["changed_at_ns"] == values["published_at_ns"] == counter
        and values["bid"] == values["rate_forward"] == values["bid_band_base"] == counter
        and values["ask"] == ask
        and values["rate_backward"] == (1.0 / ask if is_book else 1.0 / counter)
        and values["ask_band_base"] == (counter if is_book else 2.0 * counter)
        and values["bid_size_base"] == values["ask_size_base"] == (counter if is_book else 0)
    )


def hammer(path: Path) -> None:
    """Write all rows in turn until killed."""
    board, matrix = make_matrix(path)
    print("ready", flush=True)
    for counter in range(1, WRITES_MAX):
        show_book(board, matrix, counter)
        for row in range(1, ROWS):
            show_pool(matrix, row, counter)


def stop_halfway(path: Path) -> None:
    """Publish all rows, begin to change row 1, and stay there until killed."""
    board, matrix = make_matrix(path)
    show_book(board, matrix, 5)
    for row in range(1, ROWS):
        show_pool(matrix, row, 5)
    words = matrix._words
    assert words is not None
    at = matrix_layout.rows_at(ROWS) // 8 + matrix_layout.ROW_WORDS
    words[at + matrix_layout.SEQUENCE] += 1
    words[at + matrix_layout.FRAME_SEQ] = 6
    print("ready", flush=True)
    sys.stdin.read()


def read(path: Path, reads: int) -> None:
    """Copy rows in every way and print how many copies were torn."""
    reader = PriceMatrixReader.open(path, wait_ns_max=WAIT_NS_MAX)
    torn = backwards = apart = missed = 0
    seen: set[int] = set()
    last = [0] * ROWS
    version = 0
    for number in range(reads):
        index = number % ROWS
        row = reader.row(index)
        torn += not is_whole(row)
        backwards += row.version < last[index]
        last[index] = row.version
        seen.add(row.version)
        if number % 16 == 0:
            table = reader.rows()
            torn += sum(not is_whole(one) for one in table)
            changes = reader.changed_since(version)
            newer = (version < table["version"]) & (table["version"] <= changes.version)
            missed += not set(newer.nonzero()[0].tolist()) <= set(changes.rows.tolist())
            version = changes.version
            together = reader.rows_together(range(ROWS))
            torn += sum(not is_whole(one) for one in together)
            # The writer goes from row to row: at any instant the first is ahead by one at most.
            order = together["frame_seq"].tolist()
            apart += order != sorted(order, reverse=True) or order[0] - order[-1] > 1
    print(
        json.dumps(
            {
                "torn": torn,
                "backwards": backwards,
                "apart": apart,
                "missed": missed,
                "seen": len(seen),
            }
        )
    )


if __name__ == "__main__":
    _, role, where, *rest = sys.argv
    if role == "hammer":
        hammer(Path(where))
    elif role == "stop_halfway":
        stop_halfway(Path(where))
    else:
        read(Path(where), int(rest[0]))
