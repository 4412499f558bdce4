"""Layout of the board's arrays, shared by the board and the kernels.

Every price level is a row of two whole numbers: a signed key and a size, both in the instrument's
wire steps. The key is ``+price`` on the bid side and ``-price`` on the ask side, ascending, so that
the best level of either side is the last one and changes near the touch move little memory.

``levels[2 * book + side, i] = (key, size)`` for ``i < state[book, COUNT + side]``.
"""

BID = 0
ASK = 1

KEY = 0
SIZE = 1

# Columns of the board's int64 `state` array, one row per book.
PRICE_DECIMALS = 0
SIZE_DECIMALS = 1
COUNT = 2  # levels of the bid side; COUNT + ASK of the ask side
IS_LIVE = 4
CHANGED_AT_NS = 5
FRAME_SEQ = 6
DROPPED = 7  # levels left out: of a full side, or bids at price zero
CHANGES = 8  # bumped at each change of the book: a cheap version number
STATE_COLUMNS = 9

# Forms of levels on the wire; the same values as `ports.LevelForm`.
FORM_PAIRS = 0
FORM_SIDED = 1
FORM_COINBASE = 2
FORM_OBJECTS = 3

# Outcomes; the same values as `ports.Applied`.
OK = 0
BAD_SHAPE = 1
BAD_NUMBER = 2
CROSSED = 3
EMPTY = 4
NOT_PLAIN = 5  # of `order_book.apply_plain` alone
