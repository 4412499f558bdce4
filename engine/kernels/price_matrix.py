"""The shared price matrix: one writer, any number of readers, a sequence lock per row.

The lock is the one of H.-J. Boehm, "Can seqlocks get along with programming language memory
models?" (MSPC 2012): the writer makes the sequence odd, fences, stores the words, and releases the
next even sequence; a reader copies between two equal even sequences. All words are atomic.
"""

import numpy as np
from numba import boolean, float64, int64, types

from engine.kernels import layout
from engine.kernels.atomics import (
    bits_of,
    fence_acquire,
    fence_release,
    float_of,
    load_acquire,
    load_word,
    store_release,
    store_word,
)
from engine.kernels.jit import inlined, kernel
from engine.kernels.matrix_layout import (
    BAD_BACKWARD,
    BAD_BAND,
    BAD_FORWARD,
    BAD_RESERVE,
    BAND_LEVELS_MAX,
    BUSY,
    CLOSED,
    CONTEXT,
    HEADER,
    HEADER_BYTES,
    KIND,
    NO_TICK,
    PAIR_ROW,
    RATE_MAX,
    READ_TRIES_MAX,
    REPLACED,
    ROW,
    ROW_BYTES,
    ROW_WORDS,
    UNKNOWN_ROW,
)

_POWERS = 10.0 ** np.arange(19)  # exact, so that a price is rounded once
_LEVEL_BYTES = 16
_NO_SIZES = (0.0, 0.0, 0.0, 0.0)
_NO_RATES = (0.0, 0.0)
_NOTHING = (0.0, 0.0, NO_TICK)


@inlined
def _word(base, index):
    return load_word(base + 8 * index)


@inlined
def _row_at(context, row):
    return _word(context, CONTEXT.BLOCK) + _word(context, CONTEXT.ROWS_AT) + row * ROW_BYTES


@inlined
def _refusal(context, row):
    """Return why a row cannot be touched, 0 if it can."""
    if _word(context, CONTEXT.BLOCK) == 0:
        return CLOSED
    if row < 0 or row >= _word(context, CONTEXT.ROWS):
        return UNKNOWN_ROW
    return 0


@inlined
def _generation_differs(context):
    block = _word(context, CONTEXT.BLOCK)
    return _word(block, HEADER.GENERATION) != _word(context, CONTEXT.GENERATION)


@inlined
def _write(context, row, stamps, kind, is_live, prices, sizes, rates, held):
    """Write a row under its lock, then make its version known; returns the version.

    Args:
        context: address of the context.
        row: its number, known to be good.
        stamps: changed_at_ns, frame_seq, published_at_ns.
        kind, is_live: words of the row.
        prices: bid and ask; sizes: at the best and within the band, bid and ask each;
            rates: forward and backward; held: of a pool, reserves of base and quote, and tick.
    """
    block = _word(context, CONTEXT.BLOCK)
    at = _row_at(context, row)
    version = _word(block, HEADER.VERSION) + 1
    sequence = load_word(at) | 1
    store_word(at, sequence)
    fence_release()
    store_word(at + 8 * ROW.VERSION, version)
    store_word(at + 8 * ROW.CHANGED_AT_NS, stamps[0])
    store_word(at + 8 * ROW.FRAME_SEQ, stamps[1])
    store_word(at + 8 * ROW.PUBLISHED_AT_NS, stamps[2])
    store_word(at + 8 * ROW.IS_LIVE, is_live)
    store_word(at + 8 * ROW.KIND, kind)
    store_word(at + 8 * ROW.BID, bits_of(prices[0]))
    store_word(at + 8 * ROW.ASK, bits_of(prices[1]))
    store_word(at + 8 * ROW.BID_SIZE, bits_of(sizes[0]))
    store_word(at + 8 * ROW.ASK_SIZE, bits_of(sizes[1]))
    store_word(at + 8 * ROW.BID_BAND, bits_of(sizes[2]))
    store_word(at + 8 * ROW.ASK_BAND, bits_of(sizes[3]))
    store_word(at + 8 * ROW.RATE_FORWARD, bits_of(rates[0]))
    store_word(at + 8 * ROW.RATE_BACKWARD, bits_of(rates[1]))
    if kind == KIND.POOL:
        store_word(at + 8 * ROW.RESERVE_BASE, bits_of(held[0]))
        store_word(at + 8 * ROW.RESERVE_QUOTE, bits_of(held[1]))
        store_word(at + 8 * ROW.TICK, held[2])
    store_release(at + 8 * ROW.SEQUENCE, sequence + 1)
    # Whoever sees the counter sees the row's version, and with it the row.
    store_release(block + HEADER_BYTES + 8 * row, version)
    store_release(block + 8 * HEADER.VERSION, version)
    return version


