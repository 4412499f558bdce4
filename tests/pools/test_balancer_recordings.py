"""Balancer pools equal every recorded answer; what cannot be met is listed with its reason."""

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from engine.pools import balancer_math, balancer_stable, balancer_weighted
from engine.pools.balancer_stable import InvariantForm, StableState, make_stable
from engine.pools.balancer_weighted import WeightedState, make_weighted
from engine.pools.reverts import overflow
from tests.pools.recordings import FOLDER, answer_of, read_json, read_lines, whole_list

ORACLE = "oracle_balancer_snapshot.txt"
ANSWERS = {
    "fp_add": 9,
    "fp_sub": 9,
    "fp_mul_down": 9,
    "fp_mul_up": 9,
    "fp_div_down": 9,
    "fp_div_up": 9,
    "fp_complement": 9,
    "fp_pow_down": 44,
    "fp_pow_up": 44,
    "lm_pow": 13,
    "lm_ln": 11,
    "lm_exp": 11,
    "lm_log": 4,
    "wm_invariant": 12,
    "wm_out_given_in": 12,
    "wm_in_given_out": 12,
    "wm_sub_fee": 6,
    "wm_add_fee": 6,
    "sm_invariant_d_p": 6,
    "sm_invariant_p_d_up": 6,
    "sm_invariant_p_d_down": 6,
    "sm_out_given_in": 5,
    "sm_in_given_out": 5,
}
UNMET = {
    "fp_mul_down 340282366920938463463374607431768211456 340282366920938463463374607431768211456": (
        "the product needs more than 256 bits: the contract reverts, the recorder's port does not"
    ),
    "lm_pow 10000000000000000000 -500000000000000000": (
        "the contract's exponent has no sign: it takes this for a huge number and reverts"
    ),
}
WEIGHTED = {
    "balancer_weighted_apu_pepe_spx_3_token.json",
    "balancer_weighted_aura_kaiaura_50_50.json",
    "balancer_weighted_dai_gp_weth_usdt_4_token.json",
    "balancer_weighted_dai_weth_40_60.json",
    "balancer_weighted_gel_dexg_60_40.json",
    "balancer_weighted_par_mimo_75_25.json",
    "balancer_weighted_sdvecrv_crv_90_10.json",
    "balancer_weighted_usdc_weth.json",
    "balancer_weighted_usdc_weth_50_50.json",
    "balancer_weighted_weth_bal.json",
    "balancer_weighted_weth_rpl.json",
}
STABLE = {
    "balancer_stable_bb_s_usd.json",
    "balancer_stable_cbeth_wsteth.json",
    "balancer_stable_tusd_bsp.json",
    "balancer_stable_wsteth_weth.json",
}
"""Files of states: no quote was recorded with them."""


def _is_late(words: list[str]) -> bool:
    return words[-1] == "V2"


def _log(argument: int, base: int) -> int:
    top = balancer_math.ln_e36(argument) * 10**18
    bottom = balancer_math.ln_e36(base)
    return top // bottom if top >= 0 else -(-top // bottom)


def _weighted(words: list[str], amount: str) -> Any:
    numbers = [int(word) for word in words[1:6]]
    call = {"amount_in_e18": balancer_weighted.out_given_in} | {
        "amount_out_e18": balancer_weighted.in_given_out
    }
    return call[amount](
        balance_in=numbers[0],
        weight_in=numbers[1],
        balance_out=numbers[2],
        weight_out=numbers[3],
        has_shortcuts=_is_late(words),
        **{amount: numbers[4]},
    )


def _stable(words: list[str]) -> int:
    ask = (
        balancer_stable.out_given_in
        if words[0] == "sm_out_given_in"
        else balancer_stable.in_given_out
    )
    return ask(
        int(words[1]),
        whole_list(words[2]),
        int(words[5]),
        token_in=int(words[3]),
        token_out=int(words[4]),
        d=int(words[6]),
    )


def _invariant(words: list[str]) -> int:
    amp, balances = int(words[1]), whole_list(words[2])
    if words[0] == "sm_invariant_d_p":
        return balancer_stable.invariant(amp, balances, form=InvariantForm.ROUND_DOWN)
    return balancer_stable.invariant_rounded(amp, balances, is_up=words[0].endswith("up"))


def _power(words: list[str]) -> int:
    ask = balancer_math.pow_up if words[0] == "fp_pow_up" else balancer_math.pow_down
    return ask(int(words[1]), int(words[2]), has_shortcuts=_is_late(words))


def _whole(call: Callable[..., int]) -> Callable[[list[str]], int]:
    return lambda words: call(*(int(word) for word in words[1:]))


def _minus(a: int, b: int) -> int:
    if b > a:
        raise overflow("difference")
    return a - b


