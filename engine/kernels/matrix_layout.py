"""Layout of the shared price matrix, shared by its writer, its readers and the kernels.

A block is a header, one version per row, the rows, and the places as JSON; everything before the
places is 8-byte words in the machine's order, int64 or the bits of a float64:

========  ================================  =====================================================
header    words 0 to 31                     words HEADER_*; the first line never changes its place
versions  from byte HEADER_BYTES            version of each row, for "which rows changed since"
rows      from the next multiple of 128     ROW_WORDS words each, two cache lines
places    after the rows                    JSON: [name, kind, base, quote] for each row
========  ================================  =====================================================

A row's SEQUENCE is odd while it is written. VERSION is the block's change counter at its change.
"""

MAGIC = int.from_bytes(b"SYNPRICE", "little")
FORMAT = 1

HEADER_BYTES = 256
HEADER_MAGIC = 0
HEADER_FORMAT = 1
HEADER_GENERATION = 2  # even while a writer has the block, odd before and after
HEADER_ROWS = 3
HEADER_RUN = 4  # hash of the writer's run id
HEADER_PLACES_BYTES = 5
HEADER_BAND = 6  # float64: the band of BID_BAND and ASK_BAND, as a ratio of the best price
HEADER_WRITER_PID = 7
HEADER_VERSION = 16  # the change counter, on a cache line of its own

ROW_WORDS = 16
ROW_BYTES = 8 * ROW_WORDS
SEQUENCE = 0
VERSION = 1
CHANGED_AT_NS = 2  # receive time of the place's last change
FRAME_SEQ = 3  # number of the input that changed it
IS_LIVE = 4  # 1 if both sides may be traded on (they may still be too old)
KIND = 5  # BOOK or POOL, 0 before the first write
BID = 6  # float64, quote per base; 0 if absent
ASK = 7  # float64, quote per base; infinite if absent
BID_SIZE = 8  # float64, base at the best bid; 0 for a pool, whose price moves with any size
ASK_SIZE = 9
BID_BAND = 10  # float64, base within the band of the best price: at least so much
ASK_BAND = 11
RATE_FORWARD = 12  # float64, quote for one base at the margin; 0 if absent
RATE_BACKWARD = 13  # float64, base for one quote at the margin; 0 if absent
PUBLISHED_AT_NS = 14  # when the writer wrote the row, by the clock that it was given
# word 15 is free

BOOK = 1
POOL = 2

BAND_LEVELS_MAX = 16
"""Levels of a book's side that are added up for the band; more of them are left out."""

RATE_MAX = 1e80
"""Largest rate, and the inverse of the least; beyond it is a broken pool, not a price."""

READ_TRIES_MAX = 256
"""Copies of a row, or of a set of rows, that one call makes before it says BUSY."""

# A context is local to a process: int64 words that its kernels find their way by.
CONTEXT_BLOCK = 0  # address of the block, 0 once it is closed
CONTEXT_ROWS = 1
CONTEXT_ROWS_AT = 2  # offset of the rows in the block, in bytes
CONTEXT_GENERATION = 3
CONTEXT_STATE = 4  # address of the board's `state`, and of its `levels`; writers only
CONTEXT_LEVELS = 5
CONTEXT_LEVELS_MAX = 6
CONTEXT_BOOKS = 7
CONTEXT_BAND = 8  # bits of a float64
CONTEXT_WORDS = 9

# Outcomes; kernels return them negative where a version is positive.
CLOSED = 1
UNKNOWN_ROW = 2
REPLACED = 3  # another generation: the writer closed, or another one took the block over
BUSY = 4
BAD_FORWARD = 5
BAD_BACKWARD = 6
BAD_BAND = 7


def rows_at(rows: int) -> int:
    """Return the offset of the rows in a block, in bytes."""
    return HEADER_BYTES + -(-8 * rows // ROW_BYTES) * ROW_BYTES
