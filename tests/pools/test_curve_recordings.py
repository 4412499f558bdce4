"""Curve pools equal every recorded answer of the contracts, to the unit."""

from collections.abc import Callable

import pytest

from engine.pools import tricrypto
from engine.pools.curve import CurveState, quoted_out
from engine.pools.curve_math import ProductForm, balance_after, balance_at, invariant
from engine.pools.curve_meta import MetaState, tokens_for_deposit, underlying_out, withdrawn
from tests.pools.curve_recordings import (
    BASE_TOKENS,
    META,
    META_BLOCKS,
    META_TOKENS,
    TRICRYPTO,
    TRICRYPTO_TOKENS,
    TRIPOOL,
    recorded_metapool,
    recorded_metapool_blocks,
    recorded_tricrypto,
    recorded_tripool,
)
from tests.pools.recordings import FOLDER, answer_of, read_json, read_lines, whole_list

ANSWERS = {
    "test_curve_tripool_get_dy.json": 18,
    "test_curve_tripool_calc_withdraw_and_token_amount.json": 18,
    "test_curve_metapool_get_dy.json": 42,
    "test_curve_metapool_multiblock_get_dy.json": 672,
    "test_curve_tricrypto_get_dy.json": 18,
}
ORACLE = "oracle_curve_snapshot.txt"
ORACLE_ANSWERS = {"get_d": 5, "get_y": 4, "get_y_d": 28, "newton_y": 1, "reduction": 2}
PROBES = "curve_swap.json"
PROBE_ANSWERS = 4
"""Nothing that was recorded of Curve is unmet."""

Answer = Callable[[list[str]], str]


def _pair(words: str, tokens: tuple[str, ...]) -> tuple[int, int]:
    source, _, target = words.partition("->")
    return tokens.index(source), tokens.index(target)


def _tripool(words: list[str]) -> str:
    state, supply_raw = recorded_tripool()
    amount, token = int(words[-1]), words[-2]
    if words[0] == "get_dy":
        i, j = _pair(token, BASE_TOKENS)
        return answer_of(lambda: quoted_out(state, amount, token_in=i, token_out=j))
    index = int(token.removeprefix("i="))
    ask = tokens_for_deposit if words[0] == "calc_token_amount" else withdrawn
    return answer_of(lambda: ask(state, amount, token=index, supply_raw=supply_raw))


def _metapool(state: MetaState, words: list[str]) -> str:
    amount = int(words[-1])
    if words[0] == "get_dy":
        i, j = _pair(words[1], ("RAI", "3Crv"))
        return answer_of(lambda: quoted_out(state.pool, amount, token_in=i, token_out=j))
    i, j = _pair(words[1], META_TOKENS)
    return answer_of(lambda: underlying_out(state, amount, token_in=i, token_out=j))


def _tricrypto(words: list[str]) -> str:
    i, j = _pair(words[1], TRICRYPTO_TOKENS)
    state, amount = recorded_tricrypto(), int(words[2])
    return answer_of(lambda: tricrypto.amount_out(state, amount, token_in=i, token_out=j))


def _replays() -> dict[str, Answer]:
    metapool, blocks = recorded_metapool(), recorded_metapool_blocks()
    return {
        "test_curve_tripool_get_dy.json": _tripool,
        "test_curve_tripool_calc_withdraw_and_token_amount.json": _tripool,
        "test_curve_metapool_get_dy.json": lambda words: _metapool(metapool, words),
        "test_curve_metapool_multiblock_get_dy.json": lambda words: _metapool(
            blocks[words[2]], words
        ),
        "test_curve_tricrypto_get_dy.json": _tricrypto,
    }


@pytest.mark.parametrize("name", ANSWERS)
def test_every_recorded_answer_of_a_contract_is_met_to_the_unit(name: str) -> None:
    replay = _replays()[name]
    entries = read_json(name)["entries"]

    unmet = {
        key: found
        for key, answer in entries.items()
        if (found := replay(key.split("|")[1:])) != str(answer["value"])
    }

    assert unmet == {}
    assert len(entries) == ANSWERS[name]


