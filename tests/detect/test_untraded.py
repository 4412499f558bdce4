"""Routes that no executor can carry out: seen, and in nobody's way."""

import random
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from engine.detect.graph.pool_sides import prepare_pool
from engine.detect.screening.open_room import (
    OPEN_MAX_BY_LEGS,
    UNTRADED_MAX_BY_LEGS,
    OpenRoom,
)
from engine.domain.assets import AssetCode
from engine.domain.bridges import Bridge
from engine.domain.instruments import Instrument
from engine.domain.mixed_routes import (
    IN_SEVERAL_TRANSACTIONS,
    ON_SEVERAL_CHAINS,
    OVER_A_BRIDGE,
    why_not_traded,
    why_watched,
)
from engine.domain.opportunities import HopKind
from engine.domain.pools import Pool, Protocol
from engine.kernels.graph_layout import EDGE, NONE
from engine.kernels.screen_layout import (
    SCREENED,
    SCREENED_COLUMNS,
    SIZED_MAX,
    UNTRADED_SIZED_MAX,
)
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from tests.detect.cycle_driver import ScanDriver
from tests.detect.test_cycles import Market
from tests.reference.world import Setup, World, make_instrument

USD = {"ETH": 2_000.0, "BTC": 100_000.0, "USDT": 1.0, "DAI": 1.0}
ETH_IN_A_POOL = 1_000.0
CROWD = 70


def pool(
    chain: str, number: int, price: float, *, pair: tuple[str, str] = ("ETH", "USDT")
) -> PoolSnapshot:
    """Make a pair of a chain with so much of its second token for one of the first."""
    tokens = (AssetCode(pair[0]), 18), (AssetCode(pair[1]), 18)
    terms = Pool(
        chain=chain,
        protocol=Protocol.UNISWAP_V2,
        address=f"0x{number:040x}",
        tokens=tokens,
        fee_ratio=Decimal("0.0005"),
        gas_units=100_000,
    )
    raw = [str(int(amount * 10**18)) for amount in (ETH_IN_A_POOL, ETH_IN_A_POOL * price)]
    return PoolSnapshot(pool=terms, row=PairRow(reserve0_raw=raw[0], reserve1_raw=raw[1]))


def make_world(
    pools: Sequence[PoolSnapshot],
    *,
    instruments: Sequence[Instrument] = (),
    bridges: Sequence[Bridge] = (),
) -> World:
    setup = Setup(
        pools=pools,
        instruments=instruments,
        bridges=bridges,
        edge_bps_min="0",
        gas_elsewhere_gwei={"base": "0", "polygon": "0"},
    )
    world = World(setup)
    known = set(world.graph.assets)
    world.graph.set_values({AssetCode(a): usd for a, usd in USD.items() if a in known})
    while world.graph.settle():
        pass
    return world


def crowd() -> World:
    """Many pools of a chain at one price, one of it at another, one of a second chain far off."""
    here = [pool("base", number, 2_000.0) for number in range(CROWD)]
    world = make_world([*here, pool("base", CROWD, 2_000.0), pool("polygon", CROWD + 1, 2_000.0)])
    apart = [pool("base", CROWD, 2_020.0), pool("polygon", CROWD + 1, 2_200.0)]
    world.detector.on_pools(
        {CROWD + at: prepare_pool(one) for at, one in enumerate(apart)}, world.now_ns
    )
    return world


def test_of_every_route_the_kernel_knows_what_the_executors_say() -> None:
    rng = random.Random(5)
    seen: Counter[str] = Counter()
    pairs = [("ETH", "USDT"), ("ETH", "DAI"), ("DAI", "USDT"), ("BTC", "USDT")]
    books = [("here", "ETH-USDT"), ("there", "ETH-DAI"), ("there", "BTC-DAI")]
    bridge = Bridge(assets=(AssetCode("DAI"), AssetCode("USDT")), cost_bps=Decimal(1))
    for chains in (["base", "polygon"], ["base"]) * 4:
        pools = []
        for number in range(8):
            pair = rng.choice(pairs)
            price = USD[pair[0]] / USD[pair[1]] * rng.uniform(0.97, 1.03)
            pools.append(pool(rng.choice(chains), number, price, pair=pair))
        world = make_world(
            pools,
            instruments=[make_instrument(venue, pair) for venue, pair in books],
            bridges=[bridge] if len(chains) > 1 else [],
        )
        world.show(0, [("1990", "50")], [("1991", "50")])
        world.show(1, [("2040", "50")], [("2041", "50")])
        world.show(2, [("103000", "5")], [("103010", "5")])
        for _ in range(20):
            world.detector.screen_starts(world.now_ns)
        for number, one in enumerate(pools):
            world.graph.shut_pool(number)
            world.detector.on_pools({number: prepare_pool(one)}, world.now_ns)
        for episode in world.detector.open_episodes:
            hops = episode.first.hops
            assert bool(episode.row[SCREENED.IS_TRADED]) is not bool(why_not_traded(hops)), hops
            seen[why_watched(hops)] += 1
            ends = {hops[0].kind, hops[-1].kind}
            assert ends != {HopKind.POOL} or all(hop.kind is not HopKind.BOOK for hop in hops)

    assert {"", ON_SEVERAL_CHAINS, IN_SEVERAL_TRANSACTIONS, OVER_A_BRIDGE} == set(seen)
    assert seen[""] > 20


def test_what_no_executor_trades_takes_no_room_of_what_is_traded() -> None:
    world = crowd()

    counted = Counter(why_watched(one.first.hops) for one in world.detector.open_episodes)

    assert counted == {"": OPEN_MAX_BY_LEGS[2], ON_SEVERAL_CHAINS: UNTRADED_MAX_BY_LEGS[2]}


