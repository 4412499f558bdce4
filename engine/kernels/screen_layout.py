"""Layout of the arrays by which a changed book is screened for routes.

The market graph knows the marginal rate of every edge. What else a route needs is here: which book
an edge trades at, where its pieces are, what its leg costs, and what its tokens are worth.
"""

# Columns of the float64 `books`, one row per book of the board.
PRICE_SCALE = 0  # quote per base of one price step
SIZE_SCALE = 1  # base of one size step
FEE_RATIO = 2  # taker fee
SELL_EDGE = 3  # edge that gives base, or NONE for a book that is in no route
BUY_EDGE = 4  # edge that gives quote
BOOK_COLUMNS = 5

# Columns of the float64 `legs`, one row per edge.
LEG_BOOK = 0  # row of the board, or NONE for a pool or bridge
LEG_SIDE = 1  # side of the board that the leg takes from: layout.BID sells, layout.ASK buys
LEG_VENUE = 2  # number of the venue; legs at two venues cost transfers
LEG_KEEP = 3  # part that the proportional fee leaves
LEG_GAS_UNITS = 4  # gas of a swap, 0 where no chain is involved
LEG_FIXED_USD = 5  # what a bridge costs whatever the size
LEG_CHAIN = 6  # number of a pool's chain, from 1 on; 0 of a book or bridge
LEG_COLUMNS = 7

# Columns of the float64 `tokens`, one row per token.
VALUE_USD = 0  # of one unit; 0 while unknown
RANK = 1  # routes start in the token of the lowest rank
WAITS = 2  # whether routes that start here could not be costed when they were last screened
TOKEN_COLUMNS = 3

# Values of WAITS. A sweep passes all edges once; what begins to wait meanwhile is for the next one.
WAITS_NOT = 0
WAITS_FOR_NEXT = 1
IS_SWEPT = 2

# Entries of the int64 `sweep`, counted down by a kernel.
SWEEP_EDGE = 0  # the next edge to pass
SWEEP_SCANS = 1  # edges that may yet be scanned
SWEEP_ROUTES = 2  # found routes for which there is time; an edge that is scanned has all of its own
SWEEP_ENTRIES = 3

# Entries of the float64 `costs`.
AGE_NS_MAX = 0  # a book without a change for longer is out of every route
EDGE_RATIO_MIN = 1  # what every unit of the input must gain after all costs
TRANSFER_RATIO = 2  # of the input, for a route that leaves a venue and comes back
FLASH_RATIO = 3  # of the input, for a route through pools of one chain: it is borrowed
GAS_UNIT_USD = 4  # and the chain's number, 0 for none, which costs 0; below 0 while unknown
CHAINS_MAX = 16
CHAIN_UNTIL_NS = GAS_UNIT_USD + 1 + CHAINS_MAX  # likewise: pools may be used until then
COST_ENTRIES = CHAIN_UNTIL_NS + 1 + CHAINS_MAX

# Columns of the int64 `open_routes`: number of legs, then edges; NONE behind the last one.
ROUTE_LEGS = 0
ROUTE_EDGE = 1
ROUTE_LEGS_MAX = 5
ROUTE_COLUMNS = ROUTE_EDGE + ROUTE_LEGS_MAX

# Columns of the float64 result, one row per route.
OUT_OPEN = 0  # row of `open_routes`, or NONE for a new one
OUT_LEGS = 1
OUT_INPUT = 2
OUT_PROFIT = 3  # net of everything, in the token the route starts in; 0 for an open route's end
OUT_PROFIT_USD = 4  # 0 while that token's value is unknown
OUT_NOTIONAL = 5  # the input without the fee on top of it
OUT_GROSS_RATIO = 6  # output per input before fees, less 1
OUT_GAS = 7  # what gas and bridges cost whatever the size, in the same token; in OUT_PROFIT already
OUT_EDGE = 8  # edges in the order of the legs
OUT_AMOUNT = OUT_EDGE + ROUTE_LEGS_MAX  # what each leg gives
OUT_COLUMNS = OUT_AMOUNT + ROUTE_LEGS_MAX

GAP_LEGS = 2  # two books: the simplest route

PIECES_PER_BOOK_SIDE = 128
"""Levels of a book's side that a route is sized through, one row less: beyond them is nothing."""

SIZED_MAX = 64
"""Most cycles of each number of legs that one change has sized."""
