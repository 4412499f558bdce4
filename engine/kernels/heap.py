"""A plane of found cycles as a heap: its least or its greatest value is its first row.

Rows are named by plane and number: a view of them costs more than to move one.
"""

from engine.kernels.graph_layout import CYCLE, CYCLE_COLUMNS
from engine.kernels.jit import borrowing

LEAST_FIRST = 1.0
GREATEST_FIRST = -1.0


@borrowing
def sift_down(rows, plane, row, count, order):
    """Let a row sink to where the ones below it are not before it.

    Args:
        rows: float64 (planes, rows, CYCLE_COLUMNS) of `graph_layout`, ordered by GAIN.
        row, count: which row, and of how many.
        order: LEAST_FIRST or GREATEST_FIRST.
    """
    while True:
        first = row
        for child in range(2 * row + 1, min(2 * row + 3, count)):
            if order * rows[plane, child, CYCLE.GAIN] < order * rows[plane, first, CYCLE.GAIN]:
                first = child
        if first == row:
            return
        for column in range(CYCLE_COLUMNS):
            held = rows[plane, row, column]
            rows[plane, row, column] = rows[plane, first, column]
            rows[plane, first, column] = held
        row = first


@borrowing
def make_heap(rows, plane, count, order):
    """Order rows in any order so that the first one is the least or the greatest."""
    for row in range(count // 2 - 1, -1, -1):
        sift_down(rows, plane, row, count, order)


@borrowing
def drop_first(rows, plane, count, order):
    """Take the first of so many rows out; the last one comes into the room that is left."""
    for column in range(CYCLE_COLUMNS):
        rows[plane, 0, column] = rows[plane, count - 1, column]
    sift_down(rows, plane, 0, count - 1, order)
