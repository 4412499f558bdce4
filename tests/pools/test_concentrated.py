"""Concentrated pools: exact forms against real numbers and the rules that any swap keeps."""

import random
from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from engine.pools.concentrated import (
    ConcentratedState,
    Swap,
    amount_in,
    amount_out,
    state_after,
    swap_exact_in,
    swap_exact_out,
    swap_fee_pips,
)
from engine.pools.impact import (
    concentrated_after_amounts,
    impact_of_concentrated_amounts,
    impact_of_sqrt_prices,
)
from engine.pools.integers import INT256_MAX, UINT128_MAX
from engine.pools.tick_math import (
    FACTORS_X128,
    SQRT_RATIO_MAX_X96,
    SQRT_RATIO_MIN_X96,
    TICK_MAX,
    TICK_MIN,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)
from engine.pools.tick_table import TickTable
from tests.effort import examples
from tests.pools.uniswap_random import random_concentrated
from tests.reference import concentrated as reference

seeds = st.integers(0, 2**32)
tokens = st.sampled_from([0, 1])
amounts = st.integers(1, 2**100)

LIQUIDITY = 10**18
TINY = Decimal("1e-30")


def one_range(*, low: int = -600, high: int = 600, fee_pips: int = 3000) -> ConcentratedState:
    """A pool at tick 0 with one position."""
    table = TickTable.of(tick_spacing=60, ticks=[low, high], liquidity_nets=[LIQUIDITY, -LIQUIDITY])
    return ConcentratedState(
        sqrt_price_x96=2**96, tick=0, liquidity=LIQUIDITY, fee_pips=fee_pips, table=table
    )


def as_reference(state: ConcentratedState) -> reference.Pool:
    table = state.table
    return reference.Pool(
        sqrt_price_x96=state.sqrt_price_x96,
        tick=state.tick,
        liquidity=state.liquidity,
        fee_pips=state.fee_pips,
        bounds=list(zip(table.ticks, table.sqrt_ratios_x96, table.liquidity_nets, strict=True)),
    )


# ---- against real numbers ------------------------------------------------------------------------


@settings(max_examples=examples(300), deadline=None)
@given(seed=seeds, token_in=tokens, amount_raw=amounts)
def test_an_exact_input_gives_what_real_numbers_give_less_rounding(
    seed: int, token_in: int, amount_raw: int
) -> None:
    state = random_concentrated(random.Random(seed))
    found = swap_exact_in(state, amount_raw, token_in=token_in)
    real = reference.sell(as_reference(state), amount_raw, token_in)

    with localcontext(reference.DIGITS):
        price = (Decimal(state.sqrt_price_x96) / 2**96) ** 2
        best = price if token_in == 0 else 1 / price
        ulp = Decimal(found.liquidity) / 2**96
        if token_in == 1:
            ulp /= (Decimal(found.sqrt_price_x96) / 2**96) ** 2
        steps = found.step_count
        lost = real.amount_out - found.amount_out_raw
        assert -TINY <= lost <= (2 * steps + 2) * best + steps + 1 + 2 * ulp


@settings(max_examples=examples(300), deadline=None)
@given(seed=seeds, token_in=tokens, amount_raw=amounts)
def test_an_exact_output_costs_what_real_numbers_cost_and_rounding(
    seed: int, token_in: int, amount_raw: int
) -> None:
    state = random_concentrated(random.Random(seed))
    found = swap_exact_out(state, amount_raw, token_in=token_in)
    assume(found.amount_out_raw == amount_raw)
    real = reference.buy(as_reference(state), amount_raw, token_in)

    enough = reference.sell(as_reference(state), found.amount_in_raw, token_in)
    with localcontext(reference.DIGITS):
        assert abs(real.amount_out - amount_raw) < TINY
        assert found.amount_in_raw >= real.amount_in - TINY
        assert enough.amount_out >= amount_raw - TINY


