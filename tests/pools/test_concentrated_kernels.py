"""Kernels of concentrated pools: pieces against real numbers, whole numbers against exact forms."""

import random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.kernels import concentrated as kernel
from engine.kernels import concentrated_exact as exact_kernel
from engine.kernels.u256 import from_limbs, to_limbs
from engine.pools.concentrated import ConcentratedState, amount_out
from tests.pools import campaign_concentrated as campaign
from tests.pools import campaign_kernels
from tests.pools.test_concentrated import as_reference, one_range
from tests.pools.uniswap_random import random_concentrated
from tests.pools.uniswap_states import PackedPool, pack_concentrated, swap_by_kernel
from tests.reference import concentrated as reference

seeds = st.integers(0, 2**32)
tokens = st.sampled_from([0, 1])
amounts = st.integers(1, 2**100)


def pieces_of(state: ConcentratedState, token_in: int, room: int = 40) -> np.ndarray:
    packed = pack_concentrated(state)
    pieces = np.zeros((room, kernel.PIECE_COLUMNS))
    count = kernel.fill_pieces(packed.pool, packed.ticks, token_in, pieces)
    return pieces[:count]


def quote(pieces: np.ndarray, amount_in: float) -> float:
    out = np.zeros(1)
    kernel.quote_pieces(pieces, 0, len(pieces), np.array([amount_in]), out)
    return float(out[0])


# ---- floats --------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(seed=seeds, token_in=tokens, amount_raw=amounts)
def test_pieces_give_what_real_numbers_give(seed: int, token_in: int, amount_raw: int) -> None:
    state = random_concentrated(random.Random(seed))
    real = reference.sell(as_reference(state), amount_raw, token_in)
    pieces = pieces_of(state, token_in)

    assert quote(pieces, float(amount_raw)) == pytest.approx(float(real.amount_out), rel=1e-12)


@settings(max_examples=200, deadline=None)
@given(seed=seeds, token_in=tokens, amount_raw=amounts)
def test_the_input_for_an_output_gives_that_output(
    seed: int, token_in: int, amount_raw: int
) -> None:
    state = random_concentrated(random.Random(seed))
    pieces = pieces_of(state, token_in)
    wanted = min(float(amount_raw), float(pieces[-1, kernel.COUT]) * 0.999)
    assume(wanted > 0.0)
    asked = np.zeros(1)

    kernel.charge_pieces(pieces, 0, len(pieces), np.array([wanted]), asked)

    assert quote(pieces, float(asked[0])) == pytest.approx(wanted, rel=1e-12)


@settings(max_examples=200, deadline=None)
@given(seed=seeds, token_in=tokens, share=st.floats(0.001, 0.999), data=st.data())
def test_map_and_margin_are_those_of_the_piece_that_an_input_ends_in(
    seed: int, token_in: int, share: float, data: st.DataObject
) -> None:
    state = random_concentrated(random.Random(seed))
    pieces = pieces_of(state, token_in)
    assume(len(pieces) > 1)
    at = data.draw(st.integers(0, len(pieces) - 2))
    start, _, x, y = pieces[at]
    more = share * (pieces[at + 1, kernel.CIN] - start)
    assume(start < start + more < pieces[at + 1, kernel.CIN])
    more = start + more - start  # as floats have it
    inputs, four, margin = np.array([start + more]), np.zeros((1, 4)), np.zeros(1)

    kernel.moebius_pieces(pieces, 0, len(pieces), inputs, four)
    kernel.marginal_pieces(pieces, 0, len(pieces), inputs, margin)

    assert margin[0] == pytest.approx(y / x * (x / (x + more)) ** 2, rel=1e-12)
    a, b, c, d = four[0]
    if start < 1e3 * x:  # far out on a small piece the map loses digits, as it says
        found = (a * inputs[0] + b) / (c * inputs[0] + d)
        assert found == pytest.approx(quote(pieces, float(inputs[0])), rel=1e-9)
        slope = (a * d - b * c) / (c * inputs[0] + d) ** 2
        if pieces[at, kernel.COUT] < 1e3 * y:
            assert slope == pytest.approx(float(margin[0]), rel=1e-6)


def test_margins_fall_from_piece_to_piece() -> None:
    for seed in range(50):
        state = random_concentrated(random.Random(seed))
        for token_in in (0, 1):
            pieces = pieces_of(state, token_in)
            inputs = np.concatenate([pieces[:, kernel.CIN], pieces[:, kernel.CIN] * 1.5 + 1.0])
            margins = np.zeros(len(inputs))
            order = np.sort(inputs)
            kernel.marginal_pieces(pieces, 0, len(pieces), order, margins)
            assert (np.diff(margins) <= 1e-12 * margins[:-1]).all()


def test_pieces_that_find_no_room_promise_less_never_more() -> None:
    states = (random_concentrated(random.Random(seed)) for seed in range(100))
    several = next(state for state in states if len(pieces_of(state, 0)) > 5)
    everything = pieces_of(several, 0)

    few = pieces_of(several, 0, room=2)

    assert len(few) == 2
    for amount in 10.0 ** np.arange(0, 40, 2.0):
        assert quote(few, amount) <= quote(everything, amount)
    assert len(pieces_of(several, 0, room=1)) == 0


