"""A quick look whether a block moves a price far agrees with the exact impact, and never raises."""

import random
from fractions import Fraction

import pytest

from engine.chains.following.held import Held
from engine.chains.pending.far_moves import moves_far, pairs_move_far
from engine.domain.faults import Fault
from engine.pools.blocks import PoolChange, PoolLost, PoolMoved, words_of
from engine.pools.constant_product import ConstantProductState
from engine.pools.impact import impact_of_reserves
from engine.pools.moves import BalancesMove, Move, PairMove, PriceMove
from engine.pools.snapshot_rows import PairRow, PoolState
from tests.chains.families.logs import POOL_ADDRESS, make_pool

HALF_PERCENT = 0.005


def pair(state: PoolState) -> Held:
    return Held(make_pool(), PairRow(reserve0_raw="1", reserve1_raw="1"), state)


def state(reserve0_raw: int, reserve1_raw: int) -> ConstantProductState:
    return ConstantProductState(
        reserve0_raw=reserve0_raw,
        reserve1_raw=reserve1_raw,
        fee0_numerator=3,
        fee1_numerator=3,
        fee_denominator=1_000,
    )


def moved(move: Move, address: str = POOL_ADDRESS) -> PoolMoved:
    return PoolMoved(address=address, move=move)


def test_close_to_what_is_far_all_digits_of_the_reserves_count() -> None:
    chance = random.Random(6)
    agreed = set()
    for _ in range(200):
        reserve0, reserve1 = (chance.randrange(2**38, 2**39) for _ in range(2))
        after = reserve1 + int(reserve1 * chance.uniform(0.00495, 0.00505))

        found = pairs_move_far(
            words_of(reserve0, after), words_of(reserve0, reserve1), HALF_PERCENT
        )

        assert found is (Fraction(after, reserve1) - 1 >= Fraction(5, 1_000))
        agreed.add(found)
    assert agreed == {True, False}


def test_it_agrees_with_the_exact_impact() -> None:
    chance = random.Random(5)
    before = state(10**21, 3 * 10**12)
    agreed = set()
    for _ in range(300):
        reserves = (
            chance.randrange(99 * 10**19, 101 * 10**19),
            chance.randrange(297, 303) * 10**10,
        )
        impact = impact_of_reserves(
            before, reserve0_after_raw=reserves[0], reserve1_after_raw=reserves[1]
        )
        move = PairMove(reserve0_raw=reserves[0], reserve1_raw=reserves[1])

        found = moves_far([moved(move)], {POOL_ADDRESS: pair(before)}, HALF_PERCENT)
        words, were = words_of(*reserves), words_of(before.reserve0_raw, before.reserve1_raw)
        for at in range(3):
            one, other = ([were] * at + [own] + [were] * 2 for own in (words, were))
            assert pairs_move_far(b"".join(one), b"".join(other), HALF_PERCENT) is found

        assert found is impact.reaches(Fraction(5, 1_000))
        agreed.add(found)
    assert agreed == {True, False}


@pytest.mark.parametrize(
    "change",
    [
        PoolLost(address=POOL_ADDRESS, fault=Fault.GAP),
        moved(PairMove(reserve0_raw=0, reserve1_raw=1)),
        moved(PriceMove(sqrt_price_x96=1 << 96, tick=0, liquidity=1)),
        moved(BalancesMove(balances_raw=(1, 2))),
    ],
)
def test_what_says_no_price_of_a_pool_moves_nothing(change: PoolChange) -> None:
    before = {POOL_ADDRESS: pair(state(10, 10))}

    assert not moves_far([change], before, HALF_PERCENT)
    assert not moves_far([change], {"0xother": before[POOL_ADDRESS]}, HALF_PERCENT)
    assert not moves_far([change], {}, HALF_PERCENT)
    assert not pairs_move_far(b"", b"", HALF_PERCENT)


def test_reserves_beyond_all_measure_do_not_raise() -> None:
    move = PairMove(reserve0_raw=1, reserve1_raw=1 << 2_000)
    before = {POOL_ADDRESS: pair(state(10, 10))}

    assert not moves_far([moved(move)], before, HALF_PERCENT)
