"""Values that come late and a part at a time: nothing is lost, and no tick does much."""

import math
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.detect.graph import start_sweep, token_values, value_round
from engine.detect.graph.pool_sides import PreparedPool, prepare_pool
from engine.detect.moving.pool_moves import move_pool
from engine.domain.assets import AssetCode
from engine.domain.opportunities import HopKind
from engine.domain.pools import Pool, Protocol
from engine.kernels.graph_layout import ALIVE_MIN, EDGE, POTENTIALS
from engine.kernels.screen_layout import ASSET, SWEEP
from engine.pools.moves import PairMove
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from tests.detect.test_live_moves import found_in
from tests.effort import examples
from tests.patience import PATIENCE_S
from tests.reference.cycles import Edge
from tests.reference.sweep import starts
from tests.reference.world import Setup, World, make_instrument

USD = {"ETH": 2_000.0, "USDT": 1.0, "BTC": 60_000.0, "AAA": 3.0, "BBB": 0.5}
BOOKS = ("ETH-USDT", "BTC-USDT", "AAA-ETH", "BBB-AAA")
ROOT = Path(__file__).parents[2]
LEAST = {"SCANS_MAX": 2, "ROUTES_MAX": 1}
TICKS = 150
"""Enough to work any of these markets off, two edges at a time."""


def pool_of(first: str, second: str, *, off: float = 1.0, number: int = 0) -> PoolSnapshot:
    """A pair of 100,000 USD a side, where the first asset costs `off` times its price."""
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address=f"0x{number:040x}",
        tokens=((AssetCode(first), 9), (AssetCode(second), 9)),
        fee_ratio=Decimal("0.003"),
        gas_units=90_000,
    )
    reserves = [int(100_000 / USD.get(one, 1.0) * 10**9) for one in (first, second)]
    row = PairRow(reserve0_raw=str(reserves[0]), reserve1_raw=str(int(reserves[1] * off)))
    return PoolSnapshot(pool=pool, row=row)


def make_world(*pools: PoolSnapshot) -> World:
    """A world of four books, in none of which anything is paid in USD: they value nothing."""
    return World(
        Setup(
            instruments=[make_instrument("a", pair, price_decimals=6) for pair in BOOKS],
            pools=pools,
            gas_price_gwei="1",
        )
    )


def show(world: World, rng: random.Random, book: int) -> None:
    base, _, quote = BOOKS[book].partition("-")
    middle = USD[base] / USD[quote] * rng.uniform(0.99, 1.01)
    world.show(book, [(f"{middle * 0.9995:.6f}", "40")], [(f"{middle * 1.0005:.6f}", "40")])


def give(world: World, *codes: str) -> None:
    """Let assets be worth something; potentials come at once in so small a graph."""
    world.graph.set_values({AssetCode(code): USD[code] for code in codes})
    assert not world.graph.settle()


def work_off(world: World) -> None:
    for _ in range(TICKS):
        world.detector.screen_starts(world.now_ns)
    assert world.detector.pools_waiting == 0


def changes(rng: random.Random) -> Iterator[tuple[str, int, PreparedPool | int]]:
    """Pools that come, change and go, and books that change."""
    held: set[int] = set()
    while True:
        number, way = rng.randrange(7), rng.random()
        first, second = random.Random(number).sample(list(USD), 2)
        pool = pool_of(first, second, off=rng.uniform(0.97, 1.03), number=number)
        if way < 0.3:
            yield "book", rng.randrange(len(BOOKS)), rng.randrange(2**32)
        elif number not in held:
            held.add(number)
            yield "add", number, prepare_pool(pool)
        elif way < 0.8:
            yield "change", number, prepare_pool(pool)
        else:
            held.remove(number)
            yield "remove", number, 0


def change(world: World, what: tuple[str, int, PreparedPool | int]) -> None:
    kind, number, new = what
    if isinstance(new, PreparedPool):
        if kind == "add":
            world.detector.add_pool(number, new, world.now_ns)
        else:
            world.detector.on_pools({number: new}, world.now_ns)
    elif kind == "book":
        show(world, random.Random(new), number)
    else:
        world.detector.remove_pool(number, world.now_ns)