# ---- rules of swaps ------------------------------------------------------------------------------


@settings(max_examples=examples(200), deadline=None)
@given(seed=seeds, token_in=tokens, amount_raw=amounts)
def test_there_and_back_never_gains(seed: int, token_in: int, amount_raw: int) -> None:
    state = random_concentrated(random.Random(seed))
    there = swap_exact_in(state, amount_raw, token_in=token_in)
    assume(there.amount_out_raw > 0)
    moved = state_after(state, there)
    out_of_range = moved.sqrt_price_x96 in (SQRT_RATIO_MIN_X96 + 1, SQRT_RATIO_MAX_X96 - 1)
    assume(not out_of_range)

    back = swap_exact_in(moved, there.amount_out_raw, token_in=1 - token_in)

    assert back.amount_out_raw <= there.amount_in_raw


@settings(max_examples=examples(200), deadline=None)
@given(seed=seeds, token_in=tokens, amount_raw=amounts)
def test_the_state_after_a_swap_is_one_that_can_be(
    seed: int, token_in: int, amount_raw: int
) -> None:
    state = random_concentrated(random.Random(seed))
    found = swap_exact_in(state, amount_raw, token_in=token_in)

    after = state_after(state, found)  # its maker checks price, tick and liquidity

    assert found.amount_in_raw <= amount_raw
    falls = token_in == 0
    assert (after.sqrt_price_x96 <= state.sqrt_price_x96) is falls or (
        after.sqrt_price_x96 == state.sqrt_price_x96
    )


@settings(max_examples=examples(200), deadline=None)
@given(seed=seeds, token_in=tokens, amount_raw=amounts)
def test_buying_what_a_sale_gave_asks_no_more_than_the_sale(
    seed: int, token_in: int, amount_raw: int
) -> None:
    state = random_concentrated(random.Random(seed))
    sold = swap_exact_in(state, amount_raw, token_in=token_in)
    assume(sold.amount_out_raw > 0)

    bought = swap_exact_out(state, sold.amount_out_raw, token_in=token_in)

    assert bought.amount_in_raw <= sold.amount_in_raw or _ends_on_a_boundary(bought)


def test_the_last_unit_before_a_boundary_costs_the_way_to_the_boundary() -> None:
    # The contract goes on to the boundary when its floored output is just what is wanted.
    state = random_concentrated(random.Random(14151))

    sold = swap_exact_in(state, 269_251, token_in=0)
    bought = swap_exact_out(state, sold.amount_out_raw, token_in=0)

    assert (sold.amount_out_raw, bought.amount_out_raw) == (2_411, 2_411)
    assert bought.amount_in_raw == 68_006_470_330_098
    assert _ends_on_a_boundary(bought)


def _ends_on_a_boundary(swap: Swap) -> bool:
    """Say whether the price stands exactly on a tick, as at the end of a step."""
    ratios = {sqrt_ratio_at_tick(tick) for tick in (swap.tick, swap.tick + 1)}
    return swap.sqrt_price_x96 in ratios


def test_a_swap_stops_at_the_end_of_a_word_of_the_bitmap() -> None:
    state = one_range(low=-600 * 60, high=600 * 60)
    # to tick -600 * 60: words end at 0, -15360 and -30720
    reached = swap_exact_in(
        state, 10**30, token_in=0, sqrt_price_limit_x96=sqrt_ratio_at_tick(-600 * 60)
    )

    assert reached.step_count == 4
    assert swap_exact_in(state, 10, token_in=0).step_count == 2  # tick 0 first, of no width


def test_stops_between_two_ticks_cost_the_trader_by_rounding() -> None:
    state = one_range(low=-600 * 60, high=600 * 60)
    whole = amount_out(state, 2 * 10**18, token_in=0)

    real = reference.sell(as_reference(state), 2 * 10**18, 0)

    assert 1 <= real.amount_out - whole <= 5


