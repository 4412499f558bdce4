"""The search for a route's places finds the convex optimum, and drops what does not pay."""

import math
import random
from collections.abc import Sequence
from itertools import combinations

import pytest

from engine.detect.graph.places import Place, venue_changes
from engine.detect.sizing.pieces import pieces_of_bids, pieces_of_pair
from engine.detect.splitting.search import Member, SizedSplit, SplitSearch, SplitTerms
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.opportunities import HopKind
from tests.detect.test_convex_optimum import random_pools
from tests.reference.convex import Pool, best_route

FREE = SplitTerms(edge_ratio_min=0.0)
AGREE_RATIO = 1e-7

# Uncompiled kernels warn where 0 times infinity is dealt with by what follows.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")


def place_of(row: int, leg: int = 0, *, venue: str = "dex", kind: HopKind = HopKind.POOL) -> Place:
    assets = AssetCode(f"A{leg}"), AssetCode(f"A{leg + 1}")
    return Place(kind, VenueId(venue), f"place {row}", row, *assets)


def members_of(stages: Sequence[Sequence[Pool]], fixed_cost: float) -> list[list[Member]]:
    return [
        [
            Member(
                place=place_of(100 * leg + row, leg),
                side=pieces_of_pair(reserve_in=taken, reserve_out=given, keep_ratio=keep),
                fixed_cost=fixed_cost,
            )
            for row, (taken, given, keep) in enumerate(stage)
        ]
        for leg, stage in enumerate(stages)
    ]


def used_by(found: SizedSplit) -> list[set[int]]:
    return [{member for member, _ in used} for used in found.used]


@pytest.mark.parametrize("widths", [(2, 1), (3, 4), (2, 2, 2), (1, 6, 1), (16, 16)], ids=str)
def test_without_gas_a_search_gains_what_the_convex_problem_gains(widths: tuple[int, ...]) -> None:
    rng = random.Random(sum(widths))
    for _ in range(4):
        stages = [random_pools(rng, width, edge=1.03) for width in widths]

        found = SplitSearch(members_of(stages, 0.0), FREE).best()

        assert found is not None
        optimum = best_route(stages, scale=found.input)
        assert found.net == pytest.approx(optimum.value, rel=AGREE_RATIO)


def best_of_all_subsets(stages: Sequence[Sequence[Pool]], gas: float) -> float:
    """Return the best gain net of gas over every choice of pools.

    A choice gains no more than one that has a pool more: most are not solved, as even that would
    not pay for their gas.
    """
    places = [(leg, number) for leg, stage in enumerate(stages) for number in range(len(stage))]
    most: dict[frozenset[tuple[int, int]], float] = {}
    best = -math.inf
    for count in range(len(places), 0, -1):
        for chosen in map(frozenset, combinations(places, count)):
            if len({leg for leg, _ in chosen}) < len(stages):
                continue
            above = [most[chosen | {one}] for one in places if one not in chosen]
            most[chosen] = min(above, default=math.inf)
            if most[chosen] * (1.0 + AGREE_RATIO) - gas * count > best:
                pools = [
                    [pool for number, pool in enumerate(stage) if (leg, number) in chosen]
                    for leg, stage in enumerate(stages)
                ]
                most[chosen] = best_route(pools, scale=10.0).value
                best = max(best, most[chosen] - gas * count)
    return best


def test_with_gas_a_search_gains_nearly_what_the_best_of_all_subsets_gains() -> None:
    rng = random.Random(8)
    dropped = missed = 0
    for _ in range(10):
        stages = [random_pools(rng, 3, edge=1.03) for _ in range(2)]
        gas = 10.0 ** rng.uniform(-2.0, 0.0)

        found = SplitSearch(members_of(stages, gas), FREE).best()

        best = best_of_all_subsets(stages, gas)
        net = 0.0 if found is None else found.net
        assert net <= max(best, 0.0) * (1.0 + AGREE_RATIO)
        assert net >= best - gas
        missed += net < best - AGREE_RATIO
        dropped += found is not None and sum(map(len, found.used)) < 6
    assert dropped > 3
    assert missed <= 1


def test_no_member_is_used_without_which_the_route_would_gain_more() -> None:
    rng = random.Random(5)
    hits = 0
    for _ in range(20):
        stages = [random_pools(rng, 4, edge=1.02) for _ in range(2)]
        gas = 10.0 ** rng.uniform(-1.5, 0.5)
        found = SplitSearch(members_of(stages, gas), FREE).best()
        if found is None or found.net <= 0.0:
            continue
        used = used_by(found)
        for leg, members in enumerate(used):
            for member in members if len(members) > 1 else ():
                left = [
                    [stages[h][i] for i in sorted(used[h] - ({member} if h == leg else set()))]
                    for h in range(2)
                ]
                without = best_route(left, scale=found.input).value - gas * sum(map(len, left))
                assert without <= found.net * (1.0 + AGREE_RATIO)
                hits += 1
    assert hits > 10


