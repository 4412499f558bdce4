"""Rows of pools in the shared matrix: they move with blocks, come, go, and are absent meanwhile."""

import dataclasses
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.core.shared_rows import SharedRows
from engine.core.sharing import POOLS_SETTLED_NS, POOLS_WAIT_NS
from engine.detect.graph.moved_pair import pair_after
from engine.detect.graph.pool_sides import prepare_pool
from engine.domain.assets import AssetCode
from engine.domain.chains import BlockTerms
from engine.domain.units import NS_PER_MS
from engine.kernels.matrix_layout import NO_TICK
from engine.market.board import Board
from engine.market.matrix_file import BlockReplacedError
from engine.market.matrix_reader import PriceMatrixReader
from engine.pools.moves import PairMove
from engine.wiring.shared_prices import SharedPrices
from tests.core.test_blocks import CHAIN, FIRST, add, block, moved, pair_move, remove, take
from tests.detect.test_live_pools import pair_of
from tests.reference.world import START_NS, Setup, World, make_instrument

KEEP = 0.997


@contextmanager
def shared_world(path: Path) -> Iterator[World]:
    """A world of a book and a pool that shares its prices."""
    prices = SharedPrices(path, run_id="r", at_ns=START_NS)
    worlds: list[World] = []

    def open_matrix(board: Board) -> SharedRows | None:
        if not worlds:  # while the world is being made
            pools = {0: pool.pool}
            return prices.open(board, pools, {})
        graph = worlds[0].graph
        return prices.open(board, graph.terms_of_pools, graph.pools)

    pool = replace(pair_of(1_000, 2_000_000), block=FIRST)
    setup = Setup(
        instruments=[make_instrument("a", "ETH-USDT")],
        pools=[pool],
        chains={CHAIN: BlockTerms(stale_ms=36_000, undo_blocks=3)},
        open_matrix=open_matrix,
    )
    worlds.append(World(setup))
    try:
        yield worlds[0]
    finally:
        prices.close()


def test_a_pools_row_moves_with_its_blocks_and_is_absent_while_it_is_unknown(
    tmp_path: Path,
) -> None:
    path = tmp_path / "prices"
    with shared_world(path) as world, closing(PriceMatrixReader.open(path)) as reader:
        take(world, block(FIRST + 1, moved(pair_move(2_100_000))))
        row = reader.row(1)
        assert row.is_live
        assert row.rate_forward == pytest.approx(2_100 * KEEP)
        assert (row.reserve_base, row.reserve_quote) == (1_000, 2_100_000)
        assert row.tick == NO_TICK
        assert (row.changed_at_ns, row.frame_seq) == (world.now_ns, world.board.frame_seq)

        take(world, block(FIRST + 2, moved(pair_move(0))))

        gone = reader.row(1)
        assert not gone.is_live
        assert (gone.reserve_base, gone.reserve_quote, gone.tick) == (0, 0, NO_TICK)


def settle(world: World) -> None:
    """Let pools come and go no more for as long as it takes until each has its row."""
    world.wait(POOLS_SETTLED_NS / NS_PER_MS)
    world.tick()


def test_pools_that_come_and_go_have_rows_of_their_own(tmp_path: Path) -> None:
    with shared_world(tmp_path / "prices") as world:
        take(world, block(FIRST + 1, moved(pair_move(2_100_000))))
        with closing(PriceMatrixReader.open(tmp_path / "prices")) as before:
            add(world, replace(pair_of(1_000, 2_050_000, address="0xnew"), block=FIRST + 1))
            assert before.row(1).is_live
            settle(world)
            with pytest.raises(BlockReplacedError):
                before.row(1)
        with closing(PriceMatrixReader.open(tmp_path / "prices")) as reader:
            assert len(reader.places) == 3
            rates = [reader.row(row).rate_forward for row in (1, 2)]
            assert rates == pytest.approx([2_100 * KEEP, 2_050 * KEEP])
            remove(world, "0xpair")
            assert not reader.row(1).is_live
            assert reader.row(2).is_live
        settle(world)
        with closing(PriceMatrixReader.open(tmp_path / "prices")) as reader:
            assert len(reader.places) == 2
            assert reader.row(1).rate_forward == pytest.approx(2_050 * KEEP)


def test_pools_that_come_one_after_the_other_have_the_matrix_made_anew_once(tmp_path: Path) -> None:
    with shared_world(tmp_path / "prices") as world:
        take(world, block(FIRST + 1, moved(pair_move(2_100_000))))
        with closing(PriceMatrixReader.open(tmp_path / "prices")) as before:
            for number in range(20):
                pool = pair_of(1_000, 2_050_000, address=f"0x{number}")
                add(world, replace(pool, block=FIRST + 1))
                world.wait(100)
                world.tick()
                assert before.row(1).is_live
            settle(world)
            with pytest.raises(BlockReplacedError):
                before.row(1)
        with closing(PriceMatrixReader.open(tmp_path / "prices")) as reader:
            assert [reader.row(row).is_live for row in range(1, 22)] == [True] * 21


def test_pools_that_never_cease_to_come_have_their_rows_after_a_while(tmp_path: Path) -> None:
    with shared_world(tmp_path / "prices") as world:
        take(world, block(FIRST + 1, moved(pair_move(2_100_000))))
        with closing(PriceMatrixReader.open(tmp_path / "prices")) as before:
            for number in range(2 * POOLS_WAIT_NS // POOLS_SETTLED_NS):
                pool = pair_of(1_000, 2_050_000, address=f"0x{number}")
                add(world, replace(pool, block=FIRST + 1))
                world.wait(POOLS_SETTLED_NS / NS_PER_MS / 2)
                world.tick()
            with pytest.raises(BlockReplacedError):
                before.row(1)


@pytest.mark.parametrize("assets", [("ETH", "USDT"), ("USDT", "ETH"), ("LINK", "UNI")])
def test_pairs_that_move_together_have_the_rows_that_each_alone_would_have(
    tmp_path: Path, assets: tuple[str, str]
) -> None:
    start = pair_of(1_000, 2_000_000)
    tokens = ((AssetCode(assets[0]), 18), (AssetCode(assets[1]), 6))
    of = dataclasses.replace(start.pool, tokens=tokens)
    fees = replace(start.row, fees_e9=(1_000_000, 3_000_000))
    base = prepare_pool(replace(start, pool=of, row=fees))
    move = PairMove(reserve0_raw=7 * 10**20, reserve1_raw=3 * 10**12)
    pair = pair_after(base, move, 7)
    board = Board([make_instrument("a", "ETH-USDT")], levels_max=4)
    prices = SharedPrices(tmp_path / "prices", run_id="r", at_ns=1)
    shared = prices.open(board, {3: base.pool}, {})
    assert shared is not None
    with closing(PriceMatrixReader.open(tmp_path / "prices")) as reader:
        shared.publish_pools({3: pair}, 5, 6)
        together = reader.row(1)
        shared.publish_pool(3, pair)
        alone = reader.row(1)
    prices.close()
    assert together.is_live
    wanted = {*alone._fields} - {"version", "published_at_ns"}
    for name in wanted:
        one, other = getattr(together, name), getattr(alone, name)
        assert one == (pytest.approx(other, rel=1e-12) if isinstance(other, float) else other)
