"""Reserves out of words of events: as Python's own whole numbers have them, to the last bit."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.kernels.pair_words import LIQUIDITY_MIN, read_reserves
from engine.pools.integers import UINT112_MAX, UINT256_MAX
from engine.pools.snapshot_rows import PAIR_LIQUIDITY_MIN
from tests.effort import examples
from tests.reference.pair_words import reserves_of

halfway = st.builds(
    lambda top, shift, off: min(((2 * top + 1) << shift) + off, UINT112_MAX),
    st.integers(2**52, 2**53 - 1),
    st.integers(0, 58),
    st.sampled_from((-1, 0, 1)),
)
"""Numbers between two floats, or next to that."""

reserves = st.one_of(
    st.integers(0, 2_000),
    st.integers(PAIR_LIQUIDITY_MIN, UINT112_MAX),
    st.integers(0, 112).map(lambda bits: 2**bits - 1),
    st.sampled_from((UINT112_MAX, UINT112_MAX + 1, 2**64, 2**64 - 1, 2**64 + 1, UINT256_MAX)),
    halfway,
)


@settings(max_examples=examples(400), deadline=None)
@given(st.lists(reserves, max_size=8))
@example([PAIR_LIQUIDITY_MIN, PAIR_LIQUIDITY_MIN - 1])
@example([1 << 120])
def test_reserves_are_read_as_whole_numbers_have_them(told: list[int]) -> None:
    words = b"".join(one.to_bytes(32) for one in told)
    found = np.full(len(told), np.nan)

    count = read_reserves(words, found)

    assert found[:count].tolist() == reserves_of(words)
    assert np.isnan(found[count:]).all()


def test_the_least_of_a_pair_is_the_contracts() -> None:
    assert LIQUIDITY_MIN == PAIR_LIQUIDITY_MIN
