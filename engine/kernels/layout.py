"""Layout of the board's arrays, shared by the board and the kernels.

Every price level is a row of two whole numbers: a signed key and a size, both in the instrument's
wire steps. The key is ``+price`` on the bid side and ``-price`` on the ask side, ascending, so that
the best level of either side is the last one and changes near the touch move little memory.

``levels[2 * book + side, i] = (key, size)`` for ``i < state[book, COUNT + side]``.

Compiled kernels hold these numbers, and numba's cache notices only a change of a kernel's own
file: after a change here, delete the compiled kernels (``__pycache__`` of this folder).
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

# Columns of the detector's float64 `terms` array, one row per book.
PRICE_SCALE = 0  # quote per base of one price step
SIZE_SCALE = 1  # base of one size step
FEE_RATIO = 2  # taker fee
AGE_NS_MAX = 3  # a book without a change for longer is out of every decision
ROUTES_FROM = 4  # rows of `routes` that this book takes part in: from, up to before to
ROUTES_TO = 5
TERM_COLUMNS = 6

# Columns of the detector's float64 `routes` array: one row per directed route and book of it.
BUY_BOOK = 0
SELL_BOOK = 1
TRANSFER_RATIO = 2  # of the buy notional
EDGE_RATIO_MIN = 3  # least average net edge, of the buy notional; never negative
SIZE_BASE_MAX = 4
ROUTE_COLUMNS = 5

# Columns of the detector's float64 output, one row per candidate.
OUT_BUY_BOOK = 0
OUT_SELL_BOOK = 1
OUT_SIZE_BASE = 2
OUT_NOTIONAL_QUOTE = 3  # paid for the buy leg before fees
OUT_GROSS_BPS = 4
OUT_NET_BPS = 5
OUT_PROFIT_QUOTE = 6
OUT_BUY_WORST = 7  # worst price walked on the buy side, and on the sell side
OUT_SELL_WORST = 8
OUT_COLUMNS = 9
