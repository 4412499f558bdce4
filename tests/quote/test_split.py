"""A route whose legs are shared among parallel places, in whole numbers and net of everything."""

import math
import random
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from msgspec.structs import replace

from engine.detect.graph.places import is_on_one_chain
from engine.detect.splitting.search import finish
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode
from engine.domain.opportunities import HopKind, Opportunity
from engine.domain.pools import Pool, Protocol
from engine.kernels.layout import ASK, BID
from engine.pools.constant_product import ConstantProductState, amount_out
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from engine.quote.gap import Unconfirmed
from engine.quote.route import ConfirmedRoute
from engine.quote.split import ConfirmedSplit, PlacePart
from engine.sandbox.lineup import load_start_prices
from engine.sandbox.pools import load_pools
from tests.reference.convex import best_route
from tests.reference.world import Setup, World, make_instrument

ETH, USDT = AssetCode("ETH"), AssetCode("USDT")
GAS_UNITS = 90_000
FEE = Fraction(10, 10_000)
PRICE = 2_000.0


def pair_of(
    eth: float, usdt: float, *, number: int = 0, fee: str = "0.003", decimals: int = 6
) -> PoolSnapshot:
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address=f"0x{number}",
        tokens=((ETH, 18), (USDT, decimals)),
        fee_ratio=Decimal(fee),
        gas_units=GAS_UNITS,
    )
    row = PairRow(reserve0_raw=str(int(eth * 10**18)), reserve1_raw=str(int(usdt * 10**decimals)))
    return PoolSnapshot(pool=pool, row=row)


def random_pair(rng: random.Random, number: int) -> PoolSnapshot:
    eth = 10.0 ** rng.uniform(1.0, 3.0)
    price = PRICE * rng.uniform(0.985, 1.015)
    return pair_of(eth, eth * price, number=number, fee=rng.choice(("0.003", "0.0005")))


def make_world(
    *pools: PoolSnapshot,
    venues: str = "abc",
    gas_price_gwei: str = "10",
    flash_fee_bps: str = "5",
    transfer_bps: str = "2",
    edge_bps_min: str = "10",
    mode: Mode = Mode.OBSERVE,
) -> World:
    """Books of ETH-USDT at some venues, pools, and wide books that value ETH and USDT in USD."""
    world = World(
        Setup(
            instruments=[
                *(make_instrument(venue, "ETH-USDT", lot="0.0001") for venue in venues),
                make_instrument("z", "ETH-USD"),
                make_instrument("z", "USDT-USD"),
            ],
            pools=pools,
            gas_price_gwei=gas_price_gwei,
            flash_fee_bps=flash_fee_bps,
            transfer_bps=transfer_bps,
            edge_bps_min=edge_bps_min,
            mode=mode,
        )
    )
    world.show(len(venues), [("1800", "5")], [("2200", "5")])
    world.show(len(venues) + 1, [("0.90", "5000")], [("1.10", "5000")])
    return world


def value(world: World) -> None:
    """Let the engine know what ETH and USDT cost."""
    world.wait(1_100)
    world.tick()


def show_random(world: World, rng: random.Random, book: int, *, spread: float = 0.006) -> None:
    middle = PRICE * rng.gauss(1.0, spread)
    bids, asks = (
        [
            (f"{middle * (1 + way * 4e-4 * step):.2f}", f"{rng.uniform(0.05, 3.0):.4f}")
            for step in range(1, 12)
        ]
        for way in (-1, 1)
    )
    world.show(book, bids, asks)


def random_worlds(count: int) -> Iterator[World]:
    rng = random.Random(7)
    for _ in range(count):
        world = make_world(
            *(random_pair(rng, number) for number in range(rng.randint(0, 6))),
            gas_price_gwei=rng.choice(("0", "10", "100")),
            transfer_bps=rng.choice(("0", "2")),
            mode=Mode.PAPER,
        )
        for book in range(rng.choice((0, 3, 3))):
            show_random(world, rng, book)
        value(world)
        yield world


def open_routes(world: World) -> list[Opportunity]:
    return [world.detector.newest(episode) for episode in world.detector.open_episodes]


