"""Words of pairs that are looked at all at once: each as by itself, or none of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.following.held import Held, HeldPair, pair_at, pairs_at
from engine.chains.ports import PoolNow
from engine.pools.blocks import words_of
from engine.pools.integers import UINT112_MAX, UINT256_MAX
from engine.pools.pair_words import SHIFT, UPPER_MIN, upper_bits
from engine.pools.snapshot_rows import PAIR_LIQUIDITY_MIN, PairRow
from tests.chains.following.test_pairs_at_once import pool

LEAST = UPPER_MIN << SHIFT
MOST = 2**88 - 1
EDGES = (
    0, PAIR_LIQUIDITY_MIN - 1, PAIR_LIQUIDITY_MIN, LEAST - 1, LEAST, 10**21, MOST, MOST + 1,
    UINT112_MAX, UINT112_MAX + 1, 2**128, 2**152, 2**192, 2**216, 2**255, UINT256_MAX,
)  # fmt: skip
reserves = st.one_of(st.integers(LEAST, MOST), st.sampled_from(EDGES))
pairs = st.lists(st.tuples(reserves, reserves), min_size=1, max_size=6)


@given(pairs)
def test_the_upper_bits_of_all_are_read_where_all_have_as_many_as_pairs_have(
    told: list[tuple[int, int]],
) -> None:
    flat = [one for pair in told for one in pair]
    are_plain = all(LEAST <= one <= MOST for one in flat)

    upper = upper_bits(b"".join(words_of(*pair) for pair in told))

    assert (None if upper is None else [*upper]) == (
        [one >> SHIFT for one in flat] if are_plain else None
    )


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("edge", EDGES)
def test_one_reserve_out_of_bounds_leaves_all_to_be_looked_at(place: int, edge: int) -> None:
    told = [10**21] * 4
    told[place] = edge

    upper = upper_bits(words_of(*told[:2]) + words_of(*told[2:]))

    assert (upper is not None) == (LEAST <= edge <= MOST)


@given(told=pairs, has_moved=st.booleans())
def test_pairs_are_taken_at_once_as_each_is_by_itself(
    told: list[tuple[int, int]], *, has_moved: bool
) -> None:
    row = PairRow(reserve0_raw=str(10**20), reserve1_raw=str(10**20))
    bases = [Held.of(PoolNow(pool=pool(at), row=row)) for at in range(len(told))]
    held = [HeldPair(base, words_of(10**20, 10**20)) if has_moved else base for base in bases]
    words = [words_of(*pair) for pair in told]
    wanted = [pair_at(was, one) for was, one in zip(held, words, strict=True)]

    found = pairs_at(held, words)

    assert found == (None if None in wanted else (wanted, b"".join(words)))
