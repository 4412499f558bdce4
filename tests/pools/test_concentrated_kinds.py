"""Each kind of concentrated pool at its gaps and edges: the exact form against the screened one."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest

from engine.detect.graph.pool_sides import GIVES_NOTHING, PoolSide, PreparedPool, prepare_pool
from engine.detect.sizing.exact import leg_of
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.kernels.sizing_layout import CURVE_COLUMNS, PIECE, SIDE, SIDE_COLUMNS
from engine.pools.reverts import U64_MAX
from engine.pools.snapshot_rows import ROW_OF, ConcentratedRow, WhirlpoolRow
from engine.pools.snapshots import PoolSnapshot
from engine.pools.tick_math import TICK_MAX, TICK_MIN, sqrt_ratio_at_tick
from engine.pools.whirlpool import TICKS_PER_ARRAY
from engine.pools.whirlpool_math import sqrt_price_at
from tests.detect.outputs import route_output

DEEP = 10**15
SPACING = 64
DECIMALS = (9, 6)
KINDS = sorted(kind for kind, row in ROW_OF.items() if row in {ConcentratedRow, WhirlpoolRow})
SHARES = (1e-6, 0.01, 0.3, 0.7, 0.999)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A price among ranges: net liquidity by tick, and the tick of the price.

    `has_fallen`: the price lies exactly on the tick above it, which it just crossed.
    """

    nets: dict[int, int]
    tick: int
    has_fallen: bool = False
    is_whole: bool = True

    @property
    def liquidity(self) -> int:
        return sum(net for tick, net in self.nets.items() if tick <= self.tick)


BESIDE = {-640: DEEP, -64: -DEEP, 64: 2 * DEEP, 640: -2 * DEEP}
LAST = 443_584  # the highest multiple of the spacing that every kind has
PLACES = {
    "within ranges": Place(nets={-640: DEEP, -64: 4 * DEEP, 64: -4 * DEEP, 640: -DEEP}, tick=3),
    "in a gap": Place(nets=BESIDE, tick=3),
    "in a gap between two gaps": Place(
        nets={-960: DEEP, -640: -DEEP, -320: DEEP, -64: -DEEP}
        | {64: DEEP, 320: -DEEP, 640: DEEP, 960: -DEEP},
        tick=3,
    ),
    "below all": Place(nets={64: DEEP, 640: -DEEP}, tick=3),
    "above all": Place(nets={-640: DEEP, -64: -DEEP}, tick=3),
    "risen onto a gap's lower end": Place(nets=BESIDE, tick=-64),
    "risen onto a gap's upper end": Place(nets=BESIDE, tick=64),
    "fallen onto a gap's lower end": Place(nets=BESIDE, tick=-65, has_fallen=True),
    "fallen onto a gap's upper end": Place(nets=BESIDE, tick=63, has_fallen=True),
    "in a gap far from one range": Place(
        nets={-6_400: DEEP, -64: -DEEP, 5_632: DEEP, 6_400: -DEEP}, tick=3
    ),
    "in the last range": Place(nets={LAST - 64: DEEP, LAST: -DEEP}, tick=LAST - 30),
    "in the first range": Place(nets={-LAST: DEEP, 64 - LAST: -DEEP}, tick=30 - LAST),
    "in a range of all prices": Place(nets={-LAST: DEEP, LAST: -DEEP}, tick=3),
    "in a gap, read in part": Place(nets=BESIDE, tick=3, is_whole=False),
    "within ranges, read in part": Place(nets={-64: DEEP, 64: DEEP}, tick=3, is_whole=False),
}


def snapshot(kind: Protocol, place: Place) -> PoolSnapshot:
    pool = Pool(
        chain="ethereum",
        protocol=kind,
        address=f"0x{7:040x}",
        tokens=tuple(zip((AssetCode("ETH"), AssetCode("USDT")), DECIMALS, strict=True)),
        fee_ratio=Decimal("0.003"),
        gas_units=100_000,
        protocol_fee_ratios=(Decimal("0.001"), Decimal("0.0005"))
        if kind is Protocol.UNISWAP_V4
        else (),
    )
    ticks = tuple((tick, str(net)) for tick, net in sorted(place.nets.items()))
    row: ConcentratedRow | WhirlpoolRow
    if ROW_OF[kind] is ConcentratedRow:
        known = (TICK_MIN, TICK_MAX) if place.is_whole else (-1_280, 1_280)
        price = sqrt_ratio_at_tick(place.tick + place.has_fallen)
        row = ConcentratedRow(
            sqrt_price_x96=str(price),
            tick=place.tick,
            liquidity=str(place.liquidity),
            tick_spacing=SPACING,
            ticks=ticks,
            known_min=known[0],
            known_max=known[1],
        )
    else:
        width = TICKS_PER_ARRAY * SPACING
        span = 79 * width if place.is_whole else width  # 79 arrays reach the last tick
        row = WhirlpoolRow(
            sqrt_price_x64=str(sqrt_price_at(place.tick + place.has_fallen)),
            tick=place.tick,
            liquidity=str(place.liquidity),
            tick_spacing=SPACING,
            ticks=ticks,
            array_starts=tuple(range(-span, span, width)),
        )
    return PoolSnapshot(pool=pool, row=row)