def confirm(world: World, route: Opportunity) -> ConfirmedSplit | None:
    return world.split_confirmer.confirm(route, world.now_ns)


def single_profit(world: World, route: Opportunity) -> Decimal:
    alone = world.route_confirmer.confirm(route)
    return alone.profit_quote if isinstance(alone, ConfirmedRoute) else Decimal(0)


def check_part(world: World, part: PlacePart) -> None:
    """Hold what a place gives against its contract, or against a walk through its levels."""
    place = part.place
    if place.kind is HopKind.POOL:
        state = world.graph.pool(place.row).state
        assert isinstance(state, ConstantProductState)
        token_in, decimals_in, decimals_out = (0, 18, 6) if place.source == ETH else (1, 6, 18)
        given_raw = amount_out(state, int(part.amount_in.scaleb(decimals_in)), token_in=token_in)
        assert part.amount_out == Decimal(given_raw).scaleb(-decimals_out)
        return
    is_buy = place.source == USDT
    base, quote = (part.amount_out, part.amount_in) if is_buy else (part.amount_in, part.amount_out)
    assert base % Decimal("0.0001") == 0
    side, left, notional = ASK if is_buy else BID, Fraction(base), Fraction(0)
    for price, size in world.board.top_levels(place.row, 64)[side]:
        free = size - world.taken.steps_at(place.row, side, price)
        taken = min(Fraction(free, 10**8), left)
        notional += taken * Fraction(price, 100)
        left -= taken
    assert left == 0
    fee = Fraction(math.ceil(notional * FEE * 10**8), 10**8)
    # A raw unit of USDT is 10**-6 beside a pool, or 10**-18: rounded up if paid, else down.
    unit = Fraction(1, 10**6)
    exact = notional + fee if is_buy else notional - fee
    assert 0 <= (Fraction(quote) - exact) * (1 if is_buy else -1) < unit


def check_honest(world: World, split: ConfirmedSplit) -> None:
    """Carry a split through by hand, and take its costs off."""
    left = split.route.paid
    gas_units, places = 0, []
    for leg in split.legs:
        assert sum(part.amount_in for part in leg) <= left
        for part in leg:
            check_part(world, part)
            places.append((part.place.kind, part.place.row))
            if part.place.kind is HopKind.POOL:
                gas_units += GAS_UNITS
        left = sum((part.amount_out for part in leg), Decimal(0))
    assert len(set(places)) == len(places), "a place is used twice"
    assert left == split.route.got
    venues = [{part.place.venue for part in leg} for leg in split.legs]
    terms = world.setup
    if {kind for kind, _ in places} == {HopKind.POOL}:
        share_bps = Decimal(terms.flash_fee_bps)
    elif len(set.union(*venues)) > 1:
        share_bps = Decimal(terms.transfer_bps)  # two legs: there and back
    else:
        share_bps = Decimal(0)
    gas = gas_units * float(terms.gas_price_gwei) * 1e-9 * PRICE
    costs = float(split.route.paid * share_bps / 10_000) + gas
    assert float(split.route.profit_quote) == pytest.approx(
        float(split.route.got - split.route.paid) - costs, abs=2e-4 + 1e-3 * gas
    )


def test_a_split_gains_more_than_its_route_alone_and_every_figure_of_it_is_exact() -> None:
    shared = unshared = pools_alone = 0
    for world in random_worlds(60):
        for route in open_routes(world):
            split = confirm(world, route)
            if split is None:
                unshared += 1
                continue
            shared += 1
            pools_alone += is_on_one_chain([[part.place for part in leg] for leg in split.legs])
            check_honest(world, split)
            assert max(map(len, split.legs)) > 1
            assert split.route.profit_quote > single_profit(world, route)
            assert split.more_quote > 0
            assert split.route.profit_quote - split.more_quote >= single_profit(world, route)
    assert shared > 60
    assert unshared > 10
    assert pools_alone > 10


