"""Layout of the shared price matrix, shared by its writer, its readers and the kernels.

A block is a header, one version per row, the rows, and the places as JSON; everything before the
places is 8-byte words in the machine's order, int64 or the bits of a float64:

========  ================================  =====================================================
header    words 0 to 31                     words HEADER;    the first line never changes its place
versions  from byte HEADER_BYTES            version of each row, for "which rows changed since"
rows      from the next multiple of 192     ROW_WORDS words each, three cache lines
places    after the rows                    JSON: [name, kind, base, quote] for each row
========  ================================  =====================================================

A row's SEQUENCE is odd while it is written. VERSION is the block's change counter at its change.
"""

from typing import NamedTuple

MAGIC = int.from_bytes(b"SYNPRICE", "little")
FORMAT = 2

HEADER_BYTES = 256
ROW_WORDS = 24
ROW_BYTES = 8 * ROW_WORDS


class _Header(NamedTuple):
    """Words of the header."""

    MAGIC: int = 0
    FORMAT: int = 1
    GENERATION: int = 2  # even while a writer has the block, odd before and after
    ROWS: int = 3
    RUN: int = 4  # hash of the writer's run id
    PLACES_BYTES: int = 5
    BAND: int = 6  # float64: the band of BID_BAND and ASK_BAND, as a ratio of the best price
    WRITER_PID: int = 7
    VERSION: int = 16  # the change counter, on a cache line of its own


class _Row(NamedTuple):
    """Words of a row; the last of ROW_WORDS are free. Those of a pool are 0 in a book's."""

    SEQUENCE: int = 0
    VERSION: int = 1
    CHANGED_AT_NS: int = 2  # receive time of the place's last change
    FRAME_SEQ: int = 3  # number of the input that changed it
    IS_LIVE: int = 4  # 1 if both sides may be traded on (they may still be too old)
    KIND: int = 5  # BOOK or POOL, 0 before the first write
    BID: int = 6  # float64, quote per base; 0 if absent
    ASK: int = 7  # float64, quote per base; infinite if absent
    BID_SIZE: int = 8  # float64, base at the best bid; 0 for a pool: any size moves its price
    ASK_SIZE: int = 9
    BID_BAND: int = 10  # float64, base within the band of the best price: at least so much
    ASK_BAND: int = 11
    RATE_FORWARD: int = 12  # float64, quote for one base at the margin; 0 if absent
    RATE_BACKWARD: int = 13  # float64, base for one quote at the margin; 0 if absent
    PUBLISHED_AT_NS: int = 14  # when the writer wrote the row, by the clock that it was given
    RESERVE_BASE: int = (
        15  # float64, of a pool: what it holds, at a range of ticks as if a pair did
    )
    RESERVE_QUOTE: int = 16  # float64, likewise
    TICK: int = 17  # of a pool of ranges, in its own order of tokens; NO_TICK of another


class _PairRow(NamedTuple):
    """Columns of what a pair's moves leave alone of its row; by the pair's order of tokens."""

    UNIT: int = 0  # raw units of one unit of each token
    KEEP: int = 2  # what the fee leaves of an input of each token
    ROW: int = 4
    BASE: int = 5  # which token is the row's base


class _Kind(NamedTuple):
    """Values of KIND."""

    BOOK: int = 1
    POOL: int = 2


NO_TICK = -(1 << 31)

BAND_LEVELS_MAX = 16
"""Levels of a book's side that are added up for the band; more of them are left out."""

RATE_MAX = 1e80
"""Largest rate, and the inverse of the least; beyond it is a broken pool, not a price."""

READ_TRIES_MAX = 256
"""Copies of a row, or of a set of rows, that one call makes before it says BUSY."""


class _Context(NamedTuple):
    """Words of a context, by which its kernels find their way; it is local to a process."""

    BLOCK: int = 0  # address of the block, 0 once it is closed
    ROWS: int = 1
    ROWS_AT: int = 2  # offset of the rows in the block, in bytes
    GENERATION: int = 3
    STATE: int = 4  # address of the board's `state`, and of its `levels`; writers only
    LEVELS: int = 5
    LEVELS_MAX: int = 6
    BOOKS: int = 7
    BAND: int = 8  # bits of a float64


HEADER = _Header()
ROW = _Row()
PAIR_ROW = _PairRow()
PAIR_ROW_COLUMNS = 8  # padded: a cache line
KIND = _Kind()
CONTEXT = _Context()
CONTEXT_WORDS = len(CONTEXT)

# Outcomes; kernels return them negative where a version is positive.
CLOSED = 1
UNKNOWN_ROW = 2
REPLACED = 3  # another generation: the writer closed, or another one took the block over
BUSY = 4
BAD_FORWARD = 5
BAD_BACKWARD = 6
BAD_BAND = 7
BAD_RESERVE = 8


def rows_at(rows: int) -> int:
    """Return the offset of the rows in a block, in bytes."""
    return HEADER_BYTES + -(-8 * rows // ROW_BYTES) * ROW_BYTES
