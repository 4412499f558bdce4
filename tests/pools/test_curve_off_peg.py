"""Fees of Curve that rise off the peg: exact as the contract's, and screened as no less."""

import json
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from engine.kernels import stable_swap as kernel
from engine.pools.curve import (
    FEE_ONE_E10,
    CurveState,
    amount_out,
    as_row,
    fee_between,
    make_curve,
    scaled,
)
from engine.pools.curve_math import ProductForm
from engine.pools.curve_meta import MetaState, withdrawn
from engine.pools.moves import BalancesMove, moved
from engine.pools.snapshot_rows import CurveRow
from engine.pools.snapshots import parse, to_json
from tests.effort import examples
from tests.pools.curve_states import Floats, random_pair
from tests.pools.recordings import read_text
from tests.pools.test_snapshots import OTHERS
from tests.reference.stable_swap import fee_off_peg

VECTORS = [json.loads(line) for line in read_text("curve_ng.jsonl").splitlines()]
SEEDS = st.integers(0, 2**32)
E18 = 10**18
PEGGED: dict[str, Any] = {
    "pool": "P",
    "tokens": ("A", "B"),
    "balances_raw": (10**24, 10**24),
    "decimals": (18, 18),
    "amp": 50_000,
    "amp_precision": 100,
    "fee_e10": 4_000_000,
    "offpeg_e10": 5 * FEE_ONE_E10,
}


def pool_of(vector: dict[str, Any]) -> CurveState:
    return make_curve(
        pool="P",
        tokens="ABCD"[: len(vector["decimals"])],
        balances_raw=[int(one) for one in vector["balances_raw"]],
        decimals=vector["decimals"],
        coin_rates_e18=[int(one) for one in vector["rates_e18"]],
        amp=vector["amp"],
        amp_precision=100,
        fee_e10=vector["fee_e10"],
        offpeg_e10=vector["offpeg_e10"],
        form=ProductForm[vector["form"].upper()],
    )


def paid(state: CurveState, vector: dict[str, Any]) -> int:
    ends = {"token_in": vector["token_in"], "token_out": vector["token_out"]}
    return amount_out(state, int(vector["amount_in_raw"]), **ends)


def _without(row: Floats) -> Floats:
    """Return the row of the same pool without any fee."""
    free = row.copy()
    free[[kernel.FEE_OUT_RATIO, kernel.OFFPEG]] = 0.0
    return free


def test_every_exchange_that_the_contract_made_is_met_to_the_unit() -> None:
    unmet = [one for one in VECTORS if paid(pool_of(one), one) != int(one["amount_out_raw"])]

    assert unmet == []
    assert len(VECTORS) == 108


def test_the_exchanges_tell_whether_the_fee_rises_and_which_form_the_invariant_has() -> None:
    steady = sum(
        paid(replace(pool_of(one), offpeg_e10=0), one) != int(one["amount_out_raw"])
        for one in VECTORS
    )
    others = sum(
        paid(replace(pool_of(one), form=form), one) != int(one["amount_out_raw"])
        for one in VECTORS
        for form in (ProductForm.LOOP, ProductForm.ONCE)
    )

    assert (steady, others) == (48, 2)


def test_at_the_peg_the_fee_is_the_pool_s_own_and_far_off_it_the_multiple() -> None:
    state = make_curve(**PEGGED)

    assert fee_between(state, E18, E18) == 4_000_000
    assert fee_between(state, E18, 10**9 * E18) == pytest.approx(20_000_000, rel=1e-6)
    assert fee_between(state, E18, 3 * E18) == fee_between(state, 3 * E18, E18) == 5_000_000
    with pytest.raises(BadValueError, match="fee off the peg"):
        fee_between(state, 1 << 120, 1 << 120)


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(1, 10**30), st.integers(1, 10**30), st.integers(0, 12 * 10**10))
def test_a_fee_is_that_of_the_unrounded_formula_but_for_a_unit(
    first: int, second: int, offpeg: int
) -> None:
    state = replace(make_curve(**PEGGED), offpeg_e10=offpeg)
    wanted = fee_off_peg(
        (Decimal(first), Decimal(second)),
        Decimal(0),
        Decimal(0),
        fee=Decimal(4_000_000),
        multiple=Decimal(offpeg) / FEE_ONE_E10,
    )

    assert abs(fee_between(state, first, second) - wanted) <= 1


@pytest.mark.parametrize("part", [1e-6, 1e-3, 0.01, 0.1, 0.3, 0.7, 1.5])
def test_a_screened_quote_keeps_no_more_than_the_contract_and_off_the_peg_as_much(
    part: float,
) -> None:
    for vector in VECTORS:
        if min(scaled(pool_of(vector))) < 10**15:
            continue  # halves of so few units round
        state, i, j = pool_of(vector), vector["token_in"], vector["token_out"]
        row = np.array(as_row(state))
        free = _without(row)
        amount = state.balances_raw[i] * part
        given = kernel.stable_swap_quote(free, i, j, amount)[0]
        kept = kernel.stable_swap_quote(row, i, j, amount)[0] / given
        x, y = scaled(state)[i], scaled(state)[j]
        u = x + int(amount * state.rates_e18[i] / E18 / 2)
        v = y - int(given * state.rates_e18[j] / E18 / 2)
        wanted = 1 - fee_between(state, u, v) / FEE_ONE_E10

        assert kept <= wanted + 1.1e-10
        if abs(u - v) * (x + y) >= abs(x - y) * (u + v) and u >= v:
            assert kept == pytest.approx(wanted, abs=1.1e-10)