def test_without_gas_a_split_of_pools_gains_what_the_convex_problem_gains() -> None:
    rng = random.Random(3)
    hits = 0
    for _ in range(20):
        pools = [random_pair(rng, number) for number in range(rng.randint(2, 7))]
        world = make_world(
            *pools, venues="a", gas_price_gwei="0", flash_fee_bps="0", edge_bps_min="0"
        )
        value(world)
        stages = [
            [
                (float(pool.reserve1_raw) / 1e6, float(pool.reserve0_raw) / 1e18, keep)
                for pool, keep in rows_of(pools)
            ],
            [
                (float(pool.reserve0_raw) / 1e18, float(pool.reserve1_raw) / 1e6, keep)
                for pool, keep in rows_of(pools)
            ],
        ]
        for route in open_routes(world):
            split = confirm(world, route)
            if split is not None:
                best = best_route(stages, scale=float(split.route.paid)).value
                assert best - 1e-5 <= float(split.route.profit_quote) <= best
                hits += 1
    assert hits > 20


def rows_of(pools: list[PoolSnapshot]) -> list[tuple[PairRow, float]]:
    rows = []
    for snapshot in pools:
        assert isinstance(snapshot.row, PairRow)
        rows.append((snapshot.row, 1.0 - float(snapshot.pool.fee_ratio)))
    return rows


def numbers_of(split: ConfirmedSplit | None) -> list[set[int]]:
    assert split is not None
    return [{part.place.row for part in leg} for leg in split.legs]


def three_pools(world: World) -> Opportunity:
    """Return the route that buys at pool 0 and sells at pool 1."""
    value(world)
    return next(route for route in open_routes(world) if [hop.row for hop in route.hops] == [0, 1])


def small_pool_world(gas_price_gwei: str) -> World:
    """Two deep pools with a route through them, and a small one as cheap as the first."""
    return make_world(
        pair_of(1_000, 2_000_000),
        pair_of(1_000, 2_060_000, number=1),
        pair_of(4, 8_000, number=2),
        venues="",
        gas_price_gwei=gas_price_gwei,
    )


def test_a_pool_that_does_not_pay_its_own_gas_is_not_used() -> None:
    free, dear = small_pool_world("0.1"), small_pool_world("10")

    used = numbers_of(confirm(free, three_pools(free)))

    assert used == [{0, 2}, {1}]
    assert confirm(dear, three_pools(dear)) is None


def test_a_pool_that_goes_while_shares_are_looked_for_ends_the_search_in_order() -> None:
    for gone in (0, 1, 2):
        world = small_pool_world("0.1")
        steps = world.split_confirmer.confirm_in_steps(three_pools(world), world.now_ns)
        next(steps)

        world.detector.remove_pool(gone, world.now_ns)

        assert finish(steps) is None


def gap_of_three(*, transfer_bps: str = "2") -> tuple[World, Opportunity]:
    """Return a gap from book 0 to book 1, with book 2 nearly as good to buy at."""
    world = make_world(venues="abc", transfer_bps=transfer_bps)
    world.show(2, [("1995", "5")], [("2005", "4")])
    world.show(0, [("1990", "5")], [("2000", "5")])
    world.show(1, [("2040", "2"), ("2030", "20")], [("2050", "5")])
    value(world)
    return world, next(route for route in open_routes(world) if route.hops[0].row == 0)


def test_what_paper_trades_have_taken_is_not_there_again() -> None:
    world, gap = gap_of_three(transfer_bps="0")

    before = confirm(world, gap)
    assert before is not None
    assert [part.amount_out for part in before.legs[0]] == [Decimal(5), Decimal(4)]
    check_honest(world, before)

    world.taken.take(2, ASK, 200_500, 3 * 10**8)
    after = confirm(world, gap)

    assert after is not None
    assert [part.amount_out for part in after.legs[0]] == [Decimal(5), Decimal(1)]
    check_honest(world, after)


def test_a_book_that_is_lost_or_too_old_takes_no_part() -> None:
    world, gap = gap_of_three()
    assert numbers_of(confirm(world, gap)) == [{0, 2}, {1}]

    world.lose(2)
    assert confirm(world, gap) is None

    world.show(2, [("1995", "5")], [("2005", "4")])
    assert numbers_of(confirm(world, gap)) == [{0, 2}, {1}]
    world.wait(9_000)
    world.show(0, [("1990", "5")], [("2000", "5")])
    world.show(1, [("2040", "2"), ("2030", "20")], [("2050", "5")])
    world.wait(2_000)
    assert confirm(world, gap) is None


