"""Processes around one price matrix; `... -m tests.market.matrix_process <role> <path> <parent>`.

Each ends by itself when its parent, the process with this id, is gone or after `LIFE_S`.

Everything in a row that `hammer` writes derives from one counter, so that a torn copy shows.
"""

import itertools
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.kernels import layout
from engine.kernels.matrix_layout import KIND, ROW, ROW_WORDS, rows_at
from engine.market.board import Board
from engine.market.matrix_block import Place, RowKind
from engine.market.matrix_reader import ROW_DTYPE, PriceMatrixReader, PriceRow
from engine.market.price_matrix import PriceMatrix
from tests.reference.world import make_instrument

POOLS = 2
ROWS = 1 + POOLS
LIFE_S = 240.0
LOOK_EVERY = 256
"""Calls between two looks at the parent and the clock."""

MANY = 2_000
"""Copies of one row in one call, so that some of them meet the writer within it."""

TOGETHER = [0] * 100 + list(range(ROWS))
"""Many copies, so that the writer comes on by several rows while they are made."""

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


def show_book(board: Board, matrix: PriceMatrix, counter: int, at_ns: int | None = None) -> None:
    """Put one level on each side without parsing a frame, and publish it."""
    at_ns = counter if at_ns is None else at_ns
    board.levels[0, 0] = (counter, counter)
    board.levels[1, 0] = (-counter - 1, counter)
    board.state[0, [layout.COUNT, layout.COUNT + 1, layout.IS_LIVE]] = 1
    board.state[0, [layout.CHANGED_AT_NS, layout.FRAME_SEQ]] = at_ns
    matrix.publish_book(0, at_ns)


def show_pool(matrix: PriceMatrix, row: int, counter: int) -> None:
    matrix.publish_rates(
        row,
        float(counter),
        1.0 / counter,
        counter,
        bid_band_base=float(counter),
        ask_band_base=2.0 * counter,
        reserves=(3.0 * counter, 4.0 * counter),
        tick=-counter,
        frame_seq=counter,
    )


def is_whole(row: PriceRow) -> bool:
    """Say whether all of a row comes from one counter."""
    return torn_in(np.array([(0, *row, (0,) * 6)], ROW_DTYPE)) == 0


def torn_in(table: npt.NDArray[Any]) -> int:
    """Count the rows of ROW_DTYPE that come from more than one counter."""
    counter = table["frame_seq"]
    is_book = table["kind"] == KIND.BOOK
    with np.errstate(divide="ignore"):
        inverse = 1.0 / counter
    ask = np.where(is_book, counter + 1.0, 1.0 / np.where(counter, inverse, 1.0))
    expected = {
        "changed_at_ns": counter,
        "published_at_ns": counter,
        "is_live": 1,
        "bid": counter,
        "ask": ask,
        "bid_size_base": np.where(is_book, counter, 0),
        "ask_size_base": np.where(is_book, counter, 0),
        "bid_band_base": counter,
        "ask_band_base": np.where(is_book, counter, 2.0 * counter),
        "rate_forward": counter,
        "rate_backward": np.where(is_book, 1.0 / ask, inverse),
        "reserve_base": np.where(is_book, 0, 3.0 * counter),
        "reserve_quote": np.where(is_book, 0, 4.0 * counter),
        "tick": np.where(is_book, 0, -counter),
    }
    is_same = np.ones(len(table), bool)
    for name, values in expected.items():
        is_same &= table[name] == values
    # A row that was never written says so in all of its fields.
    is_new = (
        (counter == 0) & (table["bid"] == 0) & (table["ask"] == math.inf) & (table["kind"] == 0)
    )
    return int(np.count_nonzero(~(is_same | is_new)))


def while_wanted(parent: int) -> Iterator[int]:
    """Count up from 1 while the parent lives and the time is not up."""
    end_s = time.monotonic() + LIFE_S
    for number in itertools.count(1):
        if number % LOOK_EVERY == 0 and (os.getppid() != parent or time.monotonic() > end_s):
            return
        yield number


def hammer(path: Path, parent: int) -> None:
    """Write all rows in turn until killed."""
    board, matrix = make_matrix(path)
    print("ready", flush=True)
    for counter in while_wanted(parent):
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
    at = rows_at(ROWS) // 8 + ROW_WORDS
    words[at + ROW.SEQUENCE] += 1
    words[at + ROW.FRAME_SEQ] = 6
    print("ready", flush=True)
    sys.stdin.read()


def read(path: Path, parent: int, versions: int) -> None:
    """Copy rows in every way until so many versions were seen; print how many copies were torn."""
    reader = PriceMatrixReader.open(path, wait_ns_max=WAIT_NS_MAX)
    torn = backwards = apart = missed = 0
    seen: set[int] = set()
    last = [0] * ROWS
    version = 0
    print("ready", flush=True)
    for number in while_wanted(parent):
        if len(seen) == versions:
            break
        index = number % ROWS
        row = reader.row(index)
        torn += not is_whole(row)
        backwards += row.version < last[index]
        last[index] = row.version
        seen.add(row.version)
        if number % 16 == 0:
            changes = reader.changed_since(version)
            table = reader.rows()
            torn += torn_in(table) + torn_in(reader.rows([index] * MANY))
            newer = (version < table["version"]) & (table["version"] <= changes.version)
            missed += not set(newer.nonzero()[0].tolist()) <= set(changes.rows.tolist())
            version = changes.version
            together = reader.rows_together(TOGETHER)
            torn += torn_in(together)
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
    _, role, where, starter, *rest = sys.argv
    if role == "hammer":
        hammer(Path(where), int(starter))
    elif role == "stop_halfway":
        stop_halfway(Path(where))
    else:
        read(Path(where), int(starter), int(rest[0]))