@settings(max_examples=examples(120), deadline=None)
@given(SEEDS)
def test_what_a_screened_quote_gives_for_more_falls_with_the_input(seed: int) -> None:
    random = Random(seed)
    pair = random_pair("curve_off_peg", random)
    found = pair.floats(pair.reserve_in_raw * np.geomspace(1e-9, 2.0, 120))
    rates = found[:, 1]
    used = rates > 1e-3 * rates[0]  # beyond it the pool is empty but for dust

    assert np.all(np.diff(rates[used]) <= 1e-9 * rates[0])
    assert np.all(found[used][:, 2] <= 0)


@pytest.mark.parametrize("balances_raw", [(10**24, 10**24), (3 * 10**24, 10**24)])
@pytest.mark.parametrize("part", [0.01, 0.2, 0.6])
def test_off_the_peg_the_rate_and_its_fall_are_slopes_of_the_output(
    balances_raw: tuple[int, int], part: float
) -> None:
    row = np.array(as_row(make_curve(**(PEGGED | {"balances_raw": balances_raw, "amp": 2_000}))))
    amount, step = part * balances_raw[0], 1e-5 * balances_raw[0]
    before, here, after = (
        kernel.stable_swap_quote(row, 0, 1, amount + off) for off in (-step, 0.0, step)
    )
    rate, fall = (after[0] - before[0]) / (2 * step), (after[1] - before[1]) / (2 * step)
    at_one_fee = kernel.stable_swap_quote(_without(row), 0, 1, amount)

    assert here[1] == pytest.approx(rate, rel=1e-8)
    assert here[2] / fall == pytest.approx(1.0, rel=1e-6)
    assert here[1] < at_one_fee[1] * here[0] / at_one_fee[0], "the next unit raises the fee of all"


def test_a_row_with_a_multiplier_that_no_pool_has_gives_nothing() -> None:
    row = np.array(as_row(make_curve(**(PEGGED | {"fee_e10": 0}))))

    assert kernel.stable_swap_quote(row, 0, 1, 1e23)[0] > 0.0
    for bad in (-1.0, float("nan"), float("inf"), 1e11, 1e300):
        row[kernel.OFFPEG] = bad
        assert kernel.stable_swap_quote(row, 0, 1, 1e23) == (0.0, 0.0, 0.0)


def test_a_swap_back_to_the_peg_is_screened_at_the_fee_of_its_start() -> None:
    balances_raw = (35 * 10**23, 45 * 10**23)
    state = make_curve(**(PEGGED | {"balances_raw": balances_raw}))
    row = np.array(as_row(state))
    free = _without(row)
    start = fee_between(state, *balances_raw) / FEE_ONE_E10

    def fee(whole: float) -> float:
        taken = [kernel.stable_swap_quote(one, 0, 1, whole * 1e18)[0] for one in (row, free)]
        return float(1 - taken[0] / taken[1])

    assert fee(1.0) == pytest.approx(start, rel=1e-6)
    assert fee(1e6) == pytest.approx(start, rel=1e-6)  # at the peg by the mean, where it is lowest
    assert fee(4e6) > 1.1 * start  # off it on the other side
    exact = amount_out(state, 10**24, token_in=0, token_out=1)
    assert kernel.stable_swap_quote(row, 0, 1, 1e24)[0] < exact * (1 - start / 100)


@pytest.mark.parametrize("offpeg", [0, 1, FEE_ONE_E10])
def test_a_multiplier_up_to_one_changes_nothing(offpeg: int) -> None:
    steady, state = (make_curve(**(PEGGED | {"offpeg_e10": one})) for one in (0, offpeg))
    quotes = [
        kernel.stable_swap_quote(np.array(as_row(one)), 0, 1, 3e23) for one in (steady, state)
    ]

    assert amount_out(state, 3 * 10**23, token_in=0, token_out=1) == amount_out(
        steady, 3 * 10**23, token_in=0, token_out=1
    )
    assert quotes[0] == quotes[1]


def test_metapools_of_pools_whose_fee_rises_are_refused() -> None:
    state = make_curve(**PEGGED)

    with pytest.raises(BadValueError, match="rises off the peg"):
        MetaState(pool=replace(state, offpeg_e10=0), base=state, base_supply_raw=E18)
    with pytest.raises(BadValueError, match="rises off the peg"):
        withdrawn(state, 5, token=0, supply_raw=E18)


def test_a_pool_keeps_its_multiplier_through_moves_and_files() -> None:
    text, _ = OTHERS["curve"]
    before = parse(json.dumps(text | {"row": text["row"] | {"offpeg_e10": 2 * FEE_ONE_E10}}))
    row, state = moved(
        before.pool, before.row, before.row.state(before.pool), BalancesMove(balances_raw=(E18, 5))
    )

    assert parse(to_json(before)) == before
    assert isinstance(row, CurveRow)
    assert isinstance(state, CurveState)
    assert row.offpeg_e10 == state.offpeg_e10 == 2 * FEE_ONE_E10
    assert state.balances_raw == (E18, 5)


def test_a_pool_without_one_is_written_as_before_there_were_any() -> None:
    text, _ = OTHERS["curve"]

    assert b"offpeg" not in msgspec.json.encode(parse(json.dumps(text)))