def gap_of_four() -> tuple[World, Opportunity]:
    """Return a gap from book 0 to book 1, with two more books nearly as good to buy at."""
    world = make_world(venues="abcd")
    world.show(3, [("1995", "5")], [("2006", "4")])
    world.show(2, [("1995", "5")], [("2005", "4")])
    world.show(0, [("1990", "5")], [("2000", "5")])
    world.show(1, [("2040", "2"), ("2030", "20")], [("2050", "5")])
    value(world)
    return world, next(route for route in open_routes(world) if route.hops[0].row == 0)


def test_a_route_whose_own_place_is_taken_or_too_old_is_not_shared_among_others() -> None:
    taken, gap = gap_of_four()
    assert numbers_of(confirm(taken, gap)) == [{0, 2, 3}, {1}]
    taken.taken.take(0, ASK, 200_000, 5 * 10**8)
    assert confirm(taken, gap) is None

    old, gap = gap_of_four()
    old.wait(8_000)
    old.show(3, [("1995", "5")], [("2006", "4")])
    old.show(2, [("1995", "5")], [("2005", "4")])
    old.show(1, [("2040", "2"), ("2030", "20")], [("2050", "5")])
    old.wait(2_000)
    assert confirm(old, gap) is None


def test_a_pool_takes_no_part_until_its_gas_can_be_costed() -> None:
    world = make_world(pair_of(1_000, 2_000_000), venues="ab")
    world.show(0, [("1990", "5")], [("2000", "5")])
    world.show(1, [("2040", "2"), ("2030", "90")], [("2050", "5")])
    gap = next(route for route in open_routes(world) if route.is_gap)
    assert confirm(world, gap) is None

    value(world)

    split = confirm(world, gap)
    assert split is not None
    [pool] = (part.place for part in split.legs[0] if part.place.kind is HopKind.POOL)
    in_usdt, in_eth = (world.graph.parallel.fixed_cost(pool, asset) for asset in (USDT, ETH))
    assert in_usdt == pytest.approx(GAS_UNITS * 10e-9 * PRICE)
    assert in_eth == pytest.approx(GAS_UNITS * 10e-9)


def test_a_closed_pool_takes_no_part() -> None:
    world = small_pool_world("0.1")
    route = three_pools(world)
    assert numbers_of(confirm(world, route)) == [{0, 2}, {1}]

    for edge in world.graph._pool_edges[2]:
        world.graph.market.close_edge(edge)

    assert confirm(world, route) is None


def test_a_leg_that_whole_lots_leave_at_one_place_is_not_shown_as_shared() -> None:
    coarse = make_instrument("a", "ETH-USDT", lot="5")
    fine = [make_instrument(venue, "ETH-USDT", lot="0.0001") for venue in "bc"]
    world = World(Setup(instruments=[coarse, *fine], mode=Mode.OBSERVE))
    world.show(2, [("1995", "5")], [("2001", "4")])
    world.show(0, [("1990", "5")], [("2000", "4")])
    world.show(1, [("2040", "2"), ("2030", "20")], [("2050", "5")])
    gap = next(route for route in open_routes(world) if route.hops[0].row == 0)

    assert confirm(world, gap) is None


def test_what_rounding_takes_from_the_gain_of_a_split_is_not_shown_as_more() -> None:
    rng = random.Random(1)
    shared = unshared = 0
    for _ in range(60):
        eth = 10.0 ** rng.uniform(-7.0, -3.0)
        world = make_world(
            pair_of(100, 200_000),
            pair_of(100, 203_000, number=1),
            pair_of(eth, eth * 1_990, number=2),
            venues="",
            gas_price_gwei="0",
        )
        split = confirm(world, route := three_pools(world))
        shared += split is not None
        unshared += split is None
        if split is not None:
            assert split.route.profit_quote > single_profit(world, route)
    assert min(shared, unshared) > 5


