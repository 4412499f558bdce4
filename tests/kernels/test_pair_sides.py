"""Pairs as sides of the market: as plain fractions have them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.pair_sides import PAIR_TERM_COLUMNS, PAIR_TERMS, write_pairs
from engine.kernels.sizing_layout import PIECE, SIDE
from engine.pools.integers import UINT112_MAX
from tests.effort import examples
from tests.reference.pair_sides import directions

NEAR = 1e-12
ROW, AT, PIECE_AT = 1, 2, 3

reserves = st.tuples(st.integers(1_000, UINT112_MAX), st.integers(1_000, UINT112_MAX))
units = st.tuples(*[st.integers(0, 24).map(lambda digits: 10**digits)] * 2)
keeps = st.tuples(*[st.integers(1, 10**6).map(lambda kept: Fraction(kept, 10**6))] * 2)


@settings(max_examples=examples(200), deadline=None)
@given(held=reserves, unit=units, keep=keeps)
def test_a_pair_is_written_as_plain_fractions_have_it(
    held: tuple[int, int], unit: tuple[int, int], keep: tuple[Fraction, Fraction]
) -> None:
    terms = np.zeros((ROW + 1, PAIR_TERM_COLUMNS))
    terms[ROW, PAIR_TERMS.UNIT : PAIR_TERMS.UNIT + 2] = unit
    terms[ROW, PAIR_TERMS.KEEP : PAIR_TERMS.KEEP + 2] = [float(one) for one in keep]
    terms[ROW, PAIR_TERMS.EDGE : PAIR_TERMS.EDGE + 2] = (1, 0)
    sides = np.zeros((2, len(SIDE)))
    sides[:, SIDE.FROM] = (PIECE_AT, PIECE_AT + 1)
    pieces = np.full((PIECE_AT + 2, len(PIECE)), np.nan)
    edges, log_rates = np.full(AT + 2, -1, np.int32), np.full(AT + 2, np.nan)

    write_pairs(
        terms,
        np.array([ROW]),
        np.array(held, np.float64),
        np.array([AT]),
        (sides, pieces, np.zeros((2, len(SIDE)))),
        edges,
        log_rates,
    )

    assert edges.tolist() == [-1] * AT + [1, 0]
    for token, wanted in enumerate(directions(held, unit, keep)):
        side = sides[edges[AT + token]]
        assert side[SIDE.TO] == side[SIDE.FROM] + 1
        piece = pieces[int(side[SIDE.FROM])]
        assert (piece[PIECE.CIN], piece[PIECE.COUT]) == (0, 0)
        assert piece[PIECE.RATE] == pytest.approx(float(wanted.rate), rel=NEAR)
        assert piece[PIECE.BEND] == pytest.approx(float(wanted.bend), rel=NEAR)
        assert np.exp(log_rates[AT + token]) == pytest.approx(float(wanted.rate), rel=1e-9)
    assert np.isnan(pieces[:PIECE_AT]).all()