# ---- limits --------------------------------------------------------------------------------------


def test_a_price_limit_stops_a_swap_there() -> None:
    limit_x96 = sqrt_ratio_at_tick(-100)
    found = swap_exact_in(one_range(), 10**18, token_in=0, sqrt_price_limit_x96=limit_x96)

    assert found.sqrt_price_x96 == limit_x96
    assert 0 < found.amount_in_raw < 10**18
    assert found.tick == -100


@pytest.mark.parametrize(
    ("token_in", "limit_x96"),
    [(0, 2**96), (0, 2**96 + 1), (0, SQRT_RATIO_MIN_X96), (1, 2**96), (1, SQRT_RATIO_MAX_X96)],
)
def test_a_price_limit_on_the_wrong_side_is_refused(token_in: int, limit_x96: int) -> None:
    with pytest.raises(BadValueError, match="sqrt_price_limit_x96"):
        swap_exact_in(one_range(), 1000, token_in=token_in, sqrt_price_limit_x96=limit_x96)


def test_more_than_the_liquidity_is_refused_as_a_quote_and_taken_in_part_as_a_swap() -> None:
    state = one_range()
    part = swap_exact_in(state, 10**30, token_in=1)

    assert 0 < part.amount_in_raw < 10**30
    assert part.sqrt_price_x96 == SQRT_RATIO_MAX_X96 - 1
    assert part.liquidity == 0
    with pytest.raises(BadValueError, match=r"takes .* of amount_in_raw"):
        amount_out(state, 10**30, token_in=1)
    with pytest.raises(BadValueError, match=r"gives .* of amount_out_raw"):
        amount_in(state, part.amount_out_raw + 1, token_in=1)
    assert amount_in(state, part.amount_out_raw, token_in=1) <= part.amount_in_raw


def test_a_swap_across_a_hole_in_liquidity_goes_on_behind_it() -> None:
    table = TickTable.of(
        tick_spacing=60,
        ticks=[-6000, -3000, 0, 60],
        liquidity_nets=[LIQUIDITY, -LIQUIDITY, LIQUIDITY, -LIQUIDITY],
    )
    state = ConcentratedState(
        sqrt_price_x96=2**96 + 10**20, tick=0, liquidity=LIQUIDITY, fee_pips=500, table=table
    )

    found = swap_exact_in(state, 10**17, token_in=0)

    assert found.amount_in_raw == 10**17
    assert -6000 < found.tick < -3000
    assert found.liquidity == LIQUIDITY


def test_unknown_ticks_stop_a_swap_only_if_it_needs_them() -> None:
    table = TickTable.of(
        tick_spacing=60, ticks=[], liquidity_nets=[], known_min=-120, known_max=120
    )
    state = ConcentratedState(
        sqrt_price_x96=2**96, tick=0, liquidity=LIQUIDITY, fee_pips=0, table=table
    )

    near = swap_exact_in(state, 10**15, token_in=0)

    assert near.tick >= -120
    with pytest.raises(BadValueError, match="leaves the known ticks -120 to 120"):
        swap_exact_in(state, 10**16, token_in=0)
    with pytest.raises(BadValueError, match="leaves the known ticks -120 to 120"):
        swap_exact_out(state, 10**16, token_in=1)


def test_a_fee_can_be_passed_in() -> None:
    state = one_range(fee_pips=3000)

    assert amount_out(state, 10**12, token_in=0, fee_pips=500) == amount_out(
        replace(state, fee_pips=500), 10**12, token_in=0
    )
    with pytest.raises(BadValueError, match="fee_pips is 1000000"):
        amount_out(state, 10**12, token_in=0, fee_pips=1_000_000)