def test_more_is_what_is_gained_beyond_the_route_itself_at_its_best_size_now() -> None:
    world, _ = gap_of_three(transfer_bps="0")
    seen = next(route for route in world.journal.found if route.hops[0].row == 0)
    world.show(0, [("1990", "5")], [("2000", "50")])
    world.show(1, [("2040", "200")], [("2050", "5")])
    [gap] = [route for route in open_routes(world) if route.hops[0].row == 0]

    from_seen, from_newest = confirm(world, seen), confirm(world, gap)

    assert single_profit(world, seen) < single_profit(world, gap) / 5
    assert from_newest is not None
    assert from_seen is not None
    assert from_seen.more_quote == from_newest.more_quote
    assert from_seen.more_quote < single_profit(world, gap)


def test_a_leg_has_no_more_places_than_a_split_can_take() -> None:
    pools = [pair_of(100, 200_000 + number, number=number) for number in range(20)]
    world = make_world(*pools, pair_of(1_000, 2_100_000, number=99), venues="", gas_price_gwei="0")
    value(world)
    route = next(one for one in open_routes(world) if [hop.row for hop in one.hops] == [19, 20])

    split = confirm(world, route)

    assert [len(leg) for leg in numbers_of(split)] == [8, 1]
    assert numbers_of(split)[0] == {*range(7), 19}


def test_a_pool_that_counts_in_other_decimals_than_the_route_takes_no_part() -> None:
    for decimals, used in ((6, {0, 2, 3}), (18, {0, 3})):
        world = make_world(
            pair_of(1_000, 2_000_000),
            pair_of(1_000, 2_060_000, number=1),
            pair_of(900, 1_800_000, number=2, decimals=decimals),
            pair_of(800, 1_600_000, number=3),
            venues="",
        )
        assert numbers_of(confirm(world, three_pools(world))) == [used, {1}]


def arrays_of(held: object) -> Iterator[np.ndarray]:
    if isinstance(held, np.ndarray):
        yield held
    elif isinstance(held, tuple):
        for one in held:
            yield from arrays_of(one)


def test_the_arrays_of_the_hot_path_are_as_they_were_afterwards() -> None:
    shared = 0
    for world in random_worlds(6):
        screens = world.detector.screens
        arrays = [*arrays_of(screens._fixed), screens.out, screens.open_routes]
        arrays += [world.board.state, world.board.levels]
        before = [array.tobytes() for array in arrays]
        assert len(arrays) > 20
        for route in open_routes(world):
            shared += confirm(world, route) is not None
        assert [array.tobytes() for array in arrays] == before
    assert shared > 5


def test_routes_through_the_sandbox_pools_are_shared_with_curves_and_ranges_among_them() -> None:
    world = World(
        Setup(
            instruments=[
                make_instrument("a", "ETH-USDC"),
                make_instrument("a", "ETH-USD"),
                make_instrument("a", "USDC-USDT", price_decimals=4, tick="0.0001"),
            ],
            pools=load_pools(load_start_prices()),
            gas_price_gwei="1",
            flash_fee_bps="5",
            mode=Mode.OBSERVE,
        )
    )
    for book in (1, 0):
        world.show(book, [("2685", "50")], [("2686", "50")])
    world.show(2, [("1.0030", "20000")], [("1.0040", "10")])
    value(world)
    world.show(0, [("2750", "5000")], [("2751", "50")])
    world.wait(1_100)
    world.tick()

    venues: set[VenueId] = set()
    for route in open_routes(world):
        split = confirm(world, route)
        if split is not None:
            assert split.route.profit_quote > single_profit(world, route)
            for leg in split.legs:
                venues |= {part.place.venue for part in leg if len(leg) > 1}

    assert {"a", "curve@ethereum", "uniswap_v3@ethereum", "uniswap_v2@ethereum"} <= venues


def test_a_refusal_of_dust_tells_its_amount_in_digits_and_without_an_exponent() -> None:
    world, route = next(
        (world, route)
        for world in random_worlds(20)
        for route in open_routes(world)
        if route.is_on_one_chain
    )
    first, *others = route.hops
    dust = replace(route, hops=(replace(first, amount_in=1.4534e-9), *others))

    outcome = world.route_confirmer.confirm(dust)

    assert isinstance(outcome, Unconfirmed)
    dust_shown = f"0.000000001453 {route.quote}"
    assert outcome.detail == f"nothing is left of {dust_shown} in whole lots and units"
