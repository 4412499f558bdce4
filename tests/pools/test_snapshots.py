"""The edge at which pools come in: what is refused, by which name; and the exact way back."""

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.detect.graph.pool_sides import prepare_pool, share_kept
from engine.domain.errors import BadValueError
from engine.pools.balancer_stable import StableState
from engine.pools.balancer_weighted import WeightedState
from engine.pools.concentrated import ConcentratedState, amount_in
from engine.pools.constant_product import ConstantProductState
from engine.pools.curve import CurveState
from engine.pools.integers import INT128_MAX, UINT112_MAX
from engine.pools.snapshot_rows import whole
from engine.pools.snapshots import check_distinct, parse, state_of, to_json
from engine.pools.solidly import SolidlyState
from engine.pools.tick_math import sqrt_ratio_at_tick
from engine.pools.whirlpool import WhirlpoolState
from engine.pools.whirlpool_math import sqrt_price_at

ETH = 10**18

Json = dict[str, Any]


def snapshot(protocol: str, row: Json, **terms: Any) -> Json:
    pool = {
        "chain": "ethereum",
        "protocol": protocol,
        "address": "0xabc",
        "tokens": [["ETH", 18], ["USDT", 6]],
        "fee_ratio": "0.003",
        "gas_units": 130_000,
    }
    return {"pool": pool | terms, "row": row, "block": 1}


def pair(reserve0: object = str(100 * ETH), reserve1: object = "270000000000") -> Json:
    row = {"form": "pair", "reserve0_raw": reserve0, "reserve1_raw": reserve1}
    return snapshot("uniswap_v2", row)


def concentrated(**changed: Any) -> Json:
    row = {
        "form": "concentrated",
        "sqrt_price_x96": str(sqrt_ratio_at_tick(65) + 5),
        "tick": 65,
        "liquidity": "3000",
        "tick_spacing": 60,
        "ticks": [[-120, "1000"], [0, "2000"], [120, "-500"], [180, "-2500"]],
    }
    return snapshot("uniswap_v3", row | changed)


OTHERS = {
    "curve": (
        snapshot(
            "curve",
            {
                "form": "curve",
                "balances_raw": [str(10**24), str(10**12)],
                "amp": 200,
                "amp_precision": 1,
            },
        ),
        CurveState,
    ),
    "solidly": (
        snapshot(
            "aerodrome_v2",
            {"form": "solidly", "reserves_raw": [str(10**24), str(10**12)], "curve": "stable"},
        ),
        SolidlyState,
    ),
    "weighted": (
        snapshot(
            "balancer_weighted",
            {
                "form": "weighted",
                "balances_raw": [str(10**24), str(10**12)],
                "weights_e18": [str(8 * 10**17), str(2 * 10**17)],
                "has_shortcuts": True,
            },
        ),
        WeightedState,
    ),
    "stable": (
        snapshot(
            "balancer_stable",
            {
                "form": "stable",
                "balances_raw": [str(10**24), str(10**12)],
                "rates_e18": [str(ETH), str(ETH)],
                "amp": 200_000,
                "invariant_form": "D^(n+1) over the product, always down",
            },
        ),
        StableState,
    ),
    "whirlpool": (
        snapshot(
            "whirlpool",
            {
                "form": "whirlpool",
                "sqrt_price_x64": str(sqrt_price_at(3) + 1),
                "tick": 3,
                "liquidity": "5000",
                "tick_spacing": 1,
                "ticks": [[-10, "5000"], [20, "-5000"]],
                "array_starts": [-88, 0],
            },
        ),
        WhirlpoolState,
    ),
}


def refused(edited: Json | str) -> str:
    text = edited if isinstance(edited, str) else json.dumps(edited)
    with pytest.raises(BadValueError) as caught:
        parse(text)
    return str(caught.value)


def test_a_pair_and_a_concentrated_pool_become_their_exact_states() -> None:
    state = state_of(parse(json.dumps(pair())))
    assert state == ConstantProductState(
        reserve0_raw=100 * ETH,
        reserve1_raw=270_000_000_000,
        fee0_numerator=3,
        fee1_numerator=3,
        fee_denominator=1000,
    )
    ranged = state_of(parse(json.dumps(concentrated())))
    assert isinstance(ranged, ConcentratedState)
    assert (ranged.fee_pips, ranged.table.ticks) == (3000, (-120, 0, 120, 180))


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_form_has_its_exact_state_and_the_way_back(name: str) -> None:
    text, expected = OTHERS[name]

    found = parse(json.dumps(text))

    assert isinstance(state_of(found), expected)
    assert parse(to_json(found)) == found


def test_amounts_of_v4_are_bound_to_127_bits() -> None:
    edited = concentrated()
    edited["pool"]["protocol"] = "uniswap_v4"
    state = state_of(parse(json.dumps(edited)))
    assert isinstance(state, ConcentratedState)
    assert state.amount_raw_max == INT128_MAX