def test_a_protocol_fee_comes_before_the_providers() -> None:
    assert swap_fee_pips(lp_fee_pips=3000, protocol_fee_pips=1000) == 3997
    assert swap_fee_pips(lp_fee_pips=3000, protocol_fee_pips=0) == 3000
    with pytest.raises(BadValueError, match="protocol_fee_pips"):
        swap_fee_pips(lp_fee_pips=3000, protocol_fee_pips=1001)


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sqrt_price_x96": 0}, "sqrt_price_x96 is 0"),
        ({"sqrt_price_x96": float("nan")}, "sqrt_price_x96 is no whole number: nan"),
        ({"sqrt_price_x96": SQRT_RATIO_MAX_X96}, "a pool stays below it"),
        ({"sqrt_price_x96": sqrt_ratio_at_tick(2)}, "is not at tick 0"),
        ({"tick": -2}, "is not at tick -2"),
        ({"tick": TICK_MAX}, "tick is 887272"),
        ({"fee_pips": 1_000_000}, "fee_pips is 1000000"),
        ({"fee_pips": -1}, "fee_pips is -1"),
        ({"liquidity": 0}, f"leave -{LIQUIDITY} below"),
        ({"liquidity": -1}, "liquidity is -1"),
        ({"liquidity": UINT128_MAX + 1}, "liquidity is"),
        ({"liquidity": float("inf")}, "liquidity is no whole number: inf"),
        ({"amount_raw_max": 2**256}, "amount_raw_max"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_by_name(change: dict[str, object], words: str) -> None:
    with pytest.raises(BadValueError, match=words):
        replace(one_range(), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ticks": [60, 0]}, "ticks must rise"),
        ({"ticks": [0, 0]}, "ticks must rise"),
        ({"ticks": [0, 61]}, "tick 61 is no multiple"),
        ({"ticks": [0, 887_280]}, "tick is 887280"),
        ({"ticks": [0]}, "1 ticks but 2 net"),
        ({"liquidity_nets": [5, -4]}, "sums to 1"),
        ({"liquidity_nets": [2**127, -(2**127)]}, "net liquidity at tick 0"),
        ({"liquidity_nets": [5.0, -5.0]}, "no whole number: 5.0"),
        ({"tick_spacing": 0}, "tick_spacing is 0"),
        ({"tick_spacing": 32_768}, "tick_spacing is 32768"),
        ({"known_min": 120}, "tick is 0"),
        ({"known_min": 120, "known_max": 60}, "known_max is 60"),
    ],
)
def test_a_table_that_cannot_be_is_refused_by_name(change: dict[str, object], words: str) -> None:
    good = {"tick_spacing": 60, "ticks": [0, 60], "liquidity_nets": [5, -5]}

    with pytest.raises(BadValueError, match=words):
        TickTable.of(**(good | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(("known_min", "known_max"), [(TICK_MIN, 120), (-60, TICK_MAX)])
def test_liquidity_behind_the_last_tick_of_a_known_side_is_refused(
    known_min: int, known_max: int
) -> None:
    table = TickTable.of(
        tick_spacing=60, ticks=[0], liquidity_nets=[0], known_min=known_min, known_max=known_max
    )

    table.check_liquidity(0, 30)
    with pytest.raises(BadValueError, match="leave 5 below the first and 5 above the last"):
        table.check_liquidity(5, 30)


def test_liquidity_below_nothing_somewhere_is_refused() -> None:
    table = TickTable.of(
        tick_spacing=60, ticks=[0, 60], liquidity_nets=[-5, 5], known_min=-60, known_max=120
    )

    with pytest.raises(BadValueError, match="from -1 to 4 elsewhere: negative, or over 128 bits"):
        table.check_liquidity(4, -30)
    table.check_liquidity(5, -30)


@pytest.mark.parametrize("amount_raw", [0, -1, INT256_MAX + 1, 2**300])
def test_amounts_that_no_contract_takes_are_refused(amount_raw: int) -> None:
    with pytest.raises(BadValueError, match="amount_in_raw"):
        amount_out(one_range(), amount_raw, token_in=0)
    with pytest.raises(BadValueError, match="amount_out_raw"):
        amount_in(one_range(), amount_raw, token_in=0)


# ---- ticks ---------------------------------------------------------------------------------------


def test_the_constants_are_the_roots_that_they_stand_for() -> None:
    with localcontext(reference.DIGITS):
        for bit, factor in enumerate(FACTORS_X128):
            real = Decimal(2**128) / (Decimal("1.0001") ** (2**bit)).sqrt()
            assert factor == round(real)


@settings(max_examples=examples(300), deadline=None)
@given(tick=st.integers(TICK_MIN, TICK_MAX - 1))
def test_a_tick_holds_from_its_own_root_up_to_the_next(tick: int) -> None:
    low, high = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)

    assert low < high
    assert tick_at_sqrt_ratio(low) == tick
    assert tick_at_sqrt_ratio(high - 1) == tick


@pytest.mark.parametrize("tick", [TICK_MIN - 1, TICK_MAX + 1, 0.5, True])
def test_a_tick_out_of_range_is_refused(tick: int) -> None:
    with pytest.raises(BadValueError, match="tick is"):
        sqrt_ratio_at_tick(tick)


def test_a_root_out_of_range_is_refused() -> None:
    assert tick_at_sqrt_ratio(SQRT_RATIO_MIN_X96) == TICK_MIN
    for root in (SQRT_RATIO_MIN_X96 - 1, SQRT_RATIO_MAX_X96):
        with pytest.raises(BadValueError, match="sqrt_price_x96"):
            tick_at_sqrt_ratio(root)


# ---- price impact --------------------------------------------------------------------------------


@settings(max_examples=examples(200), deadline=None)
@given(seed=seeds, token_in=tokens, amount_raw=amounts, is_exact_in=st.booleans())
def test_the_impact_from_amounts_is_the_one_from_prices(
    seed: int, token_in: int, amount_raw: int, *, is_exact_in: bool
) -> None:
    state = random_concentrated(random.Random(seed))
    swap = (swap_exact_in if is_exact_in else swap_exact_out)(state, amount_raw, token_in=token_in)
    wanted = swap.amount_in_raw if is_exact_in else swap.amount_out_raw
    assume(wanted == amount_raw)
    assume(swap.amount_in_raw > 0)
    amounts_raw = [swap.amount_in_raw, -swap.amount_out_raw]
    amount0_raw, amount1_raw = amounts_raw if token_in == 0 else reversed(amounts_raw)

    after = concentrated_after_amounts(state, amount0_raw=amount0_raw, amount1_raw=amount1_raw)
    impact = impact_of_concentrated_amounts(state, amount0_raw=amount0_raw, amount1_raw=amount1_raw)

    # an exact input that gives the same output may lie a unit off the swap that was made
    if is_exact_in:
        assert after == state_after(state, swap)
    assert impact == impact_of_sqrt_prices(
        before_x96=state.sqrt_price_x96, after_x96=after.sqrt_price_x96
    )
    assert impact.change_ratio <= 0 if token_in == 0 else impact.change_ratio >= 0


def test_amounts_of_another_pool_are_refused() -> None:
    swap = swap_exact_in(one_range(), 10**12, token_in=0)

    for amount0_raw, amount1_raw in (
        (swap.amount_in_raw, -swap.amount_out_raw - 1),
        (swap.amount_in_raw, swap.amount_out_raw),
        (-5, -5),
        (0, 0),
    ):
        with pytest.raises(BadValueError, match="do not belong"):
            concentrated_after_amounts(
                one_range(), amount0_raw=amount0_raw, amount1_raw=amount1_raw
            )


def test_a_known_price_move_has_its_impact() -> None:
    impact = impact_of_sqrt_prices(before_x96=2**96, after_x96=2**96 * 11 // 10)

    assert impact.price_before == 1
    assert impact.change_bps_floor == 2_099  # the root is floored
