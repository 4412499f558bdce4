"""Setting levels in one side of a book: one by one, or those of a long frame in one pass.

A side is a row of (key, size), sorted by key, the best level last; see `layout`.
"""

from engine.kernels.jit import borrowing
from engine.kernels.layout import KEY, SIZE
from engine.kernels.memory import move_rows

NEAR_ROWS = 16
"""Rows that are looked at one by one before a search takes longer steps."""

# Columns of the scratch space of `merge`, one row per level that comes or goes.
_PLACE = 0  # index in the row as it was: of the level that goes, or before which one comes
_KEY = 1
_SIZE = 2  # 0 for a level that goes


@borrowing
def _lower_bound(row, end, key):
    """Return the first index below `end` whose key is not less than `key`, or `end`."""
    # Most changes are near the touch, or near the change before: look there, then gallop.
    near = max(end - NEAR_ROWS, 0)
    high = end
    while high > near and row[high - 1, KEY] >= key:
        high -= 1
    if high > near:
        return high
    step = 1
    while high - step > 0 and row[high - step, KEY] > key:
        high -= step
        step *= 2
    low = max(high - step, 0)
    while low < high:
        middle = (low + high) >> 1
        if row[middle, KEY] < key:
            low = middle + 1
        else:
            high = middle
    return low


@borrowing
def put(row, count, key, size):
    """Set one level in a row, size 0 takes it out; returns (new count, levels dropped).

    If the row is full, its worst level gives way.
    """
    low = _lower_bound(row, count, key)
    is_there = low < count and row[low, KEY] == key
    if size == 0:
        if is_there:
            move_rows(row, low, low + 1, count - 1 - low)
            return count - 1, 0
        return count, 0
    if is_there:
        row[low, SIZE] = size
        return count, 0
    if count == row.shape[0]:
        if low == 0:
            return count, 1
        move_rows(row, 0, 1, low - 1)
        row[low - 1, KEY] = key
        row[low - 1, SIZE] = size
        return count, 1
    move_rows(row, low + 1, low, count - low)
    row[low, KEY] = key
    row[low, SIZE] = size
    return count + 1, 0


@borrowing
def merge(row, count, changes, first, end, sign, scratch):
    """Set the levels `first` to `end` of `changes` in a row: each level moves once at most.

    Args:
        row, count: the side; it has room for all levels.
        changes: (side, price, size) rows, best first, no price twice; size 0 takes a level out.
        sign: 1 on the bid side, -1 on the ask side: price to key.
        scratch: int64 (end - first or more, 3) work space.

    Returns:
        The new count.
    """
    marks, place = 0, count
    for k in range(first, end):
        key = sign * changes[k, 1]
        place = _lower_bound(row, place, key)
        is_there = place < count and row[place, KEY] == key
        size = changes[k, 2]
        if is_there and size > 0:
            row[place, SIZE] = size
        elif is_there or size > 0:
            scratch[marks, _PLACE] = place
            scratch[marks, _KEY] = key
            scratch[marks, _SIZE] = size
            marks += 1
    return _shift(row, count, scratch, marks)


@borrowing
def _shift(row, count, scratch, marks):
    """Let the marked levels come and go; returns the new count.

    Levels between two marks move together, by as many as came less as went below them. Those that
    move down do so from below, those that move up from above: then none is overwritten before it
    has moved, as the order of the levels stays.
    """
    shift = 0
    for m in range(marks - 1, -1, -1):
        goes = int(scratch[m, _SIZE] == 0)
        shift += 1 - 2 * goes
        if shift < 0:
            begin = scratch[m, _PLACE] + goes
            stop = scratch[m - 1, _PLACE] if m > 0 else count
            move_rows(row, begin + shift, begin, stop - begin)
    new_count = count + shift
    stop = count
    for m in range(marks):
        goes = int(scratch[m, _SIZE] == 0)
        if shift > 0:
            begin = scratch[m, _PLACE] + goes
            move_rows(row, begin + shift, begin, stop - begin)
        stop = scratch[m, _PLACE]
        shift -= 1 - 2 * goes
        if not goes:
            row[stop + shift, KEY] = scratch[m, _KEY]
            row[stop + shift, SIZE] = scratch[m, _SIZE]
    return new_count