def test_what_no_executor_trades_takes_no_time_of_what_is_traded() -> None:
    world = crowd()
    detector = world.detector

    assert detector.unsized == CROWD - SIZED_MAX, "traded, and one too many"
    assert detector.untraded_left_out >= CROWD + 1 - UNTRADED_SIZED_MAX
    assert detector.crowded_out == 0


def test_what_no_executor_trades_has_no_sweep_made_for_it() -> None:
    far = [pool("polygon", 1 + number, 2_200.0) for number in range(20)]
    world = make_world([pool("base", 0, 2_000.0), *far])
    while world.graph.sweep.is_left:
        world.detector.screen_starts(world.now_ns)
    world.detector.on_pools({0: prepare_pool(pool("base", 0, 2_001.0))}, world.now_ns)
    world.detector.on_pools({0: prepare_pool(pool("base", 0, 1_999.0))}, world.now_ns)
    assert world.detector.untraded_left_out > 0

    world.wait(5_000)
    world.detector.screen_starts(world.now_ns)

    assert not world.graph.sweep.is_left


def test_a_better_watched_route_takes_the_room_of_one_only_if_it_gains_twice_as_much() -> None:
    def at(*prices: float) -> World:
        held = [pool("polygon", number, 2_200.0) for number in range(1, 9)]
        world = make_world([pool("base", 0, 2_200.0), *held, pool("polygon", 9, 2_190.0)])
        world.detector.on_pools({0: prepare_pool(pool("base", 0, 2_000.0))}, world.now_ns)
        assert len(world.detector.open_episodes) == UNTRADED_MAX_BY_LEGS[2]
        for price in prices:
            world.detector.on_pools({9: prepare_pool(pool("polygon", 9, price))}, world.now_ns)
        return world

    assert (0, 9) not in {one.pools for one in at(2_230.0).detector.open_episodes}
    assert (0, 9) in {one.pools for one in at(2_230.0, 2_600.0).detector.open_episodes}


def test_a_scan_without_room_keeps_what_can_be_traded_however_little_it_gains() -> None:
    market = Market("ab")
    there = market.edge("ab", place=0, log_rate=-9.0)
    market.graph.set_chain(there, 1)
    chains = (2, 2, 2, NONE, 1, 0, 1, 2)
    backs = [market.edge("ba", place=n, log_rate=0.9 - n / 100) for n in range(1, 9)]
    for back, chain in zip(backs, chains, strict=True):
        market.graph.set_chain(back, chain)
    traded = [back for back, chain in zip(backs, chains, strict=True) if chain in (0, 1)]

    for room in (3, 5):
        scan = ScanDriver(market.graph, cycle_max=room, overflow_max=100)
        assert scan.on_rate(there, -9.0) == 0
        assert scan.on_rate(there, 0.0) == room
        kept = [cycle.edges[1] for cycle in scan.cycles(legs=2)]
        assert kept[:3] == traded
        assert kept[3:] == backs[: room - 3], "beside them the best of the others"


def test_a_scan_that_is_full_of_what_is_traded_still_finds_more_of_it() -> None:
    rng = np.random.default_rng(3)
    market = Market("abc")
    there = market.edge("ab", place=0, log_rate=-9.0)
    market.graph.set_chain(there, 1)
    gains: list[float] = []
    seconds = [(market.edge("bc", place=1 + n, log_rate=float(r)), float(r), n % 2)
               for n, r in enumerate(rng.uniform(0, 0.1, 8))]  # fmt: skip
    thirds = [(market.edge("ca", place=20 + n, log_rate=float(r)), float(r), n % 2)
              for n, r in enumerate(rng.uniform(0, 0.1, 8))]  # fmt: skip
    for edge, _, other in (*seconds, *thirds):
        market.graph.set_chain(edge, 1 + other)
    gains = sorted(
        (a + b for _, a, x in seconds for _, b, y in thirds if x == y == 0), reverse=True
    )
    scan = ScanDriver(market.graph, cycle_max=6, overflow_max=1)

    scan.on_rate(there, 0.0)

    assert [cycle.log_gain for cycle in scan.cycles(legs=3)] == gains[:6]


def test_neither_kind_of_route_is_displaced_by_the_other() -> None:
    world = crowd()
    room, apart = OpenRoom(), OpenRoom(UNTRADED_MAX_BY_LEGS)
    better = [0.0] * SCREENED_COLUMNS
    better[SCREENED.LEGS], better[SCREENED.PROFIT_USD] = 2, 1e12
    for is_traded, own in ((1.0, room), (0.0, apart)):
        better[SCREENED.IS_TRADED] = is_traded
        worst = own.worst_below(better, world.detector.open_episodes)
        assert worst is not None
        assert worst.row[SCREENED.IS_TRADED] == is_traded


def test_the_scan_knows_of_which_chain_each_pool_is_and_that_a_bridge_is_of_none() -> None:
    world = make_world(
        [pool("base", 0, 2_000.0), pool("polygon", 1, 2_000.0)],
        instruments=[make_instrument("here", "ETH-USDT")],
        bridges=[Bridge(assets=(AssetCode("ETH"), AssetCode("USDT")), cost_bps=Decimal(1))],
    )
    graph = world.graph
    seen: dict[str, set[int]] = {}
    for edge in range(graph.market.edges_used):
        place = graph.place_of(edge)
        seen.setdefault(f"{place.kind}{place.row}", set()).add(
            int(graph.market.arrays[2][edge, EDGE.CHAIN])
        )

    assert seen["book0"] == {0}
    assert seen["bridge0"] == {NONE}
    assert len(seen["pool0"]) == len(seen["pool1"]) == 1
    assert min(seen["pool0"] | seen["pool1"]) > 0
    assert seen["pool0"] != seen["pool1"]
