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

from typing import NamedTuple


class _Piece(NamedTuple):
    """Columns of the float64 `pieces`."""

    CIN: int = 0
    COUT: int = 1
    RATE: int = 2
    BEND: int = 3


class _Side(NamedTuple):
    """Columns of the float64 `sides`."""

    FORM: int = 0
    FROM: int = 1
    TO: int = 2
    TOKEN_IN: int = 3  # index of the token within a curve
    TOKEN_OUT: int = 4
    INPUT_MAX: int = 5  # inventory, trade size or the pool's own limit; infinite for none


class _Term(NamedTuple):
    """Columns of the float64 `terms`, one row per route.

    Amounts are of the token it starts and ends in.
    """

    PAYS_RATIO: int = 0  # 1 and what is paid in proportion to the input, as a flash loan's fee
    FIXED_COST: int = 1  # gas, and transfers that cost the same for every size
    INPUT_MIN: int = 2
    INPUT_MAX: int = 3  # inventory, flash loan's or trade's limit; infinite for none
    VALUE: int = 4  # of one unit in the reporting asset, by which routes are ranked


class _Sized(NamedTuple):
    """Columns of the float64 results, one row per sized route."""

    ROUTE: int = 0  # row of `cycles`
    INPUT: int = 1
    OUTPUT: int = 2
    PROFIT: int = 3  # net of everything
    VALUE: int = 4  # the same in the reporting asset
    RATE: int = 5  # output per input of the first unit
    STEPS: int = 6


PIECE = _Piece()
SIDE = _Side()
TERM = _Term()
SIZED = _Sized()
PIECE_COLUMNS = len(PIECE)
SIDE_COLUMNS = len(SIDE)
TERM_COLUMNS = len(TERM)
SIZED_COLUMNS = len(SIZED)
CURVE_COLUMNS = 16  # as many as the widest curve has

# Forms of a side.
FORM_PIECES = 0
FORM_SOLIDLY = 1
FORM_STABLE_SWAP = 2
FORM_WEIGHTED = 3
FORM_GROUP = 4

SIZED_LEGS_MAX = 8

AMOUNT_MAX = 1e60
"""Beyond any sound amount, rate or bend of a pool."""
