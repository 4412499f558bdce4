"""Exact forms against the official SDKs and against the contracts' own code, on generated states.

`tests/pools/vectors/generate.mjs` made the answers.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from engine.domain.errors import BadValueError
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
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)
from tests.pools.uniswap_states import (
    load,
    make_state,
)

V2_FEE = Fraction(3, 1000)


def test_pairs_answer_as_the_sdk_does() -> None:
    rows = load("vectors/sdk_pairs.json.xz")
    given_count = asked_count = 0

    for reserve0, reserve1, token_in, amount, given, asked in rows:
        state = ConstantProductState.of(
            reserve0_raw=int(reserve0), reserve1_raw=int(reserve1), fee0=V2_FEE
        )
        for exact, expected in (
            (constant_product.amount_out, given),
            (constant_product.amount_in, asked),
        ):
            is_forward = exact is constant_product.amount_out
            try:
                found = exact(state, int(amount), token_in=token_in)
            except BadValueError:
                continue  # the SDK knows no 112 bits; the pair does
            assert expected is not None
            assert found == int(expected)
            given_count += is_forward
            asked_count += not is_forward

    assert len(rows) == 3000
    assert given_count > 1500
    assert asked_count > 800


def test_ticks_and_roots_of_prices_are_those_of_the_sdk() -> None:
    rows = load("vectors/sdk_ticks.json.xz")

    for tick, at_tick, between, tick_between, tick_below in rows:
        assert sqrt_ratio_at_tick(tick) == int(at_tick)
        assert tick_at_sqrt_ratio(int(between)) == tick_between
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

    assert len(rows) == 1000
    assert coarse > 500


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
            if isinstance(answer, dict):
                assert exact is None, asked
                refused += 1
            else:
                assert exact is not None, asked
                assert signed(asked, exact) == (int(answer[0]), int(answer[1])), asked
                met += 1

    assert met == met_count
    assert met + refused == 600