def test_numbers_that_are_none_give_nothing() -> None:
    pieces = pieces_of(one_range(), 0)
    spoils = np.array([np.nan, np.inf, -np.inf, -1.0, 0.0])
    out = np.ones(5)

    kernel.quote_pieces(pieces, 0, len(pieces), spoils, out)
    assert not out.any()
    kernel.charge_pieces(pieces, 0, len(pieces), spoils, out)
    assert np.isinf(out).all()
    out = np.ones(5)
    kernel.quote_pieces(pieces, 1, 1, np.ones(5), out)
    assert not out.any()
    kernel.quote_pieces(pieces, 0, len(pieces) + 1, np.ones(5), out)
    assert not out.any()
    for spoil in (np.nan, np.inf):
        for column in range(4):
            spoilt = pieces.copy()
            spoilt[0, column] = spoil
            kernel.quote_pieces(spoilt, 0, len(pieces), np.full(5, 1e6), out)
            assert np.isfinite(out).all()


# ---- whole numbers -------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(seed=seeds, token_in=tokens, amount_raw=st.integers(1, 2**256 - 1))
def test_the_exact_kernel_is_the_exact_form(seed: int, token_in: int, amount_raw: int) -> None:
    state = random_concentrated(random.Random(seed))

    assert campaign.is_same(state, pack_concentrated(state), amount_raw, token_in)


def test_a_path_of_three_pools_is_the_one_after_the_other() -> None:
    states = [one_range(fee_pips=fee) for fee in (500, 3000, 10_000)]
    packed = [pack_concentrated(state) for state in states]
    pools = np.vstack([one.pool for one in packed])
    ticks = np.vstack([one.ticks for one in packed])
    for row, first in enumerate((0, 2, 4)):
        pools[row, exact_kernel.TICKS_FROM] = first
        pools[row, exact_kernel.TICKS_TO] = first + 2
    found = np.zeros((4, 4), np.uint64)
    found[0] = to_limbs(10**15)
    hops = np.array([[0, 0], [1, 1], [2, 0]])

    assert exact_kernel.confirm_path(pools, ticks, hops, found) == 3

    amount = 10**15
    for row, (pool, token_in) in enumerate(hops.tolist()):
        amount = amount_out(states[pool], amount, token_in=token_in)
        assert from_limbs(found[row + 1]) == amount
    found[0] = to_limbs(10**30)
    assert exact_kernel.confirm_path(pools, ticks, hops, found) == 0
    hops[1, 0] = 3
    found[0] = to_limbs(10**15)
    assert exact_kernel.confirm_path(pools, ticks, hops, found) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (exact_kernel.SQRT_PRICE + 2, 2**63),
        (exact_kernel.TICK, 900_000),
        (exact_kernel.TICK_SPACING, 0),
        (exact_kernel.TICK_SPACING, 2**63),
        (exact_kernel.FEE_PIPS, 1_000_000),
        (exact_kernel.AMOUNT_BITS, 200),
        (exact_kernel.TICKS_TO, 3),
        (exact_kernel.TICKS_FROM, 2**63),
        (exact_kernel.KNOWN_MAX, 2**40),
    ],
)
def test_a_row_that_is_no_pool_trades_nothing(column: int, value: int) -> None:
    packed = pack_concentrated(one_range())
    packed.pool[column] = value

    for token_in in (0, 1):
        assert swap_by_kernel(packed, 10**12, token_in=token_in, is_exact_in=True) == (
            swap_by_kernel(packed, 0, token_in=token_in, is_exact_in=True)
        )
        pieces = np.zeros((9, 4))
        count = kernel.fill_pieces(packed.pool, packed.ticks, token_in, pieces)
        assert count == (2 if column == exact_kernel.AMOUNT_BITS else 0)


def test_ticks_out_of_order_or_of_impossible_liquidity_trade_nothing() -> None:
    good = pack_concentrated(one_range())
    swapped = PackedPool(good.pool, np.ascontiguousarray(good.ticks[::-1]))
    turned = PackedPool(good.pool.copy(), good.ticks[[0, 0, 1]])
    turned.ticks[0] = pack_concentrated(one_range(low=-60)).ticks[0]
    turned.ticks[0, exact_kernel.NET : exact_kernel.NET + 2] = 0  # only its place is wrong
    turned.pool[exact_kernel.TICKS_TO] = 3
    drained = PackedPool(good.pool, good.ticks.copy())
    drained.ticks[0, exact_kernel.NET + 1] = 2**62  # more than there is leaves at the lower tick

    for packed in (swapped, turned, drained):
        found = swap_by_kernel(packed, 10**30, token_in=0, is_exact_in=True)
        assert found.outcome == exact_kernel.REFUSED
        assert (found.amount_in_raw, found.amount_out_raw) == (0, 0)
        assert kernel.fill_pieces(packed.pool, packed.ticks, 0, np.zeros((9, 4))) == 0


# ---- a sample of the campaign --------------------------------------------------------------------


def test_a_sample_of_the_campaign_finds_nothing_outside_the_bound() -> None:
    tally = campaign.run(60_000, seed=20)

    assert tally.is_clean, tally
    assert tally.compared > 40_000
    assert tally.sharp > 20_000
    assert tally.exact_compared > 150


def test_the_campaign_notices_an_error_of_a_billionth() -> None:
    state = one_range()
    packed = pack_concentrated(state)
    pieces = pieces_of(state, 0)
    pieces[0, kernel.Y] *= 1 + 1e-9
    result = np.zeros(campaign_kernels.RESULT_COLUMNS)
    amounts_in = np.array([to_limbs(10**15)])

    campaign_kernels.compare_pool(packed.pool, packed.ticks, pieces, 2, 0, amounts_in, result)

    assert result[campaign_kernels.OUTSIDE] > 0
