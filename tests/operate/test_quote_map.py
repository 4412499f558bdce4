"""Who quotes what, as the engine answers it."""

import pytest
from msgspec.structs import replace

from engine.bus.quote_report import QuoteLine
from engine.domain.chains import BlockTerms
from engine.domain.faults import Fault
from engine.operate.core_parts import Core
from engine.pools.blocks import Block
from engine.ports import LevelForm
from tests.detect.test_live_pools import pair_of
from tests.reference.run_core import make_reports, make_run_core
from tests.reference.world import START_NS, make_instrument, write_side

CHAINS = {"ethereum": BlockTerms(stale_ms=36_000, undo_blocks=4)}
S = 1_000_000_000


def make_core() -> Core:
    """A book of ether, one of tethers, and two pools of both at a chain."""
    pools = [pair_of(1_000, 2_000_000), pair_of(500, 1_000_000, address="0xother")]
    core = make_run_core(
        [make_instrument("a", "ETH-USD"), make_instrument("b", "USDT-USD")],
        [replace(pool, block=1) for pool in pools],
        chains=CHAINS,
    )
    for book, bids, asks in (
        (0, [("2000.00", "3"), ("1999.00", "4"), ("1990.00", "100")], [("2000.01", "1")]),
        (1, [("0.99", "1000")], [("1.01", "1000")]),
    ):
        sides = write_side(bids), write_side(asks)
        core.board.replace(book, LevelForm.PAIRS, *sides, START_NS)
    return core


def lines_of(core: Core, at_ns: int) -> dict[tuple[str, str], QuoteLine]:
    report = make_reports(core).quotes(at_ns)
    return {(one.place, one.pair): one for one in report.lines}


def test_a_book_tells_what_stands_near_its_best_prices_and_pools_what_is_in_them() -> None:
    core = make_core()
    block = Block(chain="ethereum", number=2, hash="b", parent_hash="a", made_at_ns=0)
    core.hot_path.command(block, START_NS + S)

    lines = lines_of(core, START_NS + 3 * S)

    book = lines["a", "ETH-USD"]
    # The levels within a thousandth of the best: 3, 4 and 1, at the middle of 2,000.
    assert (book.count, book.live, book.usd, book.age_ms) == (1, 1, 8 * 2_000.005, 3_000)
    pools = lines["uniswap_v2@ethereum", "ETH-USDT"]
    assert (pools.count, pools.live, pools.age_ms) == (2, 2, 2_000)
    assert pools.usd == pytest.approx(1_500 * 2_000.005 + 3_000_000)


def test_what_is_stale_is_counted_and_worth_nothing() -> None:
    core = make_core()
    core.board.invalidate(0, Fault.GAP, START_NS + S)

    lines = lines_of(core, START_NS + 100 * S)

    book, pools = lines["a", "ETH-USD"], lines["uniswap_v2@ethereum", "ETH-USDT"]
    assert (book.count, book.live, book.usd, book.age_ms) == (1, 0, None, None)
    assert (pools.count, pools.live, pools.usd, pools.age_ms) == (2, 0, None, None)
    assert core.valuation.usd_per(core.board.instruments[0].pair.base, START_NS) is None


def test_a_pool_one_side_of_which_nobody_values_is_worth_twice_the_other() -> None:
    core = make_core()
    core.board.invalidate(1, Fault.GAP, START_NS)
    block = Block(chain="ethereum", number=2, hash="b", parent_hash="a", made_at_ns=0)
    core.hot_path.command(block, START_NS)

    usd = lines_of(core, START_NS)["uniswap_v2@ethereum", "ETH-USDT"].usd

    assert usd == pytest.approx(2 * 1_500 * 2_000.005)