CALLS: dict[str, Callable[[list[str]], int]] = {
    "fp_add": _whole(lambda a, b: a + b),
    "fp_sub": _whole(_minus),
    "fp_mul_down": _whole(balancer_math.mul_down),
    "fp_mul_up": _whole(balancer_math.mul_up),
    "fp_div_down": _whole(balancer_math.div_down),
    "fp_div_up": _whole(balancer_math.div_up),
    "fp_complement": _whole(balancer_math.complement),
    "fp_pow_down": _power,
    "fp_pow_up": _power,
    "lm_pow": _whole(balancer_math.power),
    "lm_ln": _whole(balancer_math.ln),
    "lm_exp": _whole(balancer_math.exp),
    "lm_log": _whole(_log),
    "wm_invariant": lambda words: balancer_weighted.invariant_e18(
        whole_list(words[1]), whole_list(words[2]), has_shortcuts=_is_late(words)
    ),
    "wm_out_given_in": lambda words: int(_weighted(words, "amount_in_e18")),
    "wm_in_given_out": lambda words: int(_weighted(words, "amount_out_e18")),
    "wm_sub_fee": _whole(lambda amount, fee: amount - balancer_math.mul_up(amount, fee)),
    "wm_add_fee": _whole(lambda amount, fee: balancer_math.div_up(amount, 10**18 - fee)),
    "sm_invariant_d_p": _invariant,
    "sm_invariant_p_d_up": _invariant,
    "sm_invariant_p_d_down": _invariant,
    "sm_out_given_in": _stable,
    "sm_in_given_out": _stable,
}


@pytest.mark.parametrize("tag", ANSWERS)
def test_every_recorded_answer_is_met_or_listed_as_unmet(tag: str) -> None:
    lines = [(words, answer) for words, answer in read_lines(ORACLE) if words[0] == tag]

    unmet = {
        " ".join(words)
        for words, answer in lines
        if answer_of(lambda words=words: CALLS[tag](words)) != answer  # type: ignore[misc]
    }

    assert unmet == {call for call in UNMET if call.split()[0] == tag}
    assert len(lines) == ANSWERS[tag]


def test_the_recording_holds_no_function_that_is_not_replayed() -> None:
    assert Counter(words[0] for words, _ in read_lines(ORACLE)) == Counter(ANSWERS)


def fee_e18(text: str) -> int:
    fee = Fraction(text) * 10**18
    assert fee.denominator == 1
    return fee.numerator


def weighted_state(name: str) -> WeightedState:
    recorded = read_json(name)
    return make_weighted(
        pool=recorded["name"],
        tokens=[token["address"] for token in recorded["tokens"]],
        balances_raw=recorded["balances"],
        decimals=[token["decimals"] for token in recorded["tokens"]],
        weights_e18=recorded["weights"],
        fee_e18=fee_e18(recorded["fee"]),
        has_shortcuts=recorded["pow_version"] == "v2",
    )


def stable_state(name: str) -> StableState:
    """Make the state of a recorded pool, its own share token left out."""
    recorded = read_json(name)
    kept = [index for index in range(len(recorded["tokens"])) if index != recorded["bpt_idx"]]
    return make_stable(
        pool=recorded["name"],
        tokens=[recorded["tokens"][index]["address"] for index in kept],
        balances_raw=[recorded["balances"][index] for index in kept],
        decimals=[recorded["tokens"][index]["decimals"] for index in kept],
        rates_e18=[recorded["resolved_rates"][index] for index in kept],
        amp=recorded["amp"],
        fee_e18=fee_e18(recorded["fee"]),
        form=(
            InvariantForm.ROUND_UP
            if recorded["invariant_version"] == 2
            else InvariantForm.ROUND_DOWN
        ),
    )


@pytest.mark.parametrize("name", sorted(WEIGHTED))
def test_no_swap_lowers_the_invariant_of_a_recorded_weighted_pool(name: str) -> None:
    state = weighted_state(name)
    weights = state.weights_e18
    before = _product(state.balances_raw, weights)
    for token_in in range(len(weights)):
        for token_out in set(range(len(weights))) - {token_in}:
            amount = state.balances_raw[token_in] // 50
            out = balancer_weighted.amount_out(
                state, amount, token_in=token_in, token_out=token_out
            )
            after = list(state.balances_raw)
            after[token_in] += amount
            after[token_out] -= out

            assert 0 < out < state.balances_raw[token_out]
            assert _product(tuple(after), weights) > before


@pytest.mark.parametrize("name", sorted(STABLE))
def test_no_swap_lowers_the_invariant_of_a_recorded_stable_pool(name: str) -> None:
    state = stable_state(name)
    count = len(state.balances_raw)
    before = balancer_stable.invariant(
        state.amp, balancer_stable.scaled(state), form=InvariantForm.ROUND_DOWN
    )
    for token_in in range(count):
        for token_out in set(range(count)) - {token_in}:
            amount = state.balances_raw[token_in] // 50
            out = balancer_stable.amount_out(state, amount, token_in=token_in, token_out=token_out)
            after = balancer_stable.scaled(state)
            after[token_in] += amount * state.factors_e18[token_in] // 10**18
            after[token_out] -= out * state.factors_e18[token_out] // 10**18

            assert 0 < out < state.balances_raw[token_out]
            assert (
                balancer_stable.invariant(state.amp, after, form=InvariantForm.ROUND_DOWN) >= before
            )


def test_every_recorded_file_of_the_protocol_is_read() -> None:
    present = {path.stem for path in (FOLDER / "degenbot").glob("*balancer*.xz")}

    assert present == {ORACLE, *WEIGHTED, *STABLE}


def _product(balances: tuple[int, ...], weights: tuple[int, ...]) -> int:
    """Return the weighted product as a whole number: weights as hundredths of percent."""
    product = 1
    for balance, weight in zip(balances, weights, strict=True):
        parts, rest = divmod(weight, 10**14)
        assert rest == 0
        product *= balance**parts
    return product
