"""Exact forms against the official SDKs and against the contracts' own code, on generated states.

`tests/pools/vectors/generate.mjs` made the answers.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from engine.domain.errors import BadValueError
from engine.kernels import constant_product as pair_kernel
from engine.kernels import tick_math as tick_kernel
from engine.kernels.concentrated_exact import REFUSED
from engine.kernels.u256 import from_limbs, to_limbs
from engine.pools import constant_product
from engine.pools.concentrated import (
    ConcentratedState,
    Swap,
    swap_exact_in,
    swap_exact_out,
)
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import INT128_MAX, INT256_MAX
from engine.pools.swap_math import step_exact_in, step_exact_out
from engine.pools.tick_math import (
    TICK_MAX,
    TICK_MIN,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)
from tests.pools.uniswap_states import (
    load,
    make_state,
    make_table,
    pack_concentrated,
    pack_pair,
    swap_by_kernel,
)

V2_FEE = Fraction(3, 1000)
WIDE_SPACING = 32_767  # words of the bitmap beyond all ticks


def test_pairs_answer_as_the_sdk_does() -> None:
    rows = load("vectors/sdk_pairs.json.xz")
    given_count = asked_count = 0

    for reserve0, reserve1, token_in, amount, given, asked in rows:
        state = ConstantProductState.of(
            reserve0_raw=int(reserve0), reserve1_raw=int(reserve1), fee0=V2_FEE
        )
        hops = np.array([[0, token_in]])
        amounts = np.zeros((2, 4), np.uint64)
        for exact, kernel, expected in (
            (constant_product.amount_out, pair_kernel.confirm_path, given),
            (constant_product.amount_in, pair_kernel.charge_path, asked),
        ):
            is_forward = expected is given and exact is constant_product.amount_out
            amounts[0 if is_forward else 1] = to_limbs(int(amount))
            done = kernel(pack_pair(state).reshape(1, -1), hops, amounts)
            try:
                found = exact(state, int(amount), token_in=token_in)
            except BadValueError:
                # the SDK knows no 112 bits; the pair does
                assert done == 0
                continue
            assert expected is not None
            assert (done, from_limbs(amounts[1 if is_forward else 0])) == (1, found)
            assert found == int(expected)
            given_count += is_forward
            asked_count += not is_forward

    assert len(rows) == 3000
    assert given_count > 1500
    assert asked_count > 800


def test_ticks_and_roots_of_prices_are_those_of_the_sdk() -> None:
    rows = load("vectors/sdk_ticks.json.xz")
    ratios = np.zeros((len(rows), 3), np.uint64)
    tick_kernel.fill_sqrt_ratios(np.array([row[0] for row in rows]), ratios)
    within = np.array([to_limbs(int(row[2]), 3) for row in rows])
    ticks = np.zeros(len(rows), np.int64)
    tick_kernel.fill_ticks(within, ticks)

    for row, ratio, by_kernel in zip(rows, ratios, ticks, strict=True):
        tick, at_tick, between, tick_between, tick_below = row
        assert sqrt_ratio_at_tick(tick) == int(at_tick) == from_limbs(ratio)
        assert tick_at_sqrt_ratio(int(between)) == tick_between == by_kernel
        assert tick_at_sqrt_ratio(int(at_tick)) == tick
        if tick_below is not None:
            assert tick_at_sqrt_ratio(int(at_tick) - 1) == tick_below == tick - 1

    assert len(rows) == 3000


def test_single_steps_are_those_of_the_sdk() -> None:
    rows = load("vectors/sdk_steps.json.xz")

    for row in rows:
        price, target, liquidity, amount, fee, is_exact_in, *answer = (int(one) for one in row)
        step = step_exact_in if is_exact_in else step_exact_out
        assert step(price, target, liquidity, amount, fee) == tuple(answer), row

    assert len(rows) == 3000


def test_steps_whose_products_exceed_256_bits_are_those_of_the_sdk() -> None:
    rows = load("vectors/sdk_wide_steps.json.xz")
    coarse = 0

    for row in rows:
        price, target, liquidity, amount, fee, _, *answer = (int(one) for one in row)
        found = step_exact_in(price, target, liquidity, amount, fee)
        assert found == tuple(answer), row
        coarse += found[0] != target
        assert wide_pool_agrees(price, target, liquidity, amount, fee, found)

    assert len(rows) == 1000
    assert coarse > 500


def wide_pool_agrees(  # noqa: PLR0917 - a row of the file
    price: int, target: int, liquidity: int, amount: int, fee: int, found: tuple[int, int, int]
) -> bool:
    """Tell whether a pool of one range, in which one step gets that far, says the same."""
    tick = tick_at_sqrt_ratio(price)
    state = ConcentratedState(
        sqrt_price_x96=price,
        tick=tick,
        liquidity=liquidity,
        fee_pips=fee,
        table=make_table([], tick_spacing=WIDE_SPACING, known=(TICK_MIN + 1, TICK_MAX - 1)),
    )
    by_kernel = swap_by_kernel(
        pack_concentrated(state), amount, token_in=0, is_exact_in=True, limit_x96=target
    )
    exact = swap_exact_in(state, amount, token_in=0, sqrt_price_limit_x96=target)
    is_one_step = exact.step_count == 1
    return (by_kernel.sqrt_price_x96, by_kernel.amount_in_raw, by_kernel.amount_out_raw) == (
        exact.sqrt_price_x96,
        exact.amount_in_raw,
        exact.amount_out_raw,
    ) and (
        not is_one_step
        or found == (exact.sqrt_price_x96, exact.amount_in_raw, exact.amount_out_raw)
    )


# ---- whole swaps ---------------------------------------------------------------------------------


def exact_swap(state: ConcentratedState, asked: dict[str, Any]) -> Swap | None:
    swap = swap_exact_in if asked["isExactIn"] else swap_exact_out
    limit = None if asked["limit"] is None else int(asked["limit"])
    try:
        return swap(
            state, int(asked["amount"]), token_in=asked["tokenIn"], sqrt_price_limit_x96=limit
        )
    except BadValueError:
        return None


def kernel_agrees(state: ConcentratedState, asked: dict[str, Any], exact: Swap | None) -> bool:
    found = swap_by_kernel(
        pack_concentrated(state, token_in=asked["tokenIn"]),
        int(asked["amount"]),
        token_in=asked["tokenIn"],
        is_exact_in=bool(asked["isExactIn"]),
        limit_x96=int(asked["limit"] or 0),
    )
    if exact is None:
        return found.outcome == REFUSED
    return found.outcome != REFUSED and all(
        getattr(found, name) == getattr(exact, name)
        for name in Swap.__dataclass_fields__  # every field of it
    )


def signed(asked: dict[str, Any], exact: Swap) -> tuple[int, int]:
    if asked["tokenIn"] == 0:
        return exact.amount_in_raw, -exact.amount_out_raw
    return -exact.amount_out_raw, exact.amount_in_raw


def states() -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = load("vectors/concentrated_swaps.json.xz")
    return held


def state_of(row: dict[str, Any], *, fee_pips: int, amount_raw_max: int) -> ConcentratedState:
    return make_state(
        {
            "sqrt_price_x96": row["price"],
            "tick": row["tick"],
            "liquidity": row["liquidity"],
            "fee": fee_pips,
            "tick_spacing": row["spacing"],
        },
        [(tick, int(net)) for tick, net in row["ticks"]],
        amount_raw_max=amount_raw_max,
    )


def test_whole_swaps_are_those_of_the_sdk() -> None:
    met = 0

    for row in states():
        state = state_of(row, fee_pips=row["fee"], amount_raw_max=INT256_MAX)
        for asked in row["swaps"]:
            exact = exact_swap(state, asked)
            assert kernel_agrees(state, asked, exact), asked
            answer = asked["sdk"]
            assert exact is not None
            calculated = exact.amount_out_raw if asked["isExactIn"] else exact.amount_in_raw
            found = (calculated, exact.sqrt_price_x96, exact.tick, exact.liquidity)
            assert found == (int(answer[0]), int(answer[1]), answer[2], int(answer[3])), asked
            met += 1

    assert met == 3000


@pytest.mark.parametrize(("version", "met_count"), [("v3", 600), ("v4", 573)])
def test_whole_swaps_are_those_of_the_contract_itself(version: str, met_count: int) -> None:
    met = refused = 0

    for row in states():
        plain = state_of(
            row, fee_pips=row["fee"], amount_raw_max=INT256_MAX if version == "v3" else INT128_MAX
        )
        for asked in row["swaps"]:
            if version not in asked:
                continue
            state = plain
            if version == "v4":  # the other direction's fee is another one, and takes no part
                fees = [(row["protocolFee"] + 500) % 1_000] * 2
                fees[asked["tokenIn"]] = row["protocolFee"]
                state = replace(plain, protocol_fees_pips=(fees[0], fees[1]))
            answer = asked[version]
            exact = exact_swap(state, asked)
            assert kernel_agrees(state, asked, exact), asked
            if isinstance(answer, dict):
                assert exact is None, asked
                refused += 1
            else:
                assert exact is not None, asked
                assert signed(asked, exact) == (int(answer[0]), int(answer[1])), asked
                met += 1

    assert met == met_count
    assert met + refused == 600