FORMS = {
    "1": (ProductForm.LOOP, None),
    "2": (ProductForm.LOOP, 1),
    "3": (ProductForm.LOOP_PLUS_ONE, 1),
    "6": (ProductForm.PAIR, None),
}
"""The recording's numbers of D's variants: form, and the precision if not the recorded one."""


def _oracle(words: list[str]) -> int:
    if words[0] == "newton_y":
        return tricrypto.solve_balance(
            whole_list(words[1]),
            token=0,
            amp=2_700_000,  # these three are fixed in the recording's reader
            gamma_e18=10**14,
            d_e18=400 * 10**18,
        )
    if words[0] == "reduction":
        return tricrypto.evenness_e18(whole_list(words[1]), fee_gamma_e18=int(words[2]))
    if words[0] == "get_y_d":
        amp, token, balances, d = (
            int(words[2]),
            int(words[3]),
            whole_list(words[4]),
            int(words[5]),
        )
        precision = int(words[7]) if words[8] == "2" else 1
        return balance_at(balances, token=token, amp=amp, amp_precision=precision, d=d)
    if words[0] == "get_d":
        form, precision_or_none = FORMS[words[6]]
        precision = precision_or_none or int(words[5])
        return invariant(
            whole_list(words[2]), amp=int(words[3]), amp_precision=precision, form=form
        )
    balances, amp = whole_list(words[5]), int(words[6])
    form, precision_or_none = FORMS[words[10]]
    precision = precision_or_none or int(words[8])
    return balance_after(
        balances,
        token_in=int(words[2]),
        token_out=int(words[3]),
        balance_in=int(words[4]),
        amp=amp,
        amp_precision=int(words[8]) if words[9] == "1" else 1,
        d=invariant(balances, amp=amp, amp_precision=precision, form=form),
    )


@pytest.mark.parametrize("tag", ORACLE_ANSWERS)
def test_every_recorded_step_of_the_solvers_is_met_to_the_unit(tag: str) -> None:
    lines = [(words, answer) for words, answer in read_lines(ORACLE) if words[0] == tag]

    unmet = [
        words
        for words, answer in lines
        if answer_of(lambda words=words: _oracle(words)) != answer  # type: ignore[misc]
    ]

    assert unmet == []
    assert len(lines) == ORACLE_ANSWERS[tag]


def test_every_recorded_style_of_quote_is_met_to_the_unit() -> None:
    probes = read_json(PROBES)["probes"]

    for probe in probes:
        values = probe["inputs"]
        balances = values["xp" if probe["name"] == "live_admin" else "balances"]
        rates = {
            "metapool_standard": [values["precision"], values["virtual_price"]],
            "raw_balance": [values["precision"]] * 2,
            "live_admin": values["rate_multipliers"],
        }.get(probe["name"], values["resolved_rates"])
        state = CurveState(
            balances_raw=tuple(int(value) for value in balances),
            rates_e18=tuple(int(value) for value in rates),
            amp=int(values["amp"]),
            amp_precision=int(values["a_precision"]),
            fee_e10=int(values["fee"]),
        )
        asked = probe["probe"]
        found = quoted_out(state, int(asked["dx"]), token_in=asked["i"], token_out=asked["j"])
        assert str(found) == probe["expected"]["dy"], probe["name"]
    assert len(probes) == PROBE_ANSWERS


def test_every_recorded_file_of_the_protocol_is_read() -> None:
    present = {path.stem for path in (FOLDER / "degenbot").glob("*.xz")}

    assert {name for name in present if "curve" in name} == {
        *ANSWERS,
        ORACLE,
        PROBES,
        TRIPOOL,
        META,
        META_BLOCKS,
        TRICRYPTO,
    }
    assert {words[0] for words, _ in read_lines(ORACLE)} == ORACLE_ANSWERS.keys()
