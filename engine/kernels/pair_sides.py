"""Pairs of reserves as sides of the market, all that a block moves in one call.

Each direction of a pair is one piece: see `sizing_layout`. The same numbers, in the same order of
operations, come from `detect.graph.pool_sides.sides_of_pair`, one pair at a time.
"""

import math
from typing import NamedTuple

from numba import float64, int32, int64, types

from engine.kernels.fetching import fetch
from engine.kernels.jit import borrowing_kernel
from engine.kernels.sizing_layout import PIECE, SIDE


class _PairTerms(NamedTuple):
    """Columns of the float64 `terms`, a row per pair: what its moves leave alone."""

    UNIT: int = 0  # raw units of one unit of each token
    KEEP: int = 2  # what the fee leaves of an input of each token
    EDGE: int = 4  # of each direction, by the token that is sold


PAIR_TERMS = _PairTerms()
PAIR_TERM_COLUMNS = 8  # padded: a row is a cache line


@borrowing_kernel(
    types.void(
        float64[:, ::1],
        int64[::1],
        float64[::1],
        int64[::1],
        types.Tuple((float64[:, ::1], float64[:, ::1], float64[:, ::1])),
        int32[::1],
        float64[::1],
    )
)
def write_pairs(terms, numbers, reserves_raw, places, sides_of, edges, log_rates):
    """Write the sides of pairs, and say what their rates are.

    Args:
        terms: float64 (pairs, PAIR_TERM_COLUMNS).
        numbers: rows of `terms`, of the pairs that moved.
        reserves_raw: two of each of them, the first pair's first.
        places: where in the results each of them stands.
        sides_of: `sides`, `pieces` and `curves` of `sizing_layout`; the pairs' sides have room.
        edges, log_rates: the results, two entries of each pair.
    """
    sides, pieces = sides_of[0], sides_of[1]
    # A pair's terms, its sides and their pieces are far apart, and each says where the next is.
    for k in range(numbers.shape[0]):
        fetch(terms, numbers[k], 0)
    for k in range(2 * numbers.shape[0]):
        fetch(sides, int64(terms[numbers[k // 2], PAIR_TERMS.EDGE + k % 2]), 0)
    for k in range(2 * numbers.shape[0]):
        edge = int64(terms[numbers[k // 2], PAIR_TERMS.EDGE + k % 2])
        fetch(pieces, int64(sides[edge, SIDE.FROM]), 0)
    for k in range(numbers.shape[0]):
        row, at = numbers[k], places[k]
        first = reserves_raw[2 * k] / terms[row, PAIR_TERMS.UNIT]
        second = reserves_raw[2 * k + 1] / terms[row, PAIR_TERMS.UNIT + 1]
        for token in range(2):
            given, taken = (first, second) if token == 0 else (second, first)
            keep = terms[row, PAIR_TERMS.KEEP + token]
            edge = int64(terms[row, PAIR_TERMS.EDGE + token])
            rate = taken / given * keep
            piece = int64(sides[edge, SIDE.FROM])
            pieces[piece, PIECE.CIN] = 0.0
            pieces[piece, PIECE.COUT] = 0.0
            pieces[piece, PIECE.RATE] = rate
            pieces[piece, PIECE.BEND] = keep / given
            sides[edge, SIDE.TO] = piece + 1
            edges[at + token] = edge
            log_rates[at + token] = math.log(rate)