def value_some(world: World, rng: random.Random) -> None:
    """Let some assets be worth something."""
    give(world, *rng.sample(list(USD), rng.randrange(1, 3)))
    world.detector.screen_starts(world.now_ns)


def late_and_early(seed: int) -> tuple[World, World]:
    """The same market twice: its assets are valued now and then, or all at once and before."""
    rng = random.Random(seed)
    late, early = make_world(), make_world()
    script = [what for what, _ in zip(changes(rng), range(25), strict=False)]
    for book in range(len(BOOKS)):
        script.insert(0, ("book", book, rng.randrange(2**32)))
    give(early, *USD)
    work_off(early)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LEAST.items():
            patch.setattr(start_sweep, name, value)
        for what in script:
            change(late, what)
            change(early, what)
            if rng.random() < 0.15:
                value_some(late, rng)
        give(late, *late.graph.assets)
        work_off(late)
    work_off(early)  # what was displaced and has room again
    return late, early


@settings(max_examples=examples(60), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_once_worked_off_the_same_routes_are_open_as_where_all_was_valued_before(
    seed: int,
) -> None:
    late, early = late_and_early(seed)
    assume(not early.detector.crowded_out and not late.detector.crowded_out)

    assert len(found_in(late)) == len(late.detector.open_episodes)
    assert found_in(late) == pytest.approx(found_in(early), rel=1e-9)


def test_these_markets_have_routes_of_every_length_that_come_late() -> None:
    lengths: set[int] = set()
    starts_with: set[HopKind] = set()
    for seed in range(12):
        late, _ = late_and_early(seed)
        for episode in late.detector.open_episodes:
            hops = late.detector.newest(episode).hops
            lengths.add(len(hops))
            starts_with.add(hops[0].kind)

    assert lengths == {2, 3, 4}
    assert starts_with == {HopKind.BOOK, HopKind.POOL}


def many_pools(count: int = 40) -> list[PoolSnapshot]:
    return [pool_of("ETH", "USDT", number=number) for number in range(count)]


def swept(world: World) -> int:
    """Do a tick's part; return how many edges it scanned."""
    world.detector.screen_starts(world.now_ns)
    return start_sweep.SCANS_MAX - int(world.graph._values.sweep.state[SWEEP.SCANS])


def test_a_tick_scans_at_most_so_many_edges_and_each_that_starts_a_route_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_sweep, "SCANS_MAX", 7)
    world = make_world(*many_pools(), pool_of("BBB", "BTC", number=99))
    give(world, *USD)
    wanted = len(starts(*edges_of(world)))

    scans = [swept(world)]
    assert world.detector.pools_waiting == 38
    while world.detector.pools_waiting:
        scans.append(swept(world))

    assert max(scans) == 7
    assert sum(scans) == wanted == 82  # both directions of 41 pools of what books trade


def edges_of(world: World) -> tuple[list[Edge], dict[int, float], set[int], set[int]]:
    """All edges, the ranks of tokens, those that wait, and those at books, from the arrays."""
    edges, rates = world.graph.market.arrays[2:4]
    tokens = world.graph._values.tokens
    listed = [
        Edge(
            number=number,
            source=int(row[EDGE.SOURCE]),
            target=int(row[EDGE.TARGET]),
            place=int(row[EDGE.PLACE]),
            log_rate=float(rate) if rate > ALIVE_MIN else -math.inf,
        )
        for number, (row, rate) in enumerate(zip(edges, rates, strict=True))
    ]
    waiting = set(np.flatnonzero(tokens[:, ASSET.WAITS]).tolist())
    at_books = set(np.flatnonzero(tokens[:, ASSET.IS_AT_BOOKS]).tolist())
    return listed, dict(enumerate(tokens[:, ASSET.RANK].tolist())), waiting, at_books


