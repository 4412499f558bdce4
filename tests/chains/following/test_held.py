"""Whether two readings of a pool are of the same state."""

import pytest
from msgspec.structs import replace

from engine.chains.following.held import Held
from engine.chains.ports import PoolNow
from engine.pools.snapshot_rows import ConcentratedRow
from tests.chains.following.made_up import make_state

STATE = make_state(3)
ROW = STATE.row
assert isinstance(ROW, ConcentratedRow)
DEEP = replace(
    ROW,
    ticks=(ROW.ticks[0], (-60, "5"), (60, "-5"), ROW.ticks[1]),
    grosses=(ROW.grosses[0], "5", "5", ROW.grosses[1]),
    liquidity=str(int(ROW.liquidity) + 5),
)


def held_of(row: ConcentratedRow) -> Held:
    return Held.of(PoolNow(pool=STATE.pool, row=row))


def test_ticks_that_one_reading_did_not_reach_are_no_difference() -> None:
    near = replace(DEEP, ticks=DEEP.ticks[1:3], grosses=("5", "5"), known_min=-600, known_max=600)

    assert held_of(near).is_same(held_of(DEEP))
    assert held_of(DEEP).is_same(held_of(near))


@pytest.mark.parametrize(
    "other",
    [
        replace(DEEP, grosses=(DEEP.grosses[0], "7", "5", DEEP.grosses[3])),
        replace(DEEP, sqrt_price_x96=str(int(DEEP.sqrt_price_x96) + 1)),
        replace(ROW, known_min=-600, known_max=600, ticks=(), grosses=()),
    ],
)
def test_a_tick_or_a_price_that_both_read_and_that_differs_is_one(other: ConcentratedRow) -> None:
    assert not held_of(other).is_same(held_of(DEEP))
