"""Which copies of the price matrix's rows to refresh first when a row moves.

The moving row, then the rows of its pair, then those that share an asset with it, then the rest;
of each, only rows of which the copy is out of date.
"""

from numba import int64, types

from engine.kernels.atomics import load_acquire
from engine.kernels.jit import inlined, kernel
from engine.kernels.matrix_layout import CONTEXT, HEADER_BYTES

_ARRAY = int64[::1]


@inlined
def _is_stale(block, held, row):
    return load_acquire(block + HEADER_BYTES + 8 * row) > held[row]


@kernel(types.UniTuple(int64, 2)(int64, int64, types.UniTuple(_ARRAY, 3), _ARRAY, _ARRAY, _ARRAY))
def choose_stale(context, moving, groups, held, marks, out):
    """List out-of-date copies, the most urgent first.

    Args:
        context: address of the reader's context.
        moving: the row that moved.
        groups: for each row its group; for each group the index of its first related row, and one
            past the last group's; the related rows, nearest first.
        held: version of each copy, 0 for none.
        marks: rows + 2 words that are kept from call to call: the last call that listed each row,
            the number of calls, and the row at which the rest goes on, so that none starves.
        out: filled from the front; its length is the budget.

    Returns:
        How many rows are listed, and how many more are out of date. (0, 0) if the block is closed.
    """
    group_of, starts, related = groups
    block = load_acquire(context + 8 * CONTEXT.BLOCK)
    if block == 0:
        return 0, 0
    rows = len(held)
    marks[rows] += 1
    call = marks[rows]
    count = 0
    left = 0
    if _is_stale(block, held, moving):
        marks[moving] = call
        if count < len(out):
            out[count] = moving
            count += 1
        else:
            left += 1
    group = group_of[moving]
    for i in range(starts[group], starts[group + 1]):
        row = related[i]
        if marks[row] != call and _is_stale(block, held, row):
            marks[row] = call
            if count < len(out):
                out[count] = row
                count += 1
            else:
                left += 1
    first = marks[rows + 1]
    for i in range(rows):
        row = first + i
        if row >= rows:
            row -= rows
        if marks[row] != call and _is_stale(block, held, row):
            if count < len(out):
                out[count] = row
                count += 1
                marks[rows + 1] = row + 1 if row + 1 < rows else 0
            else:
                left += 1
    return count, left