@inlined
def _band(context, book, side, held, size_scale):
    """Return the base resting within the band of the best level."""
    levels_max = _word(context, CONTEXT.LEVELS_MAX)
    first = _word(context, CONTEXT.LEVELS) + (2 * book + side) * levels_max * _LEVEL_BYTES
    best = 1.0 * _word(first + (held - 1) * _LEVEL_BYTES, layout.KEY)
    key_min = best - float_of(_word(context, CONTEXT.BAND)) * abs(best)
    total = 0.0
    for i in range(held - 1, max(held - 1 - BAND_LEVELS_MAX, -1), -1):
        level = first + i * _LEVEL_BYTES
        if 1.0 * _word(level, layout.KEY) < key_min:
            break
        total += 1.0 * _word(level, layout.SIZE)
    return total / size_scale


@kernel(int64(int64, int64, int64))
def publish_book(context, book, at_ns):
    """Write a book's row from the board's levels.

    A book that is not live, or lacks a side, is written as absent.

    Args:
        context: address of the writer's context.
        book: its row on the board and in the matrix.
        at_ns: when this is.

    Returns:
        The new version, or minus CLOSED or UNKNOWN_ROW.
    """
    refusal = _refusal(context, book)
    if refusal != 0:
        return -refusal
    if book >= _word(context, CONTEXT.BOOKS):
        return -UNKNOWN_ROW
    state = _word(context, CONTEXT.STATE) + 8 * layout.STATE_COLUMNS * book
    stamps = (_word(state, layout.CHANGED_AT_NS), _word(state, layout.FRAME_SEQ), at_ns)
    bids = _word(state, layout.COUNT + layout.BID)
    asks = _word(state, layout.COUNT + layout.ASK)
    if _word(state, layout.IS_LIVE) != 1 or bids == 0 or asks == 0:
        return _write(
            context, book, stamps, KIND.BOOK, 0, (0.0, np.inf), _NO_SIZES, _NO_RATES, _NOTHING
        )
    price_scale = _POWERS[_word(state, layout.PRICE_DECIMALS)]
    size_scale = _POWERS[_word(state, layout.SIZE_DECIMALS)]
    side_bytes = _word(context, CONTEXT.LEVELS_MAX) * _LEVEL_BYTES
    levels = _word(context, CONTEXT.LEVELS) + 2 * book * side_bytes
    best_bid = levels + layout.BID * side_bytes + (bids - 1) * _LEVEL_BYTES
    best_ask = levels + layout.ASK * side_bytes + (asks - 1) * _LEVEL_BYTES
    bid = 1.0 * _word(best_bid, layout.KEY) / price_scale
    ask = -1.0 * _word(best_ask, layout.KEY) / price_scale
    sizes = (
        1.0 * _word(best_bid, layout.SIZE) / size_scale,
        1.0 * _word(best_ask, layout.SIZE) / size_scale,
        _band(context, book, layout.BID, bids, size_scale),
        _band(context, book, layout.ASK, asks, size_scale),
    )
    return _write(
        context, book, stamps, KIND.BOOK, 1, (bid, ask), sizes, (bid, 1.0 / ask), _NOTHING
    )


@inlined
def _is_rate(rate):
    return 1.0 / RATE_MAX <= rate <= RATE_MAX  # false for NaN


@inlined
def _is_amount(amount):
    return 0.0 <= amount < np.inf  # false for NaN


@kernel(
    int64(int64, int64, types.UniTuple(float64, 4), types.UniTuple(float64, 2), int64, int64, int64)
)
def publish_rates(context, row, figures, reserves, tick, at_ns, frame_seq):
    """Write a pool's row from its marginal rates.

    Args:
        context: address of the writer's context.
        row: a row that is no book's.
        figures: quote for one base and base for one quote, after the pool's fee; base that can be
            sold and bought within the band, 0 if unknown.
        reserves, tick: of base and quote; NO_TICK where there are none.
        at_ns, frame_seq: when this is, and the input that did it.

    Returns:
        The new version, or minus CLOSED, UNKNOWN_ROW, BAD_FORWARD, BAD_BACKWARD, BAD_BAND or
        BAD_RESERVE, with nothing written.
    """
    refusal = _refusal(context, row)
    if refusal != 0:
        return -refusal
    if row < _word(context, CONTEXT.BOOKS):
        return -UNKNOWN_ROW
    forward, backward, bid_band, ask_band = figures
    if not _is_rate(forward):
        return -BAD_FORWARD
    if not _is_rate(backward):
        return -BAD_BACKWARD
    if not (_is_amount(bid_band) and _is_amount(ask_band)):
        return -BAD_BAND
    if not (_is_amount(reserves[0]) and _is_amount(reserves[1])):
        return -BAD_RESERVE
    return _write(
        context,
        row,
        (at_ns, frame_seq, at_ns),
        KIND.POOL,
        1,
        (forward, 1.0 / backward),
        (0.0, 0.0, bid_band, ask_band),
        (forward, backward),
        (reserves[0], reserves[1], tick),
    )


