"""Solidly pools equal every recorded answer; what cannot be met is listed with its reason."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from engine.pools import solidly
from engine.pools.solidly import SolidlyForm, SolidlyState, make_solidly
from tests.pools.recordings import FOLDER, answer_of, read_json

ORACLE = "oracle_solidly_snapshot.txt"
ANSWERS = {
    "calc_d": 60,
    "calc_k": 19,
    "calc_f": 60,
    "calc_exact_in_volatile": 60,
    "get_y_solidly": 60,
    "f_camelot": 60,
    "k_camelot": 19,
    "get_y_camelot": 60,
    "calc_exact_in_stable_solidly": 20,
    "calc_exact_in_stable_camelot": 23,
}
WITHOUT_ANSWERS = {
    "aerodrome_v2_dola_usdbc_stable_block_46875151.json": "a state; no quote was recorded",
    "aerodrome_v2_tbtc_weth_volatile_block_46875151.json": "a state; no quote was recorded",
    "aerodrome_pool_builder.json": "a made-up state; no quote was recorded",
}
"""The source's first_200_aerodrome_v2_pools.json holds addresses alone and is not copied."""


def quote(form: SolidlyForm, args: list[int]) -> int:
    """Quote with the recording's numbers, whose scales (6, not 10**6) no maker would take."""
    amount, token_in, reserve0, reserve1, *scales, numerator, denominator = args
    state = SolidlyState(
        form=form,
        reserves_raw=(reserve0, reserve1),
        scales=(scales[0], scales[1]) if scales else (1, 1),
        fee_e6=numerator * 10**6 // denominator,
    )
    return solidly.amount_out(state, amount, token_in=token_in, token_out=1 - token_in)


CALLS: dict[str, Callable[[list[int]], int]] = {
    "calc_d": lambda args: solidly.slope_e18(*args),
    "calc_k": lambda args: solidly.curve_k(args[0], args[1], scales=(args[2], args[3])),
    "k_camelot": lambda args: solidly.curve_k(args[0], args[1], scales=(args[2], args[3])),
    "calc_f": lambda args: solidly.curve_f(*args),
    "f_camelot": lambda args: solidly.curve_f_camelot(*args),
    "get_y_solidly": lambda args: solidly.solve_y(*args[:3], scales=(args[3], args[4])),
    "get_y_camelot": lambda args: solidly.solve_y_camelot(*args[:3]),
    "calc_exact_in_volatile": lambda args: quote(SolidlyForm.VOLATILE, args),
    "calc_exact_in_stable_solidly": lambda args: quote(SolidlyForm.STABLE, args),
    "calc_exact_in_stable_camelot": lambda args: quote(SolidlyForm.CAMELOT_STABLE, args),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_recorded_answer_is_met_to_the_unit(name: str) -> None:
    cases = read_json(ORACLE)[name]

    unmet = [
        (case, found)
        for case in cases
        if (found := answer_of(lambda case=case: CALLS[name]([int(arg) for arg in case["args"]])))  # type: ignore[misc]
        != case["result"]
    ]

    assert unmet == []
    assert len(cases) == ANSWERS[name]


def test_the_recording_holds_no_function_that_is_not_replayed() -> None:
    assert read_json(ORACLE).keys() == ANSWERS.keys() == CALLS.keys()


def recorded_states() -> list[SolidlyState]:
    """Make the states of the files without answers."""
    states = []
    for name in sorted(WITHOUT_ANSWERS):
        recorded = read_json(name)
        pool = recorded.get("fixture", recorded)
        is_flat = "fixture" in recorded
        tokens = (
            (pool["token0"], pool["token1"])
            if is_flat
            else (pool["token0"]["address"], pool["token1"]["address"])
        )
        decimals = (
            (pool["token0_decimals"], pool["token1_decimals"])
            if is_flat
            else (pool["token0"]["decimals"], pool["token1"]["decimals"])
        )
        reserves = (
            (int(pool["reserve0"]), int(pool["reserve1"]))
            if is_flat
            else (pool["reserves_token0"], pool["reserves_token1"])
        )
        states.append(
            make_solidly(
                pool=name,
                form=SolidlyForm.STABLE if pool["stable"] else SolidlyForm.VOLATILE,
                tokens=tokens,
                reserves_raw=reserves,
                decimals=decimals,
                fee_e6=100 * (pool["fee_numer"] if is_flat else pool["fee_raw"]),
            )
        )
    return states


def test_recorded_pools_pass_their_own_check_of_the_invariant_after_a_swap() -> None:
    states = recorded_states()
    assert len(states) == len(WITHOUT_ANSWERS) == 3
    for state in states:
        for token_in in (0, 1):
            for part in (10, 100, 10_000):
                amount = state.reserves_raw[token_in] // part
                out = solidly.amount_out(state, amount, token_in=token_in, token_out=1 - token_in)
                after = list(state.reserves_raw)
                after[token_in] += amount - amount * state.fee_e6 // 10**6
                after[1 - token_in] -= out
                moved = replace(state, reserves_raw=(after[0], after[1]))

                assert out > 0
                if state.form is SolidlyForm.STABLE:
                    assert solidly.invariant(moved) >= solidly.invariant(state)
                else:
                    assert after[0] * after[1] >= state.reserves_raw[0] * state.reserves_raw[1]


def test_a_solved_reserve_is_the_least_that_keeps_the_invariant() -> None:
    random = Random(1)
    for _ in range(3_000):
        x, y = (int(10 ** random.uniform(18, 24)) for _ in range(2))
        after = x + int(x * 10 ** random.uniform(-9, 0)) + 1
        invariant = solidly.curve_f(x, y)

        left = solidly.solve_y(after, invariant, y, scales=(10**18, 10**18))

        found = solidly.curve_f(after, left)
        assert found >= invariant
        assert solidly.curve_f(after, left - 1) < invariant or found == invariant


def test_every_recorded_file_of_the_protocol_is_read() -> None:
    present = {path.stem for path in (FOLDER / "degenbot").glob("*.xz")}

    assert {ORACLE, *WITHOUT_ANSWERS} == {
        name for name in present if "aerodrome" in name or "solidly" in name
    }
