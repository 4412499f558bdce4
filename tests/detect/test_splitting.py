"""An input shared among sides in parallel gives the most that it can."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.detect.sizing.pieces import pieces_of_asks, pieces_of_bids, pieces_of_pair
from engine.detect.sizing.routes import RouteTerms, SideTables, size
from engine.detect.splitting.shares import merge, split
from engine.domain.errors import BadValueError
from engine.kernels.sizing_layout import PIECE_COLUMNS
from engine.kernels.splitting import merge_sides, split_input
from tests.detect.outputs import route_output
from tests.detect.sizing_random import KINDS, random_side
from tests.effort import examples
from tests.reference import splitting as twin
from tests.reference.sizing import Leg

PIECE_KINDS = ("v2", "v3", "book")


def members_of(
    rng: random.Random, kinds: tuple[str, ...] | list[str]
) -> tuple[SideTables, list[int], list[Leg]]:
    tables = SideTables()
    made = [
        random_side(
            rng, tables, kind, price=1.5 * rng.uniform(0.98, 1.02), depth=10.0 ** rng.uniform(3, 5)
        )
        for kind in kinds
    ]
    return tables, [row for row, _ in made], [leg for _, leg in made]


@settings(max_examples=examples(150), deadline=None)
@given(
    seed=st.integers(0, 2**32),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=5),
    magnitude=st.floats(-2, 5),
)
def test_a_split_is_never_worse_than_the_best_single_side(
    seed: int, kinds: list[str], magnitude: float
) -> None:
    tables, members, legs = members_of(random.Random(seed), kinds)
    amount = 10.0**magnitude

    found = split(tables, members, amount)

    if found is None:
        return  # all sides together cannot take it
    best = max(leg(amount) for leg in legs)
    assert found.output >= best * (1 - 1e-9)
    assert sum(found.shares) == pytest.approx(amount, rel=1e-9)
    assert min(found.shares) >= 0.0
    true = sum(leg(share) for leg, share in zip(legs, found.shares, strict=True))
    assert found.output == pytest.approx(true, rel=1e-7)


@pytest.mark.parametrize("kinds", [(a, b) for a in KINDS for b in KINDS if a <= b], ids="+".join)
def test_two_sides_are_split_as_by_trying_all_shares(kinds: tuple[str, str]) -> None:
    rng = random.Random(11)
    for _ in range(12):
        tables, members, legs = members_of(rng, kinds)
        amount = 10.0 ** rng.uniform(1, 4.5)
        found = split(tables, members, amount)
        if found is None:
            continue
        assert found.output >= twin.best_of_two(legs[0], legs[1], amount) * (1 - 1e-9)


def test_many_sides_are_split_as_by_handing_out_small_parts() -> None:
    rng = random.Random(12)
    for _ in range(15):
        kinds = [rng.choice(KINDS) for _ in range(5)]
        tables, members, legs = members_of(rng, kinds)
        amount = 10.0 ** rng.uniform(1, 4)
        found = split(tables, members, amount)
        if found is None:
            continue
        assert found.output >= twin.greedy(legs, amount, parts=3_000) * (1 - 1e-9)


@settings(max_examples=examples(100), deadline=None)
@given(
    seed=st.integers(0, 2**32),
    kinds=st.lists(st.sampled_from(PIECE_KINDS), min_size=1, max_size=6),
)
def test_merged_pieces_give_what_the_optimal_split_gives(seed: int, kinds: list[str]) -> None:
    rng = random.Random(seed)
    tables, members, _ = members_of(rng, kinds)
    pieces = merge(tables, members)
    assert pieces is not None
    tables.add_pieces(pieces)
    merged = np.array([len(tables.arrays[0]) - 1])
    for _ in range(8):
        amount = 10.0 ** rng.uniform(-1, 5)
        found = split(tables, members, amount)
        if found is not None:
            assert route_output(merged, *tables.arrays, amount) == pytest.approx(
                found.output, rel=1e-9
            )


@pytest.mark.parametrize("kinds", [("v2", "v3", "book"), ("v2", "stable"), ("book", "weighted")])
def test_a_route_with_parallel_sides_gains_at_least_as_much_as_with_any_of_them(
    kinds: tuple[str, ...],
) -> None:
    rng = random.Random(13)
    for _ in range(30):
        tables, members, _ = members_of(rng, kinds)
        back = tables.add_pieces(
            pieces_of_pair(reserve_in=1.5e5, reserve_out=1.02e5, keep_ratio=0.999)
        )
        singles = [size(tables, [member, back], RouteTerms()) for member in members]
        best = max((one.profit for one in singles if one is not None), default=0.0)
        together = size(tables, [tables.add_group(members), back], RouteTerms())
        gained = 0.0 if together is None else together.profit
        assert gained >= best * (1 - 1e-9)
        if all(kind in PIECE_KINDS for kind in kinds):
            pieces = merge(tables, members)
            assert pieces is not None
            merged = size(tables, [tables.add_pieces(pieces), back], RouteTerms())
            assert gained == pytest.approx(0.0 if merged is None else merged.profit, rel=1e-6)


def test_equal_pools_share_equally() -> None:
    tables = SideTables()
    pool = pieces_of_pair(reserve_in=1_000.0, reserve_out=1_000.0, keep_ratio=0.997)
    members = [tables.add_pieces(pool) for _ in range(4)]

    found = split(tables, members, 100.0)

    assert found is not None
    assert found.shares == pytest.approx([25.0] * 4)


def test_levels_of_two_books_are_taken_from_the_best_price_on() -> None:
    tables = SideTables()
    first = tables.add_pieces(pieces_of_bids([(101.0, 1.0), (99.0, 5.0)], fee_ratio=0.0))
    second = tables.add_pieces(pieces_of_bids([(100.0, 1.0), (98.0, 5.0)], fee_ratio=0.0))

    found = split(tables, [first, second], 3.0)

    assert found is not None
    assert found.shares == pytest.approx([2.0, 1.0])
    assert found.output == pytest.approx(101.0 + 100.0 + 99.0)


def test_no_member_takes_more_than_its_limit() -> None:
    tables = SideTables()
    asks = pieces_of_asks([(1.0, 100.0)], fee_ratio=0.0)
    members = [tables.add_pieces(asks, input_max=30.0), tables.add_pieces(asks, input_max=40.0)]

    within, beyond = split(tables, members, 70.0), split(tables, members, 71.0)

    assert within is not None
    assert within.shares == pytest.approx([30.0, 40.0])
    assert beyond is None


BAD = (math.nan, math.inf, -1.0, 1e300)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # uncompiled kernels warn where NaN arises
def test_bad_numbers_are_shared_out_to_nobody_or_to_the_sound_ones() -> None:
    tables, members, _ = members_of(random.Random(14), ["v2", "v3", "book"])
    sides, pieces, curves = tables.arrays
    shares, merged = np.zeros(3), np.zeros((500, PIECE_COLUMNS))
    for index, array in enumerate((sides, pieces)):
        for at in np.ndindex(array.shape):
            for bad in BAD:
                spoiled = [sides.copy(), pieces.copy()]
                spoiled[index][at] = bad
                out = split_input(spoiled[0], 0, len(members), spoiled[1], curves, 100.0, shares)
                assert math.isfinite(out)
                assert np.isfinite(shares).all()
                count = merge_sides(spoiled[0], 0, len(members), spoiled[1], merged)
                assert np.isfinite(merged[:count]).all()
    with pytest.raises(BadValueError, match="amount nan"):
        split(tables, members, math.nan)
    with pytest.raises(BadValueError, match="group"):
        split(tables, [tables.add_group(members)], 1.0)