@kernel(int64(int64, float64[:, ::1], int64[::1], float64[::1], int64, int64))
def publish_pairs(context, terms, numbers, reserves_raw, at_ns, frame_seq):
    """Write the rows of pairs of reserves that moved at once, each as `publish_rates` does.

    Args:
        context: address of the writer's context.
        terms: float64, columns PAIR_ROW, a row per pair.
        numbers: rows of `terms`, of the pairs that moved.
        reserves_raw: two of each of them by the pair's order of tokens, the first pair's first.
        at_ns, frame_seq: when this is, and the input that did it.

    Returns:
        How many were written as absent, as a rate or a reserve is none; or minus CLOSED or
        UNKNOWN_ROW, with no row written from there on.
    """
    absent = 0
    stamps = (at_ns, frame_seq, at_ns)
    for k in range(numbers.shape[0]):
        pair = numbers[k]
        row, token = int64(terms[pair, PAIR_ROW.ROW]), int64(terms[pair, PAIR_ROW.BASE])
        refusal = _refusal(context, row)
        if refusal != 0:
            return -refusal
        if row < _word(context, CONTEXT.BOOKS):
            return -UNKNOWN_ROW
        base = reserves_raw[2 * k + token] / terms[pair, PAIR_ROW.UNIT + token]
        quote = reserves_raw[2 * k + 1 - token] / terms[pair, PAIR_ROW.UNIT + 1 - token]
        forward = quote / base * terms[pair, PAIR_ROW.KEEP + token]
        backward = base / quote * terms[pair, PAIR_ROW.KEEP + 1 - token]
        if _is_rate(forward) and _is_rate(backward) and _is_amount(base) and _is_amount(quote):
            _write(
                context,
                row,
                stamps,
                KIND.POOL,
                1,
                (forward, 1.0 / backward),
                _NO_SIZES,
                (forward, backward),
                (base, quote, NO_TICK),
            )
        else:
            _write(
                context, row, stamps, KIND.POOL, 0, (0.0, np.inf), _NO_SIZES, _NO_RATES, _NOTHING
            )
            absent += 1
    return absent


@kernel(int64(int64, int64, int64, int64))
def withdraw(context, row, at_ns, frame_seq):
    """Write a pool's row as absent; arguments and result as `publish_rates`."""
    refusal = _refusal(context, row)
    if refusal != 0:
        return -refusal
    if row < _word(context, CONTEXT.BOOKS):
        return -UNKNOWN_ROW
    stamps = (at_ns, frame_seq, at_ns)
    return _write(context, row, stamps, KIND.POOL, 0, (0.0, np.inf), _NO_SIZES, _NO_RATES, _NOTHING)


@kernel(types.void(int64, int64))
def set_generation(context, generation):
    """Store the block's generation, after all that was stored before and before all that comes."""
    store_release(_word(context, CONTEXT.BLOCK) + 8 * HEADER.GENERATION, generation)
    fence_release()


_ROW = types.Tuple(
    (int64, int64, int64, boolean, int64) + (float64,) * 8 + (int64, float64, float64, int64)
)


@inlined
def _copy(at):
    return (
        _word(at, ROW.VERSION),
        _word(at, ROW.CHANGED_AT_NS),
        _word(at, ROW.FRAME_SEQ),
        _word(at, ROW.IS_LIVE) != 0,
        _word(at, ROW.KIND),
        float_of(_word(at, ROW.BID)),
        float_of(_word(at, ROW.ASK)),
        float_of(_word(at, ROW.BID_SIZE)),
        float_of(_word(at, ROW.ASK_SIZE)),
        float_of(_word(at, ROW.BID_BAND)),
        float_of(_word(at, ROW.ASK_BAND)),
        float_of(_word(at, ROW.RATE_FORWARD)),
        float_of(_word(at, ROW.RATE_BACKWARD)),
        _word(at, ROW.PUBLISHED_AT_NS),
        float_of(_word(at, ROW.RESERVE_BASE)),
        float_of(_word(at, ROW.RESERVE_QUOTE)),
        _word(at, ROW.TICK),
    )


