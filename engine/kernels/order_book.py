"""Order books: the levels of a frame into sorted arrays, all of them or none."""

import numpy as np
from numba import int64, types

from engine.kernels.jit import BYTES, borrowing, kernel
from engine.kernels.layout import (
    ASK,
    BID,
    CHANGED_AT_NS,
    CHANGES,
    COUNT,
    CROSSED,
    DROPPED,
    EMPTY,
    FRAME_SEQ,
    KEY,
    OK,
    SIZE,
)
from engine.kernels.level_text import parse_levels
from engine.kernels.memory import move_rows


@borrowing
def _put(row, count, key, size):
    """Set one level in a sorted row; returns (new count, levels dropped)."""
    low = 0
    high = count
    # Most changes are near the touch, at the end of the row: gallop from there.
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
def _outcome(levels, state, book):
    bids = state[book, COUNT + BID]
    asks = state[book, COUNT + ASK]
    if bids == 0 or asks == 0:
        return EMPTY
    if levels[2 * book + BID, bids - 1, KEY] >= -levels[2 * book + ASK, asks - 1, KEY]:
        return CROSSED
    return OK


@borrowing
def _stamp(state, book, at_ns, frame_seq):
    state[book, CHANGED_AT_NS] = at_ns
    state[book, FRAME_SEQ] = frame_seq
    state[book, CHANGES] += 1


_SIGNATURE = int64(
    BYTES,
    BYTES,
    int64,
    types.UniTuple(int64, 3),
    int64[:, ::1],
    int64[:, :, ::1],
    int64[:, ::1],
)


@kernel(_SIGNATURE)
def apply_levels(raw_bids, raw_asks, form, change, state, levels, scratch):
    """Parse changes and set them in a book, all or none.

    Args:
        raw_bids, raw_asks: JSON arrays of levels; one-array forms leave raw_asks empty.
        form: one of the FORM_ constants of `layout`.
        change: the row of `state`, the receive time and the frame's number to stamp on it.
        state, levels: see `layout`.
        scratch: int64 (n, 3) work space; more levels than rows are refused as BAD_SHAPE.

    Returns:
        OK, or BAD_SHAPE / BAD_NUMBER with nothing changed, or CROSSED / EMPTY for a book that is
        so after the changes.
    """
    book, at_ns, frame_seq = change
    count = parse_levels(raw_bids, raw_asks, form, book, state, scratch)
    if count < 0:
        return -count
    for k in range(count):
        side = scratch[k, 0]
        key = scratch[k, 1] if side == BID else -scratch[k, 1]
        row = levels[2 * book + side]
        kept, dropped = _put(row, state[book, COUNT + side], key, scratch[k, 2])
        state[book, COUNT + side] = kept
        state[book, DROPPED] += dropped
    _stamp(state, book, at_ns, frame_seq)
    return _outcome(levels, state, book)


@kernel(_SIGNATURE)
def replace_levels(raw_bids, raw_asks, form, change, state, levels, scratch):
    """Parse a snapshot and make it the whole book; arguments and result as `apply_levels`.

    Levels may come in any order. If a price comes twice, the last one counts. If a side has more
    levels than fit, the worst are dropped and counted.
    """
    book, at_ns, frame_seq = change
    count = parse_levels(raw_bids, raw_asks, form, book, state, scratch)
    if count < 0:
        return -count
    for side in range(2):
        row = levels[2 * book + side]
        total = 0
        for k in range(count):
            if scratch[k, 0] == side:
                total += 1
        keys = np.empty(total, np.int64)
        sizes = np.empty(total, np.int64)
        m = 0
        for k in range(count):
            if scratch[k, 0] == side:
                keys[m] = scratch[k, 1] if side == BID else -scratch[k, 1]
                sizes[m] = scratch[k, 2]
                m += 1
        order = np.argsort(keys, kind="mergesort")
        unique = 0  # compact in place: the last of equal prices wins, zero sizes vanish
        for k in range(total):
            is_last = k == total - 1 or keys[order[k]] != keys[order[k + 1]]
            if is_last and sizes[order[k]] > 0:
                order[unique] = order[k]
                unique += 1
        skipped = max(unique - row.shape[0], 0)
        for k in range(skipped, unique):
            row[k - skipped, KEY] = keys[order[k]]
            row[k - skipped, SIZE] = sizes[order[k]]
        state[book, COUNT + side] = unique - skipped
        state[book, DROPPED] += skipped
    _stamp(state, book, at_ns, frame_seq)
    return _outcome(levels, state, book)