def v4_with(*protocol_fee_ratios: str) -> str:
    edited = concentrated()
    edited["pool"] |= {"protocol": "uniswap_v4", "protocol_fee_ratios": protocol_fee_ratios}
    return json.dumps(edited)


def test_a_protocol_fee_of_v4_counts_in_its_own_direction_exactly_and_in_floats() -> None:
    """With 0.3 % for providers: 1,000 + 3,000 - 3 millionths, and 50 + 3,000 - 0 (0.15 floored)."""
    found = parse(v4_with("0.001", "0.00005"))
    plain = parse(v4_with())
    state, before = state_of(found), state_of(plain)
    assert isinstance(state, ConcentratedState)
    assert isinstance(before, ConcentratedState)
    assert parse(to_json(found)) == found

    assert [state.swap_fee_pips(token) for token in (0, 1)] == [3_997, 3_050]
    for token, pips in ((0, 3_997), (1, 3_050)):
        asked = amount_in(before, 10, token_in=token, fee_pips=pips)
        assert amount_in(state, 10, token_in=token) == asked
    sides, plain_sides = prepare_pool(found).sides, prepare_pool(plain).sides
    for side, without, pips in zip(sides, plain_sides, (3_997, 3_050), strict=True):
        ratio = (1_000_000 - pips) / (1_000_000 - 3_000)
        assert math.exp(side.log_rate - without.log_rate) == pytest.approx(ratio, rel=1e-12)
        kept = share_kept(found.pool, state, side.token_in)
        assert kept == pytest.approx(1 - pips / 1e6, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (v4_with("0.0010001", "0"), "a protocol fee of pool 0xabc on ethereum is 0.0010001"),
        (v4_with("-0.0001", "0"), "it must be from 0 to 0.001"),
        (v4_with("0.0000005", "0"), "5E-7 is finer than 1/1000000"),
        (v4_with("0.001"), "one for each of two directions"),
        (v4_with("0.001", "0").replace("uniswap_v4", "uniswap_v3"), "only uniswap_v4 adds any"),
    ],
)
def test_a_protocol_fee_that_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadValueError, match=re.escape(words)):
        parse(text)


@given(
    reserve0=st.integers(1_000, UINT112_MAX),
    reserve1=st.integers(1_000, UINT112_MAX),
    fee_pips=st.integers(0, 999_999),
)
def test_a_pair_comes_back_to_the_unit(reserve0: int, reserve1: int, fee_pips: int) -> None:
    edited = pair(str(reserve0), str(reserve1))
    edited["pool"]["fee_ratio"] = f"{fee_pips / 10**6:.6f}"
    found = parse(json.dumps(edited))

    again = parse(to_json(found))

    assert again == found
    assert to_json(again) == to_json(found)
    state = state_of(again)
    assert isinstance(state, ConstantProductState)
    assert (state.reserve0_raw, state.reserve1_raw) == (reserve0, reserve1)
    assert state.fee0_numerator * 10**6 == fee_pips * state.fee_denominator


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "nan", "inf", "Infinity", "-Infinity", "1e9", "1.0", "", " 1", "+1"),
        *("1_000", "0x10", "-0", "007", "٣", "9" * 81),
    ],
)
def test_text_that_is_no_whole_number_is_refused_by_name(text: str) -> None:
    said = refused(pair(text))
    assert (
        "ETH-USDT at uniswap_v2@ethereum 0.3 %, 0xabc on ethereum: "
        "reserve0_raw is no whole number" in said
    )
    assert repr(text[:90]) in said


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1", "1.5", "null", "true", "[]"])
def test_a_reserve_that_is_not_text_is_refused(number: str) -> None:
    text = json.dumps(pair("HERE")).replace('"HERE"', number)
    assert "the pool snapshot cannot be read" in refused(text)


