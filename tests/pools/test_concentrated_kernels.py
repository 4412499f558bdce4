"""Pieces of concentrated pools against real numbers, and against the contracts' whole numbers."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from engine.kernels import concentrated as kernel
from engine.kernels.sizing_layout import PIECE, PIECE_COLUMNS
from engine.pools.concentrated import ConcentratedState, amount_out
from tests.effort import examples
from tests.pools.test_concentrated import as_reference, one_range
from tests.pools.uniswap_random import random_concentrated
from tests.pools.uniswap_states import PackedPool, pack_concentrated
from tests.reference import concentrated as reference
from tests.reference.pieces import quote

seeds = st.integers(0, 2**32)
tokens = st.sampled_from([0, 1])
amounts = st.integers(1, 2**100)

Pieces = list[list[float]]


def fill(packed: PackedPool, token_in: int, room: int = 40) -> Pieces:
    pieces = np.zeros((room, PIECE_COLUMNS))
    count = kernel.fill_side(packed.pool, packed.ticks, token_in, 1.0, 1.0, pieces)
    return [list(row) for row in pieces[:count].tolist()]


def pieces_of(state: ConcentratedState, token_in: int, room: int = 40) -> Pieces:
    return fill(pack_concentrated(state), token_in, room)


def output(pieces: Pieces, amount_in: float) -> float:
    """Return what pieces give: all that they have for more than they take."""
    end = pieces[-1][PIECE.CIN]
    return pieces[-1][PIECE.COUT] if amount_in >= end else quote(pieces, amount_in)[0]


@settings(max_examples=examples(300), deadline=None)
@given(seed=seeds, token_in=tokens, amount_raw=amounts)
def test_pieces_give_what_real_numbers_give(seed: int, token_in: int, amount_raw: int) -> None:
    state = random_concentrated(random.Random(seed))
    real = reference.sell(as_reference(state), amount_raw, token_in)
    pieces = pieces_of(state, token_in)

    assert output(pieces, float(amount_raw)) == pytest.approx(float(real.amount_out), rel=1e-12)


@settings(max_examples=examples(300), deadline=None)
@given(seed=seeds, token_in=tokens, share=st.floats(1e-12, 0.999))
def test_no_contract_gives_more_than_its_pieces_promise(
    seed: int, token_in: int, share: float
) -> None:
    state = random_concentrated(random.Random(seed))
    pieces = pieces_of(state, token_in)
    amount_raw = max(int(pieces[-1][PIECE.CIN] * share), 1)
    try:
        exact = amount_out(state, amount_raw, token_in=token_in)
    except BadValueError:
        return  # too little for it, or numbers beyond its bits

    assert exact <= output(pieces, float(amount_raw)) * (1 + 1e-12)


def test_pieces_that_find_no_room_promise_less_never_more() -> None:
    states = (random_concentrated(random.Random(seed)) for seed in range(100))
    several = next(state for state in states if len(pieces_of(state, 0)) > 5)
    everything = pieces_of(several, 0)

    few = pieces_of(several, 0, room=2)

    assert len(few) == 2
    for amount in 10.0 ** np.arange(0, 40, 2.0):
        assert output(few, amount) <= output(everything, amount)


def test_ticks_out_of_order_or_of_impossible_liquidity_have_no_pieces() -> None:
    good = pack_concentrated(one_range())
    turned = PackedPool(good.pool, good.ticks[[0, 0, 1]])
    turned.ticks[0] = pack_concentrated(one_range(low=-60)).ticks[0]
    turned.ticks[0, kernel.NET : kernel.NET + 2] = 0  # only its place is wrong
    drained = PackedPool(good.pool, good.ticks.copy())
    drained.ticks[0, kernel.NET + 1] = 2**62  # more than there is leaves at the lower tick

    for packed in (turned, drained):
        assert fill(packed, 0) == []
