"""What the detector counts reaches the reports."""

from msgspec.structs import replace

from engine.bus.reports import VenueLine
from engine.domain.assets import AssetCode
from engine.domain.chains import BlockTerms
from engine.operate.core_parts import Core
from engine.pools.blocks import Block, PoolMoved
from engine.pools.moves import PairMove
from tests.detect.test_live_pools import pair_of
from tests.reference.run_core import make_reports, make_run_core
from tests.reference.world import MS, START_NS

CHAINS = {"ethereum": BlockTerms(stale_ms=36_000, undo_blocks=4)}


def make_core() -> Core:
    """A run of two pools that move, and no venue."""
    pools = [pair_of(1_000, 2_000_000), pair_of(1_000, 2_000_000, address="0xother")]
    return make_run_core([], [replace(pool, block=1) for pool in pools], chains=CHAINS)


def test_what_had_no_room_was_refused_or_waits_is_in_the_reports() -> None:
    core = make_core()
    reports = make_reports(core)
    core.detector._graph.set_values({AssetCode("ETH"): 2_000.0, AssetCode("USDT"): 1.0})
    moves = [
        PoolMoved(address="0xpair", move=PairMove(reserve0_raw=0, reserve1_raw=1)),
        PoolMoved(address="0xother", move=PairMove(reserve0_raw=10**21, reserve1_raw=2 * 10**12)),
    ]
    core.hot_path.command(
        Block(
            chain="ethereum",
            number=2,
            hash="b",
            parent_hash="a",
            made_at_ns=0,
            changes=tuple(moves),
        ),
        START_NS,
    )
    core.detector._room.left_out_count = 7
    core.detector._room.displaced_count = 3

    status, listed = reports.status(START_NS), reports.opportunities(5, START_NS)

    assert (status.crowded_out, status.moves_refused, status.pools_waiting) == (7, 1, 1)
    assert (listed.crowded_out, listed.pools_waiting) == (7, 1)
    assert (listed.displaced, status.displaced, listed.unsized, status.unsized) == (3, 3, 0, 0)
    core.hot_path.tick(START_NS)
    assert reports.status(START_NS).pools_waiting == 0
    (chain,) = [line for line in reports.venues(START_NS + 1_500 * MS).venues if line.is_chain]
    assert chain.age_ms == 1_500


def test_pools_are_venues_of_the_reports_with_their_blocks_age_and_faults() -> None:
    core = make_core()
    reports = make_reports(core)

    def line(at_ns: int) -> VenueLine:
        (found,) = [line for line in reports.venues(at_ns).venues if line.is_chain]
        return found

    assert (line(START_NS).books_live, line(START_NS).books, line(START_NS).age_ms) == (2, 2, None)
    core.hot_path.command(
        Block(chain="ethereum", number=2, hash="b", parent_hash="a", made_at_ns=0), START_NS
    )
    core.hot_path.command(
        Block(chain="ethereum", number=2, hash="b", parent_hash="a", made_at_ns=0), START_NS
    )

    later_ns = START_NS + 5_000_000_000
    shown = line(later_ns)
    assert (shown.venue, shown.is_connected, shown.frames) == ("uniswap_v2@ethereum", True, 1)
    assert (shown.books_live, shown.age_ms, shown.faults) == (2, 5_000, {"duplicate": 1})
    core.hot_path.tick(START_NS + 36_000_000_001)
    shown = line(START_NS + 37_000_000_000)
    assert (shown.is_connected, shown.books_live, round(shown.stale_s, 1)) == (False, 0, 1.0)
