"""Exact forms against every recorded answer of Uniswap V2, V3, V4 and forks.

`ANSWERED` and `UNANSWERED` together name every file of the folder with the number of cases in it,
so that a file or a case that vanishes turns a test red. What cannot be compared says why.
"""

from fractions import Fraction
from typing import Any

import pytest

from engine.domain.errors import BadValueError
from engine.pools import constant_product
from engine.pools.concentrated import (
    ConcentratedState,
    amount_in,
    amount_out,
    swap_exact_in,
    swap_exact_out,
)
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import INT128_MAX
from engine.pools.tick_math import sqrt_ratio_at_tick
from tests.pools.uniswap_states import (
    FOLDER,
    load,
    make_state,
    make_table,
)

V3_STATE = "degenbot/uniswap_v3_wbtc_weth_24407242.json.xz"
PANCAKE_STATE = "degenbot/pancakeswap_v2_46875151.json"

# File -> answers in it that the exact forms meet to the unit.
ANSWERED = {
    "degenbot/uniswap_v3_wbtc_weth_24407242_answers.json.xz": 80,
    "degenbot/pancakeswap_v2_46875151_answers.json": 24,
    "degenbot/v3_swap.json": 1,
    "degenbot/v4_swap.json": 1,
}

# File -> cases in it, and why there is no answer to meet.
UNANSWERED = {
    "degenbot/camelot_v2_answers.json": (1, "the pool's reserves at that block are not recorded"),
    "degenbot/arbitrage_cycles.json.xz": (
        57,
        "no fees are recorded, and every expected input and profit is a placeholder of 0",
    ),
    "degenbot/pool_builder.json": (1, "a state only; its swap is the one of v3_swap.json"),
    "degenbot/uniswap_v2_wbtc_weth_17600000.json": (1, "a state only"),
    "degenbot/uniswap_v3_wbtc_weth_17600000.json.xz": (1, "a state only, with one word of ticks"),
    "degenbot/aerodrome_v3_46875151.json.xz": (1, "a state only, with some words of ticks"),
    "degenbot/uniswap_v3_snapshots.json.xz": (9, "ticks only, without prices"),
    "degenbot/uniswap_v4_ticks.json.xz": (40, "ticks only, without prices"),
    "tycho/states.json.xz": (19, "states only"),
    V3_STATE: (1, "the state of the answers beside it"),
    PANCAKE_STATE: (1, "the state of the answers beside it"),
}


def cases_of(name: str) -> int:
    held = load(name)
    if "entries" in held:
        return len(held["entries"])
    if any(part in name for part in ("cycles", "snapshots", "uniswap_v4_ticks", "tycho")):
        return len(held)
    return 1


def test_every_file_is_in_one_of_the_two_tables_with_its_number_of_cases() -> None:
    files = {
        str(path.relative_to(FOLDER))
        for path in FOLDER.rglob("*.json*")
        if path.parent.name != "vectors"
    }

    expected = ANSWERED | {name: count for name, (count, _) in UNANSWERED.items()}

    assert files == set(expected)
    assert {name: cases_of(name) for name in files} == expected


def v3_pool() -> ConcentratedState:
    recorded = load(V3_STATE)
    nets = ((int(tick), row[1]) for tick, row in recorded["tick_data"].items())
    return make_state(recorded["scalars"], nets)


def test_a_v3_pool_answers_as_the_recorded_quoter_did() -> None:
    state = v3_pool()
    name = "degenbot/uniswap_v3_wbtc_weth_24407242_answers.json.xz"
    met = 0

    for key, answer in load(name)["entries"].items():
        _, method, direction, amount = key.split("|")
        token_in = ("WBTC->WETH", "WETH->WBTC").index(direction)
        is_exact_in = method == "quoteExactInputSingle"
        swap = swap_exact_in if is_exact_in else swap_exact_out
        found = swap(state, int(amount), token_in=token_in)
        counted = found.amount_out_raw if is_exact_in else found.amount_in_raw
        assert counted == answer["value"], key
        met += 1

    assert met == ANSWERED[name]


def test_a_pancakeswap_pair_answers_as_the_recorded_router_did() -> None:
    recorded = load(PANCAKE_STATE)
    state = ConstantProductState.of(
        reserve0_raw=recorded["reserves_token0"],
        reserve1_raw=recorded["reserves_token1"],
        fee0=Fraction(recorded["fee_numer"], recorded["fee_denom"]),
    )
    name = "degenbot/pancakeswap_v2_46875151_answers.json"
    met = 0

    for key, answer in load(name)["entries"].items():
        _, _, direction, amount = key.split("|")
        token_in = ("WETH->USDbC", "USDbC->WETH").index(direction)
        found = constant_product.amount_out(state, int(amount), token_in=token_in)
        assert found == answer["value"], key
        met += 1

    assert met == ANSWERED[name]


@pytest.mark.parametrize("name", ["v3_swap", "v4_swap"])
def test_the_parity_fixtures_are_met_in_both_directions(name: str) -> None:
    held = load(f"degenbot/{name}.json")
    fixture, amount = held["fixture"], int(held["probe"]["amount_in"])
    word = 256 * fixture["tick_spacing"]
    limit = INT128_MAX if name == "v4_swap" else 2**255 - 1
    state = make_state(fixture, [(0, 0)], known=(-word, word), amount_raw_max=limit)

    for token_in in (0, 1):
        expected = int(held["expected"]["amount_out_zfo"])
        assert amount_out(state, amount, token_in=token_in) == expected


