"""Whether two readings of a pool are of the same state, and what moves make of a pair."""

import random

import pytest
from msgspec.structs import replace

from engine.chains.following.held import (
    AnyHeld,
    Held,
    HeldPair,
    after,
    after_moves,
    are_same,
    pairs_at,
    snapshot_of,
)
from engine.chains.ports import PoolNow
from engine.domain.errors import BadValueError
from engine.pools.blocks import PoolMoved, PoolRead, words_of
from engine.pools.integers import UINT112_MAX
from engine.pools.moves import BalancesMove, Move, PairMove
from engine.pools.snapshot_rows import ConcentratedRow, PairRow
from tests.chains.families.logs import make_pool
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

    assert are_same(held_of(near), held_of(DEEP))
    assert are_same(held_of(DEEP), held_of(near))


@pytest.mark.parametrize(
    "other",
    [
        replace(DEEP, grosses=(DEEP.grosses[0], "7", "5", DEEP.grosses[3])),
        replace(DEEP, sqrt_price_x96=str(int(DEEP.sqrt_price_x96) + 1)),
        replace(ROW, known_min=-600, known_max=600, ticks=(), grosses=()),
    ],
)
def test_a_tick_or_a_price_that_both_read_and_that_differs_is_one(other: ConcentratedRow) -> None:
    assert not are_same(held_of(other), held_of(DEEP))


PAIR = Held.of(PoolNow(pool=make_pool(), row=PairRow(reserve0_raw="5000", reserve1_raw="7000")))
EDGES = (0, 1, 999, 1_000, 1_001, 10**18, UINT112_MAX, UINT112_MAX + 1, 2**256 - 1)


def outcome(made: object) -> object:
    """What came of a pair, or why it cannot be."""
    try:
        held = made()  # type: ignore[operator]
    except BadValueError as error:
        return str(error)
    return snapshot_of(held, 7), held.state


def test_a_moved_pair_is_what_the_exact_form_makes_of_each_move_and_refuses_the_same() -> None:
    rng, kinds = random.Random(4), set()
    held: AnyHeld = PAIR
    exact = PAIR
    for _ in range(400):
        first, second = (rng.choice(EDGES) + rng.choice((0, 0, 7)) for _ in range(2))
        move: Move = PairMove(reserve0_raw=first, reserve1_raw=second)
        if rng.random() < 0.1:
            move = BalancesMove(balances_raw=(first, second))
        change = PoolMoved(address=PAIR.pool.address, move=move)

        made = outcome(lambda: after(held, change))  # noqa: B023 - called at once
        assert made == outcome(lambda: after_moves(exact, [move]))  # noqa: B023 - called at once
        kinds.add(type(made))
        if not isinstance(made, str):
            held, exact = after(held, change), after_moves(exact, [move])
            kinds.add(type(held))
            assert are_same(held, exact)
    assert kinds == {str, tuple, Held, HeldPair}


def test_a_moved_pair_that_is_read_is_as_it_was_read() -> None:
    address = PAIR.pool.address
    moved = after(
        PAIR, PoolMoved(address=address, move=PairMove(reserve0_raw=9_000, reserve1_raw=8_000))
    )
    read = after(
        moved, PoolRead(address=address, row=PairRow(reserve0_raw="1", reserve1_raw="2000000"))
    )

    assert isinstance(moved, HeldPair)
    assert snapshot_of(read, 1).row == PairRow(reserve0_raw="1", reserve1_raw="2000000")
    with pytest.raises(BadValueError, match="was made of"):
        after(moved, PoolRead(address="0xother", row=PairRow(reserve0_raw="1", reserve1_raw="2")))


def test_a_pair_s_move_is_none_of_another_pool() -> None:
    deep = held_of(DEEP)
    move = PairMove(reserve0_raw=9_000, reserve1_raw=8_000)

    with pytest.raises(BadValueError, match="is no move of a"):
        after(deep, PoolMoved(address=deep.pool.address, move=move))


def test_no_other_pool_is_taken_as_a_pair_among_many() -> None:
    words = words_of(10**21, 10**21)
    moved = HeldPair(PAIR, words)

    assert pairs_at([PAIR, moved], [words, words]) == ([moved, moved], words + words)
    for other in (held_of(DEEP), None):
        assert pairs_at([PAIR, other, moved], [words] * 3) is None