@pytest.mark.parametrize(
    ("reserve0", "reserve1", "said"),
    [
        ("0", "5", "reserve0_raw is 0"),
        ("5", "0", "reserve1_raw is 0"),
        ("-5", "5", "reserve0_raw is -5"),
        (str(2**112), str(ETH), f"reserve0_raw is {2**112}"),
        (str(2**256), str(ETH), f"reserve0_raw is {2**256}"),
        ("1", "1", "liquidity is 1, the root of the product"),
        ("999", "999", "liquidity is 999"),
    ],
)
def test_reserves_of_nothing_or_beyond_112_bits_are_refused(
    reserve0: str, reserve1: str, said: str
) -> None:
    assert said in refused(pair(reserve0, reserve1))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"liquidity": "0", "ticks": []}, "liquidity is 0 at tick 65"),
        ({"liquidity": "-3000"}, "liquidity is -3000"),
        ({"liquidity": str(2**128)}, f"liquidity is {2**128}"),
        ({"liquidity": "2999"}, "the ticks leave -1 below the first"),
        ({"sqrt_price_x96": "NaN"}, "sqrt_price_x96 is no whole number"),
        ({"sqrt_price_x96": "0"}, "sqrt_price_x96 is 0"),
        ({"sqrt_price_x96": str(2**160)}, f"sqrt_price_x96 is {2**160}"),
        ({"sqrt_price_x96": str(sqrt_ratio_at_tick(67))}, "is not at tick 65"),
        ({"sqrt_price_x96": str(sqrt_ratio_at_tick(65) - 1)}, "is not at tick 65"),
        ({"tick": 887_272}, "tick is 887272"),
        ({"tick_spacing": 0}, "tick_spacing is 0"),
        ({"tick_spacing": 40_000}, "tick_spacing is 40000"),
        ({"tick_spacing": 50}, "tick -120 is no multiple of the spacing 50"),
        ({"ticks": [[0, "1"], [-60, "-1"]]}, "tick -60 follows 0: ticks must rise"),
        ({"ticks": [[0, "1"], [0, "-1"]]}, "tick 0 follows 0: ticks must rise"),
        ({"ticks": [[-60, "3000"], [120, "-2999"]]}, "sums to 1, not to 0"),
        (
            {"ticks": [[-180, "-5"], [-120, "3005"], [120, "-3000"]]},
            "negative, or over 128 bits",
        ),
        ({"ticks": [[-60, "nan"], [120, "-3000"]]}, "net liquidity at tick -60 is no whole"),
        ({"ticks": [[-60, str(2**127)], [120, "-1"]]}, "net liquidity at tick -60 is"),
        ({"ticks": [[-60, str(2**125)], [120, str(-(2**125))]]}, "net liquidity at tick -60 is"),
        ({"ticks": [[60 * 20_000, "1"]]}, "tick is 1200000"),
        ({"ticks": [[k, "0"] for k in range(20_001)]}, "20001 ticks; at most 20000"),
        ({"known_min": 10, "known_max": -10}, "known_max is -10"),
    ],
)
def test_a_concentrated_pool_that_cannot_be_is_refused_by_name(changed: Json, said: str) -> None:
    assert said in refused(concentrated(**changed))


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("value", ["0", "-1", str(2**256), "NaN"])
def test_every_other_form_refuses_balances_that_cannot_be(name: str, value: str) -> None:
    edited = json.loads(json.dumps(OTHERS[name][0]))
    row = edited["row"]
    if "liquidity" in row:
        row["liquidity"] = value
    else:
        row["balances_raw" if "balances_raw" in row else "reserves_raw"][0] = value
    assert "0xabc" in refused(edited)


@pytest.mark.parametrize("decimals", [0, 19, 30])
@pytest.mark.parametrize("name", [name for name in OTHERS if name != "whirlpool"])
def test_forms_that_scale_to_18_decimals_take_1_to_18(name: str, decimals: int) -> None:
    edited = json.loads(json.dumps(OTHERS[name][0]))
    edited["pool"]["tokens"][0][1] = decimals
    assert f"{decimals}" in refused(edited)
    assert "decimals" in refused(edited)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"protocol": "uniswap_v9"}, "'uniswap_v9'"),
        ({"protocol": "uniswap_v3"}, "has the form of PairRow, not of ConcentratedRow"),
        ({"fee_ratio": "1"}, "below 1 (100 % of the input)"),
        ({"fee_ratio": "NaN"}, "not finite"),
        ({"fee_ratio": 1.5}, "below 1"),
        ({"tokens": [["ETH", 18], ["ETH", 18]]}, "ETH twice"),
        ({"tokens": [["ETH", 18]]}, "1 tokens in pool 0xabc"),
        ({"tokens": [["ETH", 18], ["USDT", 6], ["USDC", 6]]}, "3 tokens; its form has 2"),
        ({"tokens": [["ETH", 0], ["USDT", 6]]}, "ETH of pool 0xabc on ethereum has 0 decimals"),
        ({"tokens": [["ETH", 30], ["USDT", 6]]}, "ETH of pool 0xabc on ethereum has 30 decimals"),
    ],
)
def test_terms_of_a_pool_that_cannot_be_are_refused_by_name(terms: Json, said: str) -> None:
    edited = pair()
    edited["pool"] |= terms
    assert said in refused(edited)


def test_a_fee_finer_than_the_contract_has_is_refused() -> None:
    edited = concentrated()
    edited["pool"]["fee_ratio"] = "0.00000001"
    assert "finer than 1/1000000" in refused(edited)


def test_a_snapshot_of_too_many_bytes_is_not_even_read() -> None:
    assert "at most 2000000" in refused(" " * 2_000_001)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pool": {}}', "NaN"])
def test_text_that_is_no_snapshot_is_refused(text: str) -> None:
    assert "cannot be read" in refused(text)


def test_a_pool_twice_in_a_list_is_refused() -> None:
    one = parse(json.dumps(pair()))
    check_distinct([one])
    with pytest.raises(BadValueError, match="0xabc on ethereum stands twice"):
        check_distinct([one, one])


@given(text=st.text(max_size=30))
def test_no_text_crashes_the_parser_of_numbers(text: str) -> None:
    try:
        number = whole(text, what="it")
    except BadValueError:
        return
    assert str(number) == text