def screened(side: PoolSide, amount_in: float) -> float:
    """Return what the sizing of routes takes a side to give, in units."""
    assert side.pieces is not None
    row = np.zeros((1, SIDE_COLUMNS))
    row[0, SIDE.TO] = len(side.pieces)
    row[0, SIDE.INPUT_MAX] = np.inf
    curves = np.zeros((1, CURVE_COLUMNS))
    return float(route_output(np.zeros(1, np.int64), row, side.pieces, curves, amount_in))


def capacity_raw(side: PoolSide) -> int:
    assert side.pieces is not None
    return int(side.pieces[-1, PIECE.CIN] * 10 ** DECIMALS[side.token_in])


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_concentrated_pool_gives_what_it_is_screened_to_give(kind: Protocol, name: str) -> None:
    prepared = prepare_pool(snapshot(kind, PLACES[name]))

    assert prepared.cut == ()
    assert any(side.log_rate > GIVES_NOTHING for side in prepared.sides)
    for side in prepared.sides:
        assert side.pieces is not None
        capacity = capacity_raw(side)
        assert (capacity > 0) == (side.log_rate > GIVES_NOTHING)
        unit_in, unit_out = (10 ** DECIMALS[token] for token in (side.token_in, side.token_out))
        most_raw = int(side.pieces[-1, PIECE.COUT] * unit_out)
        leg = leg_of(prepared.state, token_in=side.token_in, token_out=side.token_out)
        stops = 2 * len(side.pieces)  # each floors what it gives and ceils what it takes
        for amount_raw in [int(capacity * share) for share in SHARES if capacity * share >= 1]:
            most_out_raw = screened(side, amount_raw / unit_in) * unit_out
            if kind is Protocol.WHIRLPOOL and max(amount_raw, most_out_raw) > U64_MAX:
                with pytest.raises(BadValueError, match=f"{U64_MAX}|contract's word"):
                    leg.amount_out(amount_raw)
                continue
            least_out_raw = screened(side, (amount_raw - 2 * stops) / unit_in) * unit_out
            out_raw = leg.amount_out(amount_raw)
            assert least_out_raw * (1 - 1e-6) - stops <= out_raw <= most_out_raw * (1 + 1e-9) + 1
            if out_raw > 0:
                asked_raw = leg.amount_in(out_raw)
                assert leg.amount_out(asked_raw) >= out_raw
                # who takes all but a part of a unit is charged for all
                assert asked_raw <= amount_raw or out_raw == most_raw
        with pytest.raises(BadValueError):
            leg.amount_out(max(2 * capacity, 10**6))


@pytest.mark.parametrize("kind", KINDS)
def test_a_far_range_is_cut_where_floats_on_the_way_explain_it_and_else_refused(
    kind: Protocol,
) -> None:
    """A float forgets up to 512 units of 5 * 2**60 and of 4 * 2**60, 128 of 2**60, 64 of less."""
    deep, less, more = 2**60, 512 + 512 + 128, 512 + 512 + 64
    plain = {-640: deep, -64: 4 * deep, 64: -4 * deep, 640: -deep}

    def prepared(off: int) -> PreparedPool:
        return prepare_pool(snapshot(kind, Place(nets=plain | {640: off - deep}, tick=3)))

    for off in (-1, 1, -less, more):
        assert prepared(off).cut == (f"above tick 640, where liquidity is {off}",)
        near = [leg_of(prepared(of).state, token_in=1, token_out=0) for of in (off, 0)]
        assert near[0].amount_out(10**16) == near[1].amount_out(10**16) > 0
        with pytest.raises(BadValueError, match="known tick"):
            near[0].amount_out(10**18)
    for off in (-less - 1, more + 1):
        with pytest.raises(BadValueError, match=rf"{off}\b"):
            prepared(off)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pool_with_liquidity_nowhere_is_refused_as_that(kind: Protocol) -> None:
    for nets in ({}, {-64: 0, 64: 0}):
        with pytest.raises(BadValueError, match="liquidity is 0 at tick 3 and everywhere else"):
            prepare_pool(snapshot(kind, Place(nets=nets, tick=3)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_range_that_is_negative_far_behind_a_rounding_makes_no_pool_sound(kind: Protocol) -> None:
    """The first level that is off would be explained; the one behind it is not."""
    deep = 2**60
    nets = {-64: deep, 64: -deep - 1, 320: 1 - deep, 640: deep}
    with pytest.raises(BadValueError, match=rf"from -{deep} to {deep} elsewhere: negative"):
        prepare_pool(snapshot(kind, Place(nets=nets, tick=3)))
