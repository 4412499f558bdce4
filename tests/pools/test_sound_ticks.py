"""Pools that fit their liquidity in part: what is cut, kept and refused all the same."""

import math
from decimal import Decimal

import pytest

from engine.detect.graph.pool_sides import GIVES_NOTHING, prepare_pool
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.pools.concentrated import ConcentratedState, amount_in, amount_out
from engine.pools.snapshot_rows import ConcentratedRow
from engine.pools.snapshots import PoolSnapshot, parse, state_of, to_json
from engine.pools.tick_math import sqrt_ratio_at_tick
from tests.detect.deep_worlds import PairMarket

DEEP = 10**18
NEAR = (-60, 60)
FAR = (-600, 600)


def snapshot(
    ticks: list[tuple[int, int]], *, tick: int = 5, liquidity: int, number: int = 7
) -> PoolSnapshot:
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V3,
        address=f"0x{number:040x}",
        tokens=((AssetCode("ETH"), 18), (AssetCode("USDT"), 18)),
        fee_ratio=Decimal("0.0005"),
        gas_units=100_000,
    )
    row = ConcentratedRow(
        sqrt_price_x96=str(sqrt_ratio_at_tick(tick)),
        tick=tick,
        liquidity=str(liquidity),
        tick_spacing=10,
        ticks=tuple((at, str(net)) for at, net in ticks),
    )
    return PoolSnapshot(pool=pool, row=row)


def state(of: PoolSnapshot) -> ConcentratedState:
    found = state_of(of)
    assert isinstance(found, ConcentratedState)
    return found


def two_ranges(*, off: int = 0, at: int = 0) -> PoolSnapshot:
    """A deep range around the price within a wide one, one net liquidity `off`."""
    nets = [(FAR[0], DEEP), (NEAR[0], 4 * DEEP), (NEAR[1], -4 * DEEP), (FAR[1], -DEEP)]
    nets[at] = (nets[at][0], nets[at][1] + off)
    return snapshot(nets, liquidity=5 * DEEP)


@pytest.mark.parametrize("off", [1, -1, 5, -832])
@pytest.mark.parametrize(
    ("at", "words"),
    [
        (0, "below tick -600, where liquidity is"),
        (1, "below tick -600, where liquidity is"),
        (2, "above tick 600, where liquidity is"),
        (3, "above tick 600, where liquidity is"),
    ],
)
def test_what_is_behind_a_rounding_is_cut_and_the_rest_trades_as_before(
    at: int, off: int, words: str
) -> None:
    found = state(two_ranges(off=off, at=at))
    plain = state(two_ranges())

    (cut,) = found.table.cut
    assert cut.startswith(words)
    assert prepare_pool(two_ranges(off=off, at=at)).cut == (cut,)
    assert plain.table.cut == ()
    for token_in in (0, 1):
        for amount_raw in (10**9, 10**15):  # within the deep range
            kept = amount_out(found, amount_raw, token_in=token_in)
            assert kept == amount_out(plain, amount_raw, token_in=token_in)
    token_in = 0 if at < 2 else 1
    with pytest.raises(BadValueError, match="known ticks"):
        amount_out(found, 10**18, token_in=token_in)


def test_pools_in_part_are_counted_while_they_are_there() -> None:
    market = PairMarket([("ETH", "USDT", (1_000.0, 1_000.0))], gwei="0", usd={"ETH": 1, "USDT": 1})
    detector = market.world.detector
    assert detector.pools_cut == 0

    detector.add_pool(7, prepare_pool(two_ranges(off=1)), market.world.now_ns)
    assert detector.pools_cut == 1

    detector.on_pools({7: prepare_pool(two_ranges())}, market.world.now_ns)
    assert detector.pools_cut == 0

    detector.on_pools({7: prepare_pool(two_ranges(off=-1))}, market.world.now_ns)
    detector.remove_pool(7, market.world.now_ns)
    assert detector.pools_cut == 0


def test_a_far_range_that_goes_negative_by_a_unit_is_cut_there() -> None:
    """Between 300 and 600 liquidity is -1; it would be 1,000 behind that."""
    nets = [(-60, DEEP), (60, -DEEP), (300, -1), (600, 1_001), (900, -1_000)]

    found = state(snapshot(nets, liquidity=DEEP))

    assert found.table.cut == ("above tick 300, where liquidity is -1",)
    assert found.table.known_max == 300
    assert amount_out(found, 10**15, token_in=1) > 0
    assert parse(to_json(snapshot(nets, liquidity=DEEP))) == snapshot(nets, liquidity=DEEP)


def test_liquidity_that_is_off_by_more_than_a_rounding_is_refused_and_named() -> None:
    with pytest.raises(BadValueError, match="net liquidity over all ticks sums to 1000000000000"):
        state(two_ranges(off=10**12, at=3))
    nets = [(-60, DEEP), (60, -2 * DEEP), (600, DEEP)]
    with pytest.raises(BadValueError, match=f"it is from -{DEEP} to {DEEP} elsewhere: negative"):
        state(snapshot(nets, liquidity=DEEP))


def test_a_pool_without_liquidity_at_its_price_trades_from_the_ranges_beside_it() -> None:
    nets = [(-600, DEEP), (-60, -DEEP), (60, 2 * DEEP), (600, -2 * DEEP)]
    gap = state(snapshot(nets, liquidity=0))
    below = state(snapshot(nets, tick=-61, liquidity=DEEP))
    above = state(snapshot(nets, tick=60, liquidity=2 * DEEP))

    for amount_raw in (10**6, 10**15):
        assert amount_out(gap, amount_raw, token_in=1) == amount_out(above, amount_raw, token_in=1)
        out_raw = amount_out(gap, amount_raw, token_in=0)
        assert out_raw > amount_out(below, amount_raw, token_in=0)  # it starts a tick higher
        assert amount_in(gap, out_raw, token_in=0) <= amount_raw
    rates = [math.exp(side.log_rate) for side in prepare_pool(snapshot(nets, liquidity=0)).sides]
    assert rates[0] == pytest.approx(1.0001**-60 * 0.9995, rel=1e-9)
    assert rates[1] == pytest.approx(1.0001**-60 * 0.9995, rel=1e-9)


def test_a_pool_with_liquidity_nowhere_is_refused_as_that() -> None:
    with pytest.raises(BadValueError, match="liquidity is 0 at tick 5 and everywhere else"):
        state(snapshot([], liquidity=0))


def test_a_pool_with_liquidity_on_one_side_is_in_routes_that_way_only() -> None:
    one_sided = snapshot([(60, 2_000_000 * DEEP), (600, -2_000_000 * DEEP)], liquidity=0)
    prepared = prepare_pool(one_sided)
    assert [side.log_rate > GIVES_NOTHING for side in prepared.sides] == [False, True]
    pools = [("ETH", "USDT", (1_000.0, 2_000.0)), ("ETH", "USDT", (1_000_000.0, 1_010_000.0))]
    market = PairMarket(pools, gwei="0", usd={"ETH": 1.0, "USDT": 1.0}, legs_max=3)
    detector = market.world.detector

    told = detector.add_pool(7, prepared, market.world.now_ns)

    through = [[hop.row for hop in episode.first.hops] for episode in told]
    assert [7, 0] in through  # bought from the pool, sold where ETH is dear
    assert all(rows[0] == 7 for rows in through if 7 in rows)
    detector.remove_pool(7, market.world.now_ns)
