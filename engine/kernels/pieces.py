"""The check of pieces; `sizing_layout` says what they are.

Who makes pieces names what is wrong with them; here it is only yes or no.
"""

from numba import float64, int64

from engine.kernels.jit import kernel
from engine.kernels.sizing_layout import AMOUNT_MAX, PIECE, PIECE_COLUMNS

RISE_RATIO_MAX = 1e-9
"""Between pieces rates are equal but for rounding."""


@kernel(int64(float64[:, ::1]))
def are_concave(pieces):
    """Tell whether pieces are those of a concave function from nothing on: 1 or 0."""
    if pieces.shape[0] == 0 or pieces[0, PIECE.CIN] != 0.0 or pieces[0, PIECE.COUT] != 0.0:
        return 0
    for k in range(pieces.shape[0]):
        for column in range(PIECE_COLUMNS):
            if not 0.0 <= pieces[k, column] <= AMOUNT_MAX:
                return 0
        if k > 0:
            width = pieces[k, PIECE.CIN] - pieces[k - 1, PIECE.CIN]
            share = 1.0 / (1.0 + pieces[k - 1, PIECE.BEND] * width)
            most = pieces[k - 1, PIECE.RATE] * share * share * (1.0 + RISE_RATIO_MAX)
            if not (width > 0.0 and pieces[k, PIECE.RATE] <= most):
                return 0
    return 1