def test_an_edge_with_routes_is_the_last_of_its_tick_and_none_of_them_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_sweep, "ROUTES_MAX", 1)
    apart = [pool_of("ETH", "USDT", off=1.0 + number / 50, number=number) for number in range(4)]
    world = make_world(*apart)
    give(world, "ETH", "USDT")

    opened: list[list[int]] = []
    while world.detector.pools_waiting or not opened:
        opened.append([of.first.hops[0].row for of in world.detector.screen_starts(world.now_ns)])

    # Dollars buy ETH at the cheaper one and sell it at any that is dearer by more than both fees.
    # The other directions, which are scanned too, start none of them.
    assert [len(set(rows)) for rows in opened] == [1, 0, 1, 0, 1, 0, 0]
    assert sorted(row for rows in opened for row in rows) == [0, 0, 0, 1, 1, 2]


def test_a_route_with_several_tokens_that_waited_opens_once() -> None:
    pools = [pool_of("ETH", "USDT"), pool_of("AAA", "ETH", off=0.95, number=1)]
    world = make_world(*pools, pool_of("AAA", "USDT", number=2))
    give(world, "ETH", "USDT", "AAA")

    told = world.detector.screen_starts(world.now_ns)

    assert len(found_in(world)) == len(told) == 1
    assert len(told[0].first.hops) == 3


def test_a_pool_that_goes_while_it_waits_is_in_no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_sweep, "SCANS_MAX", 1)
    world = make_world(*many_pools(3), pool_of("ETH", "USDT", off=1.05, number=3))
    give(world, "ETH", "USDT")
    assert world.detector.pools_waiting == 4

    world.detector.remove_pool(3, world.now_ns)
    assert world.detector.pools_waiting == 3
    work_off(world)

    assert world.detector.found == 0


def test_a_pool_that_moves_while_it_waits_is_screened_the_other_way_too() -> None:
    world = make_world(pool_of("ETH", "USDT"), pool_of("ETH", "USDT", off=1.05, number=1))
    give(world, "ETH", "USDT")

    # Dearer by a little: whoever buys ETH here, as the route does, gets less than before.
    state = {"reserve0_raw": 49_990 * 10**6, "reserve1_raw": 100_020 * 10**9}
    moved = move_pool(world.graph.pool(0), PairMove(**state))
    assert world.detector.on_pools({0: moved}, world.now_ns) == ()
    work_off(world)

    (episode,) = world.detector.open_episodes
    assert [hop.row for hop in episode.first.hops] == [0, 1]


def test_nothing_waits_while_nobody_knows_what_gas_is_worth_and_all_does_from_then_on() -> None:
    world = make_world(pool_of("BTC", "USDT"), pool_of("BTC", "USDT", off=1.05, number=1))
    give(world, "USDT")
    assert world.detector.pools_waiting == 0

    give(world, "ETH")

    assert world.detector.pools_waiting == 2
    assert len(world.detector.screen_starts(world.now_ns)) == 1


def test_what_begins_to_wait_during_a_sweep_is_screened_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_sweep, "SCANS_MAX", 1)
    pools = [pool_of("AAA", "BBB", number=0), pool_of("AAA", "BBB", off=1.05, number=1)]
    world = make_world(*pools, *[pool_of("ETH", "USDT", number=number) for number in range(2, 5)])
    give(world, "ETH", "USDT")
    for _ in range(2):  # past the first two pools
        world.detector.screen_starts(world.now_ns)

    give(world, "AAA", "BBB")
    scans = 0
    while world.detector.pools_waiting:
        scans += swept(world)

    (episode,) = world.detector.open_episodes
    assert sorted(hop.row for hop in episode.first.hops) == [0, 1]
    assert scans == 4 + 4  # of two pools that were left of the first, and two that begin now


def test_tokens_get_their_potentials_a_few_at_a_time_and_all_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(token_values, "SETTLED_COLUMNS_MAX", 2 * 64**2)
    world = make_world()
    potentials = world.graph.market.arrays[7][POTENTIALS.OWN]
    before = potentials.copy()
    world.graph.set_values({AssetCode(code): usd for code, usd in USD.items()})
    steps = []

    while True:
        is_more = world.graph.settle()
        steps.append(int((potentials != before).sum()))
        before = potentials.copy()
        if not is_more:
            break

    assert steps == [2, 1]
    for code, usd in USD.items():
        potential = world.graph.market.potential(world.graph.market.token(code))
        assert potential == pytest.approx(math.log(usd), abs=token_values.POTENTIAL_OFF_MAX)


