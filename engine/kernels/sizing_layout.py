"""Layout of the arrays by which routes are sized and legs are split.

A side is one direction of a pool or book: a concave function from input to output. Most are lists
of pieces, rows FROM up to before TO of `pieces`. Piece k starts after an input of CIN and an output
of COUT in all; a further input u, up to the next piece, gives ``RATE u / (1 + BEND u)``. A constant
product pool is one piece, a range between initialised ticks is one, and a level of an order book is
one with BEND 0. Fees are in RATE and BEND. A last piece of RATE 0 says that no more is there.

A curve has no pieces: FROM is its row of `curves`, whose columns are those of its own kernel. A
group is several sides in parallel between the same two tokens, which share an input optimally: its
members are the rows FROM up to before TO of `sides` itself, and none of them is a group.
"""

# Columns of the float64 `pieces`.
CIN = 0
COUT = 1
RATE = 2
BEND = 3
PIECE_COLUMNS = 4

# Columns of the float64 `sides`.
FORM = 0
FROM = 1
TO = 2
TOKEN_IN = 3  # index of the token within a curve
TOKEN_OUT = 4
INPUT_MAX = 5  # inventory, trade size or the pool's own limit; infinite for none
SIDE_COLUMNS = 6

# Forms of a side.
FORM_PIECES = 0
FORM_SOLIDLY = 1
FORM_STABLE_SWAP = 2
FORM_WEIGHTED = 3
FORM_GROUP = 4

CURVE_COLUMNS = 16  # as many as the widest curve has

# Columns of the float64 `terms`, one row per route; amounts are of the token it starts and ends in.
PAYS_RATIO = 0  # 1 and what is paid in proportion to the input, such as a flash loan's fee
FIXED_COST = 1  # gas, and transfers that cost the same for every size
ROUTE_INPUT_MIN = 2
ROUTE_INPUT_MAX = 3  # inventory, flash loan's or trade's limit; infinite for none
VALUE = 4  # of one unit in the reporting asset, by which routes are ranked
TERM_COLUMNS = 5

# Columns of the float64 results, one row per sized route.
OUT_ROUTE = 0  # row of `cycles`
OUT_INPUT = 1
OUT_OUTPUT = 2
OUT_PROFIT = 3  # net of everything
OUT_VALUE = 4  # the same in the reporting asset
OUT_RATE = 5  # output per input of the first unit
OUT_STEPS = 6
OUT_COLUMNS = 7

LEGS_MAX = 8
NO_LEG = -1  # fills a row of `cycles` behind its last leg

AMOUNT_MAX = 1e60
"""Beyond any sound amount, rate or bend of a pool."""