@inlined
def _absent(outcome):
    return (-outcome, 0, 0, False, 0, 0.0, np.inf, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0.0, 0)


@kernel(_ROW(int64, int64))
def read_row(context, row):
    """Copy one row.

    Returns:
        Its words from VERSION to TICK; a first word below 0 is minus CLOSED,
        UNKNOWN_ROW, REPLACED or BUSY, and then there is no row.
    """
    refusal = _refusal(context, row)
    if refusal != 0:
        return _absent(refusal)
    at = _row_at(context, row)
    for _ in range(READ_TRIES_MAX):
        sequence = load_acquire(at)
        values = _copy(at)
        fence_acquire()
        if load_word(at) == sequence and sequence & 1 == 0:
            if _generation_differs(context):
                return _absent(REPLACED)
            return values
    # A writer that was killed within a row and one that replaced it look alike until here.
    return _absent(REPLACED if _generation_differs(context) else BUSY)


@inlined
def _copy_words(at, out, i):
    """Copy a row into a row of `out`; returns whether it is whole."""
    sequence = load_acquire(at)
    for word in range(1, ROW_WORDS):
        out[i, word] = _word(at, word)
    fence_acquire()
    out[i, ROW.SEQUENCE] = sequence
    return load_word(at) == sequence and sequence & 1 == 0


@kernel(types.UniTuple(int64, 2)(int64, int64[::1], int64, int64[:, ::1]))
def read_rows(context, rows, start, out):
    """Copy many rows, each whole, not all of the same instant.

    Args:
        context: address of the reader's context.
        rows: int64 (n,), numbers of rows.
        start: index in `rows` to begin at.
        out: int64 (n, ROW_WORDS), a row's words each.

    Returns:
        The index reached, and 0 if that is n, else CLOSED, UNKNOWN_ROW, REPLACED or BUSY.
    """
    i = start
    while i < len(rows):
        refusal = _refusal(context, rows[i])
        if refusal != 0:
            return i, refusal
        at = _row_at(context, rows[i])
        tries = 0
        while not _copy_words(at, out, i):
            tries += 1
            if tries == READ_TRIES_MAX:
                return i, REPLACED if _generation_differs(context) else BUSY
        i += 1
    if _word(context, CONTEXT.BLOCK) == 0:
        return i, CLOSED
    return i, REPLACED if _generation_differs(context) else 0


@kernel(int64(int64, int64[::1], int64[:, ::1]))
def read_together(context, rows, out):
    """Copy a few rows as they all were at one instant; arguments as `read_rows`.

    After the last copy no row's sequence has moved on: all of them stood so at that moment.

    Returns:
        0, or CLOSED, UNKNOWN_ROW, REPLACED or BUSY.
    """
    for i in range(len(rows)):
        refusal = _refusal(context, rows[i])
        if refusal != 0:
            return refusal
    if _word(context, CONTEXT.BLOCK) == 0:
        return CLOSED
    for _ in range(READ_TRIES_MAX):
        is_whole = True
        for i in range(len(rows)):
            is_whole = is_whole and _copy_words(_row_at(context, rows[i]), out, i)
        for i in range(len(rows)):
            is_whole = is_whole and load_word(_row_at(context, rows[i])) == out[i, ROW.SEQUENCE]
        if is_whole:
            return REPLACED if _generation_differs(context) else 0
    return REPLACED if _generation_differs(context) else BUSY


@kernel(types.UniTuple(int64, 3)(int64, int64, int64[::1]))
def changed_since(context, version, out):
    """List the rows whose version is greater than `version`, by number.

    Args:
        context: address of the reader's context.
        version: what an earlier call returned, 0 for all rows.
        out: int64 (rows,), filled from the front.

    Returns:
        The number of rows listed, the version to ask with next time, and 0, CLOSED or REPLACED.
    """
    block = _word(context, CONTEXT.BLOCK)
    if block == 0:
        return 0, 0, CLOSED
    # The counter is read first: a row that changes meanwhile is listed again next time.
    until = load_acquire(block + 8 * HEADER.VERSION)
    count = 0
    if until != version:
        for row in range(_word(context, CONTEXT.ROWS)):
            if _word(block + HEADER_BYTES, row) > version:
                out[count] = row
                count += 1
    fence_acquire()
    if _generation_differs(context):
        return 0, 0, REPLACED
    return count, until, 0