def test_a_place_that_would_serve_two_legs_serves_the_one_where_it_gains_more() -> None:
    rng = random.Random(2)
    kept = [0, 0]
    for _ in range(12):
        legs = members_of([random_pools(rng, 2, edge=1.02) for _ in range(2)], 0.0)
        for leg in (0, 1):
            [(taken, given, keep)] = random_pools(rng, 1, edge=1.04)
            side = pieces_of_pair(reserve_in=taken, reserve_out=given, keep_ratio=keep)
            legs[leg].append(Member(place=place_of(999, leg), side=side, fixed_cost=0.0))

        found = SplitSearch(legs, FREE).best()

        assert found is not None
        assert [2 in members for members in used_by(found)] != [True, True]
        alone = [
            SplitSearch([legs[0][:-1], legs[1]], FREE).best(),
            SplitSearch([legs[0], legs[1][:-1]], FREE).best(),
        ]
        assert found.net == max(one.net for one in alone if one is not None)
        for leg, members in enumerate(used_by(found)):
            kept[leg] += 2 in members
    assert min(kept) > 1


def book_of(row: int, leg: int, venue: str, price: float, size: float = 100.0) -> Member:
    return Member(
        place=place_of(row, leg, venue=venue, kind=HopKind.BOOK),
        side=pieces_of_bids([(price, size)], fee_ratio=0.0),
        fixed_cost=0.0,
    )


@pytest.mark.parametrize(("transfer_ratio", "wide"), [(0.0, True), (0.004, True), (0.03, False)])
def test_another_venue_is_used_only_where_it_gains_more_than_the_transfers_cost(
    transfer_ratio: float, *, wide: bool
) -> None:
    legs = [
        [book_of(0, 0, "a", 1.05), book_of(1, 0, "b", 1.05)],
        [book_of(2, 1, "a", 1.0, size=1_000.0), book_of(3, 1, "b", 0.99)],
    ]

    found = SplitSearch(legs, SplitTerms(edge_ratio_min=0.0, transfer_ratio=transfer_ratio)).best()

    assert found is not None
    assert used_by(found) == [{0, 1} if wide else {0}, {0}]
    charged = 200.0 * transfer_ratio if wide else 0.0
    assert found.net == pytest.approx((200.0 if wide else 100.0) * 0.05 - charged)


def test_small_places_at_other_venues_do_not_make_the_whole_route_pay_for_transfers() -> None:
    legs = [
        [book_of(0, 0, "a", 1.05), *(book_of(k, 0, f"b{k}", 1.06, size=1.0) for k in (1, 2))],
        [book_of(3, 1, "a", 1.0, size=1_000.0)],
    ]

    found = SplitSearch(legs, SplitTerms(edge_ratio_min=0.0, transfer_ratio=0.03)).best()

    assert found is not None
    assert used_by(found) == [{0}, {0}]


def test_small_books_do_not_make_a_route_of_pools_pay_for_transfers() -> None:
    pool = pieces_of_pair(reserve_in=1e4, reserve_out=1.05e4, keep_ratio=1.0)
    pools = [
        [Member(place=place_of(10 * leg + k, leg), side=pool, fixed_cost=0.0) for k in (0, 1)]
        for leg in (0, 1)
    ]
    books = [book_of(k, 0, f"a{k}", 1.06, size=1.0) for k in (5, 6)]
    terms = SplitTerms(edge_ratio_min=0.0, flash_ratio=0.002, transfer_ratio=0.02)

    found = SplitSearch([[*pools[0], *books], pools[1]], terms).best()

    assert found is not None
    assert used_by(found) == [{0, 1}, {0, 1}]
    assert found == SplitSearch(pools, terms).best()


@pytest.mark.parametrize("price", [0.9, 1.0501], ids=["not used", "not worth a transfer"])
def test_a_place_is_judged_by_the_transfers_that_it_alone_costs(price: float) -> None:
    # The last leg changes the venue twice, whoever is there; another venue in the first one adds
    # a third time.
    legs = [
        [book_of(0, 0, "a", 1.05), book_of(1, 0, "c", price, size=10.0)],
        [book_of(2, 1, "a", 1.0, size=1_000.0)],
        [book_of(3, 2, "b", 1.0, size=50.0), book_of(4, 2, "c", 1.0, size=1_000.0)],
    ]

    found = SplitSearch(legs, SplitTerms(edge_ratio_min=0.0, transfer_ratio=0.02)).best()

    assert found is not None
    assert used_by(found) == [{0}, {0}, {0, 1}]
    assert found.net == pytest.approx(100.0 * 0.05 - 100.0 * 0.02)


def test_a_seam_between_legs_counts_unless_both_are_wholly_at_one_venue() -> None:
    def leg(*venues: str) -> list[Place]:
        return [place_of(row, venue=venue) for row, venue in enumerate(venues)]

    assert venue_changes([leg("a"), leg("a"), leg("a")]) == 0
    assert venue_changes([leg("a"), leg("b")]) == 2
    assert venue_changes([leg("a"), leg("a", "b"), leg("a")]) == 2
    assert venue_changes([leg("a", "b"), leg("a", "b")]) == 2
    assert venue_changes([leg("a", "a"), leg("a"), leg("b")]) == 2


def test_each_unit_gains_the_least_edge() -> None:
    stages = [[(1e4, 1.05e4, 0.997)] * 2, [(1e4, 1.0e4, 0.997)]]

    free = SplitSearch(members_of(stages, 0.0), FREE).best()
    asked = SplitSearch(members_of(stages, 0.0), SplitTerms(edge_ratio_min=0.01)).best()

    assert free is not None
    assert asked is not None
    # What a unit must gain is as if the last leg gave so much less.
    dearer = [(taken, given / 1.01, keep) for taken, given, keep in stages[1]]
    assert asked.input < free.input
    assert asked.net == pytest.approx(
        best_route([stages[0], dearer], scale=free.input).value * 1.01, rel=AGREE_RATIO
    )