# ---- states without answers: they must at least be sound -----------------------------------


def round_trip(state: ConcentratedState, *amounts_raw: int) -> None:
    for token_in, amount_raw in enumerate(amounts_raw):
        out_raw = amount_out(state, amount_raw, token_in=token_in)
        assert out_raw > 0
        asked_raw = amount_in(state, out_raw, token_in=token_in)
        assert asked_raw <= amount_raw
        assert amount_out(state, asked_raw, token_in=token_in) >= out_raw


TYCHO_FEES = {"Lowest": 100, "Low": 500, "Medium": 3000, "High": 10_000}


def test_every_tycho_state_is_consistent_and_its_ratios_are_ours() -> None:
    held = load("tycho/states.json.xz")
    concentrated = 0

    for entry in held:
        recorded = entry["state"]["state"]
        if entry["state"]["protocol"] == "UniswapV2State":
            pair = ConstantProductState.of(
                reserve0_raw=int(recorded["reserve0"], 16),
                reserve1_raw=int(recorded["reserve1"], 16),
                fee0=Fraction(3, 1000),
            )
            assert constant_product.amount_out(pair, 10**15, token_in=1) > 0
            continue
        concentrated += 1
        ticks = recorded["ticks"]["ticks"]
        state = make_state(
            {
                "sqrt_price_x96": int(recorded["sqrt_price"], 16),
                "tick": recorded["tick"],
                "liquidity": recorded["liquidity"],
                "fee": TYCHO_FEES[recorded["fee"]],
                "tick_spacing": recorded["ticks"]["tick_spacing"],
            },
            [(tick["index"], tick["net_liquidity"]) for tick in ticks],
        )
        for tick in ticks:
            assert int(tick["sqrt_price"], 16) == sqrt_ratio_at_tick(tick["index"])
        for token_in in (0, 1):
            assert swap_exact_in(state, 10**12, token_in=token_in).step_count >= 1

    assert concentrated == 17


def v3_partly_known(name: str) -> tuple[Any, list[tuple[int, int]]]:
    held = load(name)
    rows = held["tick_data"].items()
    if "scalars" in held:
        return held["scalars"], [(int(tick), row[1]) for tick, row in rows]
    return held | {"tick_spacing": 60}, [(int(tick), row["liquidity_net"]) for tick, row in rows]


@pytest.mark.parametrize(
    "name",
    ["degenbot/aerodrome_v3_46875151.json.xz", "degenbot/uniswap_v3_wbtc_weth_17600000.json.xz"],
)
def test_a_state_of_some_words_answers_within_them_and_refuses_beyond(name: str) -> None:
    recorded, nets = v3_partly_known(name)
    known = (min(nets)[0], max(nets)[0])
    with pytest.raises(BadValueError, match="sums to"):
        make_state(recorded, nets)

    state = make_state(recorded, nets, known=known)

    round_trip(state, 10**6, 10**15)
    with pytest.raises(BadValueError, match="leaves the known ticks"):
        amount_out(state, 10**40, token_in=0)


def test_recorded_pairs_without_answers_trade_both_ways() -> None:
    held = load("degenbot/uniswap_v2_wbtc_weth_17600000.json")
    pair = ConstantProductState.of(
        reserve0_raw=held["reserves_token0"],
        reserve1_raw=held["reserves_token1"],
        fee0=Fraction(held["fee_token0"]),
        fee1=Fraction(held["fee_token1"]),
    )
    out_raw = constant_product.amount_out(pair, 10**8, token_in=0)

    assert constant_product.amount_in(pair, out_raw, token_in=0) <= 10**8 + 1


def test_the_pools_of_recorded_cycles_are_sound_and_their_answers_are_placeholders() -> None:
    count = {"v2": 0, "v3": 0, "v4": 0}

    for cycle in load("degenbot/arbitrage_cycles.json.xz").values():
        assert (cycle["expected_optimal_input"], cycle["expected_profit"]) == (0, 0)
        for pool in cycle["pool_states"].values():
            count[pool["type"]] += 1
            if pool["type"] == "v2":
                pair = ConstantProductState.of(
                    reserve0_raw=pool["reserves_token0"],
                    reserve1_raw=pool["reserves_token1"],
                    fee0=Fraction(3, 1000),
                )
                assert constant_product.amount_out(pair, 10**6, token_in=0) > 0
            else:
                nets = [
                    (int(tick), row["liquidity_net"]) for tick, row in pool["tick_data"].items()
                ]
                state = make_state(pool | {"fee": 3000, "tick_spacing": 60}, nets)
                round_trip(state, 10**9, 10**9)

    assert count == {"v2": 155, "v3": 6, "v4": 3}


def test_recorded_tick_tables_of_whole_pools_sum_to_nothing() -> None:
    for key, pool in load("degenbot/uniswap_v4_ticks.json.xz").items():
        nets = [(int(tick), int(net)) for tick, net in pool["ticks"].items()]
        assert make_table(nets, tick_spacing=pool["tick_spacing"]).is_whole, key

    snapshots = load("degenbot/uniswap_v3_snapshots.json.xz")
    whole = [one for name, one in snapshots.items() if name.startswith("0x")]
    whole += [
        one
        for one in snapshots["mainnet_v3_liquidity_snapshot_block_21_369_870.json"].values()
        if isinstance(one, dict)
    ]
    for one in whole:
        nets = [(int(tick), int(row["liquidity_net"])) for tick, row in one["tick_data"].items()]
        assert make_table(nets, tick_spacing=1).is_whole

    assert len(whole) == 12