def test_the_pools_of_a_start_say_what_tokens_are_about_worth_in_the_best_root() -> None:
    world = make_world(
        pool_of("BBB", "AAA"),
        pool_of("AAA", "ETH", number=1),
        pool_of("ETH", "BTC", number=2),
        pool_of("BTC", "USDT", number=3),
    )

    for code, usd in USD.items():
        potential = world.graph.market.potential(world.graph.market.token(code))
        assert potential == pytest.approx(math.log(usd), abs=0.02)
    give(world, *USD)
    assert not world.graph._values.is_unsettled


def test_nothing_is_swept_before_the_tokens_have_their_potentials() -> None:
    world = make_world(pool_of("ETH", "USDT"), pool_of("ETH", "USDT", off=1.05, number=1))
    world.graph.set_values({AssetCode("BTC"): USD["BTC"]})
    assert world.graph._values.is_unsettled
    world.graph.set_values({AssetCode(code): USD[code] for code in ("ETH", "USDT")})

    assert world.detector.screen_starts(world.now_ns) == ()
    assert not world.graph.settle()
    assert len(world.detector.screen_starts(world.now_ns)) == 1


def world_of_assets(count: int) -> World:
    """Each asset has a book in dollars at 2.00."""
    pairs = [f"A{number}-USD" for number in range(count)]
    world = World(Setup(instruments=[make_instrument("a", pair) for pair in pairs]))
    for book in range(count):
        world.show(book, [("1.99", "1")], [("2.01", "1")])
    return world


def valued(world: World) -> int:
    return int((world.graph._values.tokens[:, ASSET.VALUE_USD] > 0.0).sum())


def test_a_tick_values_at_most_so_many_assets_and_a_round_each_of_them_once() -> None:
    world = world_of_assets(300)
    steps = []
    for _ in range(12):
        world.tick()
        steps.append(valued(world))
        world.wait(100)

    assert steps == [64, 128, 192, 256, *[301] * 8]
    world.show(7, [("3.99", "1")], [("4.01", "1")])
    token = world.graph.market.token("A7")
    values = []
    for _ in range(10):
        world.tick()
        values.append(float(world.graph._values.tokens[token, ASSET.VALUE_USD]))
        world.wait(100)
    assert values == [*[2.0] * 8, 4.0, 4.0]


def test_an_asset_that_goes_during_a_round_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_round, "ASSETS_MAX", 1)
    world = world_of_assets(1)
    world.detector.add_pool(0, prepare_pool(pool_of("AAA", "BBB")), world.now_ns)
    world.tick()

    world.detector.remove_pool(0, world.now_ns)
    for _ in range(4):
        world.tick()

    assert valued(world) == 2


def played() -> list[str]:
    """Play a market whose assets come to be worth something a few at a time."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LEAST.items():
            patch.setattr(start_sweep, name, value)
        late = make_world()
        rng = random.Random(4)
        for book in range(len(BOOKS)):
            show(late, rng, book)
        for what, _ in zip(changes(rng), range(40), strict=False):
            change(late, what)
            value_some(late, rng)
    for number in range(100, 110):  # both assets come and go with the pool
        pool = prepare_pool(pool_of(f"C{number}", f"D{number}", number=number))
        late.detector.add_pool(number, pool, late.now_ns)
        if number % 2:
            late.detector.remove_pool(number, late.now_ns)
    lines = [repr(late.detector.newest(one)) for one in late.detector.open_episodes]
    tokens = [(asset, late.graph.market.token(asset)) for asset in late.graph.assets]
    return [*lines, repr(tokens), str(late.detector.found)]


def test_another_process_decides_the_same() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.detect.test_values"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "2", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    ).stdout.splitlines()

    assert said == played()
    assert len(said) > 2


if __name__ == "__main__":
    print("\n".join(played()))
