"""Pieces of sides: the kernels that make and check them."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.detect.sizing.pieces import check_pieces
from engine.domain.errors import BadValueError
from engine.kernels.concentrated import fill_side
from engine.kernels.pieces import are_concave
from tests.effort import examples
from tests.pools.uniswap_random import random_concentrated
from tests.pools.uniswap_states import pack_concentrated as pack
from tests.reference import pieces as twin

ODD = (math.nan, math.inf, -math.inf, -1.0, 0.0, 1e61, 1.0, 5e-324)


@settings(max_examples=examples(300), deadline=None)
@given(seed=st.integers(0, 2**32), change=st.sampled_from(["none", "odd", "scaled", "swapped"]))
def test_pieces_are_taken_if_and_only_if_they_are_concave(seed: int, change: str) -> None:
    rng = random.Random(seed)
    packed = pack(random_concentrated(rng))
    pieces = np.zeros((len(packed.ticks) + 2, 4))
    count = fill_side(packed.pool, packed.ticks, rng.randrange(2), 1e6, 1e18, pieces)
    pieces = pieces[:count].copy()
    if not count:
        return
    row, column = rng.randrange(count), rng.randrange(4)
    if change == "odd":
        pieces[row, column] = rng.choice(ODD)
    elif change == "scaled":
        pieces[row, column] *= rng.choice((0.5, 1 - 1e-7, 1 + 1e-7, 2.0))
    elif change == "swapped":
        pieces[[row, rng.randrange(count)]] = pieces[[rng.randrange(count), row]]

    wanted = twin.are_concave(pieces.tolist())

    assert bool(are_concave(pieces)) == wanted
    if wanted:
        assert np.array_equal(check_pieces(pieces, what="side"), pieces)
    else:
        with pytest.raises(BadValueError, match="side"):
            check_pieces(pieces, what="side")


@settings(max_examples=examples(150), deadline=None)
@given(seed=st.integers(0, 2**32), token_in=st.sampled_from([0, 1]))
def test_units_of_tokens_scale_the_pieces_of_a_pool(seed: int, token_in: int) -> None:
    packed = pack(random_concentrated(random.Random(seed)))
    room = len(packed.ticks) + 2
    raw, units = np.zeros((room, 4)), np.zeros((room, 4))

    count = fill_side(packed.pool, packed.ticks, token_in, 1.0, 1.0, raw)
    assert fill_side(packed.pool, packed.ticks, token_in, 1e6, 1e18, units) == count

    scaled = raw[:count] * [1e-6, 1e-18, 1e-12, 1e6]
    assert units[:count] == pytest.approx(scaled, rel=1e-14)


def test_a_piece_that_starts_before_the_last_is_named_whatever_its_bend() -> None:
    pieces = np.array([[0.0, 0.0, 2.0, 0.0], [2.0, 1.0, 1.0, 1.0], [1.0, 2.0, 0.0, 0.0]])

    with pytest.raises(BadValueError, match="piece 2 of side does not start behind"):
        check_pieces(pieces, what="side")


def test_no_pieces_are_no_side() -> None:
    assert not are_concave(np.zeros((0, 4)))
