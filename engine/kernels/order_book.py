"""Order books: the levels of a frame into sorted arrays, all of them or none."""

import numpy as np
from numba import int64, types

from engine.kernels.jit import BYTES, borrowing, inlined, kernel
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
    NOT_PLAIN,
    OK,
    SIZE,
)
from engine.kernels.level_rows import merge, put
from engine.kernels.level_text import parse_levels, parse_plain

MERGED_MIN = 8
"""A run of fewer levels is set one by one, which is faster then."""


@borrowing
def _is_worse(scratch, k):
    """Say whether level `k` is on the side of the one before it, at a worse price."""
    if scratch[k, 0] != scratch[k - 1, 0]:
        return False
    if scratch[k, 0] == BID:
        return scratch[k, 1] < scratch[k - 1, 1]
    return scratch[k, 1] > scratch[k - 1, 1]


@borrowing
def _run_end(scratch, first, count):
    """Return the end of a run: levels of one side from `first` on, each worse than the last."""
    end = min(first + 1, count)
    while end < count and _is_worse(scratch, end):
        end += 1
    return end


@borrowing
def _put_run(row, count, scratch, first, end, work):
    """Set the levels of a run in their side; returns (new count, levels dropped)."""
    sign = 1 if scratch[first, 0] == BID else -1
    length = end - first
    if length >= MERGED_MIN and count + length <= row.shape[0] and length <= work.shape[0]:
        return merge(row, count, scratch, first, end, sign, work), 0
    dropped_in_all = 0
    for k in range(first, end):
        count, dropped = put(row, count, sign * scratch[k, 1], scratch[k, 2])
        dropped_in_all += dropped
    return count, dropped_in_all


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


@borrowing
def _apply(count, change, state, levels, scratch):
    """Set the parsed changes in a book; see `apply_levels`."""
    book, at_ns, frame_seq = change
    work = scratch[count:]
    first = 0
    while first < count:
        end = _run_end(scratch, first, count)
        side = scratch[first, 0]
        row = levels[2 * book + side]
        kept, dropped = _put_run(row, state[book, COUNT + side], scratch, first, end, work)
        state[book, COUNT + side] = kept
        state[book, DROPPED] += dropped
        first = end
    _stamp(state, book, at_ns, frame_seq)
    return _outcome(levels, state, book)


@borrowing
def _fill_run(row, scratch, first, end):
    """Make the levels of a run the whole of their side; returns (count, levels dropped)."""
    sign = 1 if scratch[first, 0] == BID else -1
    found = 0
    for k in range(first, end):
        found += scratch[k, 2] > 0
    held = min(found, row.shape[0])
    place = held
    for k in range(first, end):
        if scratch[k, 2] > 0 and place > 0:
            place -= 1
            row[place, KEY] = sign * scratch[k, 1]
            row[place, SIZE] = scratch[k, 2]
    return held, found - held


@inlined
def _sort_in(book, state, levels, scratch, count):
    """Make the parsed levels, in any order, the whole book."""
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
    count = parse_levels(raw_bids, raw_asks, form, change[0], state, scratch)
    if count < 0:
        return -count
    return _apply(count, change, state, levels, scratch)


@kernel(
    int64(
        BYTES,
        types.UniTuple(int64, 2),
        types.UniTuple(int64, 3),
        int64[:, ::1],
        int64[:, :, ::1],
        int64[:, ::1],
    )
)
def apply_plain(raw, span, change, state, levels, scratch):
    """Do as `apply_levels` does with ``[bids],"a":[asks]`` that fills `raw` within `span`.

    Returns:
        As `apply_levels`, or NOT_PLAIN with nothing changed: see `level_text.parse_plain`.
    """
    count = parse_plain(raw, span[0], span[1], change[0], state, scratch)
    if count < 0:
        return NOT_PLAIN
    return _apply(count, change, state, levels, scratch)


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
    end = _run_end(scratch, 0, count)
    is_sorted = _run_end(scratch, end, count) == count
    if is_sorted and 0 < end < count:
        is_sorted = scratch[0, 0] != scratch[end, 0]
    if is_sorted:
        for side in range(2):
            state[book, COUNT + side] = 0
        for first, stop in ((0, end), (end, count)):
            if first < stop:
                side = scratch[first, 0]
                row = levels[2 * book + side]
                held, dropped = _fill_run(row, scratch, first, stop)
                state[book, COUNT + side] = held
                state[book, DROPPED] += dropped
    else:
        _sort_in(book, state, levels, scratch, count)
    _stamp(state, book, at_ns, frame_seq)
    return _outcome(levels, state, book)
