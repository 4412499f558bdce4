"""Layout of the arrays by which a changed book is screened for routes.

The market graph knows the marginal rate of every edge. What else a route needs is here: which book
an edge trades at, where its pieces are, what its leg costs, and what its tokens are worth.
"""

from typing import NamedTuple

CHAINS_MAX = 16
ROUTE_LEGS_MAX = 5


class _Book(NamedTuple):
    """Columns of the float64 `books`, one row per book of the board."""

    PRICE_SCALE: int = 0  # quote per base of one price step
    SIZE_SCALE: int = 1  # base of one size step
    FEE_RATIO: int = 2  # taker fee
    SELL_EDGE: int = 3  # edge that gives base, or NONE for a book that is in no route
    BUY_EDGE: int = 4  # edge that gives quote


class _Leg(NamedTuple):
    """Columns of the float64 `legs`, one row per edge."""

    BOOK: int = 0  # row of the board, or NONE for a pool or bridge
    SIDE: int = 1  # of the board, that the leg takes from: layout.BID sells, layout.ASK buys
    VENUE: int = 2  # number of the venue; legs at two venues cost transfers
    KEEP: int = 3  # part that the proportional fee leaves
    GAS_UNITS: int = 4  # gas of a swap, 0 where no chain is involved
    FIXED_USD: int = 5  # what a bridge costs whatever the size
    CHAIN: int = 6  # number of a pool's chain, from 1 on; 0 of a book or bridge


class _Asset(NamedTuple):
    """Columns of the float64 `tokens`, one row per token of the graph."""

    VALUE_USD: int = 0  # of one unit; 0 while unknown
    RANK: int = 1  # routes start in the token of the lowest rank, see `candidates`
    WAITS: int = 2  # whether routes that start here could not be costed when they were screened
    IS_AT_BOOKS: int = 3  # 1 if a book trades it: routes of books and pools may start here


class _Sweep(NamedTuple):
    """Entries of the int64 `sweep`, counted down by a kernel."""

    EDGE: int = 0  # the next edge to pass
    SCANS: int = 1  # edges that may yet be scanned
    ROUTES: int = 2  # found routes for which there is time; an edge scanned has all of its own


class _Cost(NamedTuple):
    """Entries of the float64 `costs`."""

    AGE_NS_MAX: int = 0  # a book without a change for longer is out of every route
    EDGE_RATIO_MIN: int = 1  # what every unit of the input must gain after all costs
    TRANSFER_RATIO: int = 2  # of the input, for a route that leaves a venue and comes back
    FLASH_RATIO: int = 3  # of the input, for a route through pools of one chain: it is borrowed
    GAS_UNIT_USD: int = 4  # and the chain's number, 0 for none, which costs 0; below 0: unknown
    CHAIN_UNTIL_NS: int = 4 + 1 + CHAINS_MAX  # likewise: pools may be used until then


class _Route(NamedTuple):
    """Columns of the int64 `open_routes`."""

    LEGS: int = 0
    EDGE: int = 1  # ROUTE_LEGS_MAX of them; NONE behind the last one


class _Screened(NamedTuple):
    """Columns of the float64 result, one row per route."""

    OPEN: int = 0  # row of `open_routes`, or NONE for a new one
    LEGS: int = 1
    INPUT: int = 2
    PROFIT: int = 3  # net of everything, in the token the route starts in; 0 for an open one's end
    PROFIT_USD: int = 4  # 0 while that token's value is unknown
    NOTIONAL: int = 5  # the input without the fee on top of it
    GROSS_RATIO: int = 6  # output per input before fees, less 1
    GAS: int = 7  # what gas and bridges cost whatever the size, in the same token; in PROFIT too
    IS_TRADED: int = 8  # whether an executor can carry the route out, see `traded`
    EDGE: int = 9  # edges in the order of the legs
    AMOUNT: int = 9 + ROUTE_LEGS_MAX  # what each leg gives


BOOK = _Book()
LEG = _Leg()
ASSET = _Asset()
SWEEP = _Sweep()
COST = _Cost()
ROUTE = _Route()
SCREENED = _Screened()
BOOK_COLUMNS = len(BOOK)
LEG_COLUMNS = len(LEG)
ASSET_COLUMNS = len(ASSET)
SWEEP_ENTRIES = len(SWEEP)
COST_ENTRIES = COST.CHAIN_UNTIL_NS + 1 + CHAINS_MAX
ROUTE_COLUMNS = ROUTE.EDGE + ROUTE_LEGS_MAX
SCREENED_COLUMNS = SCREENED.AMOUNT + ROUTE_LEGS_MAX

# Values of WAITS. A sweep passes all edges once; what begins to wait meanwhile is for the next one.
WAITS_NOT = 0
WAITS_FOR_NEXT = 1
IS_SWEPT = 2

GAP_LEGS = 2  # two books: the simplest route

PIECES_PER_BOOK_SIDE = 128
"""Levels of a book's side that a route is sized through, one row less: beyond them is nothing."""

SIZED_MAX = 64
"""Most cycles of each number of legs that one change has sized."""

UNTRADED_SIZED_MAX = 8
"""... and beside them, of those that no executor trades: for whoever watches."""
